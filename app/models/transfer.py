"""场所移交: one station proposes to give a site to another, which accepts or returns it; until then nothing moves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date, ForeignKey, Index, Integer, String, and_, or_
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.entity import BigId, Entity, Scoped, column, computed
from app.core.office import Account, Office
from app.core.screen import Badge
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import TransferState
from app.models.enterprise import Site

S = TransferState
UNANSWERED = or_(bare_column("state") == S.OPEN.value, bare_column("state") == S.ACCEPTED.value)
PENDING = and_(bare_column("moved_on").is_(None), UNANSWERED)


def _already_begun(row: Any) -> str | None:
    return str(_("已经移交，不能撤回。")) if row.moved_on is not None else None


class SiteTransfer(Scoped):
    """From `made_office` to `office`, which answers. `account` proposed it. What the receiver may not read yet (the
    site, its firm) stands here in words. The move is a job of its own, on the day: it is the system's."""

    __tablename__ = "site_transfer"
    __label__ = "场所移交"
    __search__ = ("name", "firm")
    __stays__ = True
    __table_args__ = (
        Index("uq_site_transfer_pending", "site_id", unique=True, sqlite_where=PENDING, postgresql_where=PENDING),
        Index("ix_site_transfer_office_id_state", "office_id", "state"),
    )
    __workflow__ = Workflow(
        initial=S.OPEN,
        transitions=(
            Transition("accept", "接收", (S.OPEN,), S.ACCEPTED, Verb.CONFIRM,
                       confirm="接收后，场所连同清单上的记录和未了结的事项由贵机构负责；未了结的由您先承办，再分给本机构的人。"),
            Transition("refuse", "退回", (S.OPEN,), S.REFUSED, Verb.RETURN, reason=True, kind="danger",
                       confirm="退回后，场所仍归原机构。"),
            Transition("withdraw", "撤回", (S.OPEN,), S.WITHDRAWN, Verb.REVOKE, reason=True, kind="danger",
                       guards=(_already_begun,), confirm="撤回后，场所仍归原机构。"),
        ),
        tones={S.OPEN: "warning", S.ACCEPTED: "success", S.REFUSED: "danger", S.WITHDRAWN: "neutral"},
    )  # fmt: skip

    made_office_id: Mapped[int] = column("移出机构", BigId, ForeignKey("office.id"), system=True, nullable=False,
                                         index=True)  # fmt: skip
    office_id: Mapped[int] = column("接收机构", BigId, ForeignKey("office.id"), system=True, nullable=False, index=True)
    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), system=True, nullable=False, index=True)
    name: Mapped[str] = column("场所名称", String(120), system=True, nullable=False)
    firm: Mapped[str] = column("主体", String(120), system=True, nullable=False)
    address: Mapped[str] = column("经营地址", String(200), system=True, nullable=False, default="")
    account_id: Mapped[int] = column("提出人", BigId, ForeignKey("account.id"), system=True, nullable=False, index=True)
    day: Mapped[date] = column("移交日期", Date, system=True, nullable=False, help="从这一天起由接收机构负责。")
    reason: Mapped[str] = column("理由", String(500), system=True, nullable=False)
    answerer_id: Mapped[int | None] = column("答复人", BigId, ForeignKey("account.id"), system=True)
    answered_at: Mapped[datetime | None] = column("答复时间", UtcDateTime, system=True)
    moved_on: Mapped[date | None] = column("实际移交日期", Date, system=True)
    state: Mapped[str] = column("状态", String(10), choices=TransferState, system=True, nullable=False, default=S.OPEN)

    site: Mapped[Site] = relationship()
    giver: Mapped[Office] = relationship(foreign_keys="SiteTransfer.made_office_id")
    office: Mapped[Office] = relationship(foreign_keys="SiteTransfer.office_id")
    account: Mapped[Account] = relationship(foreign_keys="SiteTransfer.account_id")
    answerer: Mapped[Account | None] = relationship(foreign_keys="SiteTransfer.answerer_id")
    items: Mapped[list[SiteTransferLine]] = relationship(
        back_populates="transfer", cascade="all, delete-orphan", order_by="SiteTransferLine.position"
    )

    def __str__(self) -> str:
        return f"{self.name} {self.day:%Y-%m-%d}"

    @property
    def pending(self) -> bool:
        """Whether the site may still move by it."""
        return self.moved_on is None and self.state in {S.OPEN, S.ACCEPTED}

    @computed("进度")
    def progress(self) -> Badge:
        """Whether it moved, or on which day it will."""
        if self.moved_on is not None:
            return Badge(_("已移交"), "success")
        if self.state == S.OPEN:
            return Badge(_("等对方答复"), "warning")
        if self.state != S.ACCEPTED:
            return Badge(_("没有移交"), "neutral")
        return Badge(_("%(day)s 移交", day=f"{max(self.day, clock.today()):%Y-%m-%d}"), "info")


class SiteTransferLine(Entity):
    """How many records of a kind moved, and how many of them were not done with."""

    __tablename__ = "site_transfer_line"
    __label__ = "移交清单"
    __part_of__ = "transfer"
    __history__ = False

    transfer_id: Mapped[int] = column("场所移交", BigId, ForeignKey("site_transfer.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    kind: Mapped[str] = column("类别", String(40), system=True, nullable=False, format="term")
    total: Mapped[int] = column("件数", Integer, system=True, nullable=False, default=0)
    open_rows: Mapped[int] = column("其中未了结", Integer, system=True, nullable=False, default=0)

    transfer: Mapped[SiteTransfer] = relationship(back_populates="items")

    def __str__(self) -> str:
        return f"{_(self.kind)} {self.total}"

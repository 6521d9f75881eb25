"""工作交接: what was handed from whom to whom, row by row; the receiver accepts it, or sends it back with a reason."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date, ForeignKey, Index, Integer, String, select
from sqlalchemy.orm import Mapped, relationship

from app.core.access.context import current_access
from app.core.db import unscoped
from app.core.document import register_subject
from app.core.entity import BigId, Entity, Scoped, column
from app.core.office import Account, Leaving, Office, Posting
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow


class HandoverState(StrEnum):
    """Where a hand-over stands."""

    OPEN = "待接收"
    ACCEPTED = "已接收"
    REFUSED = "已退回"


class Outcome(StrEnum):
    """What became of one row."""

    MOVED = "已移交"
    ENDED = "已终止"
    CHANGED = "其间有变化，未移交"
    UNFIT = "接收人无权办理，未移交"
    GONE = "已了结，未移交"
    BACK = "已退回"


WENT = (Outcome.MOVED, Outcome.ENDED)


def _receiver_only(row: Any) -> str | None:
    mine = row.account is not None and row.account.person_key == current_access().person.person_key
    return None if mine else str(_("只能由接收人办理。"))


def _not_by_itself(row: Any) -> str | None:
    return str(_("撤销任职时自动移交的工作不能退回，可以再移交给别人。")) if row.supervisor_id is None else None


class Handover(Scoped):
    """From one person to one person, in one act. Without a supervisor the program made it (撤销)."""

    __tablename__ = "handover"
    __label__ = "工作交接"
    __search__ = ("reason", "giver.name", "account.name")
    __named_by__ = ("giver", "account")
    __table_args__ = (Index("ix_handover_posting_id", "posting_id"),)
    __workflow__ = Workflow(
        initial=HandoverState.OPEN,
        transitions=(
            Transition("accept", "接收", (HandoverState.OPEN,), HandoverState.ACCEPTED, Verb.CONFIRM,
                       guards=(_receiver_only,), confirm="接收后，清单上的工作由您负责。"),
            Transition("refuse", "退回", (HandoverState.OPEN,), HandoverState.REFUSED, Verb.RETURN, reason=True,
                       kind="danger", guards=(_receiver_only, _not_by_itself),
                       confirm="退回后，清单上的工作回到所长的“待移交”，由所长另行安排。"),
        ),
        tones={HandoverState.OPEN: "warning", HandoverState.ACCEPTED: "success", HandoverState.REFUSED: "danger"},
    )  # fmt: skip

    posting_id: Mapped[int] = column("任职", BigId, ForeignKey("posting.id"), system=True, nullable=False)
    giver_id: Mapped[int] = column("移交人", BigId, ForeignKey("account.id"), system=True, nullable=False, index=True)
    account_id: Mapped[int] = column("接收人", BigId, ForeignKey("account.id"), system=True, nullable=False, index=True)
    supervisor_id: Mapped[int | None] = column("监交人", BigId, ForeignKey("account.id"), system=True)
    kind: Mapped[str] = column("事由", String(10), choices=Leaving, system=True, nullable=False)
    date: Mapped[date] = column("移交日期", Date, system=True, nullable=False)
    reason: Mapped[str] = column("说明", String(500), system=True, nullable=False, default="")
    total: Mapped[int] = column("移交件数", Integer, system=True, nullable=False, default=0)
    kept: Mapped[int] = column("未移交件数", Integer, system=True, nullable=False, default=0)
    answered_at: Mapped[datetime | None] = column("答复时间", UtcDateTime, system=True)
    state: Mapped[str] = column(
        "状态", String(10), choices=HandoverState, system=True, nullable=False, default=HandoverState.OPEN
    )

    posting: Mapped[Posting] = relationship()
    office: Mapped[Office] = relationship(foreign_keys="Handover.office_id")
    giver: Mapped[Account] = relationship(foreign_keys="Handover.giver_id")
    account: Mapped[Account] = relationship(foreign_keys="Handover.account_id")
    supervisor: Mapped[Account | None] = relationship(foreign_keys="Handover.supervisor_id")
    items: Mapped[list[HandoverLine]] = relationship(
        back_populates="handover", cascade="all, delete-orphan", order_by="HandoverLine.position"
    )

    def __str__(self) -> str:
        giver, receiver = (one.name if one is not None else "—" for one in (self.giver, self.account))
        return f"{giver} → {receiver} {self.date:%Y-%m-%d}"


class HandoverLine(Entity):
    """One row of it. The row's own history tells the same; `kind` is the label of its charge."""

    __tablename__ = "handover_line"
    __label__ = "移交事项"
    __part_of__ = "handover"
    __history__ = False
    __table_args__ = (Index("ix_handover_line_entity_row_id", "entity", "row_id"),)

    handover_id: Mapped[int] = column("工作交接", BigId, ForeignKey("handover.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    kind: Mapped[str] = column("类别", String(40), system=True, nullable=False, format="term")
    entity: Mapped[str] = column("对象", String(60), system=True, nullable=False)
    row_id: Mapped[int] = column("记录", BigId, system=True, nullable=False)
    outcome: Mapped[str] = column("结果", String(20), choices=Outcome, system=True, nullable=False)

    # no cascade: each line would walk through all the others of its hand-over
    handover: Mapped[Handover] = relationship(back_populates="items", cascade="")


def has_handled(row: Entity, person_key: str) -> bool:
    """Whether the person once took a row over: who worked on it does not judge it, whoever has it now."""
    asked = (
        select(HandoverLine.id)
        .join(Handover, HandoverLine.handover_id == Handover.id)
        .join(Account, Handover.account_id == Account.id)
        .where(HandoverLine.entity == type(row).__name__, HandoverLine.row_id == row.id)
        .where(HandoverLine.outcome == Outcome.MOVED, Handover.state == HandoverState.ACCEPTED)
        .where(Account.person_key == person_key)
    )
    with unscoped("who handled a record", quiet=True) as session:
        return session.scalar(asked.limit(1)) is not None


register_subject(Handover)

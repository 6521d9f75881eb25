"""接管: what a station did on paper before this system (`PriorCase`), and which parts of its start are done."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped, relationship

from app.core.batched import batched
from app.core.charge import Charge
from app.core.entity import BigId, Scoped, column, computed
from app.core.office import Account
from app.core.screen import Badge
from app.core.verbs import Verb
from app.data.takeover import PriorKind, PriorState, RecheckResult, TakeoverPart
from app.models.enterprise import Site

TONES: dict[str, str] = {PriorState.WAITING: "warning", PriorState.DONE: "success", PriorState.NOT_CORRECTED: "danger"}
NUMBERED = bare_column("number") != ""


class PriorCase(Scoped):
    """An inspection or a 责令改正通知书 done on paper: its number, its scan, whether it was re-checked.

    It is no `Inspection` and no `Notice`: nothing of it was recorded, signed or served by this system, and nothing is
    printed from it.
    """

    __tablename__ = "prior_case"
    __label__ = "接管前案卷"
    __owner__ = "site"
    __search__ = ("number", "content", "site.search_text")
    __named_by__ = ("site",)
    __tones__ = TONES
    __table_args__ = (
        CheckConstraint("(rechecked_on IS NULL) = (outcome IS NULL)", name="recheck"),
        Index("uq_prior_case_number", "site_id", "kind", "number", unique=True,
              sqlite_where=NUMBERED, postgresql_where=NUMBERED),
        Index("ix_prior_case_office_id_done_on", "office_id", "done_on"),
        Index("ix_prior_case_office_id_state", "office_id", "state"),
    )  # fmt: skip
    __handover__ = (Charge("待复查的接管前案卷", "handler_id", "account_id", (PriorState.WAITING,), Verb.UPDATE),)

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    kind: Mapped[str] = column("案卷种类", String(20), choices=PriorKind, nullable=False)
    number: Mapped[str] = column(
        "文号", String(80), nullable=False, default="", help="通知书必填；检查没有编号的不填。"
    )
    done_on: Mapped[date] = column("检查或发文日期", Date, nullable=False)
    officers: Mapped[str] = column("办理人员", String(80), nullable=False, default="")
    content: Mapped[str] = column("主要问题", Text, nullable=False, default="", format="long")
    deadline: Mapped[date | None] = column("改正期限", Date)
    account_id: Mapped[int | None] = column("复查承办人", BigId, ForeignKey("account.id"), index=True)
    handler_id: Mapped[int | None] = column(
        "现承办人", BigId, ForeignKey("account.id"), system=True, index=True, help="交接后由谁继续办理。"
    )
    rechecked_on: Mapped[date | None] = column("复查日期", Date)
    outcome: Mapped[str | None] = column("复查结果", String(10), choices=RecheckResult)
    state: Mapped[str] = column("状态", String(10), choices=PriorState, derived=True, nullable=False,
                                default=PriorState.DONE)  # fmt: skip

    site: Mapped[Site] = relationship()
    account: Mapped[Account | None] = relationship(foreign_keys="PriorCase.account_id")
    handler: Mapped[Account | None] = relationship(foreign_keys="PriorCase.handler_id")

    def __str__(self) -> str:
        where = f"{self.site} " if self.site is not None else ""  # one may see a case and not the site
        return f"{where}{_(self.kind)} {self.number or f'{self.done_on:%Y-%m-%d}'}"

    @computed("扫描件")
    def scans(self) -> Badge:
        """How many files it carries."""
        found = batched(self, "scans") or 0
        return Badge(_("%(n)s 个", n=found), "success") if found else Badge(_("缺"), "warning")


class TakeoverStep(Scoped):
    """A part of a station's start that its people call done, in spite of what the figures may still lack."""

    __tablename__ = "takeover_step"
    __label__ = "接管进度"
    __table_args__ = (Index("uq_takeover_step", "office_id", "part", unique=True),)

    part: Mapped[str] = column("事项", String(20), choices=TakeoverPart, nullable=False)
    note: Mapped[str] = column("说明", String(200), nullable=False, default="")

    def __str__(self) -> str:
        return str(_(self.part))

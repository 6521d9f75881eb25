"""摸底: a round of counting who is out there; each station's return (摸底表), and in it one line a site."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import Date, ForeignKey, Index, String, Text, func, select
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.access.persons import other_person
from app.core.batched import batched
from app.core.db import current_session
from app.core.entity import BigId, Entity, Scope, Scoped, column, computed
from app.core.office import Account, Office
from app.core.ordering import list_indexes
from app.core.screen import Badge
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.census import GoneWhy, LineState, RoundState, SheetState, SizeClass
from app.data.enums import SiteKind, SiteState
from app.models.enterprise import GONE, Site

R, S, L = RoundState, SheetState, LineState
SEALED = (S.HANDED_IN, S.ACCEPTED)


class CensusRound(Entity):
    """One round, of the whole bureau. What was handed in stays as it was once the round has ended."""

    __tablename__ = "census_round"
    __label__ = "摸底"
    __scope__ = Scope.REFERENCE
    __search__ = ("name",)
    __workflow__ = Workflow(
        initial=R.DRAFT,
        transitions=(
            Transition("open", "开始摸底", (R.DRAFT,), R.OPEN, Verb.CONFIRM,
                       confirm="给每个监管所建一份摸底表，在册的经营场所各一条待核，并通知各所所长。"),
            Transition("end", "结束摸底", (R.OPEN,), R.ENDED, Verb.END, kind="danger",
                       confirm="结束后各所不能再核实和上报，数字不再变动。"),
        ),
        tones={R.DRAFT: "neutral", R.OPEN: "info", R.ENDED: "success"},
    )  # fmt: skip

    name: Mapped[str] = column("名称", String(60), nullable=False)
    as_of: Mapped[date] = column("摸底时点", Date, nullable=False, help="按这一天的情况核实。")
    due: Mapped[date] = column("上报截止", Date, nullable=False)
    note: Mapped[str | None] = column("要求", Text, format="long")
    state: Mapped[str] = column("状态", String(10), choices=RoundState, system=True, nullable=False, default=R.DRAFT)
    opened_at: Mapped[datetime | None] = column("开始时间", UtcDateTime, system=True)
    ready_at: Mapped[datetime | None] = column("清单建好", UtcDateTime, system=True)
    ended_at: Mapped[datetime | None] = column("结束时间", UtcDateTime, system=True)

    def __str__(self) -> str:
        return self.name

    @computed("上报", reads="CensusReturn")
    def progress(self) -> str | None:
        """How many of the stations that one reads have handed in."""
        found: str | None = batched(self, "progress")
        return found


def _goes_on(census: CensusRound | None) -> bool:
    """Whether the round goes on, as far as the reader may see it."""
    return census is None or census.state in {None, R.OPEN}


def _closed(sheet: CensusReturn) -> str | None:
    return None if _goes_on(sheet.round) else str(_("这一轮摸底已经结束。"))


def _unready(sheet: CensusReturn) -> str | None:
    """Every line is decided upon, and there are all lines."""
    if sheet.round is not None and sheet.round.ready_at is None:
        return str(_("清单还在建立，请过一会儿再上报。"))
    left = sheet.waiting
    return str(_("还有 %(n)s 条待核，请先核实。", n=left)) if left else None


class CensusReturn(Scoped):
    """What one office hands in. Its lines are sealed while it lies with the bureau."""

    __tablename__ = "census_return"
    __label__ = "摸底表"
    __stays__ = True
    __search__ = ("name",)
    __table_args__ = (Index("ix_census_return_round_id_office_id", "round_id", "office_id"),)
    __workflow__ = Workflow(
        initial=S.OPEN,
        transitions=(
            Transition("hand_in", "上报", (S.OPEN, S.RETURNED), S.HANDED_IN, Verb.SUBMIT, guards=(_closed, _unready),
                       confirm="上报后本所的清单封存，退回之前不能再改。"),
            Transition("accept", "认可", (S.HANDED_IN,), S.ACCEPTED, Verb.CONFIRM,
                       guards=(_closed, other_person("handed_by_id", "上报和认可"))),
            Transition("return", "退回", (S.HANDED_IN, S.ACCEPTED), S.RETURNED, Verb.RETURN, guards=(_closed,),
                       reason=True, kind="danger", confirm="退回后清单打开，由该所改好再上报。"),
        ),
        tones={S.OPEN: "warning", S.HANDED_IN: "info", S.ACCEPTED: "success", S.RETURNED: "danger"},
    )  # fmt: skip

    round_id: Mapped[int] = column("摸底", BigId, ForeignKey("census_round.id"), system=True, nullable=False)
    name: Mapped[str] = column("名称", String(200), system=True, nullable=False)
    state: Mapped[str] = column("状态", String(10), choices=SheetState, system=True, nullable=False, default=S.OPEN)
    handed_by_id: Mapped[int | None] = column("上报人", BigId, ForeignKey("account.id"), system=True)
    handed_at: Mapped[datetime | None] = column("上报时间", UtcDateTime, system=True)
    answered_by_id: Mapped[int | None] = column("答复人", BigId, ForeignKey("account.id"), system=True)
    answered_at: Mapped[datetime | None] = column("答复时间", UtcDateTime, system=True)

    round: Mapped[CensusRound] = relationship()
    office: Mapped[Office] = relationship(foreign_keys="CensusReturn.office_id")
    handed_by: Mapped[Account | None] = relationship(foreign_keys="CensusReturn.handed_by_id")
    answered_by: Mapped[Account | None] = relationship(foreign_keys="CensusReturn.answered_by_id")

    def __str__(self) -> str:
        return self.name

    @computed("已核", reads="CensusLine")
    def progress(self) -> Badge | None:
        """How many lines are decided upon, of how many."""
        found: tuple[int, int] | None = batched(self, "progress")
        if found is None:
            return None
        left, total = found
        return Badge(f"{total - left}/{total}", "success" if not left else "warning")

    @property
    def waiting(self) -> int:
        """How many lines nobody has decided upon; of all lines, whichever of them the person may read."""
        left = select(func.count(CensusLine.id)).where(CensusLine.sheet_id == self.id, CensusLine.state == L.OPEN)
        return int(current_session().connection().scalar(left) or 0)

    @property
    def late(self) -> bool:
        """Whether it should have been handed in."""
        due = self.round.due if self.round is not None and self.round.state == R.OPEN else None
        return self.state not in SEALED and due is not None and due < clock.today()

    @computed("期限")
    def term(self) -> Badge | None:
        """Until when; red when that is past."""
        if self.state in SEALED:
            return Badge(_("已交"), "success")
        if self.round is None or self.round.due is None:
            return None
        text = f"{self.round.due:%Y-%m-%d}"
        return Badge(_("逾期（%(day)s）", day=text), "danger") if self.late else Badge(text, "neutral")


def _sealed(line: CensusLine) -> str | None:
    """What has been handed in is the bureau's to send back first."""
    if not _goes_on(line.round):
        return str(_("这一轮摸底已经结束。"))
    sealed = line.sheet is not None and line.sheet.state in SEALED
    return str(_("本所的摸底表已上报，退回之前不能再改。")) if sealed else None


def _still_gone(line: CensusLine) -> str | None:
    state = line.site.state if line.site is not None else None
    if state not in {*GONE, SiteState.REVOKED, SiteState.LOST}:
        return None
    return str(_("场所现在是“%(state)s”，请先在场所页改回经营状态。", state=_(state)))


class CensusLine(Scoped):
    """One site in one round, counted in the return that it stands in; what it was is remembered here.

    It does not go along by itself when its site is given away or merged (`services.census_moves` says what happens).
    """

    __tablename__ = "census_line"
    __label__ = "摸底清单"
    __owner__ = "site"
    __stays__ = True
    __as_it_was__ = True
    __grows__ = True
    __search__ = ("site.search_text",)
    __table_args__ = (
        Index("uq_census_line_round_id_site_id", "round_id", "site_id", unique=True),
        Index("ix_census_line_sheet_id_state", "sheet_id", "state"),
        Index("ix_census_line_site_id", "site_id"),
        *list_indexes("census_line", orders=("made_at", "name", "state"), filters=("kind", "scale", "why")),
    )
    __workflow__ = Workflow(
        initial=L.OPEN,
        transitions=(
            Transition("confirm", "确认", (L.OPEN,), L.CONFIRMED, Verb.CONFIRM, guards=(_sealed,)),
            Transition("retire", "退出", (L.OPEN, L.CONFIRMED, L.ADDED), L.GONE, Verb.END, guards=(_sealed,),
                       reason=True, kind="danger",
                       confirm="场所同时登记为注销（已关停）或失联（查无下落）；主体没有其他在营场所的，主体也这样登记。"
                               "重复的请在“疑似重复”里合并；不属本所的请提出移交。"),
            Transition("reopen", "重新核实", (L.CONFIRMED, L.GONE), L.OPEN, Verb.RETURN,
                       guards=(_sealed, _still_gone), kind="plain"),
        ),
        tones={L.OPEN: "warning", L.CONFIRMED: "success", L.ADDED: "info", L.GONE: "neutral"},
    )  # fmt: skip

    round_id: Mapped[int] = column("摸底", BigId, ForeignKey("census_round.id"), system=True, nullable=False)
    sheet_id: Mapped[int] = column("摸底表", BigId, ForeignKey("census_return.id"), system=True, nullable=False)
    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), system=True, nullable=False)
    name: Mapped[str] = column("场所名称", String(120), system=True, nullable=False)
    firm: Mapped[str] = column("主体", String(120), system=True, nullable=False, default="")
    kind: Mapped[str] = column("主体类型", String(30), choices=SiteKind, system=True, nullable=False)
    scale: Mapped[str] = column("规模", String(10), choices=SizeClass, system=True, nullable=False)
    state: Mapped[str] = column("核实", String(10), choices=LineState, system=True, nullable=False, default=L.OPEN)
    why: Mapped[str | None] = column("退出原因", String(10), choices=GoneWhy, system=True)
    reason: Mapped[str] = column("说明", String(500), system=True, nullable=False, default="")
    decided_by_id: Mapped[int | None] = column("核实人", BigId, ForeignKey("account.id"), system=True)
    decided_at: Mapped[datetime | None] = column("核实时间", UtcDateTime, system=True)

    round: Mapped[CensusRound] = relationship()
    sheet: Mapped[CensusReturn] = relationship()
    site: Mapped[Site] = relationship()
    decided_by: Mapped[Account | None] = relationship(foreign_keys="CensusLine.decided_by_id")

    def __str__(self) -> str:
        return self.name

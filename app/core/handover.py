"""工作交接: what was handed from whom to whom, row by row; the receiver accepts it, or sends it back with a reason."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date, ForeignKey, Index, Integer, String, select
from sqlalchemy.orm import Mapped, relationship

from app.core.access.context import current_access
from app.core.access.veil import names_hidden
from app.core.db import current_session, unscoped
from app.core.document import IssuedDocument, register_subject
from app.core.entity import BigId, Entity, Scoped, column, registry
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
    return str(_("没有监交人的移交不能退回，可以再移交给别人。")) if row.supervisor_id is None else None


class Handover(Scoped):
    """From one person to one person, in one act.

    Without a supervisor the program made it (撤销), or who leads the office took the work himself: nobody supervises
    his own taking over, somebody of the office above signs for that.
    """

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


def neutral_name(entity: str, key: int) -> str:
    """What a row is called where its name is not for everybody who reads along: kind and number."""
    return f"{registry()[entity].__label__} {key}"


def why_not_open(paper: IssuedDocument) -> str | None:
    """Why the person in context may not open a 移交清单 although he reads its hand-over, or None.

    The paper was frozen when the work went over. Who signs it was told then and may open it; anybody else must be able
    to read, now, each row that it names.
    """
    with unscoped("who signs a hand-over", quiet=True) as session:
        made = session.scalars(select(Handover).where(Handover.id == paper.row_id)).unique().one()
        signers = {one.person_key for one in (made.giver, made.account, made.supervisor) if one is not None}
        lines = session.scalars(select(HandoverLine).where(HandoverLine.handover_id == made.id)).all()
    if current_access().person.person_key in signers:
        return None
    names = {row["n"]: row["name"] for row in paper.context.get("rows", ())}
    told: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        if line.position in names and names[line.position] != neutral_name(line.entity, line.row_id):
            told[line.entity].add(line.row_id)
    if all(_reads(registry()[entity], keys) for entity, keys in told.items()):
        return None
    return str(_("这份清单写有您无权查看的记录，只有移交人、接收人和监交人可以打开。"))


def _reads(cls: type[Entity], keys: set[int]) -> bool:
    """Whether the person in context reads all of these rows that are still there, and what they are called."""
    asked = select(cls.id).where(cls.id.in_(sorted(keys)))
    missing = keys - set(current_session().scalars(asked))
    if missing:
        with unscoped("rows that a paper names", quiet=True) as session:
            if session.scalar(asked.where(cls.id.in_(sorted(missing))).limit(1)) is not None:
                return False
    return not names_hidden(current_access(), cls)


register_subject(Handover, why_not_open)

"""任命提议: a system administrator or auditor is appointed by two administrators, one proposing, another confirming."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.access.context import current_access
from app.core.entity import BigId, Entity, Scope, Sphere, column, computed
from app.core.office import AccessRole, Account, Office
from app.core.screen import Badge
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow


class ProposalState(StrEnum):
    """Where a proposal stands; one past its day stays 待确认 and can only be withdrawn."""

    OPEN = "待确认"
    APPOINTED = "已任命"
    REJECTED = "已否决"
    WITHDRAWN = "已撤回"


def _is_me(account: Account | None) -> bool:
    return account is not None and account.person_key == current_access().person.person_key


def _by_another(row: Any) -> str | None:
    if _is_me(row.proposer):
        return str(_("提议和确认不能由同一人办理。"))
    return str(_("不能确认对自己的任命。")) if _is_me(row.account) else None


def _by_proposer(row: Any) -> str | None:
    return None if _is_me(row.proposer) else str(_("只有提议人可以撤回。"))


def _in_time(row: Any) -> str | None:
    return str(_("这项提议已过期，请重新提议。")) if row.expires_on < clock.today() else None


class PostingProposal(Entity):
    """One administrator asks for a posting; it is made when another person confirms it in time."""

    __tablename__ = "posting_proposal"
    __label__ = "任命提议"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.ADMINISTRATION
    __named_by__ = ("account", "role")
    __search__ = ("title", "account.name")
    __table_args__ = (CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),)
    __workflow__ = Workflow(
        initial=ProposalState.OPEN,
        transitions=(
            Transition("confirm", "确认任命", (ProposalState.OPEN,), ProposalState.APPOINTED, Verb.CONFIRM,
                       guards=(_in_time, _by_another), confirm="确认后立即建立任职。"),
            Transition("reject", "否决", (ProposalState.OPEN,), ProposalState.REJECTED, Verb.RETURN, reason=True,
                       kind="danger", guards=(_by_another,)),
            Transition("withdraw", "撤回", (ProposalState.OPEN,), ProposalState.WITHDRAWN, Verb.REVOKE,
                       kind="plain", guards=(_by_proposer,)),
        ),
        tones={ProposalState.OPEN: "warning", ProposalState.APPOINTED: "success",
               ProposalState.REJECTED: "danger", ProposalState.WITHDRAWN: "neutral"},
    )  # fmt: skip

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False)
    office_id: Mapped[int] = column("机构", BigId, ForeignKey("office.id"), nullable=False, index=True)
    role_id: Mapped[int] = column("角色", BigId, ForeignKey("access_role.id"), nullable=False)
    title: Mapped[str] = column("职务", String(40), nullable=False, default="", format="term")
    date_from: Mapped[date] = column("任职起", Date, nullable=False)
    date_to: Mapped[date | None] = column("任职止", Date)
    grounds: Mapped[str] = column("任命理由", Text, nullable=False, format="long")
    proposer_id: Mapped[int] = column("提议人", BigId, ForeignKey("account.id"), system=True, nullable=False)
    expires_on: Mapped[date] = column("有效期至", Date, system=True, nullable=False)
    answerer_id: Mapped[int | None] = column("确认人", BigId, ForeignKey("account.id"), system=True)
    answered_at: Mapped[datetime | None] = column("答复时间", UtcDateTime, system=True)
    state: Mapped[str] = column(
        "状态", String(10), choices=ProposalState, system=True, nullable=False, default=ProposalState.OPEN
    )

    account: Mapped[Account] = relationship(foreign_keys="PostingProposal.account_id")
    office: Mapped[Office] = relationship()
    role: Mapped[AccessRole] = relationship()
    proposer: Mapped[Account] = relationship(foreign_keys="PostingProposal.proposer_id")
    answerer: Mapped[Account | None] = relationship(foreign_keys="PostingProposal.answerer_id")

    @computed("期限")
    def due(self) -> Badge | None:
        """Open ones: until when, or that they are past it."""
        if self.state != ProposalState.OPEN:
            return None
        if self.expires_on < clock.today():
            return Badge(_("已过期"), "danger")
        return Badge(_("%(day)s 前确认", day=f"{self.expires_on:%Y-%m-%d}"), "info")

    def __str__(self) -> str:
        who = f"{self.account} " if self.account is not None else ""
        return f"{who}{_(self.title or self.role.name)}"

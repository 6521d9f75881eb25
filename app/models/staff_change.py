"""人员变动: what a firm reports of its people. A new holder is 待核 until the station accepts; a stand-in is short."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import Mapped, relationship

from app.core import attachment, clock
from app.core.entity import BigId, Scoped, column, computed
from app.core.screen import Badge
from app.core.types import Encrypted, UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import AppointmentRole
from app.data.people import ChangeKind, ChangeState
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person


def _stands_in(change: StaffChange) -> str | None:
    return None if change.kind == ChangeKind.STAND_IN else str(_("只有临时代班不用报送。"))


def _to_be_judged(change: StaffChange) -> str | None:
    """The station judges a signed paper, so there must be a picture of it."""
    if change.kind == ChangeKind.STAND_IN:
        return str(_("临时代班不用报送，保存即生效。"))
    return None if attachment.of(change) else str(_("请附上签字的任命书（离任的附说明）照片。"))


class StaffChange(Scoped):
    """A new holder of a post, a stand-in for some days, or somebody who left, as a firm reports it."""

    __tablename__ = "staff_change"
    __label__ = "人员变动"
    __owner__ = "enterprise"
    __search__ = ("name", "search_text")
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("ix_staff_change_office_id_state", "office_id", "state"),
    )
    __workflow__ = Workflow(
        initial=ChangeState.DRAFT,
        transitions=(
            Transition("report", "报送", (ChangeState.DRAFT, ChangeState.RETURNED), ChangeState.REPORTED, Verb.SUBMIT,
                       guards=(_to_be_judged,), confirm="报送后由监管所核对。"),
            Transition("stand_in", "开始代班", (ChangeState.DRAFT,), ChangeState.STANDING, Verb.SUBMIT,
                       guards=(_stands_in,), confirm="代班从开始日起生效，到期自动终止。"),
            Transition("accept", "采纳", (ChangeState.REPORTED,), ChangeState.ACCEPTED, Verb.CONFIRM,
                       confirm="采纳后，接任的人登记任职，前任的任职终止，没写完的日检查草稿转给接任的人。"),
            Transition("return", "退回", (ChangeState.REPORTED,), ChangeState.RETURNED, Verb.RETURN, reason=True,
                       kind="plain"),
            Transition("withdraw", "撤回", (ChangeState.DRAFT, ChangeState.REPORTED, ChangeState.RETURNED),
                       ChangeState.WITHDRAWN, Verb.REVOKE, kind="plain"),
            Transition("end", "结束代班", (ChangeState.STANDING,), ChangeState.ENDED, Verb.END, kind="plain"),
        ),
        tones={ChangeState.DRAFT: "neutral", ChangeState.REPORTED: "warning", ChangeState.RETURNED: "danger",
               ChangeState.ACCEPTED: "success", ChangeState.STANDING: "info", ChangeState.ENDED: "neutral",
               ChangeState.WITHDRAWN: "neutral"},
    )  # fmt: skip

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    site_id: Mapped[int | None] = column("只在场所", BigId, ForeignKey("site.id"), index=True)
    kind: Mapped[str] = column("变动", String(10), choices=ChangeKind, nullable=False)
    role: Mapped[str] = column("岗位", String(20), choices=AppointmentRole, nullable=False)
    date_from: Mapped[date] = column("自哪天起", Date, nullable=False, help="接任、代班的第一天，或离任后的第一天。")
    date_to: Mapped[date | None] = column("代班到哪天", Date, help="只有临时代班填写。")
    predecessor_id: Mapped[int | None] = column("前任", BigId, ForeignKey("appointment.id"), index=True,
                                                help="接替谁；新增的岗位不填。")  # fmt: skip
    person_id: Mapped[int | None] = column("本单位已登记的人", BigId, ForeignKey("person.id"), index=True,
                                           help="接任的人已在名单里时选择，下面三项就不用填。")  # fmt: skip
    name: Mapped[str] = column("姓名", String(60), nullable=False, default="")
    id_card: Mapped[str | None] = column("身份证号", Encrypted("staff_change.id_card"), secret=True, format="id_card")
    mobile: Mapped[str | None] = column("手机", Encrypted("staff_change.mobile"), secret=True, format="tel")
    full_time: Mapped[bool] = column("专职", Boolean, nullable=False, default=False, server_default=false())
    document: Mapped[str] = column("任命文件", String(120), nullable=False, default="")
    note: Mapped[str | None] = column("说明", Text, format="long")
    state: Mapped[str] = column("状态", String(10), choices=ChangeState, system=True, nullable=False,
                                default=ChangeState.DRAFT)  # fmt: skip
    reported_at: Mapped[datetime | None] = column("报送时间", UtcDateTime, system=True)
    decided_at: Mapped[datetime | None] = column("办结时间", UtcDateTime, system=True)
    appointment_id: Mapped[int | None] = column("登记的任职", BigId, ForeignKey("appointment.id"), system=True,
                                                index=True)  # fmt: skip
    passed: Mapped[int | None] = column("转交的草稿", Integer, system=True)
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("name", "enterprise.name"))  # fmt: skip

    enterprise: Mapped[Enterprise] = relationship()
    site: Mapped[Site | None] = relationship()
    person: Mapped[Person | None] = relationship()
    predecessor: Mapped[Appointment | None] = relationship(foreign_keys="StaffChange.predecessor_id")
    appointment: Mapped[Appointment | None] = relationship(foreign_keys="StaffChange.appointment_id")

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, _(self.role), _(self.kind)) if part)

    @computed("期限")
    def term(self) -> Badge | None:
        """How long a stand-in still stays."""
        if self.state != ChangeState.STANDING or self.date_to is None:
            return None
        left = (self.date_to - clock.today()).days
        return Badge(_("还有 %(n)s 天", n=left), "info") if left >= 0 else Badge(_("代班已到期"), "warning")

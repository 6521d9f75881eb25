"""Person once; Appointments say what a person is at which firm, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    String,
    and_,
    false,
    or_,
    select,
)  # fmt: skip
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.access.context import current_access
from app.core.db import unscoped
from app.core.entity import BigId, Entity, Scoped, column, computed
from app.core.office import Account
from app.core.screen import Badge
from app.core.types import Encrypted
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import Activation, AppointmentRole
from app.data.people import BanKind, BanState, ManagerAbility
from app.models.enterprise import Enterprise, Site


class Person(Scoped):
    """A natural person of the firms' side. ID card and mobile are encrypted; digests find equals."""

    __tablename__ = "person"
    __label__ = "人员"
    __search__ = ("search_text",)
    __read_via__ = "appointments"

    name: Mapped[str] = column("姓名", String(60), nullable=False)
    id_card: Mapped[str | None] = column("身份证号", Encrypted("person.id_card"), secret=True, format="id_card")
    id_card_digest: Mapped[str | None] = column(
        "身份证号摘要", String(64), derived=True, of=("id_card",), secret=True, index=True
    )
    mobile: Mapped[str | None] = column("手机", Encrypted("person.mobile"), secret=True, format="tel")
    mobile_digest: Mapped[str | None] = column(
        "手机摘要", String(64), derived=True, of=("mobile",), secret=True, index=True
    )
    account_id: Mapped[int | None] = column("账号", BigId, ForeignKey("account.id"), system=True, index=True)
    activation: Mapped[str | None] = column("账号状态", String(10), choices=Activation, system=True)
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("name",))  # fmt: skip

    account: Mapped[Account | None] = relationship()
    appointments: Mapped[list[Appointment]] = relationship(back_populates="person")

    @computed("从业禁止")
    def ban(self) -> Badge | None:
        """Until when nobody may employ this person as a manager, whoever entered that."""
        until = banned_people().get(self.id)
        return Badge(until, "danger") if until is not None else None


class Appointment(Scoped):
    """任职 at a firm: 主要负责人, 食品安全总监 or 食品安全员, with dates and the paper it rests on."""

    __tablename__ = "appointment"
    __label__ = "企业任职"
    __owner__ = "enterprise"
    __with_firm__ = True
    __search__ = ("document", "person.search_text", "enterprise.search_text", "enterprise.code")
    __named_by__ = ("person",)
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("ix_appointment_person_id_date_to", "person_id", "date_to"),
    )

    person_id: Mapped[int] = column("人员", BigId, ForeignKey("person.id"), nullable=False)
    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    site_id: Mapped[int | None] = column("只在场所", BigId, ForeignKey("site.id"), index=True)
    role: Mapped[str] = column("岗位", String(20), choices=AppointmentRole, nullable=False)
    full_time: Mapped[bool] = column("专职", Boolean, nullable=False, default=False)
    date_from: Mapped[date] = column("任职起", Date, nullable=False)
    date_to: Mapped[date | None] = column("任职止", Date)
    document: Mapped[str] = column("任命文件", String(120), nullable=False, default="")
    stand_in: Mapped[bool] = column("临时代班", Boolean, system=True, nullable=False, default=False,
                                    server_default=false())  # fmt: skip

    person: Mapped[Person] = relationship(back_populates="appointments")
    enterprise: Mapped[Enterprise] = relationship()
    site: Mapped[Site | None] = relationship()
    abilities: Mapped[list[AppointmentAbility]] = relationship(
        back_populates="appointment", cascade="all, delete-orphan", order_by="AppointmentAbility.id"
    )

    def __str__(self) -> str:
        return f"{self.person} {_(self.role)}"

    @classmethod
    def in_force(cls, day: date) -> ColumnElement[bool]:
        """Appointments that hold on a day, stand-ins too."""
        return and_(cls.date_from <= day, or_(cls.date_to.is_(None), cls.date_to >= day))

    @computed("专兼职")
    def employment(self) -> str:
        """专职 or 兼职, both are allowed; or 临时代班."""
        if self.stand_in:
            return str(_("临时代班"))
        return str(_("专职") if self.full_time else _("兼职"))

    @computed("提醒")
    def alert(self) -> Badge | None:
        """应予解除: the person is banned and holds the post nevertheless."""
        today = clock.today()
        held = self.date_from <= today and (self.date_to is None or self.date_to >= today)
        until = banned_people().get(self.person_id) if held else None
        return Badge(str(_("应予解除：%(until)s", until=until)), "danger") if until is not None else None


class AppointmentAbility(Entity):
    """One 食品安全管理能力 that an appointment rests on, and what shows it. A degree is never asked for."""

    __tablename__ = "appointment_ability"
    __label__ = "管理能力"
    __part_of__ = "appointment"

    appointment_id: Mapped[int] = column("任职", BigId, ForeignKey("appointment.id"), nullable=False, index=True)
    ability: Mapped[str] = column("能力", String(20), choices=ManagerAbility, nullable=False)
    evidence: Mapped[str] = column("证明", String(200), nullable=False, help="证书编号、考核成绩、工作经历等。")

    appointment: Mapped[Appointment] = relationship(back_populates="abilities")

    def __str__(self) -> str:
        return str(_(self.ability))


class Ban(Scoped):
    """从业禁止 of a person, kept by the bureau: for five years or for life, by which decision.

    It holds for the natural person: whoever is entered elsewhere with the same identity card is banned as well.
    """

    __tablename__ = "ban"
    __label__ = "从业禁止"
    __owner__ = "person"
    __search__ = ("decision", "search_text")
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("ix_ban_office_id_date_from", "office_id", "date_from"),
    )
    __workflow__ = Workflow(
        initial=BanState.IN_FORCE,
        transitions=(
            Transition("revoke", "撤销", (BanState.IN_FORCE,), BanState.REVOKED, Verb.REVOKE, reason=True,
                       kind="danger", confirm="处罚决定被撤销、变更或登记有误时才撤销；期满的不用撤销。"),
        ),
        tones={BanState.REVOKED: "neutral"},  # how it stands today is told by `standing`
    )  # fmt: skip

    person_id: Mapped[int] = column("人员", BigId, ForeignKey("person.id"), nullable=False, index=True)
    kind: Mapped[str] = column("期限", String(10), choices=BanKind, nullable=False)
    basis: Mapped[str] = column("依据", String(200), nullable=False, help="例如：食品安全法第一百三十五条第一款。")
    decision: Mapped[str] = column("决定文号", String(80), nullable=False, help="行政处罚决定书或判决书的文号。")
    authority: Mapped[str] = column("作出机关", String(80), nullable=False, default="")
    date_from: Mapped[date] = column("禁止起", Date, nullable=False, help="处罚决定作出之日。")
    date_to: Mapped[date | None] = column("禁止止", Date, help="五年的不填就按满五年算；终身的不填。")
    state: Mapped[str] = column("状态", String(10), choices=BanState, system=True, nullable=False,
                                default=BanState.IN_FORCE)  # fmt: skip
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("person.name",))  # fmt: skip

    person: Mapped[Person] = relationship()

    def __str__(self) -> str:
        return f"{_('从业禁止')} {self.decision}"

    @computed("现状")
    def standing(self) -> Badge:
        """禁止中, 未开始, 已期满 or 已撤销, as of today."""
        if self.state != BanState.IN_FORCE:
            return Badge(_("已撤销"), "neutral")
        if self.date_from > clock.today():
            return Badge(_("未开始"), "info")
        if self.date_to is not None and self.date_to < clock.today():
            return Badge(_("已期满"), "neutral")
        return Badge(_("禁止中"), "danger")


def until_text(date_to: date | None) -> str:
    """终身 or the last day of a ban, in words."""
    return str(_("禁止从业终身") if date_to is None else _("禁止从业至 %(day)s", day=date_to.isoformat()))


BANNED = "banned people"  # read once a request


def banned_people() -> Mapping[int, str]:
    """The persons banned today, by key, with until when in words; whichever office entered the ban or the person.

    That a person may not be appointed must be known wherever he is; who entered it and why stays where it is.
    """
    asked = current_access().asked
    if BANNED not in asked:
        asked[BANNED] = _banned_people(clock.today())
    found: Mapping[int, str] = asked[BANNED]
    return found


def _banned_people(day: date) -> dict[int, str]:
    """Two short statements: the bans are few, and equals are found by an index."""
    with unscoped("who is banned", quiet=True) as session:
        rows = session.execute(
            select(Ban.person_id, Person.id_card_digest, Ban.date_to).join(Person, Ban.person_id == Person.id).where(
                Ban.state == BanState.IN_FORCE, Ban.date_from <= day, or_(Ban.date_to.is_(None), Ban.date_to >= day))
        ).all()  # fmt: skip
        found: dict[int, date | None] = {}
        cards: dict[str, Any] = {}
        for key, card, until in rows:
            found[key] = _later(found, key, until)
            if card is not None:
                cards[card] = _later(cards, card, until)
        equals = select(Person.id, Person.id_card_digest).where(Person.id_card_digest.in_(cards))
        for key, card in session.execute(equals) if cards else ():
            found[key] = _later(found, key, cards[str(card)])
    return {key: until_text(until) for key, until in found.items()}


def _later(known: Mapping[Any, date | None], key: Any, until: date | None) -> date | None:
    """Of two bans the one that lasts longer; none ends later than one for life."""
    if key not in known:
        return until
    before = known[key]
    return None if before is None or until is None else max(before, until)

"""Person once; Appointments say what a person is at which firm, from when to when."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Scoped, column
from app.core.office import Account
from app.core.types import Encrypted
from app.data.enums import Activation, AppointmentRole
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

    person: Mapped[Person] = relationship(back_populates="appointments")
    enterprise: Mapped[Enterprise] = relationship()
    site: Mapped[Site | None] = relationship()

    def __str__(self) -> str:
        return f"{self.person} {_(self.role)}"

"""Trainings and examinations of the firms' people (食品安全法44; 40 hours a year by the amended 《规定》)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Numeric, String
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Scoped, column
from app.data.enums import AppointmentRole, ExamResult, TrainingKind
from app.models.enterprise import Enterprise
from app.models.personnel import Person


class Training(Scoped):
    """One training of one person at one firm."""

    __tablename__ = "training"
    __label__ = "培训"
    __owner__ = "enterprise"
    __search__ = ("topic", "search_text")
    __table_args__ = (
        CheckConstraint("hours > 0", name="hours"),
        Index("ix_training_person_id_date", "person_id", "date"),
        Index("ix_training_office_id_date", "office_id", "date"),
    )

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    person_id: Mapped[int] = column("人员", BigId, ForeignKey("person.id"), nullable=False)
    date: Mapped[date] = column("培训日期", Date, nullable=False)
    hours: Mapped[Decimal] = column("学时", Numeric(5, 1), nullable=False)
    topic: Mapped[str] = column("内容", String(120), nullable=False)
    kind: Mapped[str] = column("方式", String(20), choices=TrainingKind, nullable=False)
    provider: Mapped[str] = column("组织单位", String(120), nullable=False, default="")
    evidence: Mapped[str] = column("证明材料", String(200), nullable=False, default="",
                                   help="证书编号、签到表、照片存放处等。")  # fmt: skip
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("person.name", "enterprise.name"))  # fmt: skip

    enterprise: Mapped[Enterprise] = relationship()
    person: Mapped[Person] = relationship()

    def __str__(self) -> str:
        return f"{self.person} {self.topic}"


class Exam(Scoped):
    """One 监督抽查考核 of one person; a failed or missed one is repeated by a later row that says so."""

    __tablename__ = "exam"
    __label__ = "考核"
    __owner__ = "enterprise"
    __search__ = ("search_text",)
    __table_args__ = (
        CheckConstraint("score IS NULL OR (score >= 0 AND score <= 100)", name="score"),
        Index("ix_exam_person_id_date", "person_id", "date"),
        Index("ix_exam_office_id_date", "office_id", "date"),
    )

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    person_id: Mapped[int] = column("人员", BigId, ForeignKey("person.id"), nullable=False)
    date: Mapped[date] = column("考核日期", Date, nullable=False)
    role: Mapped[str] = column("岗位", String(20), choices=AppointmentRole, nullable=False)
    score: Mapped[Decimal | None] = column("得分", Numeric(5, 1), help="百分制；缺考的不填。")
    pass_mark: Mapped[Decimal | None] = column("合格线", Numeric(5, 1), derived=True)
    result: Mapped[str] = column("结果", String(10), choices=ExamResult, derived=True, nullable=False, default="缺考")
    retake_of_id: Mapped[int | None] = column("补考", BigId, ForeignKey("exam.id"), index=True,
                                              help="是哪一次考核的补考。")  # fmt: skip
    attempt: Mapped[int] = column("第几次", Integer, derived=True, nullable=False, default=1, server_default="1")
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("person.name", "enterprise.name"))  # fmt: skip

    enterprise: Mapped[Enterprise] = relationship()
    person: Mapped[Person] = relationship()
    retake_of: Mapped[Exam | None] = relationship(remote_side="Exam.id")

    def __str__(self) -> str:
        return f"{self.person} {self.date:%Y-%m-%d} {_(self.result)}"

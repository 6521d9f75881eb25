"""风险分级 of a site, line by line and with its history; what the regulator notes about it (管理水平, 安全状况).

食品生产经营风险分级管理办法: 40 points static, 60 dynamic; A up to 30, B up to 45, C up to 60, D above.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Numeric, String
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Scoped, column
from app.data.enums import Line, NoteKind, RiskGrade
from app.models.enterprise import Site


class RiskGrading(Scoped):
    """One grade of one line of a site, from a day on until the next one."""

    __tablename__ = "risk_grading"
    __label__ = "风险分级"
    __owner__ = "site"
    __search__ = ("basis", "site.search_text")
    __table_args__ = (
        CheckConstraint("score IS NULL OR (score >= 0 AND score <= 110)", name="score"),
        Index("ix_risk_grading_site_id_line", "site_id", "line", "date_from"),
        Index("ix_risk_grading_office_id_date_from", "office_id", "date_from"),
    )

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    line: Mapped[str] = column("业务线", String(10), choices=Line, nullable=False)
    grade: Mapped[str] = column("风险等级", String(1), choices=RiskGrade, nullable=False)
    score: Mapped[Decimal | None] = column("风险分值", Numeric(5, 1), help="静态 40 分加动态 60 分，分值越高风险越大。")
    year: Mapped[int | None] = column("评定年度", Integer, format="code", help="不填取评定日期的年份。")
    basis: Mapped[str] = column("依据", String(200), nullable=False, default="", help="评分表、调整等级的理由等。")
    date_from: Mapped[date] = column("评定日期", Date, nullable=False)

    site: Mapped[Site] = relationship()

    def __str__(self) -> str:
        return f"{_(self.line)} {self.grade} {self.date_from:%Y-%m-%d}"


class SiteNote(Scoped):
    """What the regulator thinks of a site on a day. The firm's own people do not read it."""

    __tablename__ = "site_note"
    __label__ = "监管评价"
    __owner__ = "site"
    __search__ = ("text", "site.search_text")
    __table_args__ = (Index("ix_site_note_office_id_date", "office_id", "date"),)

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    kind: Mapped[str] = column("评价内容", String(10), choices=NoteKind, nullable=False)
    text: Mapped[str] = column("评价", String(500), nullable=False, format="long")
    date: Mapped[date] = column("评价日期", Date, nullable=False)

    site: Mapped[Site] = relationship()

    def __str__(self) -> str:
        return f"{_(self.kind)} {self.date:%Y-%m-%d}"

"""Legal citations as versioned rows: title, order, article, text, validity; picked on notices, never typed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, String, Text
from sqlalchemy.orm import Mapped

from app.core.entity import Entity, Scope, column


class LegalCitation(Entity):
    """One article, paragraph or item, as it stood from a day to a day. Unconfirmed, it can't be put on a paper."""

    __tablename__ = "legal_citation"
    __scope__ = Scope.REFERENCE
    __label__ = "法律条款"
    __search__ = ("title", "short", "article", "summary")

    key: Mapped[str] = column("键", String(60), unique=True, nullable=False, format="code")
    title: Mapped[str] = column("法律、法规、规章名称", String(120), nullable=False)
    short: Mapped[str] = column("简称", String(40), nullable=False, default="")
    order_no: Mapped[str] = column("令号", String(60), nullable=False, default="")
    article: Mapped[str] = column("条", String(20), nullable=False)
    paragraph: Mapped[str] = column("款", String(20), nullable=False, default="")
    item: Mapped[str] = column("项", String(20), nullable=False, default="")
    summary: Mapped[str] = column("内容提要", Text, nullable=False, default="", format="long")
    purposes: Mapped[str] = column(
        "用于", String(40), nullable=False, default="", help="违反、依据、逾期，用顿号分开。"
    )
    valid_from: Mapped[date | None] = column("施行日期", Date)
    valid_to: Mapped[date | None] = column("失效日期", Date)
    confirmed: Mapped[bool] = column("已由本局核对原文", Boolean, nullable=False, default=False)

    def printed(self) -> str:
        """As it prints: 《名称》第几条第几款第几项."""
        return f"《{self.title.strip('《》')}》{self.article}{self.paragraph}{self.item}"

    def __str__(self) -> str:
        return f"《{self.short or self.title}》{self.article}{self.paragraph}{self.item}"

    def in_force(self, day: date) -> bool:
        """Whether it was in force on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

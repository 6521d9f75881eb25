"""Public holidays and worked weekends, as the State Council announces them each year."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.core.entity import Entity, Scope, column
from app.data.enums import HolidayKind


class Holiday(Entity):
    """A day that is not what its weekday says. A local day off is a row with its region."""

    __tablename__ = "holiday"
    __scope__ = Scope.REFERENCE
    __label__ = "节假日"
    __search__ = ("name",)
    __table_args__ = (UniqueConstraint("date", "region"),)

    date: Mapped[date] = column("日期", Date, nullable=False)
    name: Mapped[str] = column("名称", String(40), nullable=False)
    kind: Mapped[str] = column("类别", String(10), choices=HolidayKind, nullable=False)
    region: Mapped[str] = column("范围", String(40), nullable=False, default="全国", help="地方放假的写地区名称。")

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.name}"

"""Areas (苏木乡镇, 街道, 农场) and which office answers for them, by line and date."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Entity, Scope, Sphere, column
from app.core.office import Office
from app.core.types import LineSet


class Area(Entity):
    """An administrative unit by its division code."""

    __tablename__ = "area"
    __scope__ = Scope.REFERENCE
    __sphere__ = Sphere.ADMINISTRATION
    __label__ = "区域"
    __short_list__ = True

    code: Mapped[str] = column("区划代码", String(12), unique=True, nullable=False, format="code")
    name: Mapped[str] = column("名称", String(60), nullable=False)
    kind: Mapped[str] = column("类别", String(20), nullable=False)
    aliases: Mapped[str] = column("曾用名", String(200), nullable=False, default="")
    parent_id: Mapped[int | None] = column("上级区域", BigId, ForeignKey("area.id"), index=True)

    parent: Mapped[Area | None] = relationship(remote_side="Area.id")


class OfficeArea(Entity):
    """An office answers for an area, in some lines (0: all), from a day to a day; many-to-many, borders change."""

    __tablename__ = "office_area"
    __scope__ = Scope.REFERENCE
    __sphere__ = Sphere.ADMINISTRATION
    __label__ = "辖区"
    __named_by__ = ("office", "area")

    office_id: Mapped[int] = column("机构", BigId, ForeignKey("office.id"), nullable=False, index=True)
    area_id: Mapped[int] = column("区域", BigId, ForeignKey("area.id"), nullable=False, index=True)
    lines: Mapped[int] = column("条线", LineSet, format="lines", nullable=False, default=0)
    date_from: Mapped[date | None] = column("自", Date)
    date_to: Mapped[date | None] = column("至", Date)
    confirmed: Mapped[bool] = column("已由本局核实", Boolean, nullable=False, default=False)

    office: Mapped[Office] = relationship()
    area: Mapped[Area] = relationship()

    def __str__(self) -> str:
        return f"{self.office} · {self.area}"

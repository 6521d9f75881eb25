"""片区: how a station divides its ground below the areas (苏木乡镇, 街道). A site may have one."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Entity, Scoped, column
from app.models.area import Area


class Precinct(Scoped):
    """A station's 片区, within one area or several."""

    __tablename__ = "precinct"
    __label__ = "片区"
    __search__ = ("name",)
    __table_args__ = (Index("uq_precinct_office_id_name", "office_id", "name", unique=True),)

    name: Mapped[str] = column("片区名称", String(40), nullable=False)
    note: Mapped[str] = column("范围说明", String(200), nullable=False, default="", format="long",
                               help="例如：孟和街以东、东环路以西。")  # fmt: skip

    areas: Mapped[list[PrecinctArea]] = relationship(
        back_populates="precinct", cascade="all, delete-orphan", order_by="PrecinctArea.id"
    )


class PrecinctArea(Entity):
    """An area that a 片区 lies in."""

    __tablename__ = "precinct_area"
    __label__ = "所在苏木乡镇"
    __part_of__ = "precinct"
    __named_by__ = ("area",)
    __table_args__ = (Index("uq_precinct_area", "precinct_id", "area_id", unique=True),)

    precinct_id: Mapped[int] = column("片区", BigId, ForeignKey("precinct.id"), nullable=False, index=True)
    area_id: Mapped[int] = column("苏木乡镇", BigId, ForeignKey("area.id"), nullable=False, index=True)

    precinct: Mapped[Precinct] = relationship(back_populates="areas")
    area: Mapped[Area] = relationship()

    def __str__(self) -> str:
        return str(self.area)

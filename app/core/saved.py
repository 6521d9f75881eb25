"""What a person keeps about a list: saved filters (own and the office's), chosen columns, the receipt of a bulk act.

Nothing here gives access: a saved filter is arguments that are replayed, under the predicates of whoever opens it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.core.entity import BigId, Entity, Scope, Sphere, column
from app.core.retain import Retain


class Sharing(StrEnum):
    """Whose a saved filter is."""

    OWN = "个人"
    OFFICE = "本机构"


class SavedFilter(Entity):
    """The arguments of a list under a name: one's own (account_id), or the office's (account_id is empty).

    No relationship to the account: who may not read accounts keeps filters all the same.
    """

    __tablename__ = "saved_filter"
    __label__ = "常用筛选"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.TOOL
    __state__ = "sharing"
    __table_args__ = (
        CheckConstraint("(sharing = '个人') = (account_id IS NOT NULL)", name="own_or_shared"),
        Index("ix_saved_filter_entity_account_id", "entity", "account_id"),
        Index("ix_saved_filter_entity_office_id", "entity", "office_id"),
    )

    entity: Mapped[str] = column("列表", String(60), nullable=False)
    name: Mapped[str] = column("名称", String(40), nullable=False)
    arguments: Mapped[str] = column("筛选条件", Text, nullable=False, default="")
    sharing: Mapped[str] = column("给谁用", String(10), choices=Sharing, nullable=False, default=Sharing.OWN)
    account_id: Mapped[int | None] = column("人员", BigId, ForeignKey("account.id"))
    office_id: Mapped[int] = column("机构", BigId, ForeignKey("office.id"), nullable=False)


class ListPreference(Entity):
    """How one person wants one list: its columns in order (null: as declared) and the filter it opens with."""

    __tablename__ = "list_preference"
    __label__ = "列表偏好"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.TOOL
    __history__ = False
    __table_args__ = (UniqueConstraint("account_id", "entity"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False)
    entity: Mapped[str] = column("列表", String(60), nullable=False)
    shown: Mapped[list[str] | None] = column("列", JSON(none_as_null=True))
    default_filter_id: Mapped[int | None] = column(
        "默认筛选", BigId, ForeignKey("saved_filter.id", ondelete="SET NULL"), index=True
    )


class BulkRun(Entity):
    """A bulk act that was sent once under its key; the same key again gives this answer.

    `outcomes`: [key of the row, whether it went, why not, title when the row is gone] in the order asked; null while
    it is under way.
    """

    __tablename__ = "bulk_run"
    __label__ = "批量办理"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.TOOL
    __history__ = False
    __retain__ = (Retain(30, "made_at"),)
    __table_args__ = (UniqueConstraint("account_id", "key"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False)
    key: Mapped[str] = column("唯一键", String(40), nullable=False)
    entity: Mapped[str] = column("列表", String(60), nullable=False)
    act: Mapped[str] = column("操作", String(60), nullable=False)
    digest: Mapped[str] = column("摘要", String(64), nullable=False)
    outcomes: Mapped[list[list[Any]] | None] = column("结果", JSON(none_as_null=True))

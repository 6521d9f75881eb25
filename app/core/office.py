"""Offices, accounts, postings and roles: who works where, as what, since when."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from flask_babel import gettext as _
from sqlalchemy import (
    JSON,
    BindParameter,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    and_,
    false,
    or_,
)
from sqlalchemy.orm import Mapped, relationship, validates

from app.core import clock
from app.core.charge import Charge
from app.core.codes import login_name
from app.core.entity import BigId, Entity, Scope, Sphere, column, computed
from app.core.screen import Badge
from app.core.types import LineSet, UtcDateTime, public_id


class OfficeKind(StrEnum):
    """What an office is; decides what it may do in the bureau's name."""

    CITY = "市局"
    BUREAU = "旗局"
    SECTION = "股室"
    BRIGADE = "大队"
    STATION = "所"
    TASK_FORCE = "专班"


class Family(StrEnum):
    """What an account is for; exclusive: nobody administers and inspects with one account."""

    SYSTEM = "系统管理"
    AUDIT = "审计"
    BUSINESS = "监管业务"
    FIRM = "企业"


class RoleOrigin(StrEnum):
    """Whose a role is: the program's, which nobody edits, or the administrators'."""

    BUILTIN = "内置"
    CUSTOM = "自设"


class Leaving(StrEnum):
    """Why somebody's work goes to another: the posting ended, or the office shares the work out anew."""

    LEAVES = "离任"
    TRANSFERRED = "调动"
    REVOKED = "撤销"
    SHARED = "分工调整"


class Office(Entity):
    """A unit of the bureau, in a tree. `path` is "/1/4/": the keys from the root down, this one included."""

    __tablename__ = "office"
    __scope__ = Scope.REFERENCE
    __sphere__ = Sphere.ADMINISTRATION
    __label__ = "机构"
    __short_list__ = True

    code: Mapped[str] = column("机构代码", String(40), unique=True, nullable=False, format="code")
    name: Mapped[str] = column("名称", String(80), nullable=False)
    short_name: Mapped[str] = column("简称", String(40), nullable=False)
    kind: Mapped[str] = column("类别", String(20), choices=OfficeKind, nullable=False)
    parent_id: Mapped[int | None] = column("上级机构", BigId, ForeignKey("office.id"), index=True)
    path: Mapped[str] = column("路径", String(200), derived=True, nullable=False, default="")
    lines: Mapped[int] = column("条线", LineSet, format="lines", nullable=False, default=0)
    confirmed: Mapped[bool] = column("已由本局核实", Boolean, nullable=False, default=False)
    active_from: Mapped[date | None] = column("成立日期", Date)
    active_to: Mapped[date | None] = column("撤销日期", Date)

    parent: Mapped[Office | None] = relationship(remote_side="Office.id")


class Account(Entity):
    """Who signs in. One person may hold two linked accounts: they share `person_key`, and rules compare persons."""

    __tablename__ = "account"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.ADMINISTRATION
    __label__ = "账号"
    __state__ = "family"
    __search__ = ("name", "username")

    username: Mapped[str] = column("登录名", String(60), unique=True, nullable=False, format="login")
    name: Mapped[str] = column("姓名", String(60), nullable=False)
    password: Mapped[str] = column("密码", String(256), secret=True, system=True, nullable=False, default="")
    family: Mapped[str] = column("账号类别", String(20), choices=Family, nullable=False)
    person_key: Mapped[str] = column("人员标识", String(22), system=True, nullable=False, default=public_id)
    office_id: Mapped[int] = column("所属机构", BigId, ForeignKey("office.id"), nullable=False, index=True)
    certificate_no: Mapped[str | None] = column("执法证号", String(40), format="code")
    certificate_until: Mapped[date | None] = column("执法证有效期至", Date)
    platform_account: Mapped[bool] = column("平台账号已开通", Boolean, nullable=False, default=False,
                                            server_default=false())  # fmt: skip
    platform_since: Mapped[date | None] = column("平台账号开通日期", Date)
    phone: Mapped[str | None] = column("电话", String(30), format="tel")
    locale: Mapped[str] = column("语言", String(5), system=True, nullable=False, default="zh")
    active: Mapped[bool] = column("启用", Boolean, nullable=False, default=True)
    must_change_password: Mapped[bool] = column("首次登录须改密码", Boolean, system=True, nullable=False, default=True)
    last_login: Mapped[datetime | None] = column("上次登录", UtcDateTime, system=True)

    office: Mapped[Office] = relationship()

    @validates("username")
    def _one_spelling(self, _key: str, value: str | None) -> str | None:
        """Whichever door a name comes in by, one spelling of it is kept."""
        return None if value is None else login_name(value)


class AccessRole(Entity):
    """What a posting allows. `grants`: entity → verb → list of [coverage, states or null]."""

    __tablename__ = "access_role"
    __scope__ = Scope.REFERENCE
    __sphere__ = Sphere.ADMINISTRATION
    __label__ = "角色"
    __state__ = "origin"
    __short_list__ = True

    code: Mapped[str] = column("代码", String(40), unique=True, nullable=False, format="code")
    name: Mapped[str] = column("名称", String(40), nullable=False, format="term")
    family: Mapped[str] = column("账号类别", String(20), choices=Family, nullable=False)
    rank: Mapped[int] = column("级别", Integer, nullable=False, default=0)
    origin: Mapped[str] = column(
        "来源",
        String(10),
        choices=RoleOrigin,
        system=True,
        nullable=False,
        default=RoleOrigin.CUSTOM,
        server_default=RoleOrigin.CUSTOM.value,
    )
    grants: Mapped[dict[str, Any]] = column("权限", JSON, nullable=False, default=dict)
    hidden: Mapped[dict[str, list[str]]] = column("隐藏的列", JSON, nullable=False, default=dict)
    readonly: Mapped[dict[str, list[str]]] = column("只读的列", JSON, nullable=False, default=dict)

    def __str__(self) -> str:
        return str(_(self.name))


SOON = 30  # days before its end from which a posting is marked


class Posting(Entity):
    """任职: an account holds a role at an office, from a day to a day, for some lines or all (0)."""

    __tablename__ = "posting"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.ADMINISTRATION
    __label__ = "任职"
    __search__ = ("title", "account.name", "account.username")
    __named_by__ = ("account", "role")
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("ix_posting_account_id_date_to", "account_id", "date_to"),
    )

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False)
    office_id: Mapped[int] = column("机构", BigId, ForeignKey("office.id"), nullable=False, index=True)
    role_id: Mapped[int] = column("角色", BigId, ForeignKey("access_role.id"), nullable=False, index=True)
    lines: Mapped[int] = column("只管条线", LineSet, format="lines", nullable=False, default=0)
    title: Mapped[str] = column("职务", String(40), nullable=False, default="", format="term")
    date_from: Mapped[date] = column("任职起", Date, nullable=False)
    date_to: Mapped[date | None] = column("任职止", Date, help="最后一天。")
    ended_at: Mapped[datetime | None] = column("结束时间", UtcDateTime, system=True)
    end_kind: Mapped[str | None] = column("结束事由", String(10), choices=Leaving, system=True)
    end_reason: Mapped[str | None] = column("结束说明", String(500), system=True)

    account: Mapped[Account] = relationship()
    office: Mapped[Office] = relationship()
    role: Mapped[AccessRole] = relationship()

    @classmethod
    def in_force(cls, day: date | BindParameter[date]) -> ColumnElement[bool]:
        """Postings that carry rights on a day: begun, not past their last day, not ended before it was over."""
        return and_(
            cls.date_from <= day, or_(cls.date_to.is_(None), cls.date_to >= day), cls.ended_at.is_(None)
        )  # fmt: skip

    def holds(self, day: date) -> bool:
        """The same of this row; one whose begin is hidden from who asks is not known to hold."""
        begun = self.date_from is not None and self.date_from <= day
        return begun and self.ended_at is None and (self.date_to is None or self.date_to >= day)

    @computed("现况")
    def standing(self) -> Badge:
        """Holds now, will, or did; a posting that ends within the month says so."""
        day = clock.today()
        if self.ended_at is None and self.date_from > day:
            return Badge(_("将到任"), "info")
        if not self.holds(day):
            return Badge(_("已离任"), "neutral")
        return Badge(
            _("在任"), "warning" if self.date_to is not None and (self.date_to - day).days < SOON else "success"
        )

    @computed("剩余天数")
    def days_left(self) -> int | None:
        """Days to the last one, that one included; None when it has none or is over."""
        day = clock.today()
        return (self.date_to - day).days + 1 if self.date_to is not None and self.holds(day) else None

    def __str__(self) -> str:
        who = f"{self.account} " if self.account is not None else ""  # one may see a posting and not the account
        return f"{who}{_(self.title or self.role.name)}"


class Assignment(Entity):
    """A person is put to one row (inspection team, task, question): reads it and its firm until it ends."""

    __tablename__ = "assignment"
    __label__ = "指派"
    __scope__ = Scope.OFFICE
    __about__ = ("entity", "row_id")
    __subjects__: ClassVar[list[type[Entity]]] = []
    __handover__ = (Charge("指派的工作", "account_id", renews=True, ends="date_to"),)
    __table_args__ = (
        UniqueConstraint("account_id", "entity", "row_id", "date_from"),
        Index("ix_assignment_entity_row_id", "entity", "row_id"),
    )

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False)
    entity: Mapped[str] = column("对象", String(60), nullable=False)
    row_id: Mapped[int] = column("记录", BigId, nullable=False)
    enterprise_id: Mapped[int | None] = column("主体", BigId)
    site_id: Mapped[int | None] = column("经营场所", BigId)
    date_from: Mapped[date] = column("自", Date, nullable=False)
    date_to: Mapped[date | None] = column("至", Date)


def register_assignable(cls: type[Entity]) -> None:
    """Persons may be put to rows of this class; who reads the row reads who is put to it, nobody else."""
    if cls not in Assignment.__subjects__:
        Assignment.__subjects__.append(cls)


def place(office: Office, parent: Office | None) -> None:
    """Put an office under its parent; both must have keys. Its children's paths follow."""
    office.parent_id = parent.id if parent else None
    office.path = f"{parent.path if parent else '/'}{office.id}/"

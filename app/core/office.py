"""Offices, accounts, postings and roles: who works where, as what, since when."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Entity, Scope, Sphere, column
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

    username: Mapped[str] = column("登录名", String(60), unique=True, nullable=False, format="code")
    name: Mapped[str] = column("姓名", String(60), nullable=False)
    password: Mapped[str] = column("密码", String(256), secret=True, system=True, nullable=False, default="")
    family: Mapped[str] = column("账号类别", String(20), choices=Family, nullable=False)
    person_key: Mapped[str] = column("人员标识", String(22), system=True, nullable=False, default=public_id)
    office_id: Mapped[int] = column("所属机构", BigId, ForeignKey("office.id"), nullable=False, index=True)
    certificate_no: Mapped[str | None] = column("执法证号", String(40), format="code")
    certificate_until: Mapped[date | None] = column("执法证有效期至", Date)
    phone: Mapped[str | None] = column("电话", String(30), format="tel")
    locale: Mapped[str] = column("语言", String(5), system=True, nullable=False, default="zh")
    active: Mapped[bool] = column("启用", Boolean, nullable=False, default=True)
    must_change_password: Mapped[bool] = column("首次登录须改密码", Boolean, system=True, nullable=False, default=True)
    last_login: Mapped[datetime | None] = column("上次登录", UtcDateTime, system=True)

    office: Mapped[Office] = relationship()


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
    date_to: Mapped[date | None] = column("任职止", Date)

    account: Mapped[Account] = relationship()
    office: Mapped[Office] = relationship()
    role: Mapped[AccessRole] = relationship()

    def __str__(self) -> str:
        who = f"{self.account} " if self.account is not None else ""  # one may see a posting and not the account
        return f"{who}{_(self.title or self.role.name)}"


class Assignment(Entity):
    """A person is put to one row (inspection team, task, question): reads it and its firm until it ends."""

    __tablename__ = "assignment"
    __label__ = "指派"
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


def place(office: Office, parent: Office | None) -> None:
    """Put an office under its parent; both must have keys. Its children's paths follow."""
    office.parent_id = parent.id if parent else None
    office.path = f"{parent.path if parent else '/'}{office.id}/"

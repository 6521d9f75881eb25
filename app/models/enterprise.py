"""Enterprise (one 统一社会信用代码) and its Sites (经营场所). Duties, checks, inspections belong to a Site."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped, relationship

from app.core.batched import batched
from app.core.entity import BigId, Entity, Scoped, column, computed
from app.core.ordering import list_indexes
from app.core.screen import Badge
from app.core.types import LineSet
from app.data.enums import CanteenKind, LicenceKind, Line, OrgForm, RiskGrade, SiteKind, SiteState, Trade
from app.data.reconciling import PlatformAccount
from app.models.area import Area
from app.models.precinct import Precinct

TONES: dict[str, str] = {SiteState.OPEN: "success", SiteState.SEASONAL: "info", SiteState.ORDERED_SHUT: "danger",
         SiteState.REVOKED: "danger", SiteState.LOST: "warning"}  # fmt: skip


GONE = (SiteState.DEREGISTERED, SiteState.MERGED)  # no firm any more: its code is free for another
ENDED = (*GONE, SiteState.REVOKED)  # no business any more: in no ledger from that day on
LIVING = bare_column("state").not_in([state.value for state in GONE])


class Enterprise(Scoped):
    """A business. Its code is unique among those still in being; a firm may be without one (小作坊, 摊贩)."""

    __tablename__ = "enterprise"
    __label__ = "主体"
    __firm_key__ = "enterprise"
    __superseded__ = "merged_into_id"
    __tones__ = TONES
    __search__ = ("search_text", "code", "legal_person", "phone")
    __grows__ = True
    __table_args__ = (
        Index(
            "uq_enterprise_code",
            "code",
            unique=True,
            sqlite_where=LIVING,
            postgresql_where=LIVING,
        ),
        Index("ix_enterprise_name_key", "name_key"),
        Index("ix_enterprise_address_key", "address_key"),
        *list_indexes("enterprise", orders=("made_at", "name", "code", "state"),
                      filters=("org_form", "must_have_director", "main_line", "platform_account")),
    )  # fmt: skip

    name: Mapped[str] = column("单位名称", String(120), nullable=False)
    code: Mapped[str | None] = column("统一社会信用代码", String(18), format="code", help="15 位旧注册号也可以。")
    org_form: Mapped[str | None] = column("组织形式", String(20), choices=OrgForm)
    legal_person: Mapped[str] = column("法定代表人（负责人、经营者）", String(60), nullable=False, default="")
    phone: Mapped[str | None] = column("联系电话", String(30), format="tel")
    address: Mapped[str] = column("住所", String(200), nullable=False, default="")
    state: Mapped[str] = column("经营状态", String(20), choices=SiteState, never=(SiteState.MERGED,),
                                nullable=False, default="正常")  # fmt: skip
    merged_into_id: Mapped[int | None] = column(
        "并入的主体", BigId, ForeignKey("enterprise.id"), system=True, index=True
    )
    ended_on: Mapped[date | None] = column("终止日期", Date, derived=True)
    must_have_director: Mapped[bool] = column("应配食品安全总监", Boolean, derived=True, nullable=False, default=False,
                                               server_default=false())  # fmt: skip
    main_line: Mapped[str | None] = column(
        "主要条线", String(10), choices=Line, help="多个条线中为主的一个；不填取第一个场所的。"
    )
    head_code: Mapped[str | None] = column("总部统一社会信用代码", String(18), format="code", index=True,
                                           help="连锁门店填总部的代码，总部的人员就能查看本单位的记录。")  # fmt: skip
    platform_account: Mapped[str] = column(
        "平台账号", String(10), choices=PlatformAccount, nullable=False, default=PlatformAccount.NONE,
        server_default="未开通", help="食品安全风险防控平台的账号。",
    )  # fmt: skip
    platform_since: Mapped[date | None] = column("平台账号开通日期", Date)
    note: Mapped[str | None] = column("备注", Text, format="long")
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("name",))  # fmt: skip
    name_key: Mapped[str | None] = column("名称比对", String(200), derived=True, default="", of=("name",))
    address_key: Mapped[str | None] = column("地址比对", String(200), derived=True, default="", of=("address",))

    sites: Mapped[list[Site]] = relationship(back_populates="enterprise")
    merged_into: Mapped[Enterprise | None] = relationship(remote_side="Enterprise.id")

    @computed("监管责任人", reads="Caretaker")
    def care(self) -> str | None:
        """Who answers for its sites today."""
        found: str | None = batched(self, "care")
        return found

    @computed("待完善")
    def gaps(self) -> Badge | None:
        """What a station still has to find out about it (`services.takeover`)."""
        words = {
            "code": _("代码"),
            "legal_person": _("负责人"),
            "phone": _("电话"),
            "address": _("住所"),
            "sites": _("场所"),
        }
        found = batched(self, "gaps")
        return Badge(_("缺%(what)s", what=_("、").join(words[name] for name in found)), "warning") if found else None


class Site(Scoped):
    """A place of business: area, lines, licence, risk grade, state; the office answers for sites."""

    __tablename__ = "site"
    __label__ = "经营场所"
    __firm_key__ = "site"
    __superseded__ = "merged_into_id"
    __tones__ = TONES
    __search__ = ("search_text", "licence_no", "enterprise.search_text", "enterprise.code")
    __grows__ = True
    __table_args__ = (
        Index("ix_site_name_key", "name_key"),
        Index("ix_site_licence_no", "licence_no"),
        *list_indexes("site", orders=("made_at", "name", "kind", "risk_grade", "state"),
                      filters=("licence_until", "must_have_director", "main_line")),
    )  # fmt: skip

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    name: Mapped[str] = column("场所名称", String(120), nullable=False)
    area_id: Mapped[int | None] = column("所属苏木乡镇", BigId, ForeignKey("area.id"), index=True)
    precinct_id: Mapped[int | None] = column("片区", BigId, ForeignKey("precinct.id"), index=True)
    address: Mapped[str] = column("经营地址", String(200), nullable=False, default="")
    kind: Mapped[str] = column("主体类型", String(30), choices=SiteKind, nullable=False)
    lines: Mapped[int] = column("条线", LineSet, format="lines", required=True, nullable=False, default=0)
    main_line: Mapped[str | None] = column(
        "主要条线", String(10), choices=Line, help="所选条线中为主的一个；不填取第一个。"
    )
    risk_grade: Mapped[str | None] = column(
        "风险等级",
        String(1),
        choices=RiskGrade,
        help="各条线现行等级中最高的；在这里改，就是从今天起各条线都评为这一级。",
    )
    grades: Mapped[str | None] = column("各条线等级", String(60), derived=True, default="", of=("risk_grade",))
    backing: Mapped[str | None] = column("包保级别", String(20), help="按上级平台的叫法填写，例如“B级”。")
    backing_official: Mapped[str | None] = column("包保干部", String(60))
    licence_kind: Mapped[str | None] = column("凭证类型", String(30), choices=LicenceKind)
    licence_no: Mapped[str | None] = column("许可证编号", String(40), format="code")
    licence_until: Mapped[date | None] = column("许可有效期至", Date)
    host_code: Mapped[str | None] = column(
        "所在单位统一社会信用代码", String(18), format="code", index=True,
        help="承包经营的食堂填学校等单位的代码，该单位的人员就能查看本场所的记录。",
    )  # fmt: skip
    state: Mapped[str] = column("经营状态", String(20), choices=SiteState, never=(SiteState.MERGED,),
                                nullable=False, default="正常")  # fmt: skip
    merged_into_id: Mapped[int | None] = column("并入的场所", BigId, ForeignKey("site.id"), system=True, index=True)
    staff: Mapped[int | None] = column("从业人数", Integer)
    revenue: Mapped[int | None] = column("年营业收入（万元）", Integer)
    floor_area: Mapped[int | None] = column("经营面积（㎡）", Integer)
    seats: Mapped[int | None] = column("座位数", Integer)
    meals: Mapped[int | None] = column("每餐次平均用餐（供餐）人数", Integer)
    special_food: Mapped[bool] = column("生产特殊食品", Boolean, nullable=False, default=False, server_default=false())
    headquarters: Mapped[bool] = column("连锁总部", Boolean, nullable=False, default=False, server_default=false())
    trade: Mapped[str | None] = column("规模行业", String(10), choices=Trade, help="不填按主体类型；以批发为主的请选。")
    canteen_kind: Mapped[str | None] = column(
        "承包的食堂", String(30), choices=CanteenKind, help="承包经营企业填写：承包的是哪一类食堂。"
    )
    must_have_director: Mapped[bool] = column("应配食品安全总监", Boolean, derived=True, nullable=False, default=False,
                                               server_default=false())  # fmt: skip
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("name", "enterprise.name"))  # fmt: skip
    name_key: Mapped[str | None] = column("名称比对", String(200), derived=True, default="", of=("name",))
    address_key: Mapped[str | None] = column("地址比对", String(200), derived=True, default="", of=("address",))

    enterprise: Mapped[Enterprise] = relationship(back_populates="sites")
    area: Mapped[Area | None] = relationship()
    precinct: Mapped[Precinct | None] = relationship()
    merged_into: Mapped[Site | None] = relationship(remote_side="Site.id")

    @computed("监管责任人", reads="Caretaker")
    def care(self) -> str | None:
        """Who answers for it today."""
        found: str | None = batched(self, "care")
        return found


class EnterpriseOffice(Entity):
    """An office that answers for a site of a firm which another office answers for: it reads that firm."""

    __tablename__ = "enterprise_office"
    __label__ = "分设主体"
    __lends_firm__ = True
    __history__ = False
    __table_args__ = (Index("uq_enterprise_office", "office_id", "enterprise_id", unique=True),)

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    office_id: Mapped[int] = column("机构", BigId, ForeignKey("office.id"), nullable=False)


class Distinct(Entity):
    """Two rows that look alike and are not: somebody has looked, and nobody is asked again."""

    __tablename__ = "distinct_pair"
    __label__ = "不是重复"
    __table_args__ = (UniqueConstraint("entity", "low_id", "high_id"),)

    entity: Mapped[str] = column("种类", String(60), nullable=False)
    low_id: Mapped[int] = column("记录", BigId, nullable=False)
    high_id: Mapped[int] = column("另一条记录", BigId, nullable=False)

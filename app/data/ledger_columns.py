"""The ledger of firms (台账) as a table: its columns, the headings that stations give them, the words they fill in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.data.enums import Line, RiskGrade, SiteKind, SiteState


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `title` is written, `title` and `aliases` are understood; `secret` values are masked in messages."""

    key: str
    title: str
    aliases: tuple[str, ...] = ()
    mandatory: bool = False
    secret: bool = False
    width: int = 14
    hint: str = ""


def _column(key: str, headings: str, hint: str = "", width: int = 14, *, mandatory: bool = False) -> Column:
    title, *aliases = headings.split("/")
    return Column(key, title, tuple(aliases), mandatory, key.endswith("_id"), width, hint)


COLUMNS: tuple[Column, ...] = (
    _column("number", "序号/编号/序", width=6),
    _column(
        "name",
        "单位名称/企业名称/主体名称/市场主体名称/经营者名称/食品生产经营者名称/食品生产经营主体名称/名称/商户名称/店铺名称/字号名称",
        "与营业执照一致",
        32,
        mandatory=True,
    ),
    _column(
        "code",
        "统一社会信用代码/信用代码/社会信用代码/注册号/统一社会信用代码或注册号/统一信用代码/营业执照号/营业执照注册号",
        "18 位，设为文本格式",
        22,
        mandatory=True,
    ),
    _column(
        "legal_person", "法定代表人/负责人/经营者/法人/法人代表/经营者姓名/法定代表人或负责人/法定代表人姓名/单位负责人"
    ),
    _column("phone", "联系电话/电话/手机/手机号/手机号码/联系方式/法定代表人电话/法人电话/负责人电话/经营者电话"),
    _column(
        "address", "经营场所/住所/地址/经营地址/生产经营地址/生产地址/详细地址/住所或经营场所/生产经营场所", width=36
    ),
    _column(
        "area",
        "所属乡镇/苏木乡镇/街道/乡镇/苏木/所属苏木乡镇/乡镇街道/苏木乡镇街道/所在乡镇/辖区",
        "苏木乡镇、街道全称",
        16,
    ),
    _column("site_kind", "主体类型/业态/主体业态/经营业态/企业类型/单位类型/类型/类别", width=16),
    _column("lines", "业务线/条线/环节/所属环节/业务条线/监管环节", "食品生产、食品销售、餐饮服务"),
    _column(
        "licence_no",
        "许可证号/食品经营许可证编号/食品生产许可证编号/许可证编号/食品经营许可证号/食品生产许可证号/许可备案编号/备案编号/登记证号",
        width=22,
    ),
    _column("valid_to", "有效期至/许可证有效期/有效期/有效期限/许可证有效期至/有效期限至/到期日期", "2026-11-23"),
    _column("principal", "主要负责人/主要负责人姓名/企业主要负责人"),
    _column("principal_phone", "主要负责人电话/主要负责人联系电话/主要负责人手机/主要负责人手机号"),
    _column("principal_id", "主要负责人身份证号/主要负责人身份证/主要负责人身份证号码", width=22),
    _column("director", "食品安全总监/食品安全总监姓名/总监/安全总监"),
    _column("director_phone", "食品安全总监电话/食品安全总监联系电话/食品安全总监手机/总监电话/食品安全总监手机号"),
    _column("director_id", "食品安全总监身份证号/食品安全总监身份证/总监身份证号/食品安全总监身份证号码", width=22),
    _column("officer", "食品安全员/食品安全员姓名/安全员/食品安全管理员/食品安全管理人员", "多人用顿号分开", 20),
    _column(
        "officer_phone",
        "食品安全员电话/食品安全员联系电话/食品安全员手机/安全员电话/食品安全员手机号",
        "与姓名同序",
        20,
    ),
    _column("officer_id", "食品安全员身份证号/食品安全员身份证/安全员身份证号/食品安全员身份证号码", "与姓名同序", 24),
    _column("risk", "风险等级/风险级别/风险分级/等级", "A、B、C、D", 10),
    _column("state", "经营状态/状态/营业状态/存续状态", width=10),
    _column("employees", "从业人员数/从业人数/职工人数/人员数/员工人数", "人", 10),
    _column("floor_area", "经营面积/面积/场所面积/建筑面积", "平方米", 10),
    _column("seats", "座位数/餐位数/就餐座位数", width=10),
    _column("diners", "用餐人数/供餐人数/就餐人数/平均用餐人数/每餐次用餐人数", "每餐次平均", 10),
    _column("revenue", "营业收入/年营业收入/营业额/年销售额", "万元", 10),
    _column("office", "监管所/所属监管所/市场监管所/监管单位/所属市场监管所/管辖单位", width=18),
    _column("remark", "备注/说明/其他", width=20),
)

PERSON_KEYS = ("principal", "director", "officer")
COUNT_KEYS = ("employees", "floor_area", "seats", "diners", "revenue")
# headings that belong to the person in the column before them, when there is one
GENERIC_PHONE = frozenset(("联系电话", "电话", "手机", "手机号", "手机号码", "联系方式"))
GENERIC_ID = frozenset(("身份证号", "身份证号码", "身份证", "公民身份号码"))

NOTHING = frozenset(
    ("", "无", "-", "--", "—", "——", "\\", "暂无", "没有", "未配备", "未配", "空", "null", "NULL", "N/A")
)

SITE_KINDS: dict[str, SiteKind] = {kind.value: kind for kind in SiteKind} | {
    alias: kind
    for kind, aliases in {
        SiteKind.PRODUCER: "食品生产/生产企业/食品生产者/食品加工企业",
        SiteKind.SELLER: "食品销售/销售企业/食品销售经营者/超市/商场/食品经营企业/食品流通企业",
        SiteKind.CATERER: "餐饮/餐饮企业/餐饮服务/餐饮服务经营者/餐饮服务提供者/饭店/餐馆/大型餐馆/中型餐馆/小型餐馆",
        SiteKind.MEAL_DELIVERY: "集体配餐/集体用餐配送",
        SiteKind.CHAIN_HEADQUARTERS: "连锁企业总部/总部",
        SiteKind.CHAIN_BRANCH: "分支机构",
        SiteKind.CHAIN_STORE: "门店/连锁店",
        SiteKind.SCHOOL_CANTEEN: "学校/学校（含职业学校）食堂",
        SiteKind.KINDERGARTEN_CANTEEN: "幼儿园/托幼机构/托幼机构食堂",
        SiteKind.ELDERLY_CANTEEN: "养老机构/养老院食堂/敬老院食堂",
        SiteKind.OTHER_CANTEEN: "单位食堂/机关食堂/工地食堂/职工食堂/集中用餐单位食堂",
        SiteKind.WORKSHOP: "小作坊/食品生产加工小作坊/食品加工小作坊",
        SiteKind.SMALL_CATERER: "小餐饮店/小餐饮服务/小吃店",
        SiteKind.GROCERY: "小食杂店/食杂/小卖部/便利店/小超市",
        SiteKind.STALL: "摊贩/食品小摊点/小摊点/小摊贩",
        SiteKind.MARKET: "农贸市场/集贸市场/食用农产品批发市场/集中交易市场",
        SiteKind.PLATFORM: "网络平台/第三方平台",
        SiteKind.WAREHOUSE: "仓储企业/冷库/冷藏冷冻食品贮存",
        SiteKind.ADDITIVE_PRODUCER: "食品添加剂生产",
    }.items()
    for alias in aliases.split("/")
}
LINES: dict[str, Line] = {
    "食品生产": Line.PRODUCTION, "生产": Line.PRODUCTION, "生产环节": Line.PRODUCTION, "加工": Line.PRODUCTION,
    "食品销售": Line.SALES, "销售": Line.SALES, "流通": Line.SALES, "食品流通": Line.SALES, "流通环节": Line.SALES,
    "销售环节": Line.SALES, "食品销售(流通)": Line.SALES,
    "餐饮服务": Line.CATERING, "餐饮": Line.CATERING, "餐饮环节": Line.CATERING, "餐饮服务环节": Line.CATERING,
}  # fmt: skip
STATES: dict[str, SiteState] = {state.value: state for state in SiteState if state.value != SiteState.MERGED.value} | {
    "营业": SiteState.OPEN, "正常营业": SiteState.OPEN, "在营": SiteState.OPEN, "存续": SiteState.OPEN,
    "在业": SiteState.OPEN, "开业": SiteState.OPEN, "歇业": SiteState.CLOSED, "暂停营业": SiteState.CLOSED,
    "关闭": SiteState.CLOSED, "已注销": SiteState.DEREGISTERED, "已吊销": SiteState.REVOKED, "查无下落": SiteState.LOST,
}  # fmt: skip
RISKS: dict[str, RiskGrade] = {
    spelling: grade for grade in RiskGrade for spelling in (grade.value, f"{grade.value}级", f"{grade.value.lower()}")
}

_NOISE = re.compile(r"[（(\[【][^）)\]】]*[）)\]】]|[\s*＊:：、_/\\.．]|\d+$")


def fold_heading(text: str) -> str:
    """A heading without blanks, remarks in brackets, stars, colons and a trailing number."""
    return _NOISE.sub("", _NOISE.sub("", text))


BY_KEY: dict[str, Column] = {column.key: column for column in COLUMNS}
BY_HEADING: dict[str, str] = {
    fold_heading(heading): column.key for column in COLUMNS for heading in (column.title, *column.aliases)
}

"""Enumerations of the trade: the words the bureau uses, in the order it lists them.

Members are named in English; values are the Chinese terms that are stored, shown and printed, with their source.
"""

from __future__ import annotations

from enum import StrEnum


class SiteKind(StrEnum):
    """主体类型: what a place of business is; decides which duties it has."""

    PRODUCER = "食品生产企业"
    SPECIAL_PRODUCER = "特殊食品生产企业"
    SELLER = "食品销售企业"
    CATERER = "餐饮服务企业"
    CENTRAL_KITCHEN = "中央厨房"
    MEAL_DELIVERY = "集体用餐配送单位"
    CHAIN_HEADQUARTERS = "连锁总部"
    CHAIN_BRANCH = "连锁分支机构"
    CHAIN_STORE = "连锁门店"
    SCHOOL_CANTEEN = "学校食堂"
    KINDERGARTEN_CANTEEN = "幼儿园食堂"
    ELDERLY_CANTEEN = "养老机构食堂"
    OTHER_CANTEEN = "其他单位食堂"
    CONTRACTOR = "承包经营企业"
    MEAL_SUPPLIER = "供餐单位"
    WORKSHOP = "食品小作坊"
    SMALL_CATERER = "小餐饮"
    GROCERY = "食杂店"
    STALL = "食品摊贩"
    MARKET = "集中交易市场开办者"
    PLATFORM = "网络食品交易第三方平台"
    WAREHOUSE = "食品仓储企业"
    ADDITIVE_PRODUCER = "食品添加剂生产企业"


class Line(StrEnum):
    """业务线: which section answers for it."""

    PRODUCTION = "食品生产"
    SALES = "食品销售"
    CATERING = "餐饮服务"


class OrgForm(StrEnum):
    """组织形式: told by the first two characters of a credit code."""

    COMPANY = "企业"
    SOLE_TRADER = "个体工商户"
    COOPERATIVE = "农民专业合作社"
    INSTITUTION = "事业单位"
    PRIVATE_NONPROFIT = "民办非企业"
    AUTHORITY = "机关"
    OTHER = "其他"


class LicenceKind(StrEnum):
    """凭证类型: what allows the business (食品安全法 35, 36)."""

    PRODUCTION = "食品生产许可"
    OPERATION = "食品经营许可"
    PREPACKED_FILING = "仅销售预包装食品备案"
    SMALL_REGISTRATION = "小作坊/小餐饮/食杂店登记"
    OTHER = "其他"


class SiteState(StrEnum):
    """经营状态."""

    OPEN = "正常"
    CLOSED = "停业"
    SEASONAL = "季节性停业"
    ORDERED_SHUT = "责令停产停业"
    DEREGISTERED = "注销"
    REVOKED = "吊销"
    LOST = "失联"
    MERGED = "已并入"  # by merging only: the row that stays is named on it


class RiskGrade(StrEnum):
    """风险等级, low to high (食品生产经营监督检查管理办法 21)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class NoteKind(StrEnum):
    """What a regulator's note about a site is about."""

    MANAGEMENT = "管理水平"
    SAFETY = "安全状况"


class AppointmentRole(StrEnum):
    """人员岗位."""

    PRINCIPAL = "主要负责人"
    DIRECTOR = "食品安全总监"
    OFFICER = "食品安全员"


class Activation(StrEnum):
    """账号状态 of a firm's person; without a value there is no account."""

    WAITING = "未激活"
    ACTIVE = "已激活"


class InspectionKind(StrEnum):
    """检查类型; the first three are defined in 食品生产经营监督检查管理办法 53."""

    ROUTINE = "日常监督检查"
    UNANNOUNCED = "飞行检查"
    SYSTEM = "体系检查"
    SPECIAL = "专项检查"
    SUPERVISION = "督导检查"


class InspectionSelection(StrEnum):
    """选取方式: how the firm came to be inspected."""

    RANDOM = "双随机"
    PLAN = "计划指定"
    CLUE = "问题线索"
    COMPLAINT = "投诉举报"
    SUPERIOR = "上级交办"


class InspectionPlace(StrEnum):
    ON_SITE = "现场"
    REMOTE = "远程"


class InspectionResult(StrEnum):
    """检查结果 of 《食品生产经营日常监督检查结果记录表》."""

    PASSED = "符合"
    BASIC = "基本符合"
    FAILED = "不符合"


class FindingSeverity(StrEnum):
    """重点项目 or 一般项目 (食品生产经营监督检查管理办法 13, 32, 33)."""

    KEY = "重点"
    GENERAL = "一般"


class DeliveryMethod(StrEnum):
    """送达方式 (民事诉讼法 87-95, through 行政处罚法 61)."""

    DIRECT = "直接"
    LEFT_BEHIND = "留置"
    POST = "邮寄"
    ENTRUSTED = "委托"
    FORWARDED = "转交"
    ELECTRONIC = "电子"
    PUBLIC = "公告"


class PaperTitle(StrEnum):
    """文书名称, as printed on them."""

    NOTICE = "责令改正通知书"
    DELIVERY = "送达回证"
    HANDOVER = "移交清单"


class NoticeState(StrEnum):
    """通知书状态."""

    DRAFT = "草稿"
    IN_REVIEW = "待审核"
    TO_SIGN = "待签发"
    SIGNED = "已签发"
    DELIVERED = "已送达"
    CORRECTING = "整改中"
    TO_RECHECK = "待复查"
    CORRECTED = "已改正"
    NOT_CORRECTED = "未改正"
    EXTENDED = "延期"
    WITHDRAWN = "撤销"
    VOID = "作废"


class ItemResult(StrEnum):
    """日检查项结果; 不适用 is a 合理缺项 and says why."""

    MET = "符合"
    NOT_MET = "不符合"
    NOT_APPLICABLE = "不适用"


class Frequency(StrEnum):
    """检查频次 of a risk item."""

    DAILY = "日"
    WEEKLY = "周"
    MONTHLY = "月"


class RiskListState(StrEnum):
    """风险管控清单状态."""

    DRAFT = "草稿"
    IN_FORCE = "已生效"
    RETIRED = "已停用"


class CheckState(StrEnum):
    """日检查记录状态: submitted ones are corrected by a later record or withdrawn, never erased."""

    DRAFT = "草稿"
    SUBMITTED = "已提交"
    CORRECTED = "已更正"
    WITHDRAWN = "已撤回"


class LicenceState(StrEnum):
    """证照状态."""

    VALID = "有效"
    REPLACED = "已换发"
    CANCELLED = "已注销"
    REVOKED = "已吊销"


class ClosureKind(StrEnum):
    """停业类型."""

    CLOSED = "停业"
    SEASONAL = "季节性停业"
    ORDERED_SHUT = "责令停产停业"


class ClosureState(StrEnum):
    """停业申报状态: a firm declares, the office confirms."""

    DECLARED = "待确认"
    CONFIRMED = "已确认"
    RETURNED = "已退回"
    REVOKED = "已撤销"


class TrainingKind(StrEnum):
    """培训方式."""

    INTERNAL = "单位内部培训"
    EXTERNAL = "外部机构培训"
    REGULATOR = "监管部门培训"
    ONLINE = "网络培训"


class ExamResult(StrEnum):
    """抽考结果."""

    PASSED = "合格"
    FAILED = "不合格"
    ABSENT = "缺考"
    RETAKE_PASSED = "补考合格"
    RETAKE_FAILED = "补考不合格"


class HolidayKind(StrEnum):
    """日期类别: what the State Council's notice makes of a day."""

    HOLIDAY = "法定节假日"
    WORKDAY = "调休上班"


class OfficeKind(StrEnum):
    """机构类别."""

    CITY = "市局"
    COUNTY = "旗局"
    SECTION = "股室"
    BRIGADE = "大队"
    TASK_FORCE = "专班"
    STATION = "所"


class AreaKind(StrEnum):
    """区划类别 of the banner's sixteen."""

    TOWN = "镇"
    SUMU = "苏木"
    TOWNSHIP = "乡"
    FARM = "农场"
    SUBDISTRICT = "街道"


class DirectorCondition(StrEnum):
    """What must hold beside the kind of site for a 食品安全总监 to be due."""

    ALWAYS = "一律"
    LARGE = "大中型"
    SPECIAL = "特殊食品"
    HEADQUARTERS = "连锁总部"
    MEALS = "用餐人数"


class DirectorEdition(StrEnum):
    """Which text a rule is from; the amended one and the canteens' are both in force since 2025-04-15."""

    ORDER_60 = "2022 年规定"
    AMENDED = "2025 年修正"
    CANTEENS = "集中用餐单位规定"


class Trade(StrEnum):
    """规模行业: whose yardstick of 大中型 counts."""

    INDUSTRY = "工业"
    WHOLESALE = "批发业"
    RETAIL = "零售业"
    CATERING = "餐饮业"


class CanteenKind(StrEnum):
    """承包的食堂: which kind of canteen a contractor runs; the words are those of SiteKind."""

    SCHOOL = "学校食堂"
    KINDERGARTEN = "幼儿园食堂"
    ELDERLY = "养老机构食堂"
    OTHER = "其他单位食堂"


class DecisionCause(StrEnum):
    """Why it was decided anew whether a site must have a 食品安全总监."""

    FIRST = "首次判定"
    FIGURES = "数字变化"
    RULES = "规则变化"
    OVERRIDE = "人工认定"


class CareRole(StrEnum):
    """监管责任人 of a site: one answers, others help."""

    PRINCIPAL = "主管"
    ASSISTANT = "协管"


class TransferState(StrEnum):
    """状态 of a 场所移交 between stations."""

    OPEN = "待接收"
    ACCEPTED = "已接收"
    REFUSED = "已退回"
    WITHDRAWN = "已撤回"


class OverrideState(StrEnum):
    """状态 of a 人工认定."""

    IN_FORCE = "有效"
    REVOKED = "已撤销"


TRADE_OF: dict[SiteKind, Trade] = {
    SiteKind.PRODUCER: Trade.INDUSTRY,
    SiteKind.SPECIAL_PRODUCER: Trade.INDUSTRY,
    SiteKind.ADDITIVE_PRODUCER: Trade.INDUSTRY,
    SiteKind.SELLER: Trade.RETAIL,
    SiteKind.CATERER: Trade.CATERING,
    SiteKind.CENTRAL_KITCHEN: Trade.CATERING,
    SiteKind.MEAL_DELIVERY: Trade.CATERING,
}
"""The trade whose yardstick counts for a kind of site when nobody says otherwise."""

LINE_OF: dict[SiteKind, Line] = {
    SiteKind.PRODUCER: Line.PRODUCTION,
    SiteKind.SPECIAL_PRODUCER: Line.PRODUCTION,
    SiteKind.ADDITIVE_PRODUCER: Line.PRODUCTION,
    SiteKind.WORKSHOP: Line.PRODUCTION,
    SiteKind.SELLER: Line.SALES,
    SiteKind.CHAIN_HEADQUARTERS: Line.SALES,
    SiteKind.CHAIN_BRANCH: Line.SALES,
    SiteKind.CHAIN_STORE: Line.SALES,
    SiteKind.GROCERY: Line.SALES,
    SiteKind.MARKET: Line.SALES,
    SiteKind.PLATFORM: Line.SALES,
    SiteKind.WAREHOUSE: Line.SALES,
    SiteKind.CATERER: Line.CATERING,
    SiteKind.CENTRAL_KITCHEN: Line.CATERING,
    SiteKind.MEAL_DELIVERY: Line.CATERING,
    SiteKind.SCHOOL_CANTEEN: Line.CATERING,
    SiteKind.KINDERGARTEN_CANTEEN: Line.CATERING,
    SiteKind.ELDERLY_CANTEEN: Line.CATERING,
    SiteKind.OTHER_CANTEEN: Line.CATERING,
    SiteKind.CONTRACTOR: Line.CATERING,
    SiteKind.MEAL_SUPPLIER: Line.CATERING,
    SiteKind.SMALL_CATERER: Line.CATERING,
    SiteKind.STALL: Line.CATERING,
}
"""The line that a kind of site belongs to when nobody says otherwise; chains and stalls may be of another."""

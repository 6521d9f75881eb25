"""Enumerations of firms' people: abilities, reports of changes, papers of a firm, bans."""

from __future__ import annotations

from enum import StrEnum


class ManagerAbility(StrEnum):
    """食品安全管理能力 of a 总监 or 员 (《规定》 of 2022, from memory); a degree is none of them."""

    LAW = "掌握法律法规和标准"
    RISK = "识别和防控风险"
    PROCESS = "熟悉本单位过程控制要求"
    TRAINED = "参加培训并通过考核"
    OTHER = "其他管理能力"


class ChangeKind(StrEnum):
    """变动 of a firm's people, as the firm reports it."""

    APPOINT = "任命"
    STAND_IN = "临时代班"
    LEAVE = "离任"


class ChangeState(StrEnum):
    """状态 of a report: what is 待核 is never taken for confirmed."""

    DRAFT = "草稿"
    REPORTED = "待核"
    RETURNED = "已退回"
    ACCEPTED = "已采纳"
    STANDING = "代班中"
    ENDED = "已结束"
    WITHDRAWN = "已撤回"


class PolicyKind(StrEnum):
    """制度档案: the papers that a firm must have (《规定》; 食品安全法 44, 102)."""

    SYSTEM = "食品安全管理制度"
    DUTY = "食品安全责任制"
    DIRECTOR = "食品安全总监职责"
    OFFICER = "食品安全员守则"
    RISKS = "食品安全风险管控清单"
    INCIDENTS = "食品安全事故处置方案"


class PolicyState(StrEnum):
    """状态 of such a paper."""

    NONE = "无"
    WRITTEN = "已制定"
    SIGNED = "已签字"


class Occasion(StrEnum):
    """When a 落实自查表 is due: once when a firm is entered, then for each year."""

    JOINING = "入网自查"
    YEARLY = "年度自查"


class PointAnswer(StrEnum):
    """What a firm says of one point."""

    DONE = "已落实"
    NOT_DONE = "未落实"
    NOT_APPLICABLE = "不适用"


class AssessmentState(StrEnum):
    """状态 of a 落实自查表; one that is 已作废 stays readable and makes room for another."""

    DRAFT = "草稿"
    SUBMITTED = "已提交"
    RETURNED = "已退回"
    CONFIRMED = "已确认"
    VOID = "已作废"


class BanKind(StrEnum):
    """禁业期限 (食品安全法 135)."""

    FIVE_YEARS = "五年"
    LIFE = "终身"


class BanState(StrEnum):
    """状态 of a ban: one that was set aside stays readable."""

    IN_FORCE = "有效"
    REVOKED = "已撤销"

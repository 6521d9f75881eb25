"""Words of what a station brings in when it starts: kinds and states of cases done on paper, the parts of the guide."""

from __future__ import annotations

from enum import StrEnum


class PriorKind(StrEnum):
    """What a case of the time before this system is: done on paper, entered for the file."""

    INSPECTION = "检查"
    NOTICE = "责令改正通知书"


class RecheckResult(StrEnum):
    """复查结果."""

    CORRECTED = "已改正"
    NOT_CORRECTED = "未改正"


class PriorState(StrEnum):
    """Whether a case of the time before still waits for its re-check."""

    WAITING = "待复查"
    DONE = "已办结"
    NOT_CORRECTED = "未改正"


class TakeoverPart(StrEnum):
    """接管向导: what a station brings in, in this order."""

    FIRMS = "主体"
    PEOPLE = "企业人员"
    CARE = "监管责任人"
    INSPECTIONS = "今年的纸质检查"
    NOTICES = "今年的纸质通知书"
    RECHECKS = "待复查的案件"

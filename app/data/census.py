"""Enumerations of 摸底: rounds, each station's return, each site's line."""

from __future__ import annotations

from enum import StrEnum


class RoundState(StrEnum):
    """状态 of a round."""

    DRAFT = "草稿"
    OPEN = "进行中"
    ENDED = "已结束"


class SheetState(StrEnum):
    """状态 of what one station hands in."""

    OPEN = "未上报"
    HANDED_IN = "已上报"
    ACCEPTED = "已认可"
    RETURNED = "退回"


class LineState(StrEnum):
    """核实 of one site."""

    OPEN = "待核"
    CONFIRMED = "已确认"
    ADDED = "新增"
    GONE = "已退出"


class GoneWhy(StrEnum):
    """退出原因."""

    CLOSED = "已关停"
    LOST = "查无下落"
    DUPLICATE = "重复"  # by merging only


class SizeClass(StrEnum):
    """规模, by the yardsticks of 大中型 in force."""

    LARGE = "大中型"
    SMALL = "小型及以下"
    UNKNOWN = "规模数字不全"

"""一企一档: what is kept about a firm over a period, part by part, as an office files it.

No issued paper: it has no number and is drawn anew from live rows. A cover with the contents, then pieces of so many
lines each; `core.pdf.join` puts them together, gives the file its own page numbers, and the PDF its bookmarks.
"""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.text import midnight

from .layout import view
from .rules import MOST, validate

__all__ = [
    "ARCHIVED", "MOST", "Content", "FirmFileContext", "Line", "Section", "Table", "created", "sample", "samples",
    "validate", "view",
]  # fmt: skip

ARCHIVED = False


class Line(TypedDict):
    """A row: its cells parted by line feeds, as many as the heads; below it what is too long for a cell."""

    cells: str
    more: list[str]


class Table(TypedDict):
    """A list of a part. `facts` instead of heads: each line is a label and its value. `note` may be empty."""

    label: str
    facts: bool
    heads: list[str]
    lines: list[Line]
    note: str


class Section(TypedDict):
    """A part with its lists. `label` is "" where it goes on from the piece before."""

    label: str
    tables: list[Table]


class Content(TypedDict):
    """A line of the contents: the part, how many rows it has (-1: it is no list), the page it begins on."""

    label: str
    rows: int
    page: int


class FirmFileContext(TypedDict):
    """A piece of a firm's file; the cover is the one with `contents`. `facts` are the cover's labels and values."""

    bureau: str
    firm: str
    made: str
    demo: bool
    facts: list[list[str]]
    contents: list[Content]
    sections: list[Section]


def created(context: dict[str, Any]) -> datetime:
    """The instant for the PDF's metadata: the day it was printed."""
    return midnight(context["made"])


def sample() -> FirmFileContext:
    """A piece with each kind of table."""
    heads = ["检查日期", "检查类型", "检查人员", "检查结果"]
    rows: list[Line] = [
        {"cells": "2026-11-23\n日常检查\n包文斌\n基本符合", "more": ["1. 问题：冷藏柜温度计损坏。改正要求：更换。"]},
        {"cells": "2026-10-09\n飞行检查\n苏日娜\n符合", "more": []},
    ]
    facts: list[Line] = [{"cells": "单位名称\n奈曼旗犇鑫餐饮管理有限公司", "more": []},
                         {"cells": "住所\n大沁他拉镇青龙山大街东段北侧商业综合楼一层 103 号", "more": []}]  # fmt: skip
    return {
        "bureau": "奈曼旗市场监督管理局",
        "firm": "奈曼旗犇鑫餐饮管理有限公司",
        "made": "2026-11-23",
        "demo": False,
        "facts": [],
        "contents": [],
        "sections": [
            {"label": "一、基本情况",
             "tables": [{"label": "主体", "facts": True, "heads": [], "lines": facts, "note": ""}]},
            {"label": "二、监督检查",
             "tables": [{"label": "检查记录", "facts": False, "heads": heads, "lines": rows, "note": "另有说明。"},
                        {"label": "送达", "facts": False, "heads": heads, "lines": [], "note": ""}]},
        ],
    }  # fmt: skip


def cover() -> FirmFileContext:
    """A cover of two parts."""
    contents: list[Content] = [{"label": "一、基本情况", "rows": -1, "page": 2},
                               {"label": "二、监督检查", "rows": 2, "page": 2}]  # fmt: skip
    facts = [["统一社会信用代码", "91150525MA0NA0019A"], ["档案期间", "2026年1月1日至2026年11月23日"]]
    return {**sample(), "facts": facts, "contents": contents, "sections": []}


def samples() -> list[FirmFileContext]:
    """Contexts that show the document."""
    return [cover(), sample()]

"""A ledger of firms as an office prints it: title, unit, date, counts, a head on every page, page numbers.

An internal list, no issued paper: it has no number and is rendered anew whenever it is asked for, in pieces of so many
lines that `core.pdf.join` puts together; the first has the title, the last the date.
"""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.text import midnight

from .layout import view
from .rules import MOST, validate

__all__ = ["ARCHIVED", "MOST", "LedgerContext", "created", "sample", "samples", "validate", "view"]

ARCHIVED = False


class LedgerContext(TypedDict):
    """All that a ledger prints. `lines` holds a firm a text, its cells parted by line feeds, as many as `heads`."""

    bureau: str
    title: str
    note: str
    heads: list[str]
    lines: list[str]
    made: str
    first: bool
    last: bool
    demo: bool


def created(context: dict[str, Any]) -> datetime:
    """The instant for the PDF's metadata: the day the list was made."""
    return midnight(context["made"])


def sample() -> LedgerContext:
    """A ledger of two firms, one with nobody."""
    heads = ["序号", "单位名称", "统一社会信用代码", "条线", "主体类型", "所属苏木乡镇", "监管所", "主要负责人",
             "食品安全总监", "食品安全员", "备注"]  # fmt: skip
    lines = [
        ["1", "奈曼旗犇鑫餐饮管理有限公司", "91150525MA0NA0019A", "餐饮服务", "餐饮服务企业", "大沁他拉镇",
         "大沁他拉市场监管所", "王建国", "李娜", "包文斌、苏日娜", ""],
        ["2", "大沁他拉第一小学", "12150525MB0000016X", "餐饮服务", "学校食堂", "大沁他拉镇", "大沁他拉市场监管所",
         "张伟", "未配备", "未配备", "应配总监未配；未配安全员"],
    ]  # fmt: skip
    return {
        "bureau": "奈曼旗市场监督管理局",
        "title": "配备食品安全总监、食品安全员企业台账",
        "note": "单位：大沁他拉市场监管所　截至 2026-11-23　共 2 户　应配总监 2；已配 1；未配 1",
        "heads": heads,
        "lines": ["\n".join(cells) for cells in lines],
        "made": "2026-11-23",
        "first": True,
        "last": True,
        "demo": False,
    }


def samples() -> list[LedgerContext]:
    """Contexts that show the document: a short one, and one of several pages."""
    long = sample()
    long["lines"] = long["lines"] * 40
    return [sample(), long]

"""移交清单: what is handed from whom to whom, by kind and row by row, signed by both and by who supervises.

An internal paper. A hand-over of many rows is several papers, each with its own rows and all counts.
"""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.text import midnight

from .layout import view
from .rules import MOST_ROWS, validate

__all__ = ["MOST_ROWS", "Count", "HandoverContext", "Row", "Verify", "created", "sample", "samples", "validate", "view"]


class Count(TypedDict):
    """A kind of work: how many rows went, how many did not."""

    kind: str
    went: int
    kept: int


class Row(TypedDict):
    """One row: its number in the whole hand-over, kind, name, what became of it."""

    n: int
    kind: str
    name: str
    outcome: str


class Verify(TypedDict):
    """The code and the address in the QR."""

    code: str
    url: str


class HandoverContext(TypedDict):
    """All that the list prints; JSON only.

    `supervisor` None: handed over by the program when a posting was revoked, or to who leads the office himself;
    somebody of the office above signs.

    `part` of `parts` papers; `date` is "YYYY-MM-DD"; titles may be empty.
    """

    bureau: str
    office: str
    giver: str
    giver_title: str
    receiver: str
    receiver_title: str
    supervisor: str | None
    kind: str
    reason: str
    date: str
    counts: list[Count]
    rows: list[Row]
    part: int
    parts: int
    verify: Verify | None
    demo: bool


def created(context: dict[str, Any]) -> datetime:
    """The instant for the PDF's metadata: the day of the hand-over."""
    return midnight(context["date"])


def sample() -> HandoverContext:
    """A valid context of a few rows."""
    return {
        "bureau": "奈曼旗市场监督管理局",
        "office": "大沁他拉市场监督管理所",
        "giver": "包文斌",
        "giver_title": "监管员",
        "receiver": "李春梅",
        "receiver_title": "监管员",
        "supervisor": "苏日娜",
        "kind": "调动",
        "reason": "调往八仙筒市场监督管理所",
        "date": "2026-11-24",
        "counts": [{"kind": "未完成的检查", "went": 1, "kept": 0}, {"kind": "未签发的通知书", "went": 1, "kept": 1}],
        "rows": [
            {"n": 1, "kind": "未完成的检查", "name": "奈曼旗犇鑫餐饮店 2026-11-20 日常检查", "outcome": "已移交"},
            {"n": 2, "kind": "未签发的通知书", "name": "奈曼旗犇鑫餐饮管理有限公司 （未编号）", "outcome": "已移交"},
            {"n": 3, "kind": "未签发的通知书", "name": "包䶮食杂店 （未编号）", "outcome": "其间有变化，未移交"},
        ],
        "part": 1,
        "parts": 1,
        "verify": {
            "code": "4Zx0yC1bTn2uW8sJq5LhRg",
            "url": "https://shouze.example.gov.cn/verify/4Zx0yC1bTn2uW8sJq5LhRg",
        },
        "demo": False,
    }


def samples() -> list[HandoverContext]:
    """`sample` and the second of two papers of a 撤销, three pages long, without supervisor and code."""
    long = sample()
    long |= {
        "kind": "撤销",
        "supervisor": None,
        "verify": None,
        "part": 2,
        "parts": 2,
        "reason": "",
        "giver_title": "",
        "counts": [{"kind": "未完成的检查", "went": 1100, "kept": 0}],
        "rows": [
            {"n": 1000 + n, "kind": "未完成的检查", "name": f"奈曼旗第{n}食品经营店（个体工商户）大沁他拉镇分店 检查",
             "outcome": "已移交"}
            for n in range(1, 101)
        ],
    }  # fmt: skip
    return [sample(), long]

"""送达回证, form 50 of 《市场监督管理行政处罚文书格式范本（2021年修订版）》: proof that a paper was handed over.

What is not known when it is printed stays blank for handwriting: signatures and their dates always do.
"""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.text import midnight

from .layout import METHODS, view
from .rules import validate

__all__ = ["METHODS", "DeliveryContext", "Officer", "Paper", "created", "sample", "samples", "validate", "view"]


class Paper(TypedDict):
    """A paper that is served; `number` None for papers without one."""

    name: str
    number: str | None


class Officer(TypedDict):
    """Who serves: name and number of the 执法证. Two sign."""

    name: str
    code: str


class DeliveryContext(TypedDict):
    """All that a proof of delivery prints; JSON only. None prints a blank to fill in by hand.

    `time` is "YYYY-MM-DD" or "YYYY-MM-DD HH:MM"; `method` one of `METHODS` (民事诉讼法87-95 via 行政处罚法61);
    `receiver` the name as typed beside the place for the signature; `relation` what links 代收人 to the party, or why
    he receives; `witness` name and office; `remark` e.g. why receipt was refused (民事诉讼法89). `made` is the day the
    sheet was made, "YYYY-MM-DD".
    """

    bureau: str
    mongolian_title: str | None
    party: str
    papers: list[Paper]
    time: str | None
    place: str | None
    method: str | None
    receiver: str | None
    relation: str | None
    witness: str | None
    officers: list[Officer]
    remark: str | None
    made: str
    demo: bool


def created(context: dict[str, Any]) -> datetime:
    """The instant for the PDF's metadata: the day the sheet was made."""
    return midnight(context["made"])


def sample() -> DeliveryContext:
    """A valid context with most fields left for handwriting."""
    return {
        "bureau": "奈曼旗市场监督管理局",
        "mongolian_title": None,
        "party": "奈曼旗犇鑫餐饮管理有限公司",
        "papers": [{"name": "责令改正通知书", "number": "奈市监责改〔2026〕1号"}],
        "time": None,
        "place": None,
        "method": None,
        "receiver": None,
        "relation": None,
        "witness": None,
        "officers": [],
        "remark": None,
        "made": "2026-11-23",
        "demo": False,
    }


def samples() -> list[DeliveryContext]:
    """`sample` and one filled in, 留置送达: together they touch every part of the template."""
    full = sample()
    full |= {
        "time": "2026-11-24 09:30",
        "place": "奈曼旗大沁他拉镇诺恩吉雅大街中段，当事人经营场所",
        "method": "留置送达",
        "relation": "当事人拒绝签收",
        "witness": "包䶮，大沁他拉镇某某社区居民委员会",
        "officers": [{"name": "王建国", "code": "15052500123"}, {"name": "李娜", "code": "15052500124"}],
        "remark": "当事人主要负责人在场，拒绝签收，已邀请社区居民委员会代表到场见证，并对送达过程拍照、录像",
    }
    return [sample(), full]

"""责令改正通知书, form 33 of 《市场监督管理行政处罚文书格式范本（2021年修订版）》, set by GB/T 9704-2012.

The form is always one page. Demands that do not fit move to the annex 《责令改正事项清单》 on the pages after it.
"""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.text import midnight

from .layout import view
from .rules import validate

__all__ = [
    "Contact",
    "Copies",
    "Demand",
    "NoticeContext",
    "Remedy",
    "Verify",
    "created",
    "sample",
    "samples",
    "validate",
    "view",
]


class Demand(TypedDict):
    """One thing to correct. `n` counts from 1; `deadline` is "YYYY-MM-DD", or None for the one of the notice."""

    n: int
    fact: str
    demand: str
    deadline: str | None


class Remedy(TypedDict):
    """Where to turn: government (行政复议法24) and court (行政诉讼法18). The periods are fixed words."""

    review_body: str
    court: str


class Contact(TypedDict):
    """Who answers questions."""

    person: str
    phone: str
    address: str


class Copies(TypedDict):
    """Numbers of copies; `other` says where the remaining ones go, e.g. 一份交大沁他拉市场监督管理所."""

    total: int
    served: int
    filed: int
    other: str | None


class Verify(TypedDict):
    """What the public checks the paper by: a code to read and the address in the QR code."""

    code: str
    url: str


class NoticeContext(TypedDict):
    """All that a notice prints; JSON only. Dates are "YYYY-MM-DD".

    `bureau` is the full name as on the seal. `number` is e.g. 奈市监责改〔2026〕1号, None for a draft, which prints
    `number_prefix` (奈市监责改〔2026〕) with a blank. `conduct` fits 经查，你单位＿＿的行为; `violated` are duty
    articles, `basis` the articles that give the power to order (行政处罚法28 with e.g. 食品安全法126). Exactly one
    of `immediate` and `deadline` is set. `consequence` fits 逾期不改的，本局将＿＿. `date` is the day of issue,
    None for a draft.
    `party_code` (统一社会信用代码, may be empty) prints on the annex. `mongolian_title` stands above the bureau.
    """

    bureau: str
    mongolian_title: str | None
    number: str | None
    number_prefix: str
    party: str
    party_code: str
    conduct: str
    violated: list[str]
    basis: list[str]
    immediate: bool
    deadline: str | None
    demands: list[Demand]
    consequence: str | None
    remedy: Remedy
    contact: Contact
    date: str | None
    copies: Copies
    verify: Verify | None
    demo: bool


def created(context: dict[str, Any]) -> datetime | None:
    """The instant for the PDF's metadata: the day of issue; None for a draft without one."""
    return midnight(context["date"]) if context["date"] else None


def sample() -> NoticeContext:
    """A valid context whose demands fit on the form."""
    return {
        "bureau": "奈曼旗市场监督管理局",
        "mongolian_title": None,
        "number": "奈市监责改〔2026〕1号",
        "number_prefix": "奈市监责改〔2026〕",
        "party": "奈曼旗犇鑫餐饮管理有限公司",
        "party_code": "91150525MA0N8XYZ12",
        "conduct": "2026年11月20日现场检查时未按规定制定食品安全风险管控清单、未实施每日食品安全检查",
        "violated": ["《中华人民共和国食品安全法》第四十四条第一款"],
        "basis": ["《中华人民共和国行政处罚法》第二十八条第一款", "《中华人民共和国食品安全法》第一百二十六条第一款"],
        "immediate": False,
        "deadline": "2026-12-08",
        "demands": [
            {
                "n": 1,
                "fact": "不能提供每日食品安全检查记录",
                "demand": "制定风险管控清单，每日检查并记录",
                "deadline": None,
            }
        ],
        "consequence": None,
        "remedy": {"review_body": "奈曼旗人民政府", "court": "奈曼旗人民法院"},
        "contact": {"person": "张建国、李娜", "phone": "0475-4212345", "address": "奈曼旗大沁他拉镇诺恩吉雅大街"},
        "date": "2026-11-23",
        "copies": {"total": 2, "served": 1, "filed": 1, "other": None},
        "verify": {"code": "K7QF-9M2D-XH4T", "url": "https://shouze.example.gov.cn/verify/4Zx0yC1bTn2uW8sJq5LhRg"},
        "demo": False,
    }


def samples() -> list[NoticeContext]:
    """`sample` and one with seven demands, which go to the annex: together they touch every part of the template."""
    long = sample()
    long["consequence"] = "依据《中华人民共和国食品安全法》第一百二十六条第一款的规定处五千元以上五万元以下罚款"
    facts = [
        ("未配备食品安全总监", "依法配备食品安全总监并报送任命文件"),
        ("食品安全员未经培训考核即上岗", "组织培训考核，考核合格后方可上岗，并保存培训考核记录"),
        ("风险管控清单未结合本企业实际", "结合本企业实际修订清单，经主要负责人批准后执行"),
        ("2026年11月1日至11月19日无每日检查记录", "每日检查并如实记录，未发现问题的也应当形成零风险报告"),
        ("未开展每周排查", "每周至少排查一次，形成每周食品安全排查治理报告"),
        ("未召开月度调度会议", "每月至少召开一次调度会议，形成每月食品安全调度会议纪要"),
        ("采购员张㛃、厨师长王𬀩未取得有效健康证明", "立即停止其从事接触直接入口食品的工作，取得健康证明后方可上岗"),
    ]
    long["demands"] = [
        {"n": n, "fact": fact, "demand": demand, "deadline": "2026-11-30" if n == 7 else None}
        for n, (fact, demand) in enumerate(facts, 1)
    ]
    return [sample(), long]

"""From a Notice to the context it prints: the bodies from confirmed settings, the articles from picked citations."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.core import clock
from app.core.document import number_text
from app.models import setting
from app.models.rectification import CitationPurpose, Notice

Settings = dict[str, str]


def number_code(settings: Settings) -> str:
    """机关代字 and 文种代字, as they open the number."""
    return f"{settings[setting.CODE]}{settings[setting.NOTICE_CODE]}"


def context_of(
    notice: Notice, settings: Settings, *, demo: bool, issued: date | None = None, number: str | None = None,
    verify: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A NoticeContext. `issued` and `number` are None for a draft; what the law fixes never comes from free text."""
    return {
        "bureau": settings[setting.BUREAU],
        "mongolian_title": settings.get(setting.MONGOLIAN) or None,
        "number": number,
        "number_prefix": number_text(number_code(settings), clock.today().year, 0).removesuffix("0号"),
        "party": notice.party,
        "party_code": (notice.site.enterprise.code or "") if notice.site is not None else "",
        "conduct": one_paragraph(notice.conduct),
        "violated": cited(notice, CitationPurpose.VIOLATED),
        "basis": cited(notice, CitationPurpose.BASIS),
        "immediate": notice.immediate,
        "deadline": notice.deadline.isoformat() if notice.deadline else None,
        "demands": [
            {
                "n": n,
                "fact": one_paragraph(one.fact),
                "demand": one_paragraph(one.demand),
                "deadline": one.deadline.isoformat() if one.deadline else None,
            }
            for n, one in enumerate(notice.corrections, 1)
        ],
        "consequence": _consequence(notice),
        "remedy": {"review_body": settings[setting.REVIEW_BODY], "court": settings[setting.COURT]},
        "contact": {
            "person": notice.contact_person,
            "phone": notice.contact_phone,
            "address": settings[setting.ADDRESS],
        },
        "date": issued.isoformat() if issued else None,
        "copies": {"total": 2, "served": 1, "filed": 1, "other": None},
        "verify": verify,
        "demo": demo,
    }


def one_paragraph(text: str) -> str:
    """A text as form 33 runs it on: typed lines follow each other without a gap, as Chinese is set."""
    return "".join(line.strip() for line in text.splitlines())


def _consequence(notice: Notice) -> str | None:
    """The consequence names its articles first: 依据…的规定，…"""
    if not notice.consequence:
        return None
    articles = "、".join(cited(notice, CitationPurpose.CONSEQUENCE))
    return f"依据{articles}的规定，{notice.consequence}" if articles else notice.consequence


def cited(notice: Notice, purpose: CitationPurpose) -> list[str]:
    """The articles cited for a purpose, as they print, in order; none that are hidden from who looks at a preview."""
    mine = (one.citation for one in notice.citations if one.purpose == purpose)
    return [one.printed() for one in mine if one is not None]

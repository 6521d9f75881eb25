"""From the context to what the template prints: wording, and what stands on the form and what in the annex."""

import re
from dataclasses import dataclass
from typing import Any

from app.core.pdf.lines import count, soft
from app.core.pdf.qr import qr
from app.core.pdf.text import chinese_date, running

NUMERALS = "零一二三四五六七八九"
BLANK_DATE = "　　　年　　月　　日"


@dataclass(frozen=True)
class Fit:
    """A way to set the form: style class, characters a line, line pitch in points, whether the demands stand on it."""

    style: str
    columns: int
    pitch: float
    inline: bool


FITS = (Fit("grid", 28, 28.99, True), Fit("grid", 28, 28.99, False), Fit("small", 31, 24.5, False))
"""Tried in this order. The last is size 4 instead of size 3, for long facts (GB/T 9704: 特定情况可以作适当调整)."""

PAGE = 637.79
"""Height of the type area in points: 225 mm."""
TITLE, TITLE_COLUMNS = 36, 20
"""Pitch in points and characters of a title line; bureau and title of the form take one each."""
AROUND_NUMBER, AROUND_SIGN = 14.96, 57.98
"""Points between number and party; and above and below the two lines that the seal covers, one full line each."""


def choose(context: dict[str, Any]) -> Fit | None:
    """The first way in which the form is one page, by counting lines; None when there is none."""
    return next((fit for fit in FITS if _height(context, fit) <= PAGE), None)


def _height(context: dict[str, Any], fit: Fit) -> float:
    """An upper bound of the form's height in points."""
    contact = context["contact"]
    titles = 1 + count(context["bureau"], TITLE_COLUMNS, 0)
    # number, bureau and date are one line each
    lines = 3 + count(f"{context['party']}：", fit.columns, 0) + bool(context["mongolian_title"])
    lines += count(f"联系人：{contact['person']}　　联系电话：{contact['phone']}", fit.columns)
    lines += count(f"联系地址：{contact['address']}", fit.columns)
    lines += sum(count(text, fit.columns) for text in paragraphs(context, fit))
    return titles * TITLE + AROUND_NUMBER + AROUND_SIGN + lines * fit.pitch


def paragraphs(context: dict[str, Any], fit: Fit) -> list[str]:
    """The running text of the form, with □ where the template draws a box."""
    order, remedy = _order(context), context["remedy"]
    texts = [
        f"经查，你单位{_tail(context['conduct'])}的行为，违反了{'、'.join(context['violated'])}的规定。",
        f"依据{'、'.join(context['basis'])}的规定，现责令你单位{order}。",
        _demands(context, fit.inline),
    ]
    if context["consequence"]:
        texts.append(f"逾期不改的，本局将{_tail(context['consequence'])}。")
    texts.append(
        f"如对本责令改正决定不服，可以自收到本通知书之日起六十日内向{remedy['review_body']}申请行政复议；"
        f"也可以在六个月内依法向{remedy['court']}提起行政诉讼。"
    )
    return texts


def _order(context: dict[str, Any]) -> str:
    deadline = chinese_date(context["deadline"]) if context["deadline"] else BLANK_DATE
    now, then = ("■", "□") if context["immediate"] else ("□", "■")
    return f"{now}立即改正／{then}在{deadline}前改正"


def _demands(context: dict[str, Any], inline: bool) -> str:
    if not inline:
        return "具体改正内容及要求见附件《责令改正事项清单》。"
    texts = [_tail(demand["demand"]) for demand in context["demands"]]
    if len(texts) > 1:
        texts = [f"{number}．{text}" for number, text in enumerate(texts, 1)]
    return f"改正内容及要求：{'；'.join(texts)}。"


def _tail(text: str) -> str:
    """The text without the stop, and the words 的行为, that the form itself puts after it."""
    return running(text).rstrip("。；;. ").removesuffix("的行为")


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    fit = choose(context) or FITS[-1]
    return {
        **context,
        "number": context["number"] or f"{context['number_prefix']}　　号",
        "fit": fit.style,
        "annexed": not fit.inline,
        "paragraphs": [[_parts(piece) for piece in soft(text)] for text in paragraphs(context, fit)],
        "soft": soft,
        "date": chinese_date(context["date"]) if context["date"] else BLANK_DATE,
        "items": [_item(context, demand) for demand in context["demands"]],
        "copies": _copies(context["copies"]),
        "qr": qr(context["verify"]["url"]) if context["verify"] else "",
    }


def _parts(text: str) -> list[str]:
    """The text around its boxes; a box is an item with the character after it, which stays on its line."""
    return [part for part in re.split("([□■].)", text) if part]


def _item(context: dict[str, Any], demand: dict[str, Any]) -> dict[str, str]:
    last = demand["deadline"] or context["deadline"]
    return {
        "n": str(demand["n"]),
        "fact": running(demand["fact"]),
        "demand": running(demand["demand"]),
        "deadline": chinese_date(last) if last else "立即",
    }


def _copies(copies: dict[str, Any]) -> str:
    total, served, filed = (NUMERALS[copies[name]] for name in ("total", "served", "filed"))
    other = f"，{_tail(copies['other'])}" if copies["other"] else ""
    total = "两" if total == "二" else total
    return f"本文书一式{total}份，{served}份送达，{filed}份归档{other}。"

"""What the tests of documents share: contexts to bend, and poppler's eyes on a PDF."""

import re
import subprocess
from dataclasses import dataclass
from html import unescape
from typing import Any

from app.core.pdf import engine
from app.reports import notice

MM = 72 / 25.4


@dataclass(frozen=True)
class Word:
    """A word as poppler sees it; lengths in points from the top left corner of its page."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


def context(**changes: Any) -> dict[str, Any]:
    """The sample notice with changes."""
    return {**notice.sample(), **changes}


def demands(number: int, text: str = "制定风险管控清单") -> list[dict[str, Any]]:
    """That many demands."""
    return [{"n": n, "fact": "未制定清单", "demand": text, "deadline": None} for n in range(1, number + 1)]


def printed(**changes: Any) -> bytes:
    """The notice as a draft, which is the same layout without the archive parts."""
    return engine.render("notice", context(**changes), draft=True)


def text(pdf: bytes, *options: str) -> str:
    """The text of a PDF without line ends."""
    return _poppler(pdf, *options).replace("\n", "").replace("\f", "")


def pages(pdf: bytes) -> list[str]:
    """The text of each page."""
    return _poppler(pdf).split("\f")[:-1]


def words(pdf: bytes) -> list[Word]:
    """All words with their boxes."""
    found, page = [], 0
    pattern = r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>'
    for line in _poppler(pdf, "-bbox").splitlines():
        page += "<page " in line
        if hit := re.search(pattern, line):
            left, top, right, bottom = map(float, hit.groups()[:4])
            found.append(Word(page, unescape(hit[5]), left, top, right, bottom))
    return found


def lines(pdf: bytes, page: int = 1) -> list[tuple[float, float, float, str]]:
    """(top, left, right, text) of the lines of a page, from its top; words on one base line are one line."""
    rows: dict[int, list[Word]] = {}
    for word in words(pdf):
        if word.page == page:
            rows.setdefault(round(word.bottom), []).append(word)
    return [
        (row[0].top, min(w.left for w in row), max(w.right for w in row), "".join(w.text for w in row))
        for _, row in sorted(rows.items())
    ]


def _poppler(pdf: bytes, *options: str) -> str:
    return subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()

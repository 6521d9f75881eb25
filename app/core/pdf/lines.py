"""How many lines a Chinese paragraph takes, computed without the renderer: an upper bound, the same on every machine.

Documents decide by it what goes on the page and what goes into an annex, before anything is signed.
"""

import re
from functools import lru_cache

NOT_FIRST = frozenset("，。、；：？！）》〉」』】〕｝”’…—·％,.;:?!)]}%‰℃°/")
NOT_LAST = frozenset("□■（《〈「『【〔｛“‘([{￥＄")
_UNITS = re.compile(r"[!-~\u00a1-\u024f]+|.", re.DOTALL)
TOKEN_LIMIT = 20
"""Longest run of Latin letters and digits that is never divided, in characters; longer ones get break points."""
TOKEN_STEP = 8


NARROW = {
    0.36: "'!j|,.:;il[]- ",
    0.5: '()ftIr?s"*/1\\`z{}',
    0.63: "Jc$7evy02345689axSgoZ^kq~Ld",
    0.74: "bpFuhnEPBCTRAVXY",
    0.86: "DK&+<=>GOQ_NU#wH",
}
"""Em to characters: the widest of 仿宋 and 宋体 of the set, rounded up. All else that is narrow counts as 1.05."""
_ADVANCES = {character: em for em, characters in NARROW.items() for character in characters}


def width(text: str) -> float:
    """Width in em, an upper bound: full-width characters are 1, the others as in `NARROW`."""
    return sum(_ADVANCES.get(character, 1.0 if character >= "\u2000" else 1.05) for character in text)


def pieces(token: str) -> list[str]:
    """A Latin token as the parts between which a line may end; one part unless it is longer than `TOKEN_LIMIT`."""
    if len(token) <= TOKEN_LIMIT:
        return [token]
    return [token[at : at + TOKEN_STEP] for at in range(0, len(token), TOKEN_STEP)]


def soft(text: str) -> list[str]:
    """`text` cut where a template must put `<wbr>`, so that a long code cannot run off the page."""
    parts, start = [], 0
    for found in re.finditer(r"[!-~\u00a1-\u024f]+", text):
        for piece in pieces(found[0])[:-1]:
            end = max(start, found.start()) + len(piece)
            parts.append(text[start:end])
            start = end
    return [*parts, text[start:]]


@lru_cache(maxsize=1024)
def count(text: str, columns: float, indent: float = 2) -> int:
    """Lines of a paragraph set `columns` em wide with a first-line indent; at least 1."""
    lines, used = 1, indent
    for unit in _unbreakable(text):
        size = width(unit)
        if used + size > columns and used > 0:
            lines, used = lines + 1, 0.0
        used += size
    return lines


def _unbreakable(text: str) -> list[str]:
    """Groups of characters between which a line may end (kinsoku: GB/T 15834 punctuation stays with its word)."""
    groups: list[str] = []
    for token in _UNITS.findall(text):
        for piece in pieces(token):
            if groups and (piece[0] in NOT_FIRST or groups[-1][-1] in NOT_LAST):
                groups[-1] += piece
            else:
                groups.append(piece)
    return groups

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


def width(text: str) -> float:
    """Width in em, rounded up per character: full-width 1, digit 0.5, lower-case 0.6, other narrow ones 0.6 to 1.05."""
    return sum(_advance(character) for character in text)


@lru_cache(maxsize=8192)
def _advance(character: str) -> float:
    if ord(character) >= 0x2000:
        return 1.0
    if character.isdigit() or character in " .,;:!'()[]-/":
        return 0.56
    return 0.62 if character.islower() else 1.05


def pieces(token: str) -> list[str]:
    """A Latin token as the parts between which a line may end; one part unless it is longer than `TOKEN_LIMIT`."""
    if len(token) <= TOKEN_LIMIT:
        return [token]
    return [token[at:at + TOKEN_STEP] for at in range(0, len(token), TOKEN_STEP)]


def soft(text: str) -> list[str]:
    """`text` cut where a template must put `<wbr>`, so that a long code cannot run off the page."""
    parts, start = [], 0
    for found in re.finditer(r"[!-~\u00a1-\u024f]+", text):
        for piece in pieces(found[0])[:-1]:
            end = (start if start > found.start() else found.start()) + len(piece)
            parts.append(text[start:end])
            start = end
    return [*parts, text[start:]]


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

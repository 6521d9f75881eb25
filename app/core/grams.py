"""Pieces of text as whole numbers, so that an ordinary index finds a part of a word on any database.

From each place of a word the three characters that begin there make a piece; at the end of the word it is shorter. A
typed text of three or more is found through its own pieces, a shorter one through the range of all pieces that begin
with it. So a Chinese word of two characters costs as little as a long one, which it does with neither SQLite's trigram
tokens nor PostgreSQL's pg_trgm (the latter sees no Chinese at all under some locales).

A piece is packed into 63 bits: 18 of whose words it is, three times 15 of a character. Characters that share their
lowest 15 bits share pieces, so what is found this way is a little too much, never too little: always compare the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

LENGTH = 3  # characters of a piece
BITS = 15  # of a character
MASK = (1 << BITS) - 1
OWNER_BITS = 63 - LENGTH * BITS


def owner(name: str) -> int:
    """The number of whoever the words belong to (an entity): from 0, below 2 ** OWNER_BITS."""
    return crc32(name.encode()) >> (32 - OWNER_BITS)


def fold(text: str) -> str:
    """Lower case, character by character, so that a part of a text stays a part of it."""
    return "".join(char.lower() for char in text)


def pieces(words: Iterable[str]) -> set[str]:
    """Every piece of these words."""
    return {word[place : place + LENGTH] for word in words for place in range(len(word))}


def pack(whose: int, piece: str) -> int:
    """A piece as a number."""
    number = whose
    for place in range(LENGTH):
        number = number << BITS | (ord(piece[place]) & MASK if place < len(piece) else 0)
    return number


def span(whose: int, piece: str) -> tuple[int, int]:
    """First and last number of the pieces that begin with this text, which may be empty."""
    low, free = pack(whose, piece), (LENGTH - len(piece)) * BITS
    return low, low | ((1 << free) - 1)


def needles(typed: str, most: int) -> list[str]:
    """Pieces of a typed text that each row holding it must have, at most so many, spread over the text."""
    if len(typed) <= LENGTH:
        return [typed]
    places = range(len(typed) - LENGTH + 1)
    step = max(1, -(-len(places) // most))
    return list(dict.fromkeys(typed[place : place + LENGTH] for place in (*places[::step], places[-1])))[: most + 1]

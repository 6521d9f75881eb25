"""Keys by which names and addresses written in different ways are found to be the same.

A name's key is the reading (pinyin without tones) of what is left without region, company suffix, spaces and marks:
a wrong character of the same sound gives the same key. An address's key keeps its characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from app.core.pinyin import normalise_query, search_key

LONGEST = 200  # characters of a key
SHORTEST = 2  # what must be left when something is taken off
_SUFFIX = re.compile(r"(有限责任公司|股份有限公司|集团有限公司|有限公司|公司|个体工商户|个体户|个体)$")
_DIGITS = str.maketrans("〇零一二三四五六七八九两", "001234567892")
_regions: list[str] = []


def register_regions(names: list[str]) -> None:
    """Tell core what the regions are called that stand before names and addresses, the largest first."""
    _regions[:] = names
    _pattern.cache_clear()


def name_key(name: str) -> str:
    """The key of a firm's or a site's name; "" for a name without a letter or digit.

    >>> name_key("老 王 饭店有限公司") == name_key("老旺饭店") == "laowangfandian"
    True
    """
    core = _without_regions(normalise_query(name or ""))
    bare = _SUFFIX.sub("", core)
    words = search_key(bare if len(bare) >= SHORTEST else core).split()
    return (words[1] if len(words) > 1 else words[0] if words else "")[:LONGEST]


def address_key(address: str) -> str:
    """The key of an address: no region, no spaces and marks, digits of any kind as one kind.

    >>> address_key("兴隆街（三）号") == address_key("兴隆街３号")
    True
    """
    folded = normalise_query(unicodedata.normalize("NFKC", address or ""))
    return _without_regions(folded).translate(_DIGITS)[:LONGEST]


def _without_regions(text: str) -> str:
    found = _pattern().match(text)
    rest = text[found.end() :] if found else text
    return rest if len(rest) >= SHORTEST else text


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile("".join(f"(?:{re.escape(name)})?" for name in _regions))

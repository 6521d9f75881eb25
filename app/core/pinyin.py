"""Search keys: find 重庆小面 by its characters, by "chongqing", by "cqxm", and by "zqxm" too.

A key is a row of words separated by single spaces, in this order: the folded name, then for each reading of it the
syllables joined and their initials. No word holds a space, a punctuation mark, "%" or "_", and neither does a folded
query, so `key LIKE '%' || normalise_query(q) || '%'` needs no escape and never matches across two words.

    >>> search_key("重庆小面")
    '重庆小面 chongqingxiaomian cqxm zhongqingxiaomian zqxm'
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import combinations, islice, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_KEY = 1000  # characters: what a search column has to hold
_MAX_NAME = 120
_MAX_READINGS = 8
_DROPPED = ("P", "S", "Z", "Cc", "Cf")

# Characters of surnames, places and food that people really read in more than one way. pypinyin lists many more
# readings of many more characters, most of them out of dictionaries nobody types from.
_TABLE = (
    "重 chong zhong|长 chang zhang|乐 le yue|行 hang xing|曾 zeng ceng|单 shan dan|解 xie jie|仇 qiu chou|区 ou qu|"
    "盖 ge gai|查 zha cha|朴 piao pu|覃 qin tan|翟 zhai di|尉 yu wei|都 du dou|厦 xia sha|六 liu lu|番 fan pan|"
    "调 diao tiao|便 bian pian|朝 chao zhao|传 chuan zhuan|参 shen can|乾 qian gan|盛 sheng cheng|宿 su xiu|"
    "壳 ke qiao|露 lu lou|薄 bo bao|熟 shu shou|谷 gu yu|角 jiao jue|泊 bo po|茄 qie jia|咖 ka ga|柏 bai bo|"
    "蔚 wei yu|召 zhao shao|藏 zang cang|缪 miao mou|卜 bu bo|洗 xi xian|卡 ka qia|种 zhong chong|阿 a e|车 che ju|"
    "扎 zha za|血 xue xie|落 luo la|贾 jia gu|佛 fo fu|拓 tuo ta|巷 xiang hang|员 yuan yun|牟 mou mu|隗 wei kui|"
    "铅 qian yan|浒 hu xu|蚌 bang beng|莘 shen xin|荥 xing ying|埔 pu bu|堡 bao pu|臭 chou xiu|烙 lao luo|吓 xia he|"
    "模 mo mu|弹 dan tan|省 sheng xing|仔 zai zi|芥 jie gai|虾 xia ha|蛤 ge ha|剥 bo bao|粘 zhan nian|绿 lv lu|"
    "尹 yin yun|强 qiang jiang"
)
_READINGS = {row.split()[0]: tuple(row.split()[1:]) for row in _TABLE.split("|")}


def search_key(name: str) -> str:
    """The search column of a name, at most `MAX_KEY` characters; "" for a name without a letter or digit.

    Deterministic. At most eight readings are kept, the likeliest first, those that differ in fewer characters before
    those that differ in more. A character without a known reading stands for itself in every word.
    """
    folded = _fold(name)[:_MAX_NAME]
    if not folded:
        return ""
    words = [folded]
    size = len(folded)
    for reading in _readings(folded):
        for word in ("".join(reading), "".join(syllable[0] for syllable in reading)):
            if word not in words and size + 1 + len(word) <= MAX_KEY:
                words.append(word)
                size += 1 + len(word)
    return " ".join(words)


def normalise_query(query: str) -> str:
    """What was typed into a search box, folded as names are; "" means that there is nothing to search for."""
    return _fold(query)[:_MAX_NAME]


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower().replace("ü", "v")
    return "".join(char for char in folded if not unicodedata.category(char).startswith(_DROPPED))


def _readings(name: str) -> Iterator[tuple[str, ...]]:
    """The readings of a name: pypinyin's, which knows phrases, then those with other readings of single characters."""
    first = _syllables(name)
    others = {
        place: tuple(other for other in _READINGS[char] if other != first[place])
        for place, char in enumerate(name)
        if char in _READINGS
    }
    return islice(_variants(first, others), _MAX_READINGS)


def _variants(first: tuple[str, ...], others: dict[int, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for changed in range(len(others) + 1):
        for places in combinations(others, changed):
            for chosen in product(*(others[place] for place in places)):
                reading = list(first)
                for place, syllable in zip(places, chosen, strict=True):
                    reading[place] = syllable
                yield tuple(reading)
                if not changed and any("v" in syllable for syllable in reading):
                    # 吕 and 女 are typed lu and nu on phones that have no ü
                    yield tuple(syllable.replace("v", "u") for syllable in reading)


def _syllables(name: str) -> tuple[str, ...]:
    reading = _reader()(name)
    if len(reading) == len(name):
        return reading
    return tuple(syllable for char in name for syllable in _reader()(char)[:1])


@cache
def _reader() -> Callable[[str], tuple[str, ...]]:
    # Imported on first use: its dictionaries take a third of a second and 40 MB.
    from pypinyin import Style, lazy_pinyin

    def read(text: str) -> tuple[str, ...]:
        return tuple(lazy_pinyin(text, style=Style.NORMAL, errors=list))  # type: ignore[arg-type]  # stub knows one form

    return read

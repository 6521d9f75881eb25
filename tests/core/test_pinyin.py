"""Search keys: one name, found in every way that people type it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.pinyin import MAX_KEY, normalise_query, search_key


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("重庆小面", ["cqxm", "zqxm", "chongqing", "zhongqing", "重庆", "CQXM", "重 庆"]),
        ("曾记长沙臭豆腐", ["zjcs", "cjcs", "zengji", "changsha", "臭豆腐"]),
        ("单县羊汤", ["sxyt", "dxyt", "shanxian"]),
        ("奈曼旗大沁他拉镇乐购超市", ["nmqdqtlz", "naimanqi", "lgcs", "ygcs", "乐购"]),
        ("吕氏包子（总店）", ["lvshi", "lushi", "lüshi", "lsbzzd", "包子总店"]),
        ("女儿红酒坊", ["nver", "nuer"]),
        ("𬀩㛃䶮犇商店", ["𬀩㛃䶮犇", "shangdian", "犇", "ben"]),
        ("ＡＢＣ 24小时便利店", ["abc24", "24小时", "bld", "pld"]),
        ("解家行货柜", ["xiejia", "jiejia", "hanghuo"]),
    ],
)
def test_a_name_is_found_as_people_type_it(name: str, queries: list[str]) -> None:
    key = search_key(name)
    for query in queries:
        assert normalise_query(query) in key, (key, query)


def test_the_documented_example() -> None:
    assert search_key("重庆小面") == "重庆小面 chongqingxiaomian cqxm zhongqingxiaomian zqxm"


def test_a_character_without_a_reading_stands_for_itself() -> None:
    private_use = "\ue000"
    assert search_key(f"王{private_use}店") == f"王{private_use}店 wang{private_use}dian w{private_use}d"


@pytest.mark.parametrize("text", ["", " ", "——（）", "%_", "\u200b\t"])
def test_nothing_to_search_for(text: str) -> None:
    assert normalise_query(text) == ""
    assert search_key(text) == ""


def test_readings_are_bounded() -> None:
    key = search_key("重长乐行曾单解仇区盖查朴" * 20)
    assert len(key) <= MAX_KEY
    assert len(search_key("重长乐行曾单解仇区盖查朴").split()) <= 1 + 2 * 8


@given(st.text(max_size=60))
def test_any_text_gives_a_key_that_finds_itself(name: str) -> None:
    key = search_key(name)
    assert len(key) <= MAX_KEY
    assert normalise_query(name) in key
    assert not set(key) & set("%_\n\t")
    assert "  " not in key
    assert search_key(name) == key


def test_the_dictionaries_are_loaded_only_when_used() -> None:
    code = "import sys; import app.core.pinyin; assert 'pypinyin' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

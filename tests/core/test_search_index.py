"""The search index finds what comparing every row would find, on both databases, and for each person their own."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, or_, select, update

from app.core import grams, matching, search_index
from app.core.db import current_session
from app.core.fab.listing import search_clause
from app.core.pinyin import normalise_query, search_key
from app.core.saving import EVERYTHING, save
from app.core.search_index import indexed, search_gram
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.check import DailyCheck
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.rectification import Notice
from tests.support.house import A, B, House


def found(text: str) -> set[int]:
    return set(current_session().scalars(select(Enterprise.id).where(search_clause(Enterprise, text))))


def truth(text: str) -> set[int]:
    """Every row compared; words parted by spaces must all be there."""
    return set(current_session().scalars(select(Enterprise.id).where(*map(_truth, text.split() or [text]))))


def _truth(text: str) -> Any:
    words = [getattr(Enterprise, name).icontains(text, autoescape=True) for name in ("code", "legal_person", "phone")]
    if folded := normalise_query(text):
        words.append(Enterprise.search_text.contains(folded))
    return or_(*words)


def firm(name: str, **more: Any) -> Enterprise:
    return Enterprise(name=name, legal_person="王建国", address="奈曼旗", state="正常", **more)


# -- pieces -----------------------------------------------------------------------------------------------------------


def test_a_text_is_found_through_the_pieces_of_any_part_of_it() -> None:
    whose = grams.owner("Enterprise")
    row = sorted(grams.pack(whose, piece) for piece in grams.pieces(["奈曼旗面馆", "耀𠮷", "nmqmg"]))
    for typed in ("面馆", "馆", "奈曼旗面馆", "耀𠮷", "𠮷", "nmqmg", "mg", "qmg", ""):
        for piece in grams.needles(typed, 6):
            low, high = grams.span(whose, piece)
            assert any(low <= number <= high for number in row), (typed, piece)
    low, high = grams.span(whose, "旗馆")
    assert not any(low <= number <= high for number in row)
    assert row[0] >= 0
    assert row[-1] < 2**63


@given(st.text(min_size=1, max_size=40), st.data())
def test_every_part_of_every_text_has_its_pieces(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : data.draw(st.integers(start + 1, len(text)))]
    row = {grams.pack(7, piece) for piece in grams.pieces([grams.fold(text)])}
    for piece in grams.needles(grams.fold(part), 6):
        low, high = grams.span(7, piece)
        assert any(low <= number <= high for number in row)


def test_numbers_of_entities_differ() -> None:
    assert len({one.number for one in indexed().values()}) == len(indexed()) > 4
    assert Enterprise in indexed()
    assert all("summary" not in one.columns for one in indexed().values()), "a long text would have thousands of pieces"


# -- finding ----------------------------------------------------------------------------------------------------------


def test_it_finds_what_comparing_every_row_finds(house: House) -> None:
    with house.system() as session:
        firms = session.scalars(select(Enterprise).order_by(Enterprise.id).limit(6)).all()
        words = {"奈曼", "旗", "n", "9", "%", "_", "——", "没有", "zz", "\\", "a b"}
        for one in firms:
            key, code = one.search_text, one.code or "9115"
            words |= {key[:2], key[3:5], key[-2:], key.split()[1][:7], key.split()[-1], one.name.upper()}
            words |= {code, code[3:8], code[-2:], code[5:], code.lower()}
    with house.acting("suo-a"):
        results = {word: (found(word), truth(word)) for word in words}
    assert {word: pair for word, pair in results.items() if pair[0] != pair[1]} == {}
    assert sum(bool(pair[0]) for pair in results.values()) > 10
    assert results["zz"][0] == set()


@pytest.mark.parametrize("few", [0, 2, 1_100])
def test_a_text_of_common_pieces_is_found_all_the_same(house: House, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Letters of pinyin that every firm has: whether the whole is rare, is known after going through the table."""
    monkeypatch.setattr(matching, "COMMON", 0)
    monkeypatch.setattr(matching, "FEW", few)
    with house.acting("suo-a"), unit_of_work(Verb.CREATE):
        mine = save(firm("独角兽烧烤店", code=None), Verb.CREATE, accepted=EVERYTHING).id
    for who in ("suo-a", "suo-b", "firm-b", "ju"):
        with house.acting(who):
            for word in (
                "dujiaoshou",
                "djssk",
                "naiman",
                "naimanqi",
                "独角兽烧",
                "没有这家店",
                "91150525",
                "_",
                "龘龘龘龘",
            ):
                assert found(word) == truth(word), (who, word)
            assert found("dujiaoshou") == ({mine} if who in {"suo-a", "ju"} else set())
            sites = current_session().scalars(select(Site.id).where(search_clause(Site, "naimanqi")))
            by_firm = {one.id for one in current_session().scalars(select(Site)) if _holds(one, "naimanqi")}
            assert set(sites) == by_firm


def _holds(site: Site, text: str) -> bool:
    firm_text = site.enterprise.search_text if site.enterprise is not None else ""
    return text in (site.search_text or "") or text in (firm_text or "")


def test_what_turns_out_to_be_rare_narrows_the_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "COMMON", 0)
    with house.acting("ju"):
        with house.statements() as told:
            narrow, _clause = matching.matching(Enterprise, "naimanqi", ["search_text", "code"])
        assert narrow and sum(one.startswith("SELECT") for one in told) == 2
        monkeypatch.setattr(matching, "FEW", 1)
        assert matching.matching(Enterprise, "naimanqi", ["search_text", "code"])[0] is False
        with house.statements() as told:
            assert matching.matching(Enterprise, "nai", ["search_text", "code"])[0] is False
        assert sum(one.startswith("SELECT") for one in told) == 1, "a text of one piece is counted already"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.sampled_from("奈曼旗大面馆饭店有限公司nmqdaigs0129 %_\\—ＡaK"), min_size=1, max_size=8))
def test_whatever_is_typed(sqlite_house: House, text: str) -> None:
    with sqlite_house.acting("ju"):
        assert found(text) == truth(text)
        current_session().rollback()


def test_a_piece_that_most_rows_have_narrows_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "COMMON", 3)
    with house.acting("suo-a"):
        assert found("奈曼") == truth("奈曼")
        assert len(found("奈曼")) > 3


def test_typed_text_costs_one_statement_more(house: House) -> None:
    with house.acting("suo-a"), house.statements() as told:
        assert found("没有这家") == set()
    told = [one for one in told if one.startswith("SELECT")]
    assert len(told) == 2
    assert "search_gram" in told[0]
    assert "search_gram" not in told[1], "what has no row is not looked for"


def test_the_other_station_finds_only_its_own(house: House) -> None:
    with house.acting("suo-a"), unit_of_work(Verb.CREATE):
        mine = save(firm("独角兽烧烤店"), Verb.CREATE, accepted=EVERYTHING).id
    for who, expected in (("suo-a", {mine}), ("suo-b", set()), ("firm-b", set()), ("ju", {mine})):
        with house.acting(who):
            for word in ("独角", "djssk", "角兽", "dujiaoshou"):
                assert found(word) == expected, (who, word)


def test_a_hidden_column_is_not_searched(house: House) -> None:
    with house.acting("suo-a") as access:
        code = current_session().scalars(select(Enterprise.code).where(Enterprise.code.is_not(None))).first()
        assert code is not None
        assert found(code)
        for held in access.postings:
            held.hidden.setdefault("Enterprise", []).append("code")  # type: ignore[attr-defined]
        access.compiled.clear()  # what has been found out of the role as it was
        assert found(code) == set()
        assert found("奈曼")


def compared(model: Any, text: str) -> set[int]:
    """What comparing every row finds, behind relationships too: the index is taken for of no use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "COMMON", -1)
        return keys(model, text)


def keys(model: Any, text: str) -> set[int]:
    return set(current_session().scalars(select(model.id).where(search_clause(model, text))))


def test_what_lies_behind_a_relationship_is_found_as_comparing_finds_it(house: House) -> None:
    with house.system() as session:
        sites = session.scalars(select(Site).order_by(Site.id).limit(5)).all()
        firms = [session.get_one(Enterprise, site.enterprise_id) for site in sites]
        words = {"奈曼", "旗", "n", "没有这家", "——", "%"} | {site.licence_no or "JY" for site in sites}
        words |= {site.search_text[:4] for site in sites} | {site.search_text.split()[-1] for site in sites}
        words |= {firm.code or "9115" for firm in firms} | {firm.search_text[2:5] for firm in firms}
    hits = 0
    for who in ("suo-a", "suo-b", "ju", "firm-a", "gu-canyin"):
        with house.acting(who):
            for model, word in product((Site, Inspection, Notice, DailyCheck), sorted(words)):
                ids = keys(model, word)
                assert ids == compared(model, word), (who, model, word)
                hits += bool(ids)
    assert hits > 50


def test_a_row_is_not_found_by_what_one_may_not_see_behind_it(house: House) -> None:
    """The notice stays with who made it; the site, renamed by the station it went to, does not."""
    with house.system() as session, unit_of_work(Verb.UPDATE):
        notice = session.scalars(select(Notice).order_by(Notice.id).limit(1)).one()
        site = session.get_one(Site, notice.site_id)
        site.office_id = site.made_office_id = house.offices[B]
        site.name = site.search_text = "独角兽"
        notice.office_id = notice.made_office_id = house.offices[A]
        key = notice.id
    for word in ("独角", "独角兽"):
        with house.acting("suo-a"):
            assert key in set(current_session().scalars(select(Notice.id)))
            assert keys(Notice, word) == compared(Notice, word) == set()
        with house.acting("ju"):
            assert keys(Notice, word) == {key}


def test_typed_text_for_rows_behind_costs_one_statement_more(house: House) -> None:
    with house.acting("suo-a"):
        keys(Site, "奈曼")
        with house.statements() as told:
            keys(Site, "奈曼")
    assert len([one for one in told if one.startswith("SELECT")]) == 2


# -- keeping ----------------------------------------------------------------------------------------------------------


def test_it_follows_every_change_of_a_row(house: House) -> None:
    with house.acting("suo-a"):
        with unit_of_work(Verb.CREATE):
            key = save(firm("青龙面馆"), Verb.CREATE, accepted=EVERYTHING).id
        assert key in found("青龙面")
        with unit_of_work(Verb.UPDATE) as session:
            row = session.get_one(Enterprise, key)
            session.expire(row)  # the old name has to be read before the new one is set
            row.name = "白音饭庄"
            save(row, Verb.UPDATE, accepted=EVERYTHING)
        assert key in found("白音饭") & found("byfz")
        assert found("青龙面") == found("qlmg") == set()
    with house.system() as session:
        whose = indexed()[Enterprise]
        low, high = grams.span(whose.number, "")
        kept = set(session.connection().scalars(select(search_gram.c.gram).where(search_gram.c.row_id == key,
                   search_gram.c.gram.between(low, high))))  # fmt: skip
        stored = session.get_one(Enterprise, key)
        assert stored.search_text == search_key("白音饭庄")
        assert kept | {whose.mark} == whose.grams(getattr(stored, name) for name in whose.columns)
        with unit_of_work(Verb.DELETE) as unit:
            unit.delete(unit.get_one(Enterprise, key))
        left = select(search_gram.c.gram).where(search_gram.c.row_id == key, search_gram.c.gram.between(low, high))
        assert session.connection().scalars(left).all() == []


def test_what_is_rolled_back_is_not_found(house: House) -> None:
    with house.acting("suo-a"):
        with pytest.raises(ZeroDivisionError), unit_of_work(Verb.CREATE):
            save(firm("昙花一现小吃"), Verb.CREATE, accepted=EVERYTHING)
            raise ZeroDivisionError
        assert found("昙花") == set()
    assert faults(house) == {}


def test_a_save_that_leaves_the_name_writes_nothing_to_the_index(house: House) -> None:
    with house.acting("suo-a"), house.statements() as told, unit_of_work(Verb.UPDATE) as session:
        row = session.scalars(select(Enterprise).limit(1)).one()
        row.note = "门头已换"
        save(row, Verb.UPDATE, accepted=EVERYTHING)
    assert not [one for one in told if "search_gram" in one]


# -- whole ------------------------------------------------------------------------------------------------------------


def faults(house: House) -> dict[str, int]:
    with house.app.app_context():
        return search_index.faults()


def test_demo_and_import_are_indexed_whole(house: House) -> None:
    assert faults(house) == {}
    with house.system() as session:
        rows = session.connection().scalar(select(search_index.func.count()).select_from(search_gram))
    assert rows is not None
    assert rows > 1000


def test_rows_written_past_the_program_are_noticed_and_mended(house: House) -> None:
    runner = house.app.test_cli_runner()
    with house.system() as session:
        connection = session.connection(execution_options={"shouze_write": True})
        like = dict(connection.execute(select(Enterprise.__table__).limit(1)).mappings().one())
        stray = like | {"id": 99_999, "public_id": "x" * 22, "code": None, "search_text": "外来户 wailaihu wlh"}
        connection.execute(insert(Enterprise.__table__), [stray])
        session.commit()
    assert faults(house) == {"Enterprise": 1}
    with house.acting("ju"):
        assert found("外来") == set()
    with house.app.app_context():
        assert search_index.mend_all()["Enterprise"] > 20
        assert search_index.mend_all() == {}
    with house.acting("ju"):
        assert found("外来") == {99_999}
    with house.system() as session:
        connection = session.connection(execution_options={"shouze_write": True})
        connection.execute(update(Enterprise.__table__).where(Enterprise.id == 99_999).values(search_text="换了名"))
        connection.execute(delete(search_gram).where(search_gram.c.row_id == 1, search_gram.c.gram >= 0))
        session.commit()
    assert faults(house)["Enterprise"] >= 1
    from app.cli import main

    told = runner.invoke(main, ["rebuild-search"])
    assert told.exit_code == 0, told.output
    assert "Enterprise: " in told.output
    assert faults(house) == {}


def test_another_declaration_is_indexed_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notice, "__search__", ("number", "party", "contact_person"))
    indexed.cache_clear()
    try:
        assert set(faults(house)) == {"Notice"}
        with house.app.app_context():
            assert set(search_index.mend_all()) == {"Notice"}
        assert faults(house) == {}
    finally:
        indexed.cache_clear()

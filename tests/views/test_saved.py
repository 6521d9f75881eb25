"""Saved filters: one's own and the office's; they are arguments that are replayed, and give no access."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from app.core.errors import AccessRefused
from app.core.history import HistoryEntry
from app.core.office import AccessRole
from app.core.saved import ListPreference, SavedFilter, Sharing
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.inspection import DONE, DRAFT
from tests.support.house import A, B, House

DRAFTS = f"state={quote(DRAFT)}"


def page(house: House, username: str, url: str) -> str:
    answer = house.client(username).get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return html.unescape(answer.get_data(as_text=True))


def links(text: str) -> dict[str, bool]:
    """The saved filters above a list, and whether each is marked."""
    nav = re.search(r'<nav class="views".*?</nav>', text, re.DOTALL)
    found = re.findall(r'<li><a href="[^"]*"( aria-current="true")?>([^<]+)', nav[0]) if nav else []
    return {name: bool(marked) for marked, name in found}


def keep(house: House, username: str, base: str = "/inspections", **form: str) -> Any:
    data = {"name": "没写完的", "arguments": DRAFTS} | form
    return house.client(username).post(f"{base}/filters", data=data)


def stored(house: House) -> list[SavedFilter]:
    with house.system() as session:
        return list(session.scalars(select(SavedFilter).order_by(SavedFilter.id)))


def test_ones_own_filter_is_a_link_and_marked_when_in_force(house: House) -> None:
    answer = keep(house, "yuan-a", arguments=f"{DRAFTS}&page=7&nonsense=1&order=-kind&q=%00店")
    assert answer.status_code == 302
    (row,) = stored(house)
    assert row.arguments == f"q={quote('店')}&{DRAFTS}&order=-kind", "only what the list understands is kept"
    assert (row.account_id, row.sharing, row.entity) == (house.accounts["yuan-a"], Sharing.OWN, "Inspection")
    assert links(page(house, "yuan-a", answer.location)) == {"全部": False, "没写完的": True}
    assert links(page(house, "yuan-a", "/inspections/")) == {"全部": True, "没写完的": False}
    for other in ("suo-a", "yuan-b", "ju", "firm-a"):
        assert links(page(house, other, "/notices/")) == {}
    assert links(page(house, "suo-a", "/inspections/")) == {}, "a colleague's own filter is nobody else's"
    assert "状态：草稿" in page(house, "yuan-a", "/inspections/filters")


def test_the_same_name_again_replaces(house: House) -> None:
    keep(house, "yuan-a")
    keep(house, "yuan-a", arguments=f"state={quote(DONE)}")
    assert [row.arguments for row in stored(house)] == [f"state={quote(DONE)}"]
    with house.system() as session:
        entries = session.scalars(select(HistoryEntry).where(HistoryEntry.entity == "SavedFilter")).all()
    assert [entry.verb for entry in entries] == ["create", "create"], "as all writing, in the history"


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""}, {"name": "  "}, {"name": "长" * 41}, {"name": "长" * 10_000}, {"name": "坏\0名"},
        {"arguments": ""}, {"arguments": "x=1"}, {"arguments": "&" * 10_000}, {"arguments": "%ff" * 4000},
    ],
    ids=range(9),
)  # fmt: skip
def test_a_bad_filter_is_told_and_nothing_is_kept(house: House, form: dict[str, str]) -> None:
    answer = keep(house, "yuan-a", **form)
    assert answer.status_code == 422 and "还没有保存" in answer.get_data(as_text=True)
    assert stored(house) == []


def test_a_filter_too_long_to_come_back_whole_is_not_kept(small: House) -> None:
    offices = "&".join(f"office={number}" for number in range(1, 51))
    people = "&".join(f"account={number:019d}" for number in range(10**18, 10**18 + 50))
    long = "&".join(f"{offices}&role={number}&{people}" for number in range(1, 60))
    answer = small.client("admin").post("/postings/filters", data={"name": "很多", "arguments": offices})
    assert answer.status_code == 302
    for arguments in (f"{offices}&{people}&q={quote('长' * 100)}&lines=1", long):
        answer = small.client("admin").post("/postings/filters", data={"name": "太多", "arguments": arguments})
        assert answer.status_code in {302, 422}
    names = [row.name for row in stored(small)]
    for row in stored(small):
        listed = page(small, "admin", f"/postings/?{row.arguments}")
        assert links(listed)[row.name], "replayed, it is just itself"
    assert "很多" in names


def test_who_leads_shares_with_the_office_and_only_the_office_sees_it(house: House) -> None:
    assert keep(house, "suo-a", shared="1").status_code == 302
    (row,) = stored(house)
    assert (row.account_id, row.office_id, row.sharing) == (None, house.offices[A], Sharing.OFFICE)
    for username in ("suo-a", "yuan-a"):
        assert links(page(house, username, "/inspections/")) == {"全部": True, "没写完的": False}
    for username in ("yuan-b", "ju", "fagui", "gu-canyin"):
        assert links(page(house, username, "/inspections/")) == {}
    assert house.client("yuan-a").post(f"/inspections/filters/{row.id}/delete").status_code == 403
    for username in ("yuan-b", "suo-b"):
        assert house.client(username).post(f"/inspections/filters/{row.id}/delete").status_code == 404
        assert house.client(username).post(f"/inspections/filters/{row.id}/default").status_code == 404
    assert house.client("suo-a").post(f"/sites/filters/{row.id}/delete").status_code == 404, "another list's"
    assert house.client("suo-a").post(f"/inspections/filters/{row.id}/delete").status_code == 302
    assert stored(house) == []


def test_who_may_not_share_does_not(house: House) -> None:
    assert "shared" not in page(house, "yuan-a", f"/inspections/?{DRAFTS}")
    assert 'name="shared"' in page(house, "suo-a", f"/inspections/?{DRAFTS}")
    assert keep(house, "yuan-a", shared="1").status_code == 403
    assert stored(house) == []
    with house.acting("yuan-a"), pytest.raises(AccessRefused), unit_of_work(Verb.CREATE):
        row = SavedFilter(entity="Inspection", name="替所长放的", sharing=Sharing.OFFICE, office_id=house.offices[A])
        save(row, Verb.CREATE)


def test_nobody_keeps_a_filter_for_another(house: House) -> None:
    with house.acting("yuan-a"), pytest.raises(AccessRefused), unit_of_work(Verb.CREATE):
        row = SavedFilter(entity="Inspection", name="别人的", account_id=house.accounts["suo-a"],
                          office_id=house.offices[A])  # fmt: skip
        save(row, Verb.CREATE)


def test_firms_keep_their_own_and_see_no_stations(house: House) -> None:
    keep(house, "suo-a", base="/notices", arguments=f"state={quote('已送达')}", shared="1")
    assert keep(house, "firm-a", base="/notices", arguments=f"state={quote('已送达')}").status_code == 302
    assert keep(house, "firm-a", base="/notices", arguments="q=a", shared="1").status_code == 403
    assert links(page(house, "firm-a", "/notices/")) == {"全部": True, "没写完的": False}
    assert len(stored(house)) == 2


def test_a_list_opens_with_the_default_and_can_still_be_seen_whole(house: House) -> None:
    whole = page(house, "yuan-a", "/inspections/")
    keep(house, "yuan-a", default="1")
    first = page(house, "yuan-a", "/inspections/")
    assert "状态：草稿" in first and links(first) == {"全部": False, "没写完的": True}
    remove = re.search(r'<ul class="chips".*?href="([^"]+)"', first, re.DOTALL)
    assert remove is not None and remove[1] == "/inspections/?all=1", "taking the chip away shows all, not the default"
    everything = page(house, "yuan-a", "/inspections/?all=1")
    assert everything.count("data-row") == whole.count("data-row") > first.count("data-row")
    assert links(everything) == {"全部": True, "没写完的": False}
    key = stored(house)[0].id
    house.client("yuan-a").post(f"/inspections/filters/{key}/default", data={"off": "1"})
    assert page(house, "yuan-a", "/inspections/").count("data-row") == whole.count("data-row")


def test_a_default_that_is_deleted_or_lost_opens_the_whole_list(house: House) -> None:
    keep(house, "suo-a", shared="1")
    key = stored(house)[0].id
    assert house.client("yuan-a").post(f"/inspections/filters/{key}/default").status_code == 302
    assert "状态：草稿" in page(house, "yuan-a", "/inspections/")
    with house.system() as session, unit_of_work():
        session.get_one(SavedFilter, key).office_id = house.offices[B]
    assert "状态：草稿" not in page(house, "yuan-a", "/inspections/"), "not this office's any more"
    with house.system() as session, unit_of_work():
        session.delete(session.get_one(SavedFilter, key))
    with house.system() as session:
        assert session.scalars(select(ListPreference.default_filter_id)).all() == [None]
    assert page(house, "yuan-a", "/inspections/").count("data-row") > 2


def test_a_saved_filter_gives_no_access(house: House) -> None:
    """Shared arguments are replayed under the predicates, and without the columns, of who opens them."""
    site = house.site_of(B)
    keep(house, "suo-a", arguments=f"site={site}&{DRAFTS}", shared="1")
    text = page(house, "yuan-a", f"/inspections/?site={site}&{DRAFTS}")
    assert "data-row" not in text and "（没有这一项，或您无权查看）" in text
    assert "（没有这一项，或您无权查看）" in page(house, "yuan-a", "/inspections/filters")
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one()
        role.hidden = {"Inspection": ["state", "site_id"]}
    for url in ("/inspections/", "/inspections/filters"):
        assert "状态：草稿" not in page(house, "yuan-a", url), "a hidden column is in no saved filter"


def test_fifty_are_enough(small: House) -> None:
    with small.system() as session, unit_of_work():
        for number in range(50):
            session.add(SavedFilter(
                entity="Inspection", name=f"第{number}个", account_id=small.accounts["yuan-a"],
                office_id=small.offices[A], arguments=DRAFTS,
            ))  # fmt: skip
    assert keep(small, "yuan-a").status_code == 422
    assert keep(small, "yuan-a", name="第7个", arguments="q=a").status_code == 302
    with small.system() as session:
        assert session.scalar(select(func.count(SavedFilter.id))) == 50


def test_two_tabs_choosing_at_once_keep_one_preference(house: House) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def choose(column: str) -> int:
        return house.client("yuan-a").post("/sites/columns", data={"column": ["name", column]}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(choose, ["kind", "state", "area", "lines"])) == {302}
    with house.system() as session:
        assert session.scalar(select(func.count(ListPreference.id))) == 1

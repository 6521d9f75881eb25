"""Lists: typed filters, search behind relationships, columns, pages; and nothing told of what one may not see."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app.core.db import current_session
from app.core.fab import filtering, listing
from app.core.fab.cells import base_of
from app.core.office import AccessRole
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.area import Area
from app.models.enterprise import Enterprise, Site
from app.models.inspection import DONE, DRAFT, Inspection
from app.models.personnel import Appointment, Person
from app.models.rectification import Notice
from app.views import declared
from tests.support.house import A, B, House


def page(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return html.unescape(answer.get_data(as_text=True))


def opened(text: str, base: str) -> list[int]:
    """The keys of the rows of a list page, in order."""
    return [int(key) for key in re.findall(rf'<th scope="row"><a href="{base}/(\d+)"', text)]


def chips(text: str) -> list[str]:
    found = re.search(r'<ul class="chips".*?</ul>', text, re.DOTALL)
    return re.findall(r"<li><a [^>]*>([^<]+)<svg", found[0]) if found else []


def told(house: House, statement: Any) -> list[Any]:
    with house.system() as session:
        return list(session.scalars(statement))


# -- typed filters ----------------------------------------------------------------------------------------------------


def test_states_of_a_workflow_are_ticked_not_typed(house: House) -> None:
    client = house.client("yuan-a")
    text = page(client, f"/inspections/?size=100&state={quote(DRAFT)}&state={quote(DONE)}&state=x")
    wanted = told(house, select(Inspection.id).where(Inspection.office_id == house.offices[A]))
    assert sorted(opened(text, "/inspections")) == sorted(wanted)
    assert re.findall(r'name="state" value="([^"]+)" checked', text) == [DRAFT, DONE]
    assert '<input type="text" id="f-state"' not in text
    assert chips(text) == ["状态：草稿、已完成、x（没有这个值）"]
    only = opened(page(client, f"/inspections/?state={quote(DRAFT)}"), "/inspections")
    assert set(only) == set(
        told(house, select(Inspection.id).where(Inspection.state == DRAFT, Inspection.office_id == house.offices[A]))
    )


def test_dates_and_instants_take_a_range_with_either_end_open(house: House) -> None:
    client = house.client("yuan-a")
    days = sorted(told(house, select(Inspection.date).where(Inspection.office_id == house.offices[A])))
    middle = days[len(days) // 2]
    later = opened(page(client, f"/inspections/?size=100&date_from={middle}"), "/inspections")
    until = opened(page(client, f"/inspections/?size=100&date_to={middle}"), "/inspections")
    both = opened(page(client, f"/inspections/?size=100&date_from={middle}&date_to={middle}"), "/inspections")
    assert len(later) == sum(day >= middle for day in days)
    assert len(until) == sum(day <= middle for day in days)
    assert len(both) == days.count(middle)
    assert set(both) == set(later) & set(until)
    notices = "/notices/?size=100"
    signed = opened(page(client, f"{notices}&signed_at_from=2000-01-01&signed_at_to=2199-12-31"), "/notices")
    mine = Notice.office_id == house.offices[A]
    assert set(signed) == set(told(house, select(Notice.id).where(mine, Notice.signed_at.is_not(None))))
    assert opened(page(client, f"{notices}&signed_at_to=2000-01-01"), "/notices") == []


def test_the_last_day_of_a_range_over_instants_is_whole_in_shanghai(small: House) -> None:
    with small.system() as session, unit_of_work():
        notice = session.scalars(select(Notice).where(Notice.signed_at.is_not(None))).first()
        assert notice is not None
        notice.signed_at = notice.signed_at.replace(year=2026, month=3, day=4, hour=15, minute=59)  # 23:59 in Shanghai
        key = notice.id
    client = small.client("ju")
    assert key in opened(page(client, "/notices/?size=100&signed_at_to=2026-03-04"), "/notices")
    assert key in opened(page(client, "/notices/?size=100&signed_at_from=2026-03-04"), "/notices")
    assert key not in opened(page(client, "/notices/?size=100&signed_at_from=2026-03-05"), "/notices")


def test_text_contains_and_its_wild_cards_are_only_letters(house: House) -> None:
    client = house.client("yuan-a")
    with house.system() as session, unit_of_work():
        first, second = session.scalars(
            select(Enterprise).where(Enterprise.office_id == house.offices[A]).limit(2)
        )  # fmt: skip
        first.address, second.address = "某街100%_甲\\乙", "某街100号甲乙"
        one, two = first.id, second.id
    assert opened(page(client, "/enterprises/?address=100%25_"), "/enterprises") == [one]
    assert opened(page(client, "/enterprises/?address=" + quote("甲\\乙")), "/enterprises") == [one]
    assert set(opened(page(client, f"/enterprises/?address={quote('某街100')}"), "/enterprises")) == {one, two}


def test_lines_yes_and_no_and_short_lists(house: House) -> None:
    client = house.client("yuan-a")
    mine = Site.office_id == house.offices[A]
    catering = told(house, select(Site.id).where(mine, Site.lines.op("&")(4) != 0))
    everything = told(house, select(Site.id).where(mine))
    assert 0 < len(catering) < len(everything)
    assert set(opened(page(client, "/sites/?size=100&lines=4"), "/sites")) == set(catering)
    text = page(client, "/sites/?size=100&lines=4&lines=2&lines=1")
    assert set(opened(text, "/sites")) == set(everything) and chips(text) == ["条线：食品生产、食品销售、餐饮服务"]
    areas = told(house, select(Site.area_id).where(mine, Site.area_id.is_not(None)).distinct())
    text = page(client, f"/sites/?size=100&area={areas[0]}&area={areas[-1]}")
    wanted = told(house, select(Site.id).where(mine, Site.area_id.in_([areas[0], areas[-1]])))
    assert set(opened(text, "/sites")) == set(wanted)
    assert told(house, select(Area.name).where(Area.id == areas[0]))[0] in chips(text)[0]
    unannounced = page(client, "/inspections/?size=100&unannounced=1")
    rows = Inspection.office_id == house.offices[A], Inspection.unannounced.is_(True)
    assert set(opened(unannounced, "/inspections")) == set(told(house, select(Inspection.id).where(*rows)))
    both = page(client, "/inspections/?size=100&unannounced=1&unannounced=0")
    assert len(opened(both, "/inspections")) > len(opened(unannounced, "/inspections"))


def test_a_row_pointed_at_is_found_by_key_and_shown_by_name(house: House) -> None:
    client = house.client("yuan-a")
    visit = told(house, select(Inspection).where(Inspection.office_id == house.offices[A]))[0]
    with house.system() as session:
        name = session.get_one(Site, visit.site_id).name
    text = page(client, f"/inspections/?size=100&site={visit.site_id}")
    wanted = told(house, select(Inspection.id).where(Inspection.site_id == visit.site_id))
    assert set(opened(text, "/inspections")) == set(wanted)
    assert chips(text) == [f"经营场所：{name}"]
    assert f'data-lookup="/sites/lookup"><input type="hidden" name="site" value="{visit.site_id}">' in text
    assert f'id="f-site" value="{name}"' in text
    none = page(client, f"/inspections/?site={visit.site_id}&date_to=1990-01-01")
    assert opened(none, "/inspections") == [] and chips(none)[0] == f"经营场所：{name}", "the name without any row"


def test_numbers_take_a_range(small: House) -> None:
    client = small.client("admin")
    ranks = {row.id: row.rank for row in told(small, select(AccessRole))}
    text = page(client, "/roles/?size=100&rank_from=30&rank_to=45")
    assert set(opened(text, "/roles")) == {key for key, rank in ranks.items() if 30 <= rank <= 45}
    assert chips(text) == ["级别：30 至 45"]
    decimal = filtering.Decimals(AccessRole, "rank")
    assert decimal.understood(["1.50"]) == ["1.50"]
    assert [decimal.understood([bad]) for bad in ("NaN", "Infinity", "1e999999", "x", "")] == [[]] * 5


HOSTILE = [
    "state=x", "state=" + "长" * 10_000, "state=%00", "date_from=yesterday", "date_from=-1", "date_to=99999-01-01",
    "signed_at_from=0001-01-01", "signed_at_to=9999-12-31", "signed_at_from=%ff", "rank_from=9" + "9" * 40,
    "rank_from=-9223372036854775809", "rank_to=1e5", "rank_from=%00", "lines=3", "lines=-1", "lines=" + "9" * 30,
    "site=0", "site=-1", "site=9223372036854775808", "site=x", "site=" + "1" * 10_000, "site=%D9%A1", "area=x",
    "area=99999999999999999999", "enterprise=%00", "unannounced=2", "immediate=true", "nonsense=1", "_from=1",
    "&".join(f"state={n}" for n in range(900)), "page=-5", "page=0", "page=99999999999999", "size=0", "size=1e9",
    "order=-", "order=--date", "order=site", "order=site.name", "order=password", "all=1", "all=" + "x" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_what_means_nothing_finds_nothing_and_widens_no_list(house: House, query: str) -> None:
    for username, bases in (
        ("yuan-a", ("/inspections/", "/notices/", "/sites/")),
        ("admin", ("/roles/", "/postings/")),
    ):
        client = house.client(username)
        for base in bases:
            text = page(client, f"{base}?{query}")
            lost = [chip for chip in chips(text) if "没有这个值" in chip]
            assert all(len(chip) < 120 for chip in lost), "however long what was sent"
            assert not (lost and opened(text, base[:-1])), (base, query[:60], lost)
            in_force = {"signed_at_to", "rank_from", "site"} & {query.partition("=")[0]}
            assert bool(chips(text)) == bool(lost) or in_force, (base, query[:60], chips(text))
            assert opened(text, base[:-1]) or chips(text), (base, query[:60])


def test_a_list_query_is_made_from_any_mapping(small: House) -> None:
    names = ["state", "date", "site"]
    with small.acting("yuan-a"):
        for args in (
            {"state": [DRAFT], "date_from": "2026-01-01", "site": "7", "q": " 字 ", "page": "3"},
            MultiDict([("state", DRAFT), ("date_from", "2026-01-01"), ("site", "7"), ("q", "字"), ("page", "3")]),
        ):
            query = listing.ListQuery(Inspection, ["date"], names, "-date", args, "/inspections/")
            assert query.values == {"state": [DRAFT], "date_from": ["2026-01-01"], "site": ["7"]}
            assert (query.text, query.page, query.order) == ("字", 3, "-date")
            again = listing.ListQuery(Inspection, ["date"], names, "-date", dict(query.arguments()), "")
            assert again.arguments() == query.arguments(), "what a job gets is what the page had"
            assert list(current_session().scalars(listing.build_query(query, names))) == []
        empty = listing.ListQuery(Inspection, ["date"], names, "-date", {}, "/inspections/")
        assert empty.url() == "/inspections/"


# -- nothing is told of what one may not see ---------------------------------------------------------------------------


def hide(house: House, role: str, entity: str, *names: str) -> None:
    with house.system() as session, unit_of_work():
        row = session.scalars(select(AccessRole).where(AccessRole.code == role)).one()
        row.hidden = {**row.hidden, entity: list(names)}


def test_a_hidden_column_cannot_be_shown_filtered_sorted_searched_or_chosen(house: House) -> None:
    client = house.client("yuan-a")
    plain = page(client, "/enterprises/?size=100")
    hide(house, "inspector", "Enterprise", "legal_person", "code", "state")
    code = told(house, select(Enterprise.code).where(Enterprise.office_id == house.offices[A]))[0]
    before = opened(page(client, "/enterprises/?size=100"), "/enterprises")
    assert before == opened(plain, "/enterprises")
    for query in ("legal_person=王", "state=正常", "state=注销", "order=code", "order=-state", "order=legal_person"):
        text = page(client, f"/enterprises/?size=100&{query}")
        assert opened(text, "/enterprises") == before and chips(text) == [], query
    assert opened(page(client, f"/enterprises/?q={code}"), "/enterprises") == []
    assert opened(page(client, f"/appointments/?q={code}"), "/appointments") == [], "nor behind a relationship"
    for url in ("/enterprises/", "/enterprises/columns"):
        text = page(client, url)
        assert "法定代表人" not in text and ">统一社会信用代码" not in text and "经营状态" not in text
    forged = {"column": ["name", "legal_person", "code"], "place-legal_person": "1"}
    client.post("/enterprises/columns", data=forged)
    assert "法定代表人" not in page(client, "/enterprises/")


def test_a_relationship_is_hidden_with_its_key(small: House) -> None:
    hide(small, "inspector", "Inspection", "inspector_id")
    text = page(small.client("yuan-a"), f"/inspections/?inspector={small.accounts['yuan-a']}")
    assert chips(text) == [] and "f-inspector" not in text and "检查人员</" not in text


def test_a_list_sorted_by_a_hidden_column_falls_back(small: House) -> None:
    hide(small, "inspector", "Inspection", "date")
    text = page(small.client("yuan-a"), "/inspections/?size=100&date_from=2199-01-01")
    keys = opened(text, "/inspections")
    assert keys == sorted(keys, reverse=True) and keys


def test_a_foreign_row_as_a_filter_tells_no_more_than_none(house: House) -> None:
    client = house.client("yuan-a")
    foreign, nothing = house.site_of(B), 987_654
    answers = [page(client, f"/inspections/?site={key}") for key in (foreign, nothing)]
    shapes = [re.sub(r"site(=|%3D)\d+|value=\"\d+\"|key\" value=\"[^\"]+|csrf[^>]+", "", text) for text in answers]
    assert shapes[0] == shapes[1]
    assert chips(answers[0]) == ["经营场所：（没有这一项，或您无权查看）"], "in force all the same: a list never widens"
    assert opened(answers[0], "/inspections") == []


def test_a_row_of_ones_own_that_points_at_something_unseen_is_no_oracle(house: House) -> None:
    """An inspection of the own station whose second inspector is an account that the firm's people can't see."""
    client = house.client("firm-a")
    inspector = told(house, select(Notice.drafter_id))[0]
    text = page(client, f"/notices/?drafter={inspector}")
    assert "f-drafter" not in text and chips(text) == [], "no filter over an entity one has no screen of"
    with house.acting("firm-a"):
        query = listing.ListQuery(Notice, [], ["drafter"], "-id", {"drafter": str(inspector)})
        assert list(current_session().scalars(listing.build_query(query, ["drafter"]))) == []


def test_search_reaches_behind_relationships_and_no_further_than_one_may_see(house: House) -> None:
    with house.system() as session, unit_of_work(Verb.UPDATE):
        for office, word in ((A, "哈日巴拉"), (B, "查干朝鲁")):
            visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[office])).first()
            assert visit is not None
            site = session.get_one(Site, visit.site_id)
            site.search_text = f"{word} hrbl"
    mine = told(house, select(Inspection.id).join(Site).where(Site.search_text.like("哈日巴拉%")))
    theirs = told(house, select(Inspection.id).join(Site).where(Site.search_text.like("查干朝鲁%")))
    assert mine and theirs
    client = house.client("yuan-a")
    assert set(opened(page(client, f"/inspections/?q={quote('哈日巴拉')}"), "/inspections")) == set(mine)
    assert opened(page(client, f"/inspections/?q={quote('查干朝鲁')}"), "/inspections") == []
    assert client.get(f"/inspections/lookup?q={quote('查干朝鲁')}").json == {"more": False, "results": []}
    # an inspection moved to the own station whose site stays with the other one: seen, yet not found by its site
    with house.system() as session, unit_of_work(Verb.UPDATE):
        moved = session.get_one(Inspection, theirs[0])
        moved.office_id = moved.made_office_id = house.offices[A]
    assert theirs[0] in opened(page(client, "/inspections/?size=100"), "/inspections")
    assert opened(page(client, f"/inspections/?q={quote('查干朝鲁')}"), "/inspections") == []
    assert theirs[0] in opened(page(house.client("ju"), f"/inspections/?q={quote('查干朝鲁')}"), "/inspections")


def test_a_form_offers_only_what_its_row_may_belong_to(house: House) -> None:
    """A site that another station took over is still read by who made it, and no new visit may be written for it."""
    with house.system() as session, unit_of_work(Verb.UPDATE):
        site = session.get_one(Site, house.site_of(A))
        site.office_id, name = house.offices[B], site.name
    client, typed = house.client("yuan-a"), quote(name)
    everywhere = [one["id"] for one in client.get(f"/sites/lookup?q={typed}").json["results"]]
    assert site.id in everywhere
    assert 'data-lookup="/sites/lookup?for=Inspection"' in page(client, "/inspections/add")
    offered = client.get(f"/sites/lookup?q={typed}&for=Inspection").json["results"]
    assert site.id not in [one["id"] for one in offered] and len(offered) == len(everywhere) - 1
    for wrong in ("Account", "Nothing", "长" * 300):
        assert client.get(f"/sites/lookup?q={typed}&for={quote(wrong)}").status_code == 422


def test_people_are_found_through_their_appointments(house: House) -> None:
    post = told(house, select(Appointment).where(Appointment.office_id == house.offices[A]))[0]
    with house.system() as session:
        name = session.get_one(Person, post.person_id).name
    assert post.id in opened(page(house.client("yuan-a"), f"/appointments/?size=100&q={quote(name)}"), "/appointments")
    assert post.id not in opened(
        page(house.client("yuan-b"), f"/appointments/?size=100&q={quote(name)}"), "/appointments"
    )


# -- columns ----------------------------------------------------------------------------------------------------------


def heads(text: str) -> list[str]:
    found = re.search(r"<thead>.*?</thead>", text, re.DOTALL)
    assert found is not None
    return [re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r"<th .*?</th>", found[0], re.DOTALL)]


def test_a_person_chooses_columns_and_their_order_for_themselves(house: House) -> None:
    client = house.client("yuan-a")
    declared = heads(page(client, "/sites/"))
    assert "许可证编号" in page(client, "/sites/columns")
    form = {"column": ["state", "licence_no", "name"], "place-name": "1", "place-state": "3", "place-licence_no": "2"}
    answer = client.post("/sites/columns?state=正常&order=-name", data=form)
    assert answer.status_code == 302 and "order=-name" in answer.location
    assert heads(page(client, "/sites/")) == ["场所名称", "许可证编号", "经营状态"]
    assert heads(page(house.client("suo-a"), "/sites/")) == declared
    assert client.post("/sites/columns", data={"column": ["search_text", "x"]}).status_code == 422
    assert client.post("/sites/columns", data={"column": ["kind"], "place-kind": "长" * 9999}).status_code == 302
    assert heads(page(client, "/sites/")) == ["主体类型"]
    client.post("/sites/columns", data={"reset": "1"})
    assert heads(page(client, "/sites/")) == declared


@pytest.mark.parametrize("view", declared()[1], ids=lambda view: view.__name__)
def test_every_column_of_every_list_costs_no_statement_more(small: House, view: Any) -> None:
    """Design §9: at most 8, whatever is shown; also with a saved filter and filters over other rows in force."""
    base = base_of(view.datamodel.obj)
    assert base is not None
    people = ("yuan-a", "ju", "admin", "audit")
    username = next(name for name in people if small.client(name).get(f"{base}/").status_code == 200)
    client = small.client(username)
    offered = re.findall(r'name="column" value="([^"]+)"', page(client, f"{base}/columns"))
    client.post(f"{base}/columns", data={"column": offered})
    client.post(f"{base}/filters", data={"name": "常用", "arguments": "q=a&order=id"})
    with small.statements() as run:
        page(client, f"{base}/?size=100")
    assert len(run) <= 8, "\n".join(run)
    assert len(offered) >= len(view.list_columns)


def test_a_list_with_everything_in_force_costs_few_statements(house: House) -> None:
    client = house.client("yuan-a")
    visit = told(house, select(Inspection).where(Inspection.office_id == house.offices[A]))[0]
    arguments = f"site={visit.site_id}&inspector={visit.inspector_id}&state={DONE}&state={DRAFT}&date_from=2020-01-01"
    client.post("/inspections/filters", data={"name": "这家店", "arguments": arguments, "default": "1"})
    client.post("/inspections/columns", data={"column": ["site", "state", "inspector", "co_inspector", "summary"]})
    for url in ("/inspections/", f"/inspections/?{arguments}", f"/inspections/?{arguments}&q=a", "/inspections/?all=1"):
        with house.statements() as run:
            text = page(client, url)
        assert len(run) <= 8, (url, run)
        assert "这家店" in text
    site = told(house, select(Site).where(Site.office_id == house.offices[A], Site.area_id.is_not(None)))[0]
    with house.statements() as run:
        page(client, f"/sites/?area={site.area_id}&enterprise={site.enterprise_id}&lines=1&lines=2&lines=4")
    assert len(run) <= 8, run


# -- pages ------------------------------------------------------------------------------------------------------------


def test_counting_stops_and_deep_pages_end_where_it_stops(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.fab.paging.COUNT_CAP", 10)
    client = house.client("ju")
    first = page(client, "/enterprises/?size=4")
    assert "1–4" in first and "超过 10 条" in first
    last = page(client, "/enterprises/?size=4&page=999999")
    assert "9–12" in last and "列表到此为止" in last and 'rel="next"' not in last
    assert "5–8" in page(client, "/enterprises/?size=4&page=2")


def test_a_page_past_the_end_is_the_last_one(house: House) -> None:
    client = house.client("yuan-a")
    with house.system() as session:
        total = session.scalar(select(func.count(Inspection.id)).where(Inspection.office_id == house.offices[A])) or 0
    last = page(client, "/inspections/?size=5&page=900")
    start = (total - 1) // 5 * 5 + 1
    assert f"{start}–{total}" in last and f"{total} 条" in last
    assert len(opened(last, "/inspections")) == total - start + 1


def test_an_empty_list_says_why(small: House) -> None:
    client = small.client("yuan-a")
    assert "没有符合条件的检查" in page(client, "/inspections/?q=没有这样的字")
    assert "还没有授权签发" in page(small.client("ju"), "/delegations/") or opened(
        page(small.client("ju"), "/delegations/"), "/delegations"
    )


def test_states_are_coloured_words(small: House) -> None:
    text = page(small.client("yuan-a"), "/sites/")
    assert '<span class="state t-success">正常</span>' in text

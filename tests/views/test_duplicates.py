"""疑似重复 on entry and as a list; merging on the screen; who may do which, and who learns nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from app.core.access.fetch import fetch
from app.core.codes import make_credit_code
from app.core.errors import AccessRefused
from app.core.fab.merge_view import MergeScreens
from app.core.likeness import address_key, name_key
from app.core.office import AccessRole
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import SiteState
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.prover.making import Maker, Place
from app.services.likeness import pairs
from tests.support.house import A, House
from tests.support.imports import Desk, firms_file, page

PLACE = "内蒙古通辽市奈曼旗大沁他拉镇兴隆街３号"
TICK = frozenset({"accept-name"})
FIRST = {"name": "老王饭店", "address": "大沁他拉镇兴隆街三号", "legal_person": "王海", "state": "正常"}
LIKE = {"name": "奈曼旗老旺饭店（有限公司）", "address": PLACE, "legal_person": "王海", "state": "正常"}


def firm(house: House, who: str = "neiqin-a", **values: Any) -> int:
    with house.acting(who):
        return save(Enterprise(**(FIRST | values)), Verb.CREATE, accepted=TICK).id


def doubts(house: House, who: str, row: Any) -> str:
    """What saving asks about, in words; "" when nothing."""
    with house.acting(who):
        try:
            save(row, Verb.CREATE)
        except Refused as error:
            return " ".join(one.text for one in error.doubts)
    return ""


def alike(house: House, who: str, model: Any = Enterprise) -> set[tuple[int, int]]:
    with house.acting(who):
        return {(one.first.id, one.second.id) for one in pairs(model)}


@pytest.mark.parametrize(("one", "other"), [
    ("老王饭店", "奈曼旗大沁他拉镇老王饭店"), ("老王饭店", "老 王 饭 店"), ("老王饭店", "老旺饭店有限责任公司"),
    ("ＫＦＣ餐厅", "kfc餐厅（个体工商户）"), ("第２食堂", "第2食堂"),
])  # fmt: skip
def test_names_written_in_different_ways_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


@pytest.mark.parametrize(("one", "other"), [
    ("老王饭店", "老李饭店"), ("便民超市一店", "便民超市二店"), ("公司", "个体"),
    ("甲饭店第一分公司", "甲饭店有限公司"),
])  # fmt: skip
def test_names_of_different_firms_keep_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_an_address_has_one_key_however_it_is_written() -> None:
    assert address_key(PLACE) == address_key("大沁他拉镇 兴隆街 三号") != address_key("大沁他拉镇兴隆街4号")
    assert address_key("") == address_key("　，。") == ""


def test_a_firm_like_one_of_the_station_is_asked_about(house: House) -> None:
    firm(house)
    asked = doubts(house, "neiqin-a", Enterprise(**LIKE))
    assert "疑似重复" in asked
    assert "老王饭店" in asked
    assert "名称读音相同、地址相同、负责人相同" in asked
    assert firm(house, **LIKE) > 0, "a tick lets it pass"
    assert doubts(house, "neiqin-a", Enterprise(name="老李面馆", address="兴隆街90号", state="正常")) == ""


def test_another_stations_firm_is_never_hinted_at(house: House) -> None:
    theirs = firm(house)
    assert doubts(house, "suo-b", Enterprise(**LIKE)) == ""
    assert alike(house, "suo-b") & {(theirs, theirs)} == set()
    assert "老王饭店" not in page(house.client("suo-b").get("/duplicates/"))
    with house.acting("suo-b"):
        code = make_credit_code(90_021, "92")
        save(Enterprise(name="别的店", code=code, state="正常"), Verb.CREATE)
    with house.acting("neiqin-a"), pytest.raises(Refused) as refused:
        save(Enterprise(name="又一家", code=code, state="正常"), Verb.CREATE)
    assert refused.value.fields == {"code": "这个代码已属于另一个在册主体。"}


def test_the_form_asks_once_and_editing_other_fields_does_not(small: House) -> None:
    firm(small)
    client = small.client("neiqin-a")
    answer = client.post("/enterprises/add", data=LIKE)
    assert answer.status_code == 422
    assert page(answer).count('name="accept-name"') == 1
    made = client.post("/enterprises/add", data=LIKE | {"accept-name": "1"})
    assert made.status_code == 302
    version = re.search(r'name="version" value="(\d+)"', page(client.get(f"{made.location}/edit")))
    assert version is not None
    assert client.post(f"{made.location}/edit", data=LIKE | {"note": "改", "version": version[1]}).status_code == 302


def test_the_api_answers_with_the_doubt(small: House) -> None:
    firm(small)
    client = small.client("neiqin-a")
    answer = client.post("/api/v1/enterprises/", json=LIKE)
    assert answer.status_code == 422
    assert "疑似重复" in answer.get_data(as_text=True) or "疑似重复" in str(answer.get_json())
    assert client.post("/api/v1/enterprises/", json=LIKE | {"accept": ["accept-name"]}).status_code in {200, 201}


def test_an_import_lists_what_looks_alike(small: House) -> None:
    firm(small)
    desk = Desk(small, "neiqin-a")
    code = make_credit_code(90_022, "92")
    desk.upload(firms_file([(LIKE["name"], code, LIKE["legal_person"], "", PLACE, "正常")]))
    assert desk.attempt().status_code == 302
    assert "疑似重复" in desk.result()


def test_a_licence_number_twice_is_asked_about(small: House) -> None:
    one, other = firm(small), firm(small, name="老李面馆", address="兴隆街90号", legal_person="李丽")
    licence = "JY21505250000013"
    with small.acting("neiqin-a"):
        save(Site(enterprise=fetch(Enterprise, one), name="一店", kind="餐饮服务企业", lines=4, state="正常",
                  licence_no=licence), Verb.CREATE, accepted=frozenset({"accept-licence_no"}))  # fmt: skip
        second = Site(enterprise=fetch(Enterprise, other), name="面馆", kind="餐饮服务企业", lines=4, state="正常",
                      licence_no=licence)  # fmt: skip
        with pytest.raises(Refused) as refused:
            save(second, Verb.CREATE)
    assert [one.field for one in refused.value.doubts] == ["licence_no"]
    assert "许可证编号相同" in refused.value.doubts[0].text


def test_the_list_tells_the_pair_until_somebody_says_no(house: House) -> None:
    one, other = firm(house), firm(house, **LIKE)
    assert (one, other) in alike(house, "suo-a")
    assert (one, other) in alike(house, "zhuanban"), "who reads all offices sees it too"
    client = house.client("suo-a")
    shown = page(client.get("/duplicates/"))
    assert f"/enterprises/{one}/merge/{other}" in shown
    assert client.post(f"/enterprises/{other}/distinct/{one}").status_code == 302
    assert client.post(f"/enterprises/{one}/distinct/{other}").status_code == 302, "twice is once"
    assert (one, other) not in alike(house, "suo-a")
    assert "老旺饭店" in page(client.get("/duplicates/?dismissed=1"))
    with house.acting("neiqin-a"), unit_of_work():  # nobody is asked again
        row = fetch(Enterprise, other)
        row.address = "大沁他拉镇兴隆街３号"
        save(row, Verb.UPDATE)
    client.post(f"/enterprises/{one}/distinct/{other}", data={"undo": "1"})
    assert (one, other) in alike(house, "suo-a")


def test_what_is_hidden_is_not_compared(small: House) -> None:
    firm(small, phone="04751234567")
    values = {"name": "老旺饭店", "address": "别处1号", "legal_person": "李丽", "phone": "04751234567", "state": "正常"}
    assert "电话相同" in doubts(small, "suo-a", Enterprise(**values))
    with small.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        role.hidden = {"Enterprise": ["phone"]}
    with pytest.raises(AccessRefused, match="phone"):  # not a word of the likeness, which would have been told first
        doubts(small, "suo-a", Enterprise(**values))


def form_of(shown: str, **choices: str) -> dict[str, str]:
    names = re.findall(r'name="clash" value="([^"]+)"', shown)
    versions = dict(re.findall(r'name="((?:other_)?version)" value="(\d+)"', shown))
    return {"reason": "重复录入", **versions, **{f"clash-{name}": choices.get(name, "mine") for name in names}}


def test_merging_on_the_screen(house: House) -> None:
    one, other = firm(house), firm(house, **LIKE, phone="04751234567")
    client = house.client("suo-a")
    url = f"/enterprises/{one}/merge/{other}"
    shown = page(client.get(url))
    assert "兴隆街３号" in shown
    assert re.search(r'name="clash-phone" value="theirs" checked', shown), "a blank is filled unless one says no"
    assert client.post(url, data=form_of(shown) | {"reason": ""}).status_code == 422
    assert client.post(url, data={"reason": "重复录入", "version": "1", "other_version": "1"}).status_code in {409, 422}
    went = client.post(url, data=form_of(shown, phone="theirs", name="theirs"))
    assert (went.status_code, went.location) == (302, f"/enterprises/{one}")
    with house.system() as session:
        kept, gone = session.get_one(Enterprise, one), session.get_one(Enterprise, other)
        assert (kept.name, kept.phone, kept.address) == (LIKE["name"], "04751234567", FIRST["address"])
        assert (gone.state, gone.merged_into_id) == (SiteState.MERGED, one)
    assert client.post(url, data=form_of(shown)).status_code == 409, "sent twice: the second is told"
    old = page(client.get(f"/enterprises/{other}"))
    assert "已并入" in old
    assert f'href="/enterprises/{one}"' in old
    assert client.get(f"/enterprises/{other}/edit").status_code == 200
    assert client.post(f"/enterprises/{other}/edit", data=LIKE | {"version": str(gone.version)}).status_code == 422


def test_a_sealed_visit_is_not_even_counted_and_moves_all_the_same(small: House) -> None:
    one, other = firm(small), firm(small, **LIKE)
    with small.system() as session, unit_of_work():
        place = Place("A", small.offices[A], small.offices[A], 4)
        maker = Maker(session)
        site = maker.make(Site, place, enterprise_id=other).id
        visit = maker.make(Inspection, place, site_id=site, sealed=True).id
    client, url = small.client("suo-a"), f"/enterprises/{one}/merge/{other}"
    shown = page(client.get(url))
    assert re.search(r"<li>经营场所 <span[^>]*>1<", shown)
    assert "检查 <span" not in shown
    assert "<li>检查" not in shown
    assert client.post(url, data=form_of(shown)).status_code == 302
    with small.system() as session:
        assert session.get_one(Inspection, visit).enterprise_id == one


def test_a_stale_page_merges_nothing(small: House) -> None:
    one, other = firm(small), firm(small, **LIKE)
    client, url = small.client("suo-a"), f"/enterprises/{one}/merge/{other}"
    shown = page(client.get(url))
    with small.acting("neiqin-a"), unit_of_work():
        row = fetch(Enterprise, other)
        row.note = "刚改过"
        save(row, Verb.UPDATE)
    assert client.post(url, data=form_of(shown)).status_code == 409
    with small.system() as session:
        assert session.get_one(Enterprise, other).merged_into_id is None


# who, what the merge page answers for two firms of station A, and saying that they are not one
RIGHTS = [
    ("suo-a", 200, 302), ("yuan-a", 200, 302), ("neiqin-a", 200, 302), ("suo-b", 404, 404), ("zhuanban", 403, 302),
    ("ju", 403, 302), ("firm-a", 403, 403), ("firm-b", 403, 403), ("admin", 403, 403), ("audit", 403, 403),
]  # fmt: skip


def test_who_may_merge_and_who_may_say_no(house: House) -> None:
    one, other = firm(house), firm(house, **LIKE)
    for who, merges, says in RIGHTS:
        client = house.client(who)
        assert client.get(f"/enterprises/{one}/merge/{other}").status_code == merges, who
        assert client.get(f"/enterprises/{one}/merge").status_code == merges, who
        assert client.post(f"/enterprises/{one}/distinct/{other}").status_code == says, who
        shut = who.startswith(("firm", "admin", "audit"))
        assert client.get("/duplicates/").status_code == (403 if shut else 200), who


def test_a_foreign_firm_is_answered_like_none(house: House) -> None:
    mine, theirs = firm(house), firm(house, who="suo-b", **LIKE)
    client = house.client("suo-a")
    for url in (f"/enterprises/{mine}/merge/", f"/enterprises/{mine}/distinct/"):
        answers = [client.post(f"{url}{key}", data={"reason": "改"}) for key in (theirs, 999_999)]
        assert [one.status_code for one in answers] == [404, 404], url
    assert client.get(f"/enterprises/{mine}/merge/{theirs}").status_code == 404
    assert client.post(f"/enterprises/{mine}/merge", data={"other": str(theirs)}).status_code == 422
    assert client.get(f"/enterprises/{mine}/merge/{2**70}").status_code == 404
    for query in ("of=Person", "page=x", "page=-1", "page=99999999999"):
        assert client.get(f"/duplicates/?{query}").status_code == 422, query


def test_two_offices_of_one_head_are_told_to_move_first(house: House) -> None:
    one, other = firm(house), firm(house, who="suo-b", **LIKE)
    shown = page(house.client("zhuanban").get("/duplicates/"))
    assert f"/enterprises/{one}/distinct/{other}" in shown
    assert "移交到同一个所后再合并" in shown
    assert "/merge/" not in shown


def test_a_form_opened_before_the_merge_is_told_of_it(house: House) -> None:
    one, other = firm(house), firm(house, **LIKE)
    client = house.client("suo-a")
    url = f"/enterprises/{one}/merge/{other}"
    client.post(url, data=form_of(page(client.get(url))))
    site = {"enterprise": str(other), "name": "新店", "kind": "餐饮服务企业", "lines": "4", "state": "正常"}
    answer = client.post("/sites/add", data=site)
    assert answer.status_code == 409
    assert "已并入另一个" in page(answer)
    with house.system() as session, unit_of_work():
        assert session.query(Site).filter(Site.enterprise_id == other).count() == 0


def test_a_view_that_cannot_tell_two_rows_apart_is_never_made() -> None:
    lacking = type("Lacking", (MergeScreens,), {})
    with pytest.raises(TypeError, match=r"duplicates_url.*tell_apart"):
        lacking()

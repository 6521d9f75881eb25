"""Roles as a matrix: read by who may, made by system administrators, never beyond what a family may hold."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.core.access.context import load
from app.core.access.fetch import may
from app.core.errors import AccessRefused
from app.core.history import HistoryEntry
from app.core.office import AccessRole, Account, Family, Posting, RoleOrigin
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from tests.support.house import A, House
from tests.views.test_web import text

FORM = '<form method="post" action="/roles/'


def key_of(house: House, code: str) -> int:
    with house.system() as session:
        return int(session.scalars(select(AccessRole.id).where(AccessRole.code == code)).one())


def stored(house: House, key: int) -> AccessRole:
    with house.system() as session:
        role = session.scalars(select(AccessRole).where(AccessRole.id == key)).one()
        session.expunge(role)
        return role


def ticks(house: House, code: str) -> dict[str, Any]:
    """The form of a role as a browser sends it back untouched."""
    role = stored(house, key_of(house, code))
    form: dict[str, Any] = {}
    for entity, verbs in role.grants.items():
        for verb, cells in verbs.items():
            form[f"g-{entity}-{verb}"] = [coverage for coverage, _states in cells]
            form |= {f"s-{entity}-{verb}-{coverage}": states for coverage, states in cells if states}
    return form


def made(answer: Any) -> int:
    assert answer.status_code == 302, re.findall(r'<p class="error".*?</p>|<li>.*', text(answer))[-5:]
    return int(answer.location.rsplit("/", 1)[1])


def copy_of(house: House, code: str, **changes: Any) -> int:
    form = ticks(house, code) | {"name": "自定", "rank": "20", "from": str(key_of(house, code))} | changes
    return made(house.client("admin").post("/roles/add", data=form))


# -- the matrix -------------------------------------------------------------------------------------------------------


def test_the_matrix_shows_every_entity_with_what_a_role_may_do(small: House) -> None:
    page = text(small.client("admin").get(f"/roles/{key_of(small, 'chief')}"))
    for word in (
        "主体",
        "责令改正通知书",
        "日检查记录",
        "列表偏好",
        "日志",
        "流程操作",
        "审核通过",
        "本机构及下级",
        "监管业务",
    ):
        assert word in page
    assert "内置角色随程序更新" in page and "/edit" not in page
    row = re.search(r'id="m-Inspection".*?</tr>', page, re.DOTALL)
    assert row is not None and "指派" in row[0] and "完成检查" in row[0] and "草稿" in row[0]
    assert "苏日娜" in page, "who holds it now"


@pytest.mark.parametrize("who", ["suo-a", "ju", "firm-a", "shi", "fagui"])
def test_business_people_and_firms_see_no_roles(small: House, who: str) -> None:
    client, key = small.client(who), key_of(small, "chief")
    for url in (f"/roles/{key}", "/roles/", "/roles/compare", "/roles/add", f"/roles/{key}/edit"):
        assert client.get(url).status_code == 403, url
    for url in ("/roles/book", f"/roles/{key}/book", "/roles/add"):
        assert client.post(url, data={"name": "x"}).status_code == 403, url


def test_an_auditor_reads_and_takes_out_but_changes_nothing(small: House) -> None:
    client, key = small.client("audit"), key_of(small, "chief")
    assert client.get(f"/roles/{key}").status_code == 200
    assert client.post(f"/roles/{key}/book").status_code == 200
    assert client.get("/roles/add").status_code == 403
    assert client.post(f"/roles/{key}/edit", data={"name": "x"}).status_code == 403


# -- built-in roles are fixed -----------------------------------------------------------------------------------------


def test_nobody_writes_a_built_in_role_on_any_path(house: House) -> None:
    key, client = key_of(house, "inspector"), house.client("admin")
    before = stored(house, key)
    form = ticks(house, "inspector") | {"name": "改名", "rank": "20", "version": str(before.version)}
    assert client.get(f"/roles/{key}/edit").status_code == 403
    assert client.post(f"/roles/{key}/edit", data=form).status_code == 403
    assert client.post(f"/roles/{key}/delete").status_code == 403
    api = f"/api/v1/roles/{before.public_id}"
    for method in ("patch", "put", "delete"):
        answer = getattr(client, method)(api, json={"name": "改名", "version": before.version})
        assert answer.status_code in {403, 404, 405}, (method, text(answer))
    assert client.post("/roles/import", data={}).status_code == 403
    bulk = {"act": "delete", "ids": str(key), "sure": "1", "key": "k" * 32, "reason": "删"}
    assert client.post("/roles/bulk", data=bulk).status_code in {302, 422}
    with pytest.raises(AccessRefused), house.acting("admin"), unit_of_work() as session:
        session.scalars(select(AccessRole).where(AccessRole.id == key)).one().name = "改名"
        session.flush()
    after = stored(house, key)
    assert (after.name, after.grants, after.version) == (before.name, before.grants, before.version)


def test_nobody_makes_a_role_that_says_it_is_built_in(house: House) -> None:
    with house.acting("admin"), pytest.raises(Refused) as refused:
        role = AccessRole(name="冒充", family=Family.BUSINESS, rank=1, origin=RoleOrigin.BUILTIN, grants={})
        save(role, Verb.CREATE)
    assert "内置" in refused.value.fields["name"]


# -- roles of one's own -----------------------------------------------------------------------------------------------


def test_a_copy_is_changed_and_history_says_it_in_words(house: House) -> None:
    key = copy_of(house, "inspector", name="协查员")
    role = stored(house, key)
    assert role.origin == RoleOrigin.CUSTOM and role.family == Family.BUSINESS
    assert role.grants == stored(house, key_of(house, "inspector")).grants
    form = ticks(house, role.code) | {"name": "协查员", "rank": "20", "version": str(role.version)}
    del form["g-Notice-serve"], form["g-Enterprise-export"]
    form |= {
        "g-Enterprise-update": ["subtree"],
        "s-Enterprise-update-subtree": ["正常", "停业"],
        "hidden-Enterprise": ["phone"],
    }
    made(house.client("admin").post(f"/roles/{key}/edit", data=form))
    page = text(house.client("admin").get(f"/roles/{key}/history"))
    assert "复制自“监管员”" in page
    for line in (
        "责令改正通知书 · 登记送达",
        "主体 · 导出",
        "主体 · 修改",
        "本机构及下级（正常、停业）",
        "主体 · 隐藏的列",
    ):
        assert line in page, line
    assert "{" not in re.findall(r"<del>.*?</ins>", page, re.DOTALL)[0]


def test_who_holds_a_changed_role_is_bound_by_it_at_the_next_request(house: House) -> None:
    key = copy_of(house, "inspector", rank="20")
    with house.system() as session, unit_of_work():
        posting = session.scalars(select(Posting).where(Posting.account_id == house.accounts["yuan-a"])).one()
        posting.role_id = key
    client = house.client("yuan-a")
    site = house.site_of(A)
    assert client.get(f"/sites/{site}/edit").status_code == 200
    form = ticks(house, stored(house, key).code) | {
        "name": "自定",
        "rank": "20",
        "version": str(stored(house, key).version),
    }
    del form["g-Site-update"], form["g-Site-create"], form["g-Site-import"]
    made(house.client("admin").post(f"/roles/{key}/edit", data=form))
    assert client.get(f"/sites/{site}").status_code == 200
    assert client.get(f"/sites/{site}/edit").status_code == 403


def test_a_second_writer_gets_both_versions_in_words(house: House) -> None:
    key = copy_of(house, "assistant", rank="10")
    role = stored(house, key)
    first = ticks(house, role.code) | {"name": "自定", "rank": "10", "version": str(role.version)}
    second = dict(first) | {"name": "又一个", "g-Notice-export": ["subtree"]}
    made(house.client("admin").post(f"/roles/{key}/edit", data=first | {"g-Site-export": ["subtree"]}))
    answer = house.client("admin").post(f"/roles/{key}/edit", data=second)
    page = text(answer)
    assert answer.status_code == 409
    assert "经营场所 · 导出" in page and "责令改正通知书 · 导出" in page and "又一个" in page
    assert re.search(r'name="g-Notice-export" value="subtree"[^>]* checked', page), "what was ticked is kept"
    assert "Notice" in stored(house, key).grants and "export" not in stored(house, key).grants["Notice"]


def test_a_role_somebody_holds_is_not_deleted_and_one_that_nobody_does_is(house: House) -> None:
    held, free = (copy_of(house, "assistant", name=name, rank="10") for name in ("有人", "没人"))
    with house.system() as session, unit_of_work():
        posting = session.scalars(select(Posting).where(Posting.account_id == house.accounts["yuan-b"])).one()
        posting.role_id = held
    client = house.client("admin")
    assert client.post(f"/roles/{held}/delete").status_code == 409
    assert client.post(f"/roles/{free}/delete").status_code == 302
    assert client.get(f"/roles/{free}").status_code == 404


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "changes", "place", "words"),
    [
        ("inspector", {"g-Notice-read": []}, "m-Notice", "请同时给“查看”"),
        ("inspector", {"g-Notice-sign": ["subtree"], "rank": "20"}, "c-Notice-sign", "更高级别"),
        ("inspector", {"g-Notice-update": ["supervised"]}, "c-Notice-update", "超出了能查看的记录"),
        ("inspector", {"g-Notice-fly": ["subtree"]}, "Notice", "没有这项操作"),
        ("inspector", {"g-Notice-read": ["everywhere"]}, "c-Notice-read", "没有这种范围"),
        ("inspector", {"s-Notice-read-subtree": ["已飞走"]}, "c-Notice-read", "没有这个状态"),
        ("inspector", {"g-Enterprize-read": ["subtree"]}, "Enterprize", "没有这个对象"),
        ("inspector", {"g-Finding-read": ["subtree"]}, "发现的问题", "随所属记录"),
        ("inspector", {"hidden-Enterprise": ["name"]}, "c-Enterprise-hidden", "必须填写的列"),
        ("inspector", {"hidden-Enterprise": ["nosuch"]}, "c-Enterprise-hidden", "没有这一列"),
        ("inspector", {"hidden-Office": ["code"]}, "c-Office-hidden", "没有查看权限"),
        ("firm_officer", {"g-Site-read": ["firm", "subtree"]}, "c-Site-read", "不能用这种范围"),
        ("office_admin", {"g-Enterprise-read": ["subtree"]}, "c-Enterprise-read", "不能有这项权限"),
        ("auditor", {"g-Account-update": ["subtree"]}, "c-Account-update", "不能有这项权限"),
        ("inspector", {"s-Notice-serve-subtree": ["草稿"]}, "c-Notice-serve", "没有这一步操作"),
        ("inspector", {"rank": "90"}, "rank", "不能等于或高于"),
        ("inspector", {"rank": "-1"}, "rank", "0 到 89"),
        ("inspector", {"rank": "很高"}, "rank", "0 到 89"),
        ("inspector", {"name": ""}, "name", "请填写"),
        ("inspector", {"name": "所长"}, "name", "已有同名"),
        ("inspector", {"name": "名" * 10_000}, "name", "最多 40 个字"),
        ("inspector", {"name": "名\0字"}, "name", "不能显示的字符"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named_beside_its_cell(
    small: House, code: str, changes: dict[str, Any], place: str, words: str
) -> None:
    form = ticks(small, code) | {"name": "自定", "rank": "60", "from": str(key_of(small, code))}
    answer = small.client("admin").post("/roles/add", data=form | changes)
    page = text(answer)
    assert answer.status_code == 422
    summary = page[page.index('class="summary"') : page.index(FORM)]
    assert words in summary and place in summary, summary
    if place.startswith("c-"):
        after = page[page.index(FORM) :]
        cell = after[after.index(f'id="{place}"') :]
        assert words in cell[: cell.find(" data-m-row=")]
    with small.system() as session:
        assert session.scalars(select(AccessRole).where(AccessRole.origin == RoleOrigin.CUSTOM)).all() == []


def test_all_that_is_wrong_is_named_at_once(small: House) -> None:
    form = ticks(small, "inspector") | {"name": "", "rank": "60", "from": str(key_of(small, "inspector"))}
    form |= {"g-Notice-sign": ["firm"], "hidden-Enterprise": ["nosuch"], "g-Office-update": ["subtree"]}
    page = text(small.client("admin").post("/roles/add", data=form))
    summary = page[page.index('class="summary"') : page.index(FORM)]
    for place in ("#name", "#c-Notice-sign", "#c-Enterprise-hidden", "#c-Office-update"):
        assert place in summary, place


@pytest.mark.parametrize(
    "query", ["from=0", "from=x", "from=99999999999999999999", "from=%00", "family=外星", "family="]
)
def test_a_new_role_begins_with_something_there_is(small: House, query: str) -> None:
    assert small.client("admin").get(f"/roles/add?{query}").status_code in {200, 404}
    assert small.client("admin").post(f"/roles/add?{query}", data={"name": "x"}).status_code in {200, 404}


def test_far_too_many_ticks_are_refused(small: House) -> None:
    form = {"name": "多", "rank": "1", "family": "监管业务", "g-Notice-read": ["subtree"] * 5_000}
    assert small.client("admin").post("/roles/add", data=form).status_code == 422


def test_no_administrator_widens_the_role_they_hold_or_one_above(house: House) -> None:
    key = copy_of(house, "office_admin", name="下级管理员", rank="50")
    with house.system() as session, unit_of_work():
        session.add(Posting(account_id=house.accounts["admin"], office_id=house.offices[A], role_id=key,
                            date_from=session.scalars(select(Posting.date_from)).first()))  # fmt: skip
    role = stored(house, key)
    form = ticks(house, role.code) | {"name": "下级管理员", "rank": "50", "version": str(role.version)}
    answer = house.client("admin").post(f"/roles/{key}/edit", data=form)
    assert answer.status_code == 422 and "自己担任的角色" in text(answer)


def test_an_office_administrator_reads_roles_and_makes_none(house: House) -> None:
    with house.system() as session, unit_of_work():
        account = session.scalars(select(Account).where(Account.username == "admin")).one()
        posting = session.scalars(select(Posting).where(Posting.account_id == account.id)).one()
        posting.role_id, posting.office_id = key_of(house, "office_admin"), house.offices[A]
    client = house.client("admin")
    assert client.get(f"/roles/{key_of(house, 'chief')}").status_code == 200
    assert client.get("/roles/add").status_code == 403
    with house.acting("admin"):
        access = load(house.accounts["admin"])
        assert access is not None and not access.may("AccessRole", Verb.UPDATE)


# -- copies out, and side by side -------------------------------------------------------------------------------------


def sheets(answer: Any) -> dict[str, list[tuple[Any, ...]]]:
    assert answer.status_code == 200, text(answer)
    book = load_workbook(io.BytesIO(answer.get_data()))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_the_workbook_of_all_roles_is_for_an_auditor(house: House) -> None:
    copy_of(house, "inspector", name="=SUM(1)", rank="20", **{"hidden-Enterprise": ["phone"]})
    told = sheets(house.client("audit").post("/roles/book"))
    assert {"所长", "监管员", "谁任什么职"} <= set(told)
    chief = told["所长"]
    assert chief[0][0] == "所长" and "钱审" in chief[1][0] and "时间" in chief[1][0]
    assert ("责令改正", "责令改正通知书", "登记送达", "本机构及下级", "已签发") in [row[:5] for row in chief]
    odd = next(rows for title, rows in told.items() if "SUM" in title)
    assert odd[0][0] == "'=SUM(1)" and any(row[5] for row in odd[3:])
    holding = {(row[1], row[3], row[8]) for row in told["谁任什么职"][3:]}
    assert ("苏日娜", "所长", "在任") in holding and ("李春梅", "监管员", "在任") in holding
    with house.system() as session:
        entry = session.scalars(select(HistoryEntry).where(HistoryEntry.verb == Verb.EXPORT)).all()[-1]
        facts = json.loads(entry.body)["facts"]
    assert facts["entity"] == "AccessRole" and "所长" in facts["filter"]


def test_one_role_alone_names_only_its_holders(small: House) -> None:
    told = sheets(small.client("admin").post(f"/roles/{key_of(small, 'chief')}/book"))
    assert set(told) == {"所长", "谁任什么职"}
    assert {row[3] for row in told["谁任什么职"][3:]} == {"所长"}


def test_two_roles_side_by_side_differences_first(small: House) -> None:
    one, other = key_of(small, "chief"), key_of(small, "inspector")
    page = text(small.client("admin").get(f"/roles/compare?a={one}&b={other}"))
    differing = page[page.index("不同的") : page.index("相同的")]
    assert "审核通过" in differing and "登记送达" not in differing
    assert "登记送达" in page[page.index("相同的") :]
    for query in ("a=0", "a=x", "a=1&b=%00", "a=" + "9" * 40):
        assert small.client("admin").get(f"/roles/compare?{query}").status_code == 404


def test_may_answers_for_the_screen(small: House) -> None:
    key = copy_of(small, "assistant", rank="10")
    with small.acting("admin") as _access:
        from app.core.access.fetch import fetch

        assert may(fetch(AccessRole, key), Verb.UPDATE)
        assert not may(fetch(AccessRole, key_of(small, "assistant")), Verb.UPDATE)


def test_a_role_is_copied_by_the_button_on_its_page_which_only_who_may_sees(small: House) -> None:
    with small.system() as session:
        key = session.scalars(select(AccessRole.id).where(AccessRole.code == "chief")).one()
    for username, copies in (("admin", True), ("audit", False)):
        client = small.client(username)
        page = client.get(f"/roles/{key}").get_data(as_text=True)
        links = [
            href
            for href, text in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(?:<svg.*?</svg>)?([^<]*)', page)
            if text == "复制"
        ]
        assert links == ([f"/roles/add?from={key}"] if copies else [])
        assert all("（副本）" in client.get(href).get_data(as_text=True) for href in links)

"""Every page through HTTP: gate, headers, errors, forms that keep what was typed, the second writer."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.core import clock
from app.core.fab.gate import gate_of
from app.core.office import Account
from app.core.passwords import hashed
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from app.models.inspection import Inspection
from app.models.rectification import Notice
from app.services.demo import CAST
from tests.support.house import A, B, House

BASES = (
    "/enterprises",
    "/sites",
    "/people",
    "/appointments",
    "/inspections",
    "/notices",
    "/delegations",
    "/offices",
    "/accounts",
    "/postings",
    "/roles",
    "/areas",
    "/bureau-settings",
    "/citations",
    "/numbers",
    "/daily-checks",
    "/risk-lists",
    "/licences",
    "/closures",
    "/trainings",
    "/exams",
    "/holidays",
)


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


# -- the gate ---------------------------------------------------------------------------------------------------------


def test_every_route_says_what_it_needs(small: House) -> None:
    views = small.app.view_functions
    assert [name for name, function in views.items() if gate_of(function) is None] == []
    assert len(views) > 100


def test_the_anonymous_are_sent_to_sign_in(small: House) -> None:
    client = small.client()
    for rule in small.app.url_map.iter_rules():
        function = small.app.view_functions[rule.endpoint]
        if gate_of(function) == "public" or "GET" not in (rule.methods or ()):
            continue
        url = re.sub(r"<[^>]+>", "1", rule.rule)
        answer = client.get(url)
        if url.startswith("/api/v1/") and url != "/api/v1/":
            assert answer.status_code == 401 and answer.get_json()["error"], url
            continue
        assert answer.status_code == 302 and "/login/" in answer.location, url
    assert client.post("/notices/add").status_code == 401


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("username", [one.username for one in CAST])
def test_every_list_and_form_opens_or_is_forbidden(small: House, username: str, base: str) -> None:
    client = small.client(username)
    for url in (f"{base}/", f"{base}/add", f"{base}/1", f"{base}/1/edit", f"{base}/lookup?q=x"):
        answer = client.get(url)
        assert answer.status_code in {200, 403, 404}, (url, answer.status_code)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_list_costs_few_statements(house: House) -> None:
    """Design §9: at most 8 a list page."""
    client = house.client("yuan-a")
    client.get("/sites/")
    for base in ("/sites/", "/enterprises/", "/inspections/", "/notices/", "/people/", "/appointments/"):
        with house.statements() as told:
            assert client.get(base).status_code == 200
        assert len(told) <= 8, (base, told)


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/notices/999999999",
        "/notices/99999999999999999999999",
        "/nowhere",
        "/notices/0",
        "/documents/x",
        "/notices/1/do/fly",
        "/assets/x/y.css",
        "/sites/add?enterprise=999999",
        "/notices/add?inspection=x",
        "/verify/nothing",
    ],
)
def test_what_is_not_there_is_a_404_page_of_ours(small: House, url: str) -> None:
    answer = small.client("yuan-a").get(url)
    assert answer.status_code in {404, 409}, answer.status_code
    assert "<h1" in text(answer) and "守责" in text(answer)


@pytest.mark.parametrize(
    "query",
    [
        "page=abc",
        "page=-1",
        "page=99999999999",
        "size=100000",
        "size=-5",
        "order=password",
        "order=%00",
        "q=%00%ff",
        "q=" + "长" * 5000,
        "state=x",
        "date_from=yesterday",
        "_method=DELETE",
        "q=%25%5f%5c'\"--",
        "order=site.name",
        "a=1&a=2",
    ],
)
def test_any_argument_of_a_list_gives_a_page(small: House, query: str) -> None:
    client = small.client("yuan-a")
    for base in ("/inspections/", "/enterprises/", "/notices/", "/search", "/sites/lookup"):
        assert client.get(f"{base}?{query}").status_code == 200, base


def test_a_bug_shows_no_trace(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    small.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(small.app.view_functions, "HomeView.search", _boom)
    try:
        answer = small.client("yuan-a").get("/search?q=x")
    finally:
        small.app.config["PROPAGATE_EXCEPTIONS"] = None
    assert answer.status_code == 500
    for word in ("Traceback", "SELECT", "secret table", "/app/", ".py"):
        assert word not in text(answer)


def _boom() -> str:
    raise RuntimeError("SELECT * FROM secret table")


_boom.gate = "signed in"  # type: ignore[attr-defined]


def test_posts_without_a_token_are_refused(small: House) -> None:
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        client = small.client("yuan-a")
        key = small.site_of(A)
        for url in (
            "/enterprises/add",
            f"/sites/{key}/edit",
            f"/sites/{key}/delete",
            "/notices/1/do/submit",
            "/logout/",
        ):
            assert client.post(url, data={"name": "x"}).status_code == 400, url
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False


# -- signing in -------------------------------------------------------------------------------------------------------


def sign_in(client: FlaskClient, username: str, password: str = "shouze-demo-2026", **extra: str) -> Any:
    return client.post("/login/", data={"username": username, "password": password, **extra})


def give_password(house: House) -> None:
    with house.system() as session, unit_of_work():
        for account in session.scalars(select(Account)):
            account.password = hashed("shouze-demo-2026")


def test_signing_in_out_and_a_copied_cookie(small: House) -> None:
    give_password(small)
    client, thief = small.app.test_client(), small.app.test_client()
    assert sign_in(client, "yuan-a", "wrong").status_code == 401
    assert sign_in(client, "nobody", "wrong").status_code == 401
    assert sign_in(client, "yuan-a", next="/notices/").location == "/notices/"
    assert client.get("/notices/").status_code == 200
    copied = client.get_cookie("shouze")
    assert copied is not None
    thief.set_cookie("shouze", copied.value)
    assert thief.get("/notices/").status_code == 200
    client.post("/logout/")
    for one in (client, thief):
        assert one.get("/notices/").status_code == 302, "signing out ends every session"


@pytest.mark.parametrize(
    "target", ["http://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/\tx", ""]
)
def test_signing_in_goes_nowhere_else(small: House, target: str) -> None:
    give_password(small)
    answer = sign_in(small.app.test_client(), "yuan-a", next=target)
    assert (answer.status_code, answer.location) == ((400, None) if target else (302, "/"))


def test_unknown_and_known_names_cost_the_same_hash_work(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.core import passwords

    counted: list[str] = []
    original = passwords.check_password_hash
    monkeypatch.setattr(
        passwords, "check_password_hash", lambda stored, given: counted.append(stored) or original(stored, given)
    )
    for username in ("yuan-a", "nobody"):
        counted.clear()
        sign_in(small.app.test_client(), username, "wrong")
        assert len(counted) == 1


def test_the_first_sign_in_changes_the_password(small: House) -> None:
    give_password(small)
    with small.system() as session, unit_of_work():
        session.get_one(Account, small.accounts["yuan-a"]).must_change_password = True
    client = small.app.test_client()
    assert sign_in(client, "yuan-a").location.endswith("/password/")
    assert client.get("/notices/").location.endswith("/password/")
    for new, word in (
        ("short", "至少 10 位"),
        ("1234567890", "太容易"),
        ("yuan-a-2026x", "太容易"),
        ("shouze-demo-2026", "不能和现在"),
    ):
        answer = client.post("/password/", data={"old": "shouze-demo-2026", "new": new, "repeat": new})
        assert word in text(answer), new
    good = {"old": "shouze-demo-2026", "new": "奈曼旗的新密码2026", "repeat": "奈曼旗的新密码2026"}
    assert client.post("/password/", data=good).location == "/notices/", "on to the page that was asked for"
    assert client.get("/notices/").status_code == 200


# -- forms ------------------------------------------------------------------------------------------------------------


def versioned(house: House, model: Any, key: int) -> str:
    with house.system() as session:
        return str(session.get_one(model, key).version)


def firm_form(**changes: str) -> dict[str, str]:
    return {"name": "奈曼旗表单店", "state": "正常", "legal_person": "王", "address": "某街 1 号"} | changes


def test_a_bad_form_keeps_what_was_typed_and_writes_nothing(small: House) -> None:
    client = small.client("yuan-a")
    answer = client.post("/enterprises/add", data=firm_form(name="", code="911505", address="某街 77 号"))
    assert answer.status_code == 422
    assert "某街 77 号" in text(answer) and "911505" in text(answer)
    assert "请填写" in text(answer)
    assert client.post("/enterprises/add", data=firm_form(state="飞了")).status_code == 422
    with small.system() as session:
        assert session.scalar(select(func.count(Enterprise.id)).where(Enterprise.address.like("某街%"))) == 0


def test_forged_fields_change_nothing(small: House) -> None:
    client = small.client("yuan-a")
    forged = {
        "office_id": str(small.offices[B]),
        "made_office_id": "1",
        "public_id": "x",
        "id": "7",
        "search_text": "x",
    }
    assert client.post("/enterprises/add", data=firm_form(**forged)).status_code == 302
    with small.system() as session:
        firm = session.scalars(select(Enterprise).where(Enterprise.name == "奈曼旗表单店")).one()
        assert (firm.office_id, firm.made_office_id) == (small.offices[A], small.offices[A])
        assert firm.search_text != "x"


def test_the_second_writer_sees_both_versions_and_keeps_what_was_typed(house: House) -> None:
    with house.system() as session:
        key = session.scalars(select(Enterprise.id).where(Enterprise.office_id == house.offices[A])).first()
    assert key is not None
    version = versioned(house, Enterprise, key)
    first, second = house.client("yuan-a"), house.client("suo-a")
    one, two = firm_form(name="先到的名字", version=version), firm_form(name="后到的名字", version=version)
    assert first.post(f"/enterprises/{key}/edit", data=one).status_code == 302
    answer = second.post(f"/enterprises/{key}/edit", data=two)
    assert answer.status_code == 409
    assert "先到的名字" in text(answer) and "后到的名字" in text(answer) and "包文斌" in text(answer)
    with house.system() as session:
        assert session.get_one(Enterprise, key).name == "先到的名字"
    again = re.search(r'name="version" value="(\d+)"', text(answer))
    assert again is not None
    assert second.post(f"/enterprises/{key}/edit", data=two | {"version": again[1]}).status_code == 302


def visit_form(house: House, **changes: str) -> dict[str, str]:
    form = {
        "site": str(house.site_of(A)),
        "date": clock.today().isoformat(),
        "kind": "日常监督检查",
        "selection": "计划指定",
        "place": "现场",
        "inspector": str(house.accounts["yuan-a"]),
        "co_inspector": str(house.accounts["suo-a"]),
        "result": "基本符合",
        "summary": "检查",
        "findings-0-id": "",
        "findings-0-fact": "第一个问题",
        "findings-0-demand": "改正一",
        "findings-3-id": "",
        "findings-3-fact": "第二个问题",
        "findings-3-demand": "改正二",
        "findings-3-key_item": "1",
        "findings-9-id": "",
        "findings-9-fact": "",
        "findings-9-demand": "",
    }
    return form | changes


def test_findings_are_edited_inside_the_inspection(house: House) -> None:
    client = house.client("yuan-a")
    key = int(client.post("/inspections/add", data=visit_form(house)).location.rsplit("/", 1)[1])
    with house.system() as session:
        rows = session.get_one(Inspection, key).findings
        assert [(row.position, row.fact, row.key_item) for row in rows] == [
            (1, "第一个问题", False),
            (2, "第二个问题", True),
        ]
        kept = rows[1].id
    changed = visit_form(house, version=versioned(house, Inspection, key))
    changed |= {
        "findings-0-id": str(kept),
        "findings-0-fact": "只剩这个",
        "findings-3-fact": "",
        "findings-3-demand": "",
        "findings-3-key_item": "",
    }
    assert client.post(f"/inspections/{key}/edit", data=changed).status_code == 302
    with house.system() as session:
        assert [(row.id, row.fact) for row in session.get_one(Inspection, key).findings] == [(kept, "只剩这个")]


def test_a_childs_key_of_another_record_is_refused(house: House) -> None:
    client = house.client("yuan-a")
    with house.system() as session:
        other = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[B])).first()
        assert other is not None
        foreign, fact = other.findings[0].id, other.findings[0].fact
    answer = client.post("/inspections/add", data=visit_form(house, **{"findings-0-id": str(foreign)}))
    assert answer.status_code == 422
    with house.system() as session:
        from app.models.inspection import Finding

        assert session.get_one(Finding, foreign).fact == fact


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"site": "999999"}, "site"),
        ({"site": "", "site__text": "打了字没有选"}, "site"),
        ({"co_inspector": "SELF"}, "co_inspector"),
        ({"co_inspector": "NEIQIN"}, "co_inspector"),
        ({"date": "2099-01-01"}, "date"),
        ({"date": "昨天"}, "date"),
        ({"kind": "散步"}, "kind"),
        ({"findings-0-fact": ""}, "findings-0-fact"),
        ({"summary": "x" * 20_001}, "summary"),
    ],
)
def test_a_bad_inspection_is_told_beside_its_field(small: House, changes: dict[str, str], field: str) -> None:
    named = {"SELF": str(small.accounts["yuan-a"]), "NEIQIN": str(small.accounts["neiqin-a"])}
    form = visit_form(small, **{name: named.get(value, value) for name, value in changes.items()})
    answer = small.client("yuan-a").post("/inspections/add", data=form)
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-error"', text(answer)), text(answer)[:3000]


def test_a_foreign_site_looks_like_one_that_does_not_exist(small: House) -> None:
    client, foreign = small.client("yuan-a"), str(small.site_of(B))
    told = [text(client.post("/inspections/add", data=visit_form(small, site=site))) for site in (foreign, "987654")]
    errors = [re.findall(r'id="site-error"[^>]*>([^<]*)', page) for page in told]
    assert errors[0] == errors[1] != []


def test_searching_by_name_initials_and_code(house: House) -> None:
    with house.system() as session:
        firm = session.scalars(
            select(Enterprise)
            .where(Enterprise.office_id == house.offices[A], Enterprise.code.is_not(None))
            .order_by(Enterprise.made_at.desc(), Enterprise.id.desc())
        ).first()
        assert firm is not None
        initials = firm.search_text.split()[2]
    client = house.client("yuan-a")
    for typed in (firm.name[2:6], initials, initials.upper(), firm.code, (firm.code or "")[:16]):
        answer = client.get("/search", query_string={"q": typed})
        assert firm.name in text(answer), typed
        assert firm.name in text(client.get("/enterprises/", query_string={"q": typed})), typed
    other = house.client("yuan-b").get("/search", query_string={"q": firm.name})
    assert f'"/enterprises/{firm.id}"' not in text(other)


# -- threads ----------------------------------------------------------------------------------------------------------


def test_eight_people_searching_at_once_see_their_own_search_only(house: House) -> None:
    """FAB keeps a request's filters on the shared view (#2366); a barrier makes every round a race."""
    names = ["yuan-a", "suo-a", "neiqin-a", "yuan-b", "suo-b", "ju", "fagui", "zhuanban"]
    barrier = threading.Barrier(len(names))
    clients = {name: house.client(name) for name in names}

    def search(name: str) -> list[str]:
        wrong = []
        for turn in range(12):
            typed = f"词{name}{turn}"
            barrier.wait()
            page = text(clients[name].get("/sites/", query_string={"q": typed, "state": "正常"}))
            others = set(re.findall(r"词[a-z-]+\d+", page)) - {typed}
            if others or typed not in page:
                wrong.append(f"{name} saw {others}")
        return wrong

    with ThreadPoolExecutor(len(names)) as pool:
        assert [told for wrong in pool.map(search, names) for told in wrong] == []


# -- pages ------------------------------------------------------------------------------------------------------------


def test_pages_are_small(small: House) -> None:
    """Design §9: a list page at most 60 KB gzipped, first load at most 200 KB."""
    import gzip

    client = small.client("yuan-a")
    page = gzip.compress(client.get("/enterprises/").get_data())
    assets = [
        client.get(f"/assets/x/{name}", headers={"Accept-Encoding": "gzip"}).get_data()
        for name in ("app.css", "app.js", "icons.svg")
    ]
    assert len(page) < 15_000
    assert len(page) + sum(map(len, assets)) < 60_000


def test_home_shows_what_this_person_has_to_do(house: House) -> None:
    for username, words in (("yuan-a", "待送达"), ("suo-a", "待我审核"), ("ju", "待我签发")):
        assert words in text(house.client(username).get("/"))
    assert "待我签发" not in text(house.client("yuan-a").get("/"))


def test_verification_says_genuine_or_void_and_nothing_private(house: House) -> None:
    from app.core.document import IssuedDocument

    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.kind == "notice")).first()
        assert paper is not None
        notice = session.get_one(Notice, paper.row_id)
        code, number, party = paper.code, paper.number, notice.party
    page = text(house.client().get(f"/verify/{code}"))
    assert "这份文书是真的" in page and number in page
    assert party not in page
    with house.system() as session, unit_of_work(Verb.VOID):
        session.get_one(IssuedDocument, paper.id).state = "作废"
    assert "已经作废" in text(house.client().get(f"/verify/{code}"))
    assert house.client().get("/verify/" + "A" * 22).status_code == 404


def test_another_stations_paper_is_not_served(house: House) -> None:
    from app.core.document import IssuedDocument

    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.office_id == house.offices[A])).first()
        assert paper is not None
    for tail in ("", "/status", "/original.pdf", "/download"):
        assert house.client("yuan-b").get(f"/documents/{paper.public_id}{tail}").status_code == 404
        assert house.client("yuan-a").get(f"/documents/{paper.public_id}{tail}").status_code in {200, 409}


def test_an_optional_field_is_emptied_by_editing(house: House) -> None:
    """A text column that can't be NULL is "" again: clearing it must not hit the constraint."""
    client = house.client("suo-a")
    with house.system() as session:
        firm = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[A])).unique().first()
        assert firm is not None and firm.legal_person
        key, form = firm.id, {"name": firm.name, "version": str(firm.version), "legal_person": "", "state": firm.state}
    assert client.post(f"/enterprises/{key}/edit", data=form).status_code == 302
    with house.system() as session:
        assert session.get_one(Enterprise, key).legal_person == ""

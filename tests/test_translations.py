"""The English of the screens: complete, in step with the source, and no Chinese left but people's own data."""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import clock
from app.core.db import current_session
from app.core.entity import registry
from app.core.fab.cells import date_text, many_of, one_of, said
from app.core.fab.shell import Shell
from app.core.history import HistoryEntry
from app.core.office import Account, Family
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data import self_points
from app.models.citation import LegalCitation
from app.models.enterprise import Enterprise
from app.models.reconciliation import Reconciliation, ReconciliationLine
from app.models.rectification import Delegation
from app.models.self_assessment import EDITION, SelfAssessment
from app.services.demo import CAST, fill_up
from app.services.handover import hand_over
from tests.services.test_granting import person, propose
from tests.services.test_handover import parcels, posting_of
from tests.support.house import House
from tests.support.messages import PO, Found, Message, calls, collect, in_template, renew, sentences, stored

HAN = re.compile("[\u4e00-\u9fff]+")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|%%")
SEEN_BY = ("admin", "suo-a", "ju", "fagui", "firm-a", "audit")  # who together see every screen
KEPT = {"中文", *(one.name for one in CAST)}  # a language is offered in itself; what history remembers


@pytest.fixture(scope="module")
def found() -> Found:
    return collect()


# ---- the catalogue ---------------------------------------------------------------------------------------------------


def test_the_catalogue_holds_exactly_the_texts_of_the_source(found: Found) -> None:
    known = {Message(str(one.id), one.context) for one in stored() if one.id}
    assert len(known) > 700
    assert known == set(found), "run script/translate, then translate what is new"


def test_every_text_has_english() -> None:
    assert not [one.id for one in stored() if one.id and not str(one.string).strip()]


def test_placeholders_are_the_same() -> None:
    def names(text: object) -> list[str]:
        return sorted(PLACEHOLDER.findall(str(text)))

    assert not [one.id for one in stored() if one.id and names(one.id) != names(one.string)]


def test_nothing_is_fuzzy_or_left_over() -> None:
    catalog = stored()
    assert not catalog.obsolete
    assert not [one.id for one in catalog if one.id and one.fuzzy]


def test_english_ends_as_the_chinese_does() -> None:
    """A sentence stays a sentence, a label a label."""
    pairs = [(str(one.id), str(one.string)) for one in stored() if one.id and one.string != "No."]
    assert not [text for text, english in pairs if text.endswith(("。", "？")) != english.endswith((".", "?"))]


def test_the_compiled_catalogue_is_up_to_date() -> None:
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for one in stored():
        if one.id and one.context is None:
            assert compiled.gettext(str(one.id)) == one.string, "run script/translate"


def test_renewing_keeps_translations_and_drops_what_is_gone(found: Found) -> None:
    catalog = stored()
    kept = Message("保存")
    fresh = renew(catalog, {kept: found[kept], Message("没有人译过"): {"app/nowhere.py"}})
    assert {one.id: one.string for one in fresh if one.id} == {"保存": "Save", "没有人译过": ""}


# ---- the collector ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        ('_("甲")', ["甲"]),
        ('f"{x or _(\'乙\')}"', ["乙"]),
        ('lazy_gettext("甲" "乙")', ["甲乙"]),
        ('record(Verb.END, "退出", office_id=1)', ["退出"]),
        ("unit_of_work(Verb.END)", []),
        ('check.error("name", text)', []),
        ("_(text)", []),
        ('Held(id=1, title="代")', ["代"]),
        ('"""甲"""', []),
    ],
)  # fmt: skip
def test_calls_are_found_wherever_they_stand(source: str, ids: list[str]) -> None:
    assert [message.id for message in calls(source)] == ids


def test_a_context_is_kept() -> None:
    assert list(calls('lazy_pgettext("list", "甲")')) == [Message("甲", "list")]


def test_sentences_of_rules_are_found() -> None:
    source = '"""说明"""\nx = re.compile("甲")\nerrors["a"] = "乙"\ndef f():\n    return "丙" if y else None'
    assert {message.id for message in sentences(source)} == {"乙", "丙"}


def test_declarations_are_found(found: Found) -> None:
    wanted = {
        "统一社会信用代码",
        "待签发",
        "登记送达",
        "签发后取得文号、生成文书，内容不能再改。",
        "局领导",
        "行政复议机关",
        "食品小作坊",
    }
    assert wanted <= {message.id for message in found}
    assert Message("经营场所", "list") in found


# ---- the running application -----------------------------------------------------------------------------------------


def test_every_template_compiles(small: House) -> None:
    names = [name for name in small.app.jinja_env.list_templates() if name.endswith(".html")]
    ours = [name for name in names if not name.startswith("appbuilder/")]
    assert len(ours) > 15
    for name in ours:
        small.app.jinja_env.get_template(name)


def test_template_texts_are_found(small: House, found: Found) -> None:
    folder = PO.parents[3] / "app" / "templates"
    assert {message.id for message in in_template(folder / "login.html")} <= {message.id for message in found}


def test_chinese_first(small: House) -> None:
    page = small.client().get("/login/").get_data(as_text=True)
    assert '<html lang="zh-CN">' in page
    assert "登录名" in page


def test_the_language_is_switched_and_kept(small: House) -> None:
    client = small.client("suo-a")
    answer = client.get("/language/en?next=/sites/")
    assert answer.headers["Location"] == "/sites/"
    page = client.get("/sites/").get_data(as_text=True)
    assert '<html lang="en">' in page
    assert "Kind of site" in page
    client.get("/language/zh")
    assert "主体类型" in client.get("/sites/").get_data(as_text=True)


def test_an_unknown_language_changes_nothing(small: House) -> None:
    client = small.client("suo-a")
    client.get("/language/fr?next=//evil.example/")
    assert '<html lang="zh-CN">' in client.get("/").get_data(as_text=True)


def test_the_browser_is_asked_when_nobody_chose(small: House) -> None:
    page = small.client().get("/login/", headers={"Accept-Language": "en-GB,en;q=0.9"}).get_data(as_text=True)
    assert "User name" in page


def test_words_by_language(small: House) -> None:
    with small.app.test_request_context("/"):
        today = clock.today()
        other = today.replace(year=today.year - 2, month=11, day=3)
        with force_locale("en"):
            assert (one_of(Enterprise), many_of(Enterprise), said("签发"), said("")) == ("firm", "Firms", "Sign", "")
            assert date_text(today) == "Today"
            assert date_text(other) == f"3 Nov {other.year}"
        with force_locale("zh"):
            assert (one_of(Enterprise), many_of(Enterprise)) == ("主体", "主体")
            assert date_text(other) == f"{other.year}年11月3日"


def test_history_is_chinese_whoever_is_refused(small: House) -> None:
    client = english(small, "yuan-a")
    assert client.get("/postings/add").status_code == 403
    with small.system() as session:
        newest = session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc()).limit(1)).one()
        body = json.loads(newest.body)
    assert body["reason"] == "被拒绝"
    assert "您的角色没有这项权限。" in newest.body


# ---- no Chinese left -------------------------------------------------------------------------------------------------


class Texts(HTMLParser):
    """What a page says: its texts, and the attributes that are read out or shown."""

    SPOKEN = {"title", "placeholder", "aria-label", "alt", "data-label", "data-confirm"}  # noqa: RUF012

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [text for name, text in attrs if text and (name in self.SPOKEN or name.startswith("data-t-"))]

    def handle_data(self, text: str) -> None:
        self.found.append(text)


class Data:
    """What people wrote, and what may stay Chinese in English: names, quotations."""

    def __init__(self, house: House) -> None:
        texts = {str(one.id) for one in stored() if one.id}
        self.own: set[str] = set(KEPT)
        with house.system() as session:
            for entity in registry().values():
                if entity is HistoryEntry:
                    continue
                for column in entity.__table__.columns:
                    info = column.info
                    if info.get("choices") or info.get("secret") or not hasattr(column.type, "length"):
                        continue
                    words = {text for text in session.scalars(select(column).distinct()) if isinstance(text, str)}
                    self.own |= words - texts if info.get("format") == "term" else words
            self.own |= {str(one) for one in session.scalars(select(LegalCitation))}
            self.own |= {text for notes in session.scalars(select(SelfAssessment.notes)) for text in notes.values()}
            sides = session.execute(select(ReconciliationLine.theirs, ReconciliationLine.ours))
            self.own |= {text for both in sides for side in both for text in side.values()} - texts
            self.own |= {one["text"] for told in session.scalars(select(Reconciliation.problems)) for one in told}
        self.own |= {text for one in self_points(EDITION) for text in (one.text, one.hint, one.basis)}
        quoted = [run for one in stored() if one.id for run in HAN.findall(str(one.string))]
        self.all = "\n".join({*self.own, *quoted})
        self.texts = texts

    def left(self, page: str) -> Iterator[str]:
        """Texts of a page that should have been translated."""
        for text in (text.strip() for text in Texts(page).found):
            forgotten = text in self.texts and text not in self.own
            if HAN.search(text) and (forgotten or any(run not in self.all for run in HAN.findall(text))):
                yield text


def english(house: House, username: str | None = None) -> FlaskClient:
    client = house.client(username)
    client.get("/language/en")
    return client


@pytest.fixture
def data(small: House) -> Data:
    return Data(small)


def test_forgotten_texts_are_noticed(data: Data) -> None:
    page = '<h1>本局设定</h1><p title="保存">Save</p><b>中文</b><i>Label：从来没有的词</i>'
    assert set(data.left(page)) == {"本局设定", "保存", "Label：从来没有的词"}


@pytest.mark.parametrize("path", ["/login/", "/verify/unknown", "/nowhere"])
def test_no_chinese_before_signing_in(small: House, data: Data, path: str) -> None:
    assert not list(data.left(english(small).get(path).get_data(as_text=True)))


def test_a_failed_sign_in_is_english(small: House, data: Data) -> None:
    client = english(small)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login/").get_data(as_text=True))
    assert token is not None
    answer = client.post("/login/", data={"csrf_token": token[1], "username": "nobody", "password": "x"})
    assert answer.status_code == 401
    assert not list(data.left(answer.get_data(as_text=True)))


def summaries(house: House) -> str:
    """What history says of what happened: in one language, whoever did it."""
    with house.system() as session:
        return "\n".join(session.scalars(select(HistoryEntry.summary)))


def test_no_chinese_but_data_on_any_screen(small: House) -> None:
    delegate(small)
    data = Data(small)
    shell: Shell = small.app.extensions["shouze_shell"]
    bases = {view.route_base: view for view in shell.views}
    shown: dict[str, set[str]] = {"list": set(), "add": set(), "show": set(), "edit": set()}
    left: dict[str, str] = {}

    def note(path: str, answer: TestResponse) -> None:
        assert answer.status_code < 500, f"{username} {path}"
        told = summaries(small) if path.startswith("/log/") else ""
        for text in data.left(answer.get_data(as_text=True)):
            if text.removesuffix("…") not in told:
                left.setdefault(text, f"{username} {path}")

    for username in SEEN_BY:
        client = english(small, username)
        for path in ("/", "/password/", "/search?q=奈曼", "/search?q=zz"):
            note(path, client.get(path))
        for path, answer in pages(client, bases, shown):
            note(path, answer)
    assert not left
    assert shown["list"] == shown["show"] == set(bases)
    formed = {base for base, view in bases.items() if view.form_parts or view.own_form}
    assert shown["add"] == formed - {"/bureau-settings"}
    assert shown["edit"] >= {"/enterprises", "/sites", "/people", "/appointments", "/offices", "/accounts", "/postings"}


def delegate(house: House) -> None:
    """The kinds of record that the house has none of: a delegation, a hand-over, a proposal of two administrators,
    what else only a demonstration has: who answers for sites, a census, old cases, what firms say of themselves."""
    with house.app.app_context():
        fill_up(house.accounts, {})
    with house.acting("ju") as access:
        day = clock.today()
        account = current_session().get_one(Account, house.accounts["suo-a"])
        office = access.postings[0].office_id
        row = Delegation(account=account, office_id=office, document="2026-1", kinds="责令改正通知书")
        row.date_from = row.date_to = day
        save(row, Verb.CREATE)
    hand_something_over(house)
    administrator = person(house, "second", Family.SYSTEM, "150525")
    with house.system() as session, unit_of_work():
        session.get_one(Account, administrator).name = "Second"
    propose(house, "admin", administrator, grounds="2026")


def hand_something_over(house: House) -> None:
    """The inspector's unsigned notices to the chief."""
    posting = posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        hand_over(posting, parcels(posting, house.accounts["suo-a"], ("Notice-0",)), reason="2026")


def pages(client: FlaskClient, bases: dict[str, Any], shown: dict[str, set[str]]) -> Iterator[tuple[str, TestResponse]]:
    """The list, add, show, edit and step pages this person can open; a few records of each entity, each state once."""
    for base, view in bases.items():
        first = client.get(f"{base}/")
        if first.status_code == 403:
            continue
        shown["list"].add(base)
        yield f"{base}/", first
        yield f"{base}/?q=zz", client.get(f"{base}/?q=zz")
        add = client.get(f"{base}/add")
        shown["add"] |= {base} if add.status_code == 200 else set()
        yield f"{base}/add", add
        keys = list(dict.fromkeys(re.findall(rf'"{base}/(\d+)"', first.get_data(as_text=True))))
        states = view.model.__workflow__ is not None
        for key in keys[:12] if states else [] if base in shown["show"] & shown["edit"] else {*keys[:1], *keys[-1:]}:
            yield from pages_of(client, base, key, shown)


def pages_of(
    client: FlaskClient, base: str, key: str, shown: dict[str, set[str]]
) -> Iterator[tuple[str, TestResponse]]:
    record = client.get(f"{base}/{key}")
    shown["show"].add(base)
    yield f"{base}/{key}", record
    links = set(
        re.findall(rf'"({base}/{key}/(?:edit|delete|do/\w+)|/documents/[^"/]+)"', record.get_data(as_text=True))
    )
    for path in sorted(links):
        shown["edit"] |= {base} if path.endswith("/edit") else set()
        yield path, client.get(path)

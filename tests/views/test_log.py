"""日志: who did what, when, from where and how it ended; read by the auditor, changed by nobody."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import may
from app.core.db import current_session
from app.core.document import IssuedDocument
from app.core.fab.gate import gate_of
from app.core.fab.paging import COUNT_CAP
from app.core.history import record, verify
from app.core.history_entry import HistoryEntry, Kind, Outcome
from app.core.jobs import Job, sweep
from app.core.office import AccessRole, Account
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Person
from app.services.demo import PASSWORD, fill_up
from tests.core.test_attachment import added, stored, visit
from tests.support.files import jpeg, office
from tests.support.house import A, B, House
from tests.support.imports import Desk, firm_rows, firms_file
from tests.views.test_web import firm_form, text


def newest(house: House) -> dict[str, Any]:
    """The newest entry, as plain values."""
    with house.system() as session:
        row = session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc()).limit(1)).one()
        return {name: getattr(row, name) for name in HistoryEntry.__mapper__.columns.keys()}  # noqa: SIM118 - no dict


def entries(house: House) -> int:
    with house.system() as session:
        return int(session.scalar(select(func.count(HistoryEntry.id))) or 0)


def listed(house: House, query: str = "", who: str = "audit") -> list[str]:
    """The lines of the log, each with its cells one after another."""
    page = text(house.client(who).get(f"/log/{query}"))
    body = page[page.index("<tbody") : page.index("</tbody>")] if "<tbody" in page else ""
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


# -- what stands in it ------------------------------------------------------------------------------------------------


def test_signing_in_and_failing_to_say_who_and_from_where(house: House) -> None:
    client = house.app.test_client()
    told = {"REMOTE_ADDR": "10.8.0.7"}
    wrong = {"username": "yuan-a", "password": "wrong-wrong-1"}
    client.post("/login/", data=wrong, environ_overrides=told)
    failed = newest(house)
    assert (failed["kind"], failed["result"], failed["address"]) == (Kind.SIGN_IN, Outcome.FAILED, "10.8.0.7")
    assert "yuan-a" in failed["summary"] and failed["office_id"] == house.offices[A]
    answer = client.post("/login/", data={"username": "yuan-a", "password": PASSWORD}, environ_overrides=told)
    assert answer.status_code == 302
    good = newest(house)
    assert (good["kind"], good["result"], good["address"]) == (Kind.SIGN_IN, Outcome.DONE, "10.8.0.7")
    assert (good["actor_id"], good["actor_name"]) == (house.accounts["yuan-a"], "包文斌")
    client.post("/logout/", environ_overrides=told)
    assert newest(house)["kind"] == Kind.SIGN_OUT


@pytest.mark.parametrize("username", ["nobody", "x" * 300, "a\0b", "'; --", "<b>", ""])
def test_a_name_of_nobody_is_kept_as_it_was_typed_and_breaks_nothing(house: House, username: str) -> None:
    client = house.app.test_client()
    assert client.post("/login/", data={"username": username, "password": "wrong-wrong-1"}).status_code == 401
    assert newest(house)["result"] == Outcome.FAILED
    with house.app.app_context():
        assert list(verify()) == []
    assert house.client("audit").get("/log/").status_code == 200


def test_a_forged_forwarded_address_is_not_believed(small: House) -> None:
    client = small.app.test_client()
    wrong = {"username": "yuan-a", "password": "wrong-wrong-1"}
    client.post("/login/", data=wrong, headers={"X-Forwarded-For": "1.2.3.4"})
    assert newest(small)["address"] == "127.0.0.1"


def foreign(house: House) -> list[str]:
    site = house.site_of(B)
    return [f"/sites/{site}", f"/sites/{site}/edit", f"/sites/{site}/history", f"/sites/{site}/access",
            f"/api/v1/sites/{'A' * 22}", "/documents/" + "A" * 22, "/files/" + "A" * 22, "/no-such-page", "/log/1",
            "/sites/999999999"]  # fmt: skip


def test_every_denied_try_stands_with_its_address(house: House) -> None:
    client = house.client("yuan-a")
    for path in foreign(house):
        before = entries(house)
        assert client.get(path).status_code in {403, 404}, path
        told = newest(house)
        assert entries(house) == before + 1, path
        assert (told["kind"], told["result"]) == (Kind.DENIED, Outcome.DENIED), path
        assert path in told["summary"] and told["actor_name"] == "包文斌" and told["address"] == "127.0.0.1"


def test_a_form_of_another_site_is_a_denied_try(small: House) -> None:
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert small.client("yuan-a").post("/enterprises/add", data=firm_form()).status_code == 400
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False
    told = newest(small)
    assert (told["kind"], "/enterprises/add" in told["summary"]) == (Kind.DENIED, True)


def test_a_stranger_at_the_door_writes_no_history(small: House) -> None:
    before = entries(small)
    for path in ("/sites/1", "/log/", "/no-such-page", "/verify/" + "A" * 22):
        small.client().get(path)
    assert entries(small) == before


# -- each route that hands something out leaves an entry ---------------------------------------------------------------


def sampled(house: House) -> dict[str, Any]:
    """Values for the arguments of routes that hand something out."""
    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.kind == "notice")).first()
        person = session.scalars(select(Person.id).where(Person.id_card.is_not(None))).first()
        assert paper is not None
        return {"paper": paper.public_id, "person": person}


# ask for the right and hand nothing out: one remembers two rows, one asks what is to be printed
KEEPS = ("/<int:key>/distinct/<int:other>", "/<int:key>/file")
FIRM_PAPERS = {"director-duties", "officer-rules", "posts", "board", "letter", "file.pdf"}
WHICH = f"?date_from={clock.today()}&date_to={clock.today()}&parts=basics"  # of a firm's file
HANDING_OUT = {Verb.EXPORT: Kind.EXPORT, Verb.PRINT: Kind.PRINT, Verb.REVEAL: Kind.REVEAL}


def test_every_route_behind_export_print_or_reveal_leaves_an_entry(house: House) -> None:
    """Met by their gates in the route map: a new one is met by itself, and must leave one."""
    with house.app.app_context():
        fill_up(house.accounts, {})  # there is a census to export
    counted = 0
    for rule in sorted(house.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        function: Any = house.app.view_functions[rule.endpoint]
        gate = gate_of(function)
        if gate not in HANDING_OUT or rule.rule.endswith(KEEPS):
            continue
        who = _who_may(house, function.__self__, gate)
        if who is None:
            continue
        client = house.client(who)
        for url in _urls(house, rule.rule, function.__self__, who):
            before = entries(house)
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            answer = client.open(url, method=method, data={"format": "csv"}, buffered=True)
            assert answer.status_code in {200, 302}, (url, text(answer)[:300])
            assert entries(house) > before, url
            told = newest(house)
            assert (told["kind"], told["actor_id"]) == (HANDING_OUT[gate], house.accounts[who]), url
            counted += 1
    assert counted >= 17


def _who_may(house: House, view: Any, verb: Verb) -> str | None:
    for username in ("ju", "neiqin-a", "yuan-a", "suo-a", "audit", "admin", "fagui"):
        with house.acting(username) as access:
            if access.may(view.entity_name, verb):
                return username
    return None


def _urls(house: House, rule: str, view: Any, who: str) -> list[str]:
    if "<" not in rule:
        return [rule]
    if rule.endswith("/<int:key>/book"):
        with house.acting(who):
            key = current_session().scalars(select(view.model.id).order_by(view.model.id)).first()
        return [rule.replace("<int:key>", str(key))]
    if rule.rsplit("/", 1)[-1] in FIRM_PAPERS:
        with house.acting(who):
            found = [row.id for row in current_session().scalars(select(view.model)).unique() if may(row, Verb.PRINT)]
        return [rule.replace("<int:key>", str(found[0])) + WHICH]
    if not rule.endswith("/reveal/<column>"):
        raise LookupError(f"this test does not know how to open {rule}: teach it")
    from app.core.access.masking import is_masked, maskable
    from app.core.fab.cells import base_of  # noqa: F401 - the views are registered

    names = [name for _label, part in view.show_parts for name in part if maskable(view.model, name)]
    found = []
    for username in (who, "neiqin-a", "suo-a"):
        with house.acting(username):
            for name in names:
                for row in current_session().scalars(select(view.model).limit(200)).unique():
                    if getattr(row, name) and is_masked(row, name) and may(row, Verb.REVEAL) and username == who:
                        found.append(re.sub(r"<int:key>", str(row.id), rule).replace("<column>", name))
                        break
    return found[:2]


def test_papers_and_files_leave_an_entry_however_they_are_opened(house: House) -> None:
    with house.app.app_context():
        sweep()
    key, client = sampled(house)["paper"], house.client("suo-a")
    for how in ("original.pdf", "download"):
        before = entries(house)
        answer = client.get(f"/documents/{key}/{how}")
        assert answer.status_code == 200, text(answer)
        told = newest(house)
        assert (entries(house), told["kind"]) == (before + 1, Kind.PRINT)
        assert told["actor_name"] == "苏日娜"


def test_files_of_records_and_of_jobs_leave_an_entry_each_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    key = added(visit(house, ("照片.jpg", jpeg()), ("台账.xlsx", office())))
    chief, inspector = house.client("suo-a"), house.client("yuan-a")
    for one in stored(house, key):
        for how in ("", "/download"):
            before = entries(house)
            assert chief.get(f"/files/{one.public_id}{how}").status_code == 200
            told = newest(house)
            assert (entries(house), told["kind"], told["actor_name"]) == (before + 1, Kind.FILE, "苏日娜")
    settings = house.app.extensions["shouze_settings"]
    monkeypatch.setitem(house.app.extensions, "shouze_settings", dataclasses.replace(settings, export_direct_rows=1))
    inspector.post("/sites/export", data={"format": "csv"}, buffered=True)
    with house.app.app_context():
        sweep()
    made = newest(house)
    assert (made["kind"], made["address"], made["actor_name"]) == (Kind.EXPORT, "", "包文斌")
    with house.system() as session:
        job = session.scalars(select(Job.public_id).where(Job.kind == "export")).one()
    before = entries(house)
    assert inspector.get(f"/jobs/{job}/file", buffered=True).status_code == 200
    assert (entries(house), newest(house)["kind"]) == (before + 1, Kind.EXPORT)


def test_an_import_leaves_an_entry_for_the_file_and_for_what_it_changed(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(firm_rows(2)))
    desk.attempt()
    desk.write()
    with house.system() as session:
        kinds = session.execute(
            select(HistoryEntry.kind, HistoryEntry.summary).order_by(HistoryEntry.id.desc()).limit(2)
        ).all()
    assert {kind for kind, _summary in kinds} == {Kind.IMPORT}


# -- reading it -------------------------------------------------------------------------------------------------------


def test_the_log_is_the_auditors_alone(house: House) -> None:
    assert house.client("audit").get("/log/").status_code == 200
    for who in ("admin", "ju", "suo-a", "yuan-a", "fagui", "zhuanban", "firm-a"):
        for path in ("/log/", "/log/1", "/log/lookup", "/api/v1/log/"):
            assert house.client(who).get(path).status_code in {403, 404}, (who, path)
        assert "/log/" not in text(house.client(who).get("/"))


def test_an_office_that_is_given_the_log_reads_its_own_subtree_only(house: House) -> None:
    """The built-in policy gives it to no office; a bureau's own role may."""
    with house.system() as session, unit_of_work():
        chief = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        chief.grants = chief.grants | {"HistoryEntry": {"read": [["subtree", None]]}}
    with house.system() as session:
        theirs = session.scalars(select(HistoryEntry.id).where(HistoryEntry.office_id == house.offices[B])).first()
        ours = session.scalars(select(HistoryEntry.id).where(HistoryEntry.office_id == house.offices[A])).first()
        nobodys = session.scalars(select(HistoryEntry.id).where(HistoryEntry.office_id == 0)).first()
    client = house.client("suo-a")
    assert client.get(f"/log/{ours}").status_code == 200
    assert client.get(f"/log/{theirs}").status_code == 404
    assert nobodys is not None and client.get(f"/log/{nobodys}").status_code == 404
    lines = listed(house, "?size=100", "suo-a")
    assert lines and all("大沁他拉" in line for line in lines)
    assert client.post("/log/export", data={"format": "csv"}, buffered=True).status_code == 403


def test_columns_hidden_from_a_reader_are_absent_from_the_entry(house: House) -> None:
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "改名") as session:
        session.get_one(Site, house.site_of(A)).name = "隐名之后"
    key = newest(house)["id"]
    assert "隐名之后" in text(house.client("audit").get(f"/log/{key}"))
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "auditor")).one()
        role.grants = role.grants | {"Site": {"read": [["assigned", None]]}}
        role.hidden = {"Site": ["name"]}
    assert "隐名之后" not in text(house.client("audit").get(f"/log/{key}"))


def test_a_telephone_is_masked_in_the_log(house: House) -> None:
    auditor = house.client("audit")  # whose sign-in is an entry too
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "改电话") as session:
        site = session.get_one(Site, house.site_of(A))
        session.get_one(Enterprise, site.enterprise_id).phone = "13912345678"
    page = text(auditor.get(f"/log/{newest(house)['id']}"))
    assert "13912345678" not in page
    assert "1391" in page and "5678" in page


def test_an_entry_tells_field_by_field_and_leads_to_the_record_for_who_may_read_it(house: House) -> None:
    site = house.site_of(A)
    with house.system() as session:
        old = session.get_one(Site, site).name
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "更名的理由") as session:
        session.get_one(Site, site).name = "新招牌"
    key = newest(house)["id"]
    page = text(house.client("audit").get(f"/log/{key}"))
    for word in (old, "新招牌", "更名的理由", "包文斌", f"经营场所 {site}", "大沁他拉", "成功"):
        assert word in page, word
    assert f'href="/sites/{site}"' not in page, "the auditor reads no sites"
    with house.system() as session, unit_of_work():
        chief = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        chief.grants = chief.grants | {"HistoryEntry": {"read": [["subtree", None]]}}
    assert f'href="/sites/{site}"' in text(house.client("suo-a").get(f"/log/{key}"))


def test_a_denied_try_and_an_export_tell_their_facts(house: House) -> None:
    auditor, client = house.client("audit"), house.client("yuan-a")
    client.get(f"/sites/{house.site_of(B)}")
    page = text(auditor.get(f"/log/{newest(house)['id']}"))
    assert f"/sites/{house.site_of(B)}" in page and "被拒绝" in page and "GET" in page
    client.post("/sites/export?q=饭", data={"format": "csv"}, buffered=True)
    page = text(auditor.get(f"/log/{newest(house)['id']}"))
    assert "查找：饭" in page and "csv" in page


def test_forged_values_are_told_in_words(house: House) -> None:
    client = house.client("yuan-a")
    client.get("/sites/?nobody=1&order=nothing&office=999999")
    told = newest(house)["summary"]
    assert "可疑的请求" in told and "[" not in told and "'" not in told
    assert any(told in one for one in listed(house))


def test_a_long_entry_has_parts(small: House) -> None:
    with small.system() as session, unit_of_work(Verb.IMPORT, "大批"):
        session.add_all(Enterprise(name=f"批量{n}", office_id=small.offices[A]) for n in range(70))
    key = newest(small)["id"]
    seen, part = "", 0
    while part < 10:
        page = text(small.client("audit").get(f"/log/{key}?part={part}"))
        seen += page
        if f"?part={part + 1}" not in page:
            break
        part += 1
    assert part == 2
    assert all(f"批量{n}<" in seen for n in range(70))
    for odd in ("-1", "x", "9" * 40, "１", "%00"):
        assert small.client("audit").get(f"/log/{key}?part={odd}").status_code == 200


# -- finding in it ----------------------------------------------------------------------------------------------------


def told_in(house: House) -> None:
    """A few events of different people, offices, sorts and days."""
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "甲所更名") as session:
        session.get_one(Site, house.site_of(A)).name = "甲"
    with house.acting("yuan-b"), unit_of_work(Verb.UPDATE, "乙所更名") as session:
        session.get_one(Site, house.site_of(B)).name = "乙"
    house.client("yuan-b").get(f"/sites/{house.site_of(A)}")


def test_each_filter_finds_what_it_says_and_nothing_else(house: House) -> None:
    told_in(house)
    site, person, office = house.site_of(A), house.accounts["yuan-b"], house.offices[B]
    cases: dict[str, tuple[str, str]] = {
        f"?actor={person}": ("乙所更名", "甲所更名"),
        f"?office={office}": ("乙所更名", "甲所更名"),
        "?kind=被拒绝": (f"/sites/{site}", "乙所更名"),
        "?result=被拒绝": (f"/sites/{site}", "甲所更名"),
        "?verb=update&kind=写入": ("甲所更名", f"/sites/{site}"),
        "?entity=Site&q=所更名": ("甲所更名", "被拒绝"),
        f"?row_id=Site {site}": ("甲所更名", "乙所更名"),
        f"?row_id=经营场所 {site}": ("甲所更名", "乙所更名"),
        f"?row_id=经营场所 第 {site} 号": ("甲所更名", "乙所更名"),
        "?q=乙所": ("乙所更名", "甲所更名"),
        "?address=127.0.0.1": (f"/sites/{site}", "甲所更名"),
        f"?actor={person}&kind=被拒绝&q=sites&at_from=2026-01-01": (f"/sites/{site}", "乙所更名"),
    }
    for query, (there, absent) in cases.items():
        lines = "\n".join(listed(house, f"{query}&size=100"))
        assert there in lines, query
        assert absent not in lines, query
    assert listed(house, "?at_to=2020-01-01") == []


@pytest.mark.parametrize("query", [
    "?actor=999999999999999999999", "?actor=x", "?kind=<b>", "?verb=%00", "?entity=HistoryHead", "?row_id=Site",
    "?row_id=7", "?row_id=Site 99999999999999999999", "?row_id=' OR 1=1 --", "?q=%25_\\", "?at_from=x",
    "?order=body", "?order=hash", "?order=-at&page=99999", "?address=' --", "?q=" + "长" * 3000, "?office=0&office=x",
])  # fmt: skip
def test_odd_arguments_give_a_list(house: House, query: str) -> None:
    assert house.client("audit").get(f"/log/{query}").status_code == 200


def test_entries_about_several_records_are_found_by_each(house: House) -> None:
    first, second = house.site_of(A), house.site_of(A, 1)
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "一起更名") as session:
        for key in (first, second):
            session.get_one(Site, key).name = "同名"
    for key in (first, second):
        assert "一起更名" in "".join(listed(house, f"?row_id=Site {key}"))


def test_the_log_counts_no_further_than_a_list_does(small: House) -> None:
    with small.app.app_context():
        for _n in range(COUNT_CAP + 5 - min(entries(small), COUNT_CAP)):
            record(Verb.READ, "凑数")
    assert f"超过 {COUNT_CAP} 条" in text(small.client("audit").get("/log/"))


# -- taking it out ----------------------------------------------------------------------------------------------------


def test_an_export_of_the_log_is_logged_itself(house: House) -> None:
    told_in(house)
    answer = house.client("audit").post("/log/export?kind=被拒绝", data={"format": "xlsx"}, buffered=True)
    assert answer.status_code == 200
    rows = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]  # one sheet
    flat = "\n".join(" ".join(str(cell) for cell in row if cell is not None) for row in rows)
    assert f"/sites/{house.site_of(A)}" in flat and "被拒绝" in flat
    told = newest(house)
    assert (told["kind"], told["actor_id"]) == (Kind.EXPORT, house.accounts["audit"])
    answer = house.client("audit").post("/log/export", data={"format": "csv"}, buffered=True)
    assert "甲所更名" in answer.data.decode("utf-8-sig")


# -- changing it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["audit", "admin", "ju", "suo-a", "firm-a"])
def test_no_door_changes_the_log(house: House, who: str) -> None:
    with house.system() as session:
        key, public = session.execute(select(HistoryEntry.id, HistoryEntry.public_id).limit(1)).one()
        before = session.execute(select(func.count(HistoryEntry.id), func.max(HistoryEntry.hash))).one()
    client, form = house.client(who), {"summary": "改过", "body": "{}", "version": "1"}
    tries = [client.post("/log/add", data=form), client.post(f"/log/{key}/edit", data=form),
             client.post(f"/log/{key}/delete", data=form), client.get("/log/add"), client.get(f"/log/{key}/edit"),
             client.post("/log/bulk", data={"act": "delete", "ids": str(key), "key": "k" * 24, "sure": "1"}),
             client.get("/log/import"), client.post("/log/import", data={"file": (io.BytesIO(b"x"), "x.xlsx")}),
             client.post("/api/v1/log/", json=form), client.patch(f"/api/v1/log/{public}", json=form),
             client.delete(f"/api/v1/log/{public}", json=form)]  # fmt: skip
    assert {answer.status_code for answer in tries} <= {302, 400, 403, 404, 405, 422}, tries
    with house.system() as session:
        kept = session.scalars(select(HistoryEntry).where(HistoryEntry.id == key)).one()
        assert kept.summary != "改过"
        assert session.scalar(select(func.count(HistoryEntry.id))) >= before[0]
        assert list(verify()) == []


def test_a_role_that_could_write_the_log_still_can_not(house: House) -> None:
    with house.system() as session, unit_of_work():
        auditor = session.scalars(select(AccessRole).where(AccessRole.code == "auditor")).one()
        every = {verb.value: [["all", None]] for verb in Verb}
        auditor.grants = auditor.grants | {"HistoryEntry": every}
    with house.system() as session:
        key = session.scalars(select(HistoryEntry.id).limit(1)).one()
    client = house.client("audit")
    tries = (client.post(f"/log/{key}/delete", data={"version": "1"}), client.post("/log/add", data={"seq": "1"}))
    for answer in tries:
        assert answer.status_code in {302, 403, 404, 422}
    with house.system() as session:
        assert session.scalars(select(HistoryEntry.id).where(HistoryEntry.id == key)).one() == key
        assert list(verify()) == []


def test_names_in_the_log_stay_what_they_were(house: House) -> None:
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "改名之前的事") as session:
        session.get_one(Site, house.site_of(A)).name = "甲"
    with house.system() as session, unit_of_work(Verb.UPDATE, "改姓名"):
        session.get_one(Account, house.accounts["yuan-a"]).name = "新姓名"
    assert any("包文斌" in line and "改名之前的事" in line for line in listed(house, "?q=改名之前的事"))
    body = json.loads(newest(house)["body"])
    assert body["v"] == 3

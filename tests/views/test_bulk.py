"""Acts on many rows: each is judged and written for itself, once, and the answer says which went and why not."""

from __future__ import annotations

import html
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.fab import bulk
from app.core.history import HistoryEntry
from app.core.office import AccessRole
from app.core.saved import BulkRun
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import NoticeState
from app.models.enterprise import Enterprise
from app.models.inspection import DONE, DRAFT, VOID, Inspection
from app.models.rectification import Notice
from app.views.enterprise import EnterpriseView
from tests.support.house import A, B, House


def text(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def visits(house: House, office: str, *states: str) -> list[int]:
    with house.system() as session:
        wanted = select(Inspection.id).where(
            Inspection.office_id == house.offices[office], Inspection.state.in_(states)
        )  # fmt: skip
        return list(session.scalars(wanted.order_by(Inspection.id)))


def drafts(house: House) -> list[int]:
    """Three finished visits made drafts again, so that there is something to do."""
    keys = visits(house, A, DONE)[:3]
    with house.system() as session, unit_of_work():
        for key in keys:
            session.get_one(Inspection, key).state = DRAFT
    return keys


def state(house: House, key: int, model: Any = Inspection) -> str:
    with house.system() as session:
        return str(session.get_one(model, key).state)


def send(house: House, username: str, act: str, keys: list[Any], base: str = "/inspections", **form: str) -> Any:
    """The second step: sure."""
    data = {"act": act, "ids": [str(key) for key in keys], "sure": "1", "key": secrets.token_urlsafe(24)} | form
    return house.client(username).post(f"{base}/bulk", data=data)


def outcomes(house: House, username: str, answer: Any) -> list[tuple[str, bool]]:
    """(what each line says, whether it went), in order."""
    assert answer.status_code == 302, text(answer)[:2000]
    page = house.client(username).get(answer.location)
    assert page.status_code == 200
    lines = re.findall(r"<li><span>(.*?)</span><span class=\"state t-(\w+)\">", text(page), re.DOTALL)
    return [(re.sub(r"<[^>]+>", " ", line), tone == "success") for line, tone in lines]


def test_first_it_says_what_will_happen_and_changes_nothing(house: House) -> None:
    keys = drafts(house)
    client = house.client("yuan-a")
    data = {"act": "void", "ids": [*map(str, keys), str(visits(house, B, DONE)[0])]}
    page = text(client.post("/inspections/bulk", data=data))
    assert "作废：选中 4 条" in page and "有 1 条没有找到" in page and 'name="reason"' in page
    assert re.findall(r'name="ids" value="(\d+)"', page) == data["ids"]
    assert {state(house, key) for key in keys} == {DRAFT}
    unreasoned = send(house, "yuan-a", "void", keys)
    assert unreasoned.status_code == 422 and "请写明理由" in text(unreasoned)
    assert send(house, "yuan-a", "void", keys, reason="长" * 501).status_code == 422
    assert {state(house, key) for key in keys} == {DRAFT}


def test_each_row_goes_or_stays_for_itself_in_the_order_asked(house: House) -> None:
    first, second, third = drafts(house)
    done, foreign = visits(house, A, DONE)[0], visits(house, B, DONE)[0]
    asked = [third, done, foreign, 987_654, "x", first]
    answer = send(house, "yuan-a", "void", asked, reason="重复登记")
    found = outcomes(house, "yuan-a", answer)
    assert [went for _line, went in found] == [True, False, False, False, False, True]
    assert "现在是“已完成”，不能作废" in found[1][0]
    unknown = {re.sub(r"编号 \d+", "编号", line) for line, _went in found[2:5]}
    assert len(unknown) == 1 and "没有这条记录，或者您无权查看" in unknown.pop(), "foreign looks like none"
    assert [state(house, key) for key in (first, second, third, done, foreign)] == [VOID, DRAFT, VOID, DONE, DONE]
    with house.system() as session:
        reasons = [
            entry.body
            for key in (first, third)
            for entry in session.scalars(
                select(HistoryEntry).where(HistoryEntry.entity == "Inspection", HistoryEntry.row_id == key)
            )
            if entry.verb == "void"
        ]
    assert len(reasons) == 2 and all("重复登记" in body for body in reasons), "an entry a row, with the one reason"


def test_another_person_cannot_open_the_answer(house: House) -> None:
    keys = drafts(house)
    answer = send(house, "yuan-a", "void", keys, reason="重复")
    for username in ("suo-a", "yuan-b", "ju"):
        assert house.client(username).get(answer.location).status_code == 404
    for other in ("/notices", "/sites"):
        assert house.client("yuan-a").get(answer.location.replace("/inspections", other)).status_code == 404
    for run in ("x", "%00", "长" * 40, "a" * 10_000):
        assert house.client("yuan-a").get(f"/inspections/bulk/{run}").status_code == 404


def test_sending_twice_does_nothing_twice(house: House) -> None:
    told = select(func.count(HistoryEntry.id)).where(HistoryEntry.entity == "Inspection")  # signing in is told too
    keys, token = drafts(house), secrets.token_urlsafe(24)
    first = send(house, "yuan-a", "void", keys, reason="重复", key=token)
    with house.system() as session:
        before = session.scalar(told)
    second = send(house, "yuan-a", "void", keys, reason="重复", key=token)
    assert first.location == second.location
    assert [went for _line, went in outcomes(house, "yuan-a", second)] == [True] * 3, "the first answer again"
    with house.system() as session:
        assert session.scalar(told) == before
    other = send(house, "yuan-a", "void", keys[:1], reason="别的", key=token)
    assert other.status_code == 409
    for bad in ("", "x", "长" * 24, "a" * 41, "../../etc/passwd-----"):
        assert send(house, "yuan-a", "void", keys, reason="重复", key=bad).status_code == 422


def test_two_at_once_with_one_key_run_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    act = bulk.bulk_act("count", "数一数", Verb.UPDATE, lambda row, _why: counted.append(row.name))
    monkeypatch.setattr(EnterpriseView, "bulk_acts", [act])
    with house.system() as session:
        keys = session.scalars(select(Enterprise.id).where(Enterprise.office_id == house.offices[A]).limit(3)).all()
    token = secrets.token_urlsafe(24)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(
            lambda _n: send(house, "yuan-a", "count", list(keys), "/enterprises", key=token).status_code, range(4)
        ))  # fmt: skip
    assert set(answers) == {302} and len(counted) == 3
    with house.system() as session:
        assert session.scalar(select(func.count(BulkRun.id))) == 1


def test_a_row_that_breaks_stops_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.system() as session:
        keys = session.scalars(select(Enterprise.id).where(Enterprise.office_id == house.offices[A]).limit(3)).all()

    def rename(row: Any, why: str) -> None:
        row.note = why
        if row.id == keys[1]:
            raise ZeroDivisionError("a bug in one act: SELECT secret")

    act = bulk.bulk_act("note", "写备注", Verb.UPDATE, rename, reason=True)
    monkeypatch.setattr(EnterpriseView, "bulk_acts", [act])
    answer = send(house, "yuan-a", "note", list(keys), "/enterprises", reason="巡查时电话不通")
    found = outcomes(house, "yuan-a", answer)
    assert [went for _line, went in found] == [True, False, True]
    assert "系统出了问题" in found[1][0] and "SELECT" not in found[1][0]
    with house.system() as session:
        notes = [session.get_one(Enterprise, key).note for key in keys]
    assert notes == ["巡查时电话不通", None, "巡查时电话不通"]


def test_an_added_act_is_offered_to_who_may(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    act = bulk.bulk_act("note", "写备注", Verb.UPDATE, lambda _row, _why: None)
    monkeypatch.setattr(EnterpriseView, "bulk_acts", [act])
    assert "写备注" in text(small.client("yuan-a").get("/enterprises/"))
    for username in ("ju", "firm-a"):
        assert "写备注" not in text(small.client(username).get("/enterprises/"))
        assert send(small, username, "note", [1], "/enterprises").status_code == 422


def test_steps_that_ask_something_and_steps_of_others_are_not_offered(small: House) -> None:
    def offered(username: str, url: str) -> set[str]:
        return set(re.findall(r'<option value="(\w+)">', text(small.client(username).get(url)).split('id="act"')[-1]))

    assert offered("yuan-a", "/notices/") == {"submit", "discard"}
    assert offered("ju", "/notices/") == {"sign", "return_review", "void"}
    assert 'id="bulk"' not in text(small.client("zhuanban").get("/notices/"))
    assert 'id="bulk"' not in text(small.client("firm-a").get("/sites/"))
    for act in ("serve", "sign", "delete", "nothing", "", "长" * 9999):
        assert send(small, "yuan-a", act, [1], "/notices", reason="x").status_code == 422


def test_guards_hold_for_each_row(house: House) -> None:
    """Who drafted does not review: the chief's own draft stays, the others go."""
    with house.system() as session, unit_of_work():
        rows = session.scalars(
            select(Notice).where(Notice.office_id == house.offices[A], Notice.state == NoticeState.IN_REVIEW)
        ).all()
        assert rows
        own = rows[0]
        own.drafter_id = house.accounts["suo-a"]
        key = own.id
    found = outcomes(house, "suo-a", send(house, "suo-a", "review", [key], "/notices"))
    assert found[0][1] is False and "不能由同一人办理" in found[0][0]
    assert state(house, key, Notice) == NoticeState.IN_REVIEW


def test_the_leader_signs_a_stack_and_each_takes_its_number(house: House) -> None:
    with house.system() as session:
        keys = list(session.scalars(select(Notice.id).where(Notice.state == NoticeState.TO_SIGN).order_by(Notice.id)))
    assert keys
    found = outcomes(house, "ju", send(house, "ju", "sign", keys, "/notices"))
    assert [went for _line, went in found] == [True] * len(keys), found
    with house.system() as session:
        rows = [session.get_one(Notice, key) for key in keys]
        numbers = [row.number_seq for row in rows]
        assert numbers == sorted({number for number in numbers if number}) and len(numbers) == len(keys)
        assert {row.state for row in rows} == {NoticeState.SIGNED}


def allow_deleting(house: House, role: str, entity: str) -> None:
    with house.system() as session, unit_of_work():
        row = session.scalars(select(AccessRole).where(AccessRole.code == role)).one()
        row.grants = {**row.grants, entity: {**row.grants[entity], "delete": [["subtree", None]]}}


def test_rows_that_others_use_are_not_deleted(house: House) -> None:
    allow_deleting(house, "chief", "Enterprise")
    with house.system() as session, unit_of_work():
        used = session.scalars(select(Enterprise.id).where(Enterprise.office_id == house.offices[A])).first()
        lone = Enterprise(name="登记错的店", office_id=house.offices[A], made_office_id=house.offices[A])
        session.add(lone)
        session.flush()
        free = lone.id
    assert used is not None
    answer = send(house, "suo-a", "delete", [used, free], "/enterprises")
    found = outcomes(house, "suo-a", answer)
    assert [went for _line, went in found] == [False, True]
    assert "用着它" in found[0][0] and "登记错的店" in found[1][0]
    with house.system() as session:
        assert session.get(Enterprise, free) is None and session.get(Enterprise, used) is not None
        assert len(session.get_one(Enterprise, used).sites) > 0, "its sites keep their firm"
    assert send(house, "yuan-a", "delete", [used], "/enterprises").status_code == 422
    single = house.client("suo-a").post(f"/enterprises/{used}/delete")
    assert single.status_code == 409 and "用着它" in text(single), "the record's own page says the same"


def test_two_hundred_rows_a_call(small: House) -> None:
    assert send(small, "yuan-a", "void", list(range(1, 202)), reason="x").status_code == 422
    assert send(small, "yuan-a", "void", [], reason="x").status_code == 422
    keys = drafts(small)
    found = outcomes(small, "yuan-a", send(small, "yuan-a", "void", keys * 80, reason="重复"))
    assert [went for _line, went in found] == [True] * 3, "each row once"


def test_all_on_this_page_needs_no_script(small: House) -> None:
    page = text(small.client("yuan-a").get("/inspections/?size=3"))
    listed = re.findall(r'name="page" value="(\d+)"', page)
    assert len(listed) == 3 and re.findall(r'name="ids" value="(\d+)"', page) == listed
    data = {"act": "complete", "whole": "1", "page": listed}
    sure = text(small.client("yuan-a").post("/inspections/bulk", data=data))
    assert re.findall(r'name="ids" value="(\d+)"', sure) == listed


def test_denied_tries_are_in_the_history(house: House) -> None:
    """One entry for the act, as a single denied try leaves one."""
    keys = drafts(house)
    with house.system() as session, unit_of_work():
        for key in keys:
            row = session.get_one(Inspection, key)
            row.office_id = house.offices[B]  # made here, so still read; answered for over there
    found = outcomes(house, "yuan-a", send(house, "yuan-a", "void", keys, reason="重复"))
    assert [went for _line, went in found] == [False] * 3
    assert all("您可以查看，但不能进行这项操作" in line for line, _went in found)
    with house.system() as session:
        bodies = [body for body in session.scalars(select(HistoryEntry.body)) if "被拒绝" in body]
    assert len(bodies) == 1 and all(str(key) in bodies[0] for key in keys)
    assert {state(house, key) for key in keys} == {DRAFT}


def test_a_broken_off_act_says_so(small: House) -> None:
    token = secrets.token_urlsafe(24)
    with small.system() as session, unit_of_work():
        session.add(BulkRun(account_id=small.accounts["yuan-a"], key=token, entity="Inspection", act="void", digest=""))
    assert "还在办理" in text(small.client("yuan-a").get(f"/inspections/bulk/{token}"))


def test_the_answer_forgets_names_one_may_not_see_any_more(house: House) -> None:
    keys = drafts(house)
    answer = send(house, "yuan-a", "void", keys, reason="重复")
    with house.system() as session, unit_of_work():
        for key in keys:
            row = session.get_one(Inspection, key)
            row.office_id = row.made_office_id = house.offices[B]
    assert all(line.startswith("编号") for line, _went in outcomes(house, "yuan-a", answer))

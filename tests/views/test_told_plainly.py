"""Who comes second, too late, or to no such step is told so; nobody is sent away for rights that he has."""

from __future__ import annotations

import html
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import db
from app.core.handover import Handover
from app.core.office import AccessRole, Account, Family, Posting, RoleOrigin
from app.core.proposal import PostingProposal
from app.core.saving import save
from app.core.writing import unit_of_work
from app.models.inspection import Inspection
from app.models.rectification import Notice
from app.services.handover import hand_over
from tests.services.test_granting import BUREAU, administrator, person, propose
from tests.services.test_handover import end, parcels, posting_of, second_inspector
from tests.support.house import House
from tests.support.rights import W, change, post, role, scene


def words(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def heading(answer: Any) -> str:
    text = words(answer)
    return text[text.index("<h1") :].split(">", 1)[1].split("<")[0].strip()


def version_of(house: House, model: type[Any], key: int) -> int:
    with house.system() as session:
        return int(session.get_one(model, key).version)


# -- who was first ----------------------------------------------------------------------------------------------------


def test_of_two_administrators_who_confirm_the_second_reads_who_was_first(house: House) -> None:
    for name in ("admin-2", "admin-3"):
        administrator(house, name, BUREAU, "sysadmin")
    key = propose(house, "admin", person(house, "xin", Family.SYSTEM, BUREAU))
    seen, url = version_of(house, PostingProposal, key), f"/posting-proposals/{key}/do/confirm"
    assert house.client("admin-2").post(url, data={"version": seen}).status_code == 302
    for who in ("admin-3", "admin-2"):  # another one, and the same person's second click
        for answer in (house.client(who).post(url, data={"version": seen}), house.client(who).get(url)):
            assert answer.status_code == 409 and heading(answer) == "已经处理过了"
            assert "已由人admin-2处理" in words(answer) and "没有权限" not in words(answer)
    with house.system() as session:
        public_id = session.get_one(PostingProposal, key).public_id
    told = house.client("admin-3").post(f"/api/v1/posting-proposals/{public_id}/do/confirm", json={})
    assert told.status_code == 409 and "已由人admin-2处理" in told.get_json()["error"]


def test_of_many_at_once_one_confirms_and_nobody_is_told_of_missing_rights(house: House) -> None:
    names = [f"admin-{n}" for n in (2, 3, 4)]
    for name in names:
        administrator(house, name, BUREAU, "sysadmin")
    key = propose(house, "admin", person(house, "xin", Family.SYSTEM, BUREAU))
    seen, start, told = version_of(house, PostingProposal, key), threading.Barrier(len(names)), []
    clients = [house.client(name) for name in names]

    def go(client: Any) -> None:
        start.wait()
        told.append(client.post(f"/posting-proposals/{key}/do/confirm", data={"version": seen}).status_code)
        with house.app.app_context():
            db.session.remove()

    threads = [threading.Thread(target=go, args=(client,)) for client in clients]
    [one.start() for one in threads]
    [one.join() for one in threads]
    assert sorted(told) == [302, 409, 409]


def test_accepting_and_signing_twice_says_so(small: House) -> None:
    other = second_inspector(small)
    with small.acting("suo-a"):
        made = hand_over(posting_of(small, "yuan-a"), parcels(posting_of(small, "yuan-a"), other), reason="移交")[0].id
    client, seen = small.client("yuan-c"), version_of(small, Handover, made)
    url = f"/handovers/{made}/do/accept"
    assert client.post(url, data={"version": seen}).status_code == 302
    answer = client.post(url, data={"version": seen})
    assert answer.status_code == 409 and "已由王建国处理" in words(answer)
    assert small.client("yuan-a").post(url, data={"version": seen}).status_code in {403, 404}


def test_who_never_had_the_right_still_has_none(small: House) -> None:
    """A colleague who reads the notice and never signs: 403, whatever state it is in; the other station: 404."""
    with small.system() as session:
        key = session.scalars(select(Notice.id).where(Notice.state == "已签发")).first()
    for who, status in (("neiqin-a", {403}), ("yuan-a", {403}), ("suo-b", {404}), ("firm-b", {404})):
        assert small.client(who).post(f"/notices/{key}/do/sign", data={"version": 1}).status_code in status, who


# -- headings, steps that are none ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_step_that_is_none_is_not_there(small: House, method: str) -> None:
    for name in ("approve", "fly", "__init__", "x" * 300):
        answer = getattr(small.client("suo-a"), method)(f"/notices/1/do/{name}")
        assert answer.status_code == 404 and "已被别人改过" not in words(answer), name


def test_only_what_another_wrote_is_called_so(small: House) -> None:
    """A role that is in use, and a step that the state does not allow: neither was changed by anybody."""
    role(small, "sonder", ())
    post(small, "yuan-a", "sonder", "A")
    with small.system() as session, unit_of_work():
        made = session.scalars(select(AccessRole).where(AccessRole.code == "sonder")).one()
        made.origin, key = RoleOrigin.CUSTOM, made.id
    answer = small.client("admin").post(f"/roles/{key}/delete")
    assert answer.status_code == 409 and heading(answer) == "现在不能这样做"
    what = scene(small)["A catering firm"]
    old = version_of(small, what[0], what[1])
    change(small, what, address="别人写的")
    page = small.client("suo-a").post(f"/enterprises/{what[1]}/delete", data={"version": old})
    assert "已被别人改过" not in words(page)


# -- ends to come -----------------------------------------------------------------------------------------------------


def test_an_end_to_come_is_not_told_as_an_end(small: House) -> None:
    key, far = posting_of(small, "yuan-a"), clock.today() + timedelta(days=27_000)
    client = small.client("admin")
    form = {"end_kind": "离任", "date_to": far.isoformat(), "reason": "退休", "version": 1}
    with small.system() as session:
        form["version"] = session.get_one(Posting, key).version
    answer = client.post(f"/postings/{key}/end", data=form, follow_redirects=True)
    assert answer.status_code == 200
    assert f"任职将于 {far.year}年" in words(answer) and "任职已结束" not in words(answer)
    assert small.client("yuan-a").get("/inspections/").status_code == 200


# -- who may be named -------------------------------------------------------------------------------------------------


def test_who_holds_no_posting_is_not_named_as_inspector_and_who_was_stays(house: House) -> None:
    key = scene(house)["A catering visit"][1]
    second_inspector(house)
    with house.system() as session:
        public_id = session.get_one(Inspection, key).public_id
        gone = session.get_one(Account, house.accounts["yuan-c"]).public_id
    end(house, "yuan-c")
    chief, url = house.client("suo-a"), f"/api/v1/inspections/{public_id}"
    for column in ("inspector", "co_inspector"):
        answer = chief.patch(url, json={"version": version_of(house, Inspection, key), column: gone})
        assert answer.status_code == 422 and "没有在任的任职" in answer.get_json()["fields"][column]
    end(house, "yuan-a")
    with house.acting("suo-a"), unit_of_work():  # 包文斌 stays on what he inspected
        visit = fetch(Inspection, key, W)
        visit.summary = "补写"
        save(visit, W)
    with house.system() as session:
        visit = session.get_one(Inspection, key)
        assert (visit.summary, visit.inspector_id) == ("补写", house.accounts["yuan-a"])

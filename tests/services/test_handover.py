"""包文斌 leaves the station: what hangs on him is found, goes over in one act, or waits; nothing is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, inspect, select

from app.core import clock
from app.core.access.checks import charge_problems
from app.core.charge import Charge
from app.core.db import AppSession, current_session, db
from app.core.document import IssuedDocument
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.handover import Handover, HandoverLine, HandoverState, Outcome
from app.core.history import HistoryEntry, verify
from app.core.message import Message
from app.core.moving import Parcel
from app.core.office import Account, Assignment, Leaving, Posting
from app.core.open_work import count_open, kinds, left_by, open_rows, waiting
from app.core.saving import save
from app.core.successors import chief_of
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import NoticeState
from app.models.inspection import DRAFT, Inspection
from app.models.rectification import Delegation, Notice
from app.services.handover import end_posting, hand_over
from tests.support.house import A, B, House

DRAFTS, UNSIGNED, FOLLOWED = "Inspection-0", "Notice-0", "Notice-1"


def posting_of(house: House, username: str) -> int:
    with house.system() as session:
        mine = Posting.account_id == house.accounts[username]
        return session.scalars(select(Posting.id).where(mine).order_by(Posting.id)).first() or 0


def second_inspector(house: House, username: str = "yuan-c", code: str = A, role: str = "inspector") -> int:
    """Another colleague; the cast has one of each."""
    from app.services.office import add_account, add_posting

    with house.system() as session:
        from app.core.office import Family

        key = add_account(username, "王建国", Family.BUSINESS, code, "shouze-demo-2026", must_change=False,
                          certificate_no="15052500099").id  # fmt: skip
        add_posting(username, code, role, title="监管员")
        session.rollback()
    house.learn()
    return key


def parcels(posting: int, receiver: int, keys: tuple[str, ...] | None = None) -> list[Parcel]:
    """All open rows of these kinds (or of all), as the person in context sees them."""
    left = left_by(posting)
    assert left is not None
    asked = [kind for kind in kinds() if not kind.charge.told and (keys is None or kind.key in keys)]
    return [Parcel(kind, receiver, tuple(open_rows(kind, left))) for kind in asked]


def charge_of(house: House, model: Any, *clauses: Any) -> dict[int, int | None]:
    with house.system() as session:
        return {row.id: row.handler_id for row in session.scalars(select(model).where(*clauses)).unique()}


def messages(house: House, username: str) -> list[str]:
    with house.system() as session:
        mine = Message.account_id == house.accounts[username]
        return list(session.scalars(select(Message.title).where(mine).order_by(Message.id)))


def end(house: House, username: str, kind: Leaving = Leaving.TRANSFERRED, **more: Any) -> Any:
    with house.acting("admin"):
        return end_posting(posting_of(house, username), kind, "调往八仙筒所", **more)


# -- what hangs on a person -------------------------------------------------------------------------------------------


def test_what_hangs_on_him_is_counted_by_kind(house: House) -> None:
    with house.acting("suo-a"):
        left = left_by(posting_of(house, "yuan-a"))
        assert left is not None and left.offices == {house.offices[A]}
        found = count_open(left)
    with house.system() as session:
        mine = Notice.drafter_id == house.accounts["yuan-a"]
        drafts = session.scalar(
            select(func.count(Notice.id)).where(mine, Notice.state.in_(("草稿", "待审核", "待签发")))
        )
        issued = session.scalar(select(func.count(Notice.id)).where(mine, Notice.state == NoticeState.SIGNED))
    assert found[UNSIGNED] == drafts and found[FOLLOWED] == issued
    assert found[UNSIGNED] and found[FOLLOWED]


def test_a_charge_that_names_what_is_not_there_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later entity joins by a line of declaration; a slip in it is found before anybody signs in."""
    assert {kind.cls.__name__ for kind in kinds()} >= {"Inspection", "Notice", "Delegation", "Assignment"}
    for kind in kinds():
        assert list(charge_problems(kind.cls)) == []
        if not (kind.charge.ends or kind.charge.told):
            assert inspect(kind.cls).columns[kind.charge.column].info["system"], "it moves by hand-over only"
    monkeypatch.setattr(Inspection, "__handover__", (Charge("检查", "nobody", states=("飞了",)),))
    assert [why.split(": ")[1] for why in charge_problems(Inspection)] == ["no column nobody", "unknown state 飞了"]


# -- ending -----------------------------------------------------------------------------------------------------------


def test_the_end_takes_effect_with_the_next_request_and_the_work_waits_for_the_chief(house: House) -> None:
    client = house.client("yuan-a")
    assert client.get("/inspections/").status_code == 200
    done = end(house, "yuan-a")
    assert done.open_rows and done.chief == "苏日娜" and not done.moved
    answer = client.get("/inspections/")
    assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login/"), "the session went with it"
    with house.acting("suo-a"):
        found = waiting(frozenset({house.offices[A]}))
        assert [(one.account.name, one.total) for one in found] == [("包文斌", done.open_rows)]
    with house.acting("suo-b"):
        assert waiting(frozenset({house.offices[B]})) == []
    assert any("包文斌" in one for one in messages(house, "suo-a"))
    assert not any("包文斌" in one for one in messages(house, "suo-b"))


def test_ending_twice_and_on_a_bad_day_and_without_a_reason_is_refused(house: House) -> None:
    posting, today = posting_of(house, "yuan-a"), clock.today()
    with house.acting("admin"):
        for kind, reason, day, field in (
            (Leaving.LEAVES, " ", None, "reason"),
            (Leaving.LEAVES, "甲" * 10_000, None, "reason"),
            (Leaving.SHARED, "改", None, "end_kind"),
            (Leaving.REVOKED, "改", today, "date_to"),
            (Leaving.LEAVES, "改", today - timedelta(days=1), "date_to"),
        ):
            with pytest.raises(Invalid) as caught:
                end_posting(posting, kind, reason, day)
            assert set(caught.value.fields) == {field}
        end_posting(posting, Leaving.LEAVES, "退休")
        with pytest.raises(Conflict):
            end_posting(posting, Leaving.LEAVES, "退休")
    with house.system() as session:
        row = session.get_one(Posting, posting)
        assert (row.end_kind, row.end_reason, row.date_to) == (Leaving.LEAVES, "退休", today)
        assert not row.holds(today)


def test_a_posting_that_ends_on_a_day_to_come_holds_until_then(house: House) -> None:
    day = clock.today() + timedelta(days=10)
    end(house, "yuan-a", last_day=day)
    assert house.client("yuan-a").get("/inspections/").status_code == 200
    with house.acting("suo-a"):
        assert waiting(frozenset({house.offices[A]})) == []
    assert any("将于" in one for one in messages(house, "suo-a"))


def test_only_who_administers_ends_and_nobody_his_own(house: House) -> None:
    for who, posting, error in (
        ("suo-a", "yuan-a", Forbidden), ("suo-b", "yuan-a", NotFound), ("yuan-a", "yuan-a", Forbidden),
        ("firm-a", "yuan-a", NotFound), ("admin", "admin", Forbidden),
    ):  # fmt: skip
        key = posting_of(house, posting)
        with house.acting(who), pytest.raises(error):
            end_posting(key, Leaving.LEAVES, "改")
    assert house.client("yuan-a").get("/inspections/").status_code == 200


def at_once(house: House, username: str, act: Callable[[], Any]) -> list[str]:
    """What two who do the same in the same moment are told."""
    told: list[str] = []
    start = threading.Barrier(2)

    def go() -> None:
        with house.acting(username):
            start.wait()
            try:
                act()
                told.append("done")
            except Conflict:
                told.append("conflict")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=go) for _ in range(2)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    return sorted(told)


def test_two_ending_the_same_posting_at_once_end_it_once(house: House) -> None:
    key = posting_of(house, "yuan-a")
    assert at_once(house, "admin", lambda: end_posting(key, Leaving.REVOKED, "撤销")) == ["conflict", "done"]
    with house.system() as session:
        assert session.scalar(select(func.count(Handover.id))) == 1


# -- 撤销 -------------------------------------------------------------------------------------------------------------


def test_on_revocation_all_goes_to_the_chief_in_the_same_act(house: House) -> None:
    chief = house.accounts["suo-a"]
    before = charge_of(house, Notice, Notice.drafter_id == house.accounts["yuan-a"])
    done = end(house, "yuan-a", Leaving.REVOKED)
    assert done.moved and done.chief == "苏日娜"
    with house.system() as session:
        made = session.scalars(select(Handover)).one()
        assert (made.account_id, made.supervisor_id, made.total, made.kept) == (chief, None, done.open_rows, 0)
        for notice in session.scalars(select(Notice).where(Notice.id.in_(before))).unique():
            assert notice.drafter_id == house.accounts["yuan-a"], "who drafted it stays who drafted it"
            open_now = notice.state in {"草稿", "待审核", "待签发", "已签发"}
            assert notice.handler_id == (chief if open_now else None)
    with house.acting("suo-a"):
        assert waiting(frozenset({house.offices[A]})) == []
        with pytest.raises(Conflict, match="不能退回"):
            run(current_session().get_one(Handover, made.id), "refuse", reason="太多")
        run(current_session().get_one(Handover, made.id), "accept")


def test_without_a_chief_it_goes_to_the_bureaus_leader_and_is_shown(house: House) -> None:
    with house.system() as session:
        account = session.get_one(Account, house.accounts["yuan-a"])
        assert chief_of(house.offices[A], account).username == "suo-a"  # type: ignore[union-attr]
    end(house, "suo-a", Leaving.LEAVES)
    done = end(house, "yuan-a", Leaving.REVOKED)
    assert done.moved and done.chief == "巴特尔"
    with house.acting("ju"):
        made = current_session().scalars(select(Handover)).one()
        assert made.account_id == house.accounts["ju"] and made.office_id == house.offices[A]


def test_with_nobody_up_to_the_root_it_waits(house: House) -> None:
    end(house, "suo-a", Leaving.LEAVES)
    end(house, "ju", Leaving.LEAVES)
    done = end(house, "yuan-a", Leaving.REVOKED)
    assert not done.moved and done.chief == "" and done.open_rows
    with house.system() as session:
        assert session.scalar(select(func.count(Handover.id))) == 0


def test_a_sealed_inspection_stays_unseen_by_the_chief(house: House) -> None:
    with house.system() as session, unit_of_work():
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A])).unique().first()
        assert visit is not None
        visit.state, visit.sealed, visit.approver_id = DRAFT, True, house.accounts["ju"]
        visit.inspector_id, visit.co_inspector_id = house.accounts["yuan-a"], house.accounts["ju"]  # not the chief
        key = visit.id
    with house.acting("suo-a"):
        left = left_by(posting_of(house, "yuan-a"))
        assert left is not None and DRAFTS not in count_open(left)
    end(house, "yuan-a", Leaving.REVOKED)
    with house.system() as session:
        assert session.get_one(Inspection, key).handler_id is None
        assert (
            session.scalar(
                select(HandoverLine.id).where(HandoverLine.row_id == key, HandoverLine.entity == "Inspection")
            )
            is None
        )


# -- handing over -----------------------------------------------------------------------------------------------------


def test_all_goes_to_a_colleague_with_history_message_and_paper(house: House) -> None:
    other = second_inspector(house)
    end(house, "yuan-a")
    posting = posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        made = hand_over(posting, parcels(posting, other), reason="由王建国接替")
        assert len(made) == 1 and made[0].kept == 0 and made[0].kind == Leaving.TRANSFERRED
        assert waiting(frozenset({house.offices[A]})) == []
        key, total = made[0].id, made[0].total
    assert any("包文斌" in one and str(total) in one for one in messages(house, "yuan-c"))
    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.entity == "Handover")).one()
        assert paper.row_id == key and len(paper.context["rows"]) == total
        line = session.scalars(select(HandoverLine).where(HandoverLine.entity == "Notice")).first()
        assert line is not None and line.outcome == Outcome.MOVED
        told = session.scalars(select(HistoryEntry.body).order_by(HistoryEntry.id.desc()).limit(5)).all()
        assert any("由王建国接替" in body and '"handler_id"' in body for body in told)
    with house.acting("yuan-c"):
        row = run(current_session().get_one(Handover, key), "accept")
        assert row.state == HandoverState.ACCEPTED and row.answered_at is not None
    with house.system():
        assert list(verify()) == []


def test_different_kinds_go_to_different_colleagues(house: House) -> None:
    other = second_inspector(house)
    posting, chief = posting_of(house, "yuan-a"), house.accounts["suo-a"]
    with house.acting("suo-a"):
        made = hand_over(
            posting, parcels(posting, other, (UNSIGNED,)) + parcels(posting, chief, (FOLLOWED,)), reason="分工"
        )
    assert {one.account_id for one in made} == {other, chief}
    assert {one.kind for one in made} == {Leaving.SHARED}, "he is still in office"


def test_who_may_not_take_it_gets_nothing(house: House) -> None:
    """Another station's inspector, a clerk for notices, the giver himself, a firm, nobody at all."""
    posting = posting_of(house, "yuan-a")
    for name in ("yuan-b", "neiqin-a", "yuan-a", "firm-a", "ju", "admin"):
        with house.acting("suo-a"), pytest.raises(Invalid):
            hand_over(posting, parcels(posting, house.accounts[name], (UNSIGNED,)), reason="改")
    with house.acting("suo-a"), pytest.raises(Invalid):
        hand_over(posting, parcels(posting, 999_999, (UNSIGNED,)), reason="改")
    with house.acting("suo-a"), pytest.raises(Invalid):
        hand_over(posting, [], reason="改")
    with house.system() as session:
        assert session.scalar(select(func.count(Handover.id))) == 0


def test_only_the_offices_own_chief_hands_over(house: House) -> None:
    other, posting = second_inspector(house), posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        chosen = parcels(posting, other)
    for who, error in (("suo-b", NotFound), ("yuan-c", NotFound), ("neiqin-a", NotFound), ("admin", Forbidden)):
        with house.acting(who), pytest.raises(error):
            hand_over(posting, chosen, reason="改")
    with house.acting("ju"):
        assert hand_over(posting, chosen, reason="局里安排")


def test_a_row_that_changed_meanwhile_is_told_and_not_overwritten(house: House) -> None:
    other, posting = second_inspector(house), posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        chosen = parcels(posting, other, (UNSIGNED,))
    key = chosen[0].rows[0][0]
    with house.acting("yuan-a"), unit_of_work():
        row = current_session().scalars(select(Notice).where(Notice.id == key)).unique().one()
        moved_on = row.state
        if moved_on == NoticeState.DRAFT:
            row.contact_person = "换人"
    if moved_on != NoticeState.DRAFT:
        pytest.fail("the first open notice of the demo is a draft")
    with house.acting("suo-a"):
        made = hand_over(posting, chosen, reason="移交")[0]
        assert (made.total, made.kept) == (len(chosen[0].rows) - 1, 1)
        outcomes = {line.row_id: line.outcome for line in made.items}
    assert outcomes[key] == Outcome.CHANGED
    with house.system() as session:
        row = session.get_one(Notice, key)
        assert row.handler_id is None and row.contact_person == "换人"


def test_rows_that_never_were_his_make_no_hand_over(house: House) -> None:
    """The other station's row and none at all are not there; a colleague's own, which the chief reads, is told."""
    other, posting = second_inspector(house), posting_of(house, "yuan-a")
    kind = next(kind for kind in kinds() if kind.key == UNSIGNED)
    with house.system() as session:
        foreign = session.scalars(select(Notice).where(Notice.office_id == house.offices[B])).unique().first()
        near = session.scalars(select(Notice).where(Notice.office_id == house.offices[A])).unique().all()
        assert foreign is not None
        strange = [(foreign.id, foreign.version), (10**15, 1)]
    with house.system() as session, unit_of_work():
        colleagues = session.get_one(Notice, near[-1].id)
        colleagues.drafter_id, colleagues.handler_id = other, None
        session.flush()
        near_seen = (colleagues.id, colleagues.version)
    with house.acting("suo-a"):
        good = parcels(posting, other, (UNSIGNED,))[0].rows
        for seen, error in ((strange[0], NotFound), (strange[1], NotFound), (near_seen, Invalid)):
            for rows in ((seen,), (*good, seen)):
                with pytest.raises(error):
                    hand_over(posting, [Parcel(kind, other, rows)], reason="改")
    with house.system() as session:
        counted = [session.scalar(select(func.count(one.id))) for one in (Handover, HandoverLine, IssuedDocument)]
        assert counted[:2] == [0, 0]
    assert charge_of(house, Notice, Notice.id == good[0][0])[good[0][0]] is None


def test_a_page_that_is_sent_again_makes_no_second_hand_over(house: House) -> None:
    """Nothing is left of it: no empty hand-over, no paper, no message; what still can go goes, the rest is told."""
    other, posting = second_inspector(house), posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        chosen = [one for one in parcels(posting, other) if one.rows]
        first = Parcel(chosen[0].kind, other, chosen[0].rows[:1])
        hand_over(posting, [first], reason="先交一件")
        made = hand_over(posting, chosen, reason="全部")[0]
        assert made.kept == 1, "the one that went before is told"
        assert made.total == sum(len(one.rows) for one in chosen) - 1
    before = snapshot(house)
    for _again in range(2):
        with house.acting("suo-a"), pytest.raises(Conflict, match="没有一件可以移交"):
            hand_over(posting, chosen, reason="全部")
    assert snapshot(house) == before
    with house.system():
        assert list(verify()) == []


def test_two_handing_the_same_over_at_once_make_one(house: House) -> None:
    other, posting = second_inspector(house), posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        chosen = parcels(posting, other)
    assert at_once(house, "suo-a", lambda: hand_over(posting, chosen, reason="移交")) == ["conflict", "done"]
    with house.system() as session:
        assert session.scalar(select(func.count(Handover.id))) == 1


def test_who_leads_takes_work_over_without_supervising_himself(house: House) -> None:
    posting, chief = posting_of(house, "yuan-a"), house.accounts["suo-a"]
    with house.acting("suo-a"):
        made = hand_over(posting, parcels(posting, chief), reason="由我接")[0]
        assert (made.account_id, made.supervisor_id) == (chief, None)
        with pytest.raises(Conflict, match="没有监交人"):
            run(current_session().get_one(Handover, made.id), "refuse", reason="太多")
    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.entity == "Handover")).one()
        assert paper.context["supervisor"] is None and paper.context["receiver"] == "苏日娜"


def test_who_took_over_neither_reviews_nor_signs_it_and_the_drafter_does_not_either(house: House) -> None:
    """包文斌 drafts, leaves, comes back as chief: the notice still is his. 王建国 took it over: it is his too."""
    other, posting = second_inspector(house, role="chief"), posting_of(house, "yuan-a")
    with house.system() as session:
        mine = (Notice.office_id == house.offices[A], Notice.state == NoticeState.IN_REVIEW)
        key = session.scalars(select(Notice.id).where(*mine)).first() or 0
    with house.acting("suo-a"):
        made = hand_over(posting, parcels(posting, other, (UNSIGNED,)), reason="移交")[0].id
    with house.acting("yuan-c"):
        with pytest.raises(Conflict, match="同一人"):
            run(current_session().get_one(Notice, key), "review")
        run(current_session().get_one(Handover, made), "accept")
    with house.acting("suo-a"):  # and on to the chief: who had it between still is no judge of it
        back = posting_of(house, "yuan-c")
        hand_over(back, parcels(back, house.accounts["suo-a"], (UNSIGNED,)), reason="再移交")
    with house.acting("yuan-c"), pytest.raises(Conflict, match="同一人"):
        run(current_session().get_one(Notice, key), "review")
    with house.system() as session, unit_of_work():
        session.get_one(Posting, posting).role_id = session.get_one(Posting, back).role_id
    with house.acting("yuan-a"), pytest.raises(Conflict, match="同一人"):
        run(current_session().get_one(Notice, key), "review")


def test_the_receiver_sends_it_back_and_it_waits_for_the_chief_again(house: House) -> None:
    other = second_inspector(house)
    end(house, "yuan-a")
    posting = posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        made = hand_over(posting, parcels(posting, other), reason="移交")[0]
        key, total = made.id, made.total
        with pytest.raises(Forbidden):
            run(made, "accept")
    for who in ("yuan-b", "neiqin-a"):
        with house.acting(who):
            assert current_session().get(Handover, key) is None
    with house.acting("yuan-c"):
        with pytest.raises(Invalid):
            run(current_session().get_one(Handover, key), "refuse", reason=" ")
        row = run(current_session().get_one(Handover, key), "refuse", reason="本月在外培训")
        assert row.state == HandoverState.REFUSED
    with house.acting("suo-a"):
        assert [one.total for one in waiting(frozenset({house.offices[A]}))] == [total]
        assert {line.outcome for line in current_session().get_one(Handover, key).items} == {Outcome.BACK}


def test_delegations_end_and_assignments_go_on_with_the_successor(house: House) -> None:
    other, today = second_inspector(house), clock.today()
    with house.acting("ju"):
        paper = Delegation(document="授权书", account=current_session().get_one(Account, house.accounts["yuan-a"]),
                           date_from=today - timedelta(days=9), date_to=today + timedelta(days=90))  # fmt: skip
        given = save(paper, Verb.CREATE).id
    with house.system() as session, unit_of_work():
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A])).unique().first()
        assert visit is not None
        session.add(Assignment(account_id=house.accounts["yuan-a"], entity="Inspection", row_id=visit.id,
                               date_from=today - timedelta(days=3)))  # fmt: skip
    end(house, "yuan-a")
    posting = posting_of(house, "yuan-a")
    with house.acting("yuan-a") as access:
        assert access.postings == (), "who holds no posting signs for nobody either"
    with house.acting("ju"):
        made = hand_over(posting, parcels(posting, other), reason="移交")[0]
        outcomes = {line.entity: line.outcome for line in made.items}
    assert outcomes["Delegation"] == Outcome.ENDED and outcomes["Assignment"] == Outcome.MOVED
    with house.system() as session:
        assert session.get_one(Delegation, given).date_to < today
        rows = {row.account_id: row for row in session.scalars(select(Assignment))}
        assert rows[house.accounts["yuan-a"]].date_to == today - timedelta(days=1)
        assert (rows[other].date_from, rows[other].date_to) == (today, None)


def test_a_second_posting_that_covers_the_office_keeps_the_work(house: House) -> None:
    from app.services.office import add_posting

    with house.system():
        add_posting("yuan-a", A, "clerk", title="内勤")
    end(house, "yuan-a")
    with house.acting("suo-a"):
        assert waiting(frozenset({house.offices[A]})) == []


def test_a_posting_that_runs_out_and_a_closed_account_leave_work_waiting(house: House) -> None:
    with house.system() as session, unit_of_work():
        session.get_one(Posting, posting_of(house, "yuan-a")).date_to = clock.today() - timedelta(days=1)
    with house.acting("admin"), unit_of_work():
        account = current_session().get_one(Account, house.accounts["yuan-b"])
        account.active = False
        save(account, Verb.UPDATE)
    for chief, code, name in (("suo-a", A, "包文斌"), ("suo-b", B, "李春梅")):
        with house.acting(chief):
            assert [one.account.name for one in waiting(frozenset({house.offices[code]}))] == [name]
    assert any("账号已停用" in one for one in messages(house, "suo-b"))
    assert not any("账号已停用" in one for one in messages(house, "suo-a"))


# -- all or nothing ---------------------------------------------------------------------------------------------------


def snapshot(house: House) -> tuple[Any, ...]:
    with house.system() as session:
        handlers = [
            (row.id, row.handler_id)
            for row in session.execute(select(Notice.id, Notice.handler_id).order_by(Notice.id))
        ]
        counts = [
            session.scalar(select(func.count(model.id))) for model in (Handover, HandoverLine, IssuedDocument, Message)
        ]
        posting = session.get_one(Posting, posting_of(house, "yuan-a"))
        return (*handlers, *counts, posting.ended_at)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_killed_in_the_midst_nothing_is_half_moved(house: House, at: int) -> None:
    """The process is gone at a flush in the middle of a revocation: no row moved, the posting holds."""
    before = snapshot(house)
    with house.app.app_context():
        db.session.remove()
        db.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            count = [0]

            def die(_session: Any, _context: Any) -> None:
                count[0] += 1
                if count[0] == at:
                    os._exit(9)

            with house.acting("admin"):
                key = posting_of(house, "yuan-a")
                event.listen(AppSession, "after_flush", die)
                end_posting(key, Leaving.REVOKED, "撤销")
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9, "killed where it was meant to be"
    assert snapshot(house) == before
    assert end(house, "yuan-a", Leaving.REVOKED).moved


def test_more_rows_than_one_paper_holds_go_in_one_act(house: House) -> None:
    """1,050 drafts of one person: in pieces of 500, on two papers, one hand-over."""
    other, posting = second_inspector(house), posting_of(house, "yuan-a")
    make_drafts(house, 1_050)
    with house.acting("suo-a"):
        made = hand_over(posting, parcels(posting, other, (DRAFTS,)), reason="移交")[0]
        assert (made.total, made.kept) == (1_050, 0)
    with house.system() as session:
        papers = session.scalars(select(IssuedDocument).where(IssuedDocument.entity == "Handover")).all()
        assert [len(one.context["rows"]) for one in papers] == [1_000, 50]
        assert session.scalar(select(func.count(Inspection.id)).where(Inspection.handler_id == other)) == 1_050
        assert list(verify()) == []


def make_drafts(house: House, count: int) -> None:
    """That many unfinished inspections of 包文斌's."""
    with house.system() as session, unit_of_work(Verb.CREATE, "test"):
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A])).unique().first()
        assert visit is not None
        for row in session.scalars(select(Inspection).where(Inspection.state == DRAFT)).unique():
            row.state = "已作废"
        for _ in range(count):
            session.add(Inspection(
                site_id=visit.site_id, date=visit.date, kind=visit.kind, selection=visit.selection, place=visit.place,
                inspector_id=house.accounts["yuan-a"], co_inspector_id=house.accounts["suo-a"], state=DRAFT,
            ))  # fmt: skip

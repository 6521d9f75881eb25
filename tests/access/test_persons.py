"""Who wrote it does not judge it: drafter and reviewer, drafter and signer, reporter and confirmer, as persons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.office import Account
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.workflow import reasons_against, run
from app.core.writing import unit_of_work
from app.data.enums import ClosureKind
from app.data.enums import NoticeState as S
from app.models.enterprise import Site
from app.models.licence import Closure
from app.models.rectification import Delegation, Notice
from tests.support.house import House
from tests.support.rights import CATERING, MAKING, W, change, link, post, scene, unpost

GOES, OTHER, NOT_HIS, UNSEEN = "goes", "another person", "no right", "sees nothing"

# drafter, others who wrote at it, state, who acts, step, what comes of it
TABLE = [
    ("yuan-a", [], S.IN_REVIEW, "suo-a", "review", GOES),
    ("yuan-a", [], S.IN_REVIEW, "gu-canyin", "review", GOES),
    ("yuan-a", [], S.IN_REVIEW, "yuan-a", "review", NOT_HIS),
    ("yuan-a", [], S.IN_REVIEW, "suo-b", "review", UNSEEN),
    # a chief drafts: the review goes to the section of the line or the legal section, not to himself
    ("suo-a", [], S.IN_REVIEW, "suo-a", "review", OTHER),
    ("suo-a", [], S.IN_REVIEW, "gu-canyin", "review", GOES),
    ("suo-a", [], S.IN_REVIEW, "fagui", "review", GOES),
    # a chief who rewrote the draft of another wrote it too
    ("yuan-a", ["suo-a"], S.IN_REVIEW, "suo-a", "review", OTHER),
    ("yuan-a", ["suo-a"], S.IN_REVIEW, "gu-canyin", "review", GOES),
    # signing
    ("yuan-a", [], S.TO_SIGN, "ju", "sign", GOES),
    ("ju", [], S.TO_SIGN, "ju", "sign", OTHER),
    ("yuan-a", ["ju"], S.TO_SIGN, "ju", "sign", OTHER),
    ("yuan-a", [], S.TO_SIGN, "suo-a", "sign", NOT_HIS),
    # returning is no judgement of one's own text: a drafter who reviews may still take it back
    ("suo-a", [], S.IN_REVIEW, "suo-a", "return_draft", GOES),
]


def verdict(house: House, who: str, key: int, step: str) -> str:
    """What stands in the way of a step: nothing, the person, the rights. Nothing is written."""
    with house.acting(who):
        try:
            transition = Notice.__workflow__.named(step)
            row = fetch(Notice, key, transition.verb)
        except Forbidden:
            return NOT_HIS
        except NotFound:
            return UNSEEN
        return OTHER if any("同一人" in why for why in reasons_against(row, transition)) else GOES


def notice(house: House, drafter: str, writers: list[str], state: str) -> int:
    what = scene(house)["A catering notice"]
    keys = [house.accounts[one] for one in writers]
    change(house, what, drafter_id=house.accounts[drafter], writers=keys, state=state)
    return what[1]


@pytest.mark.parametrize(("drafter", "writers", "state", "who", "step", "expected"), TABLE)
def test_who_may_judge(
    house: House, drafter: str, writers: list[str], state: str, who: str, step: str, expected: str
) -> None:
    assert verdict(house, who, notice(house, drafter, writers, state), step) == expected


# two accounts of one person: the drafter's other account judges no more than the drafter's own
@pytest.mark.parametrize(("linked", "who", "state", "step"), [
    (("yuan-a", "gu-canyin"), "gu-canyin", S.IN_REVIEW, "review"),
    (("yuan-a", "ju"), "ju", S.TO_SIGN, "sign"),
])  # fmt: skip
def test_linked_accounts_are_one_person(house: House, linked: tuple[str, str], who: str, state: str, step: str) -> None:
    key = notice(house, "yuan-a", [], state)
    assert verdict(house, who, key, step) == GOES
    link(house, *linked)
    assert verdict(house, who, key, step) == OTHER


def test_it_counts_even_when_the_other_account_cannot_be_read(house: House) -> None:
    """The leader's second account moved to the city: nobody here reads it, and it is the drafter's all the same."""
    key = notice(house, "yuan-a", [], S.TO_SIGN)
    link(house, "yuan-a", "ju")
    change(house, (Account, house.accounts["yuan-a"]), office_id=house.offices["1505"])
    assert verdict(house, "ju", key, "sign") == OTHER


# who holds a delegation signs others' drafts, not his own, nor those of his other account
@pytest.mark.parametrize(("delegate", "linked", "expected"), [
    ("suo-b", None, GOES), ("yuan-a", None, OTHER), ("suo-b", ("suo-b", "yuan-a"), OTHER),
])  # fmt: skip
def test_a_delegate_signs_no_draft_of_his_own(
    house: House, delegate: str, linked: tuple[str, str] | None, expected: str
) -> None:
    key = notice(house, "yuan-a", [], S.TO_SIGN)
    today = clock.today()
    with house.system() as session, unit_of_work():
        session.add(Delegation(
            account_id=house.accounts[delegate], office_id=house.offices["150525"], document="授权〔2026〕1号",
            date_from=today, date_to=today,
        ))  # fmt: skip
    if linked:
        link(house, *linked)
    assert verdict(house, delegate, key, "sign") == expected


def test_whoever_changes_the_text_has_written_it(house: House) -> None:
    key = scene(house)["A catering notice"][1]

    def rewrite(who: str, **values: Any) -> list[int]:
        with house.acting(who):
            with unit_of_work():
                row = fetch(Notice, key, W)
                for name, value in values.items():
                    setattr(row, name, value)
                save(row, W)
            return list(current_session().get_one(Notice, key).writers or [])

    assert rewrite("suo-a") == [], "saving without a change is reading"
    assert rewrite("suo-a", conduct="另写的经过") == [house.accounts["suo-a"]]
    assert rewrite("yuan-a", conduct="再改") == [house.accounts["suo-a"], house.accounts["yuan-a"]]


def test_who_declares_a_closure_does_not_confirm_it(house: House) -> None:
    with house.acting("suo-a"):
        site = current_session().scalars(select(Site).order_by(Site.id.desc()).limit(1)).one()
        start = clock.today() + timedelta(days=300)
        one = Closure(site=site, kind=ClosureKind.CLOSED, date_from=start, date_to=start, reason="装修")
        key = save(one, Verb.CREATE, accepted=EVERYTHING).id
        with pytest.raises(Conflict):
            run(fetch(Closure, key), "confirm")
    with house.acting("yuan-a"):
        run(fetch(Closure, key), "confirm")


# one who is posted to the section as well as to the station
def test_a_drafter_who_also_sits_in_the_section_does_not_review_there(house: House) -> None:
    key = notice(house, "suo-a", [], S.IN_REVIEW)
    post(house, "suo-a", "section", "150525-G2", lines=CATERING)
    assert verdict(house, "suo-a", key, "review") == OTHER
    unpost(house, "gu-canyin")
    post(house, "gu-canyin", "section", "150525-G2", lines=MAKING)
    assert verdict(house, "gu-canyin", key, "review") == UNSEEN

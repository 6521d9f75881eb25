"""A role reads from which state on: below it a row is not there, wherever one looks."""

from __future__ import annotations

import pytest

from app.core.access.policy import Coverage, Grant
from app.core.verbs import Verb
from app.data.enums import NoticeState as S
from tests.support.house import House
from tests.support.rights import MAY, NOTHING, READS, R, appoint, change, outcome, post, role, scene

SERVED = (S.DELIVERED, S.CORRECTING, S.TO_RECHECK, S.CORRECTED, S.NOT_CORRECTED, S.EXTENDED)
FROM_SIGNING = (S.TO_SIGN, S.SIGNED, *SERVED)

# state, the city bureau (reads from 待签发 on), the firm (from service on), a delegate (from review on), the station
READING = [
    (S.DRAFT, NOTHING, NOTHING, MAY),
    (S.IN_REVIEW, NOTHING, NOTHING, MAY),
    (S.TO_SIGN, MAY, NOTHING, MAY),
    (S.SIGNED, MAY, NOTHING, MAY),
    (S.DELIVERED, MAY, MAY, MAY),
    (S.CORRECTING, MAY, MAY, MAY),
    (S.CORRECTED, MAY, MAY, MAY),
    (S.EXTENDED, MAY, MAY, MAY),
    (S.WITHDRAWN, NOTHING, NOTHING, MAY),
    (S.VOID, NOTHING, NOTHING, MAY),
]

# state, who, verb: a step is taken only in the states that its grant names
STEPS = [
    (S.DRAFT, "yuan-a", Verb.UPDATE, MAY),
    (S.IN_REVIEW, "yuan-a", Verb.UPDATE, READS),
    (S.SIGNED, "yuan-a", Verb.UPDATE, READS),
    (S.DRAFT, "gu-canyin", Verb.REVIEW, READS),
    (S.IN_REVIEW, "gu-canyin", Verb.REVIEW, MAY),
    (S.TO_SIGN, "gu-canyin", Verb.REVIEW, READS),
    (S.IN_REVIEW, "ju", Verb.SIGN, READS),
    (S.TO_SIGN, "ju", Verb.SIGN, MAY),
    (S.SIGNED, "ju", Verb.SIGN, READS),
    (S.SIGNED, "yuan-a", Verb.SERVE, MAY),
    (S.TO_SIGN, "yuan-a", Verb.SERVE, READS),
    (S.SIGNED, "yuan-b", Verb.SERVE, NOTHING),
]


@pytest.mark.parametrize(("state", "city", "firm", "station"), READING)
def test_who_reads_a_notice_in_which_state(house: House, state: str, city: str, firm: str, station: str) -> None:
    rows = scene(house)
    role(house, "city reader", [Grant("Notice", (Verb.READ,), Coverage.SUBTREE, FROM_SIGNING)])
    post(house, "shi", "city reader", "city")
    appoint(house, "firm-a", rows["A catering firm"], "主要负责人")
    change(house, rows["A catering notice"], state=state)
    found = [outcome(house, who, rows["A catering notice"], R) for who in ("shi", "firm-a", "suo-a")]
    assert found == [city, firm, station]


@pytest.mark.parametrize(("state", "who", "verb", "expected"), STEPS)
def test_a_step_is_for_its_states(house: House, state: str, who: str, verb: Verb, expected: str) -> None:
    rows = scene(house)
    change(house, rows["A catering notice"], state=state)
    assert outcome(house, who, rows["A catering notice"], verb) == expected

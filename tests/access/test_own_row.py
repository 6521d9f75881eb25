"""A verb counts on the row's own office and line: chief here, reader there; no more than the line one is posted for."""

from __future__ import annotations

import pytest

from app.core.db import current_session
from app.core.errors import AccessRefused
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Site
from tests.support.house import House
from tests.support.rights import CATERING, MAKING, MAY, NOTHING, READS, R, W, outcome, post, scene, unpost

# suo-a is chief at A for catering, assistant at B for making, and nothing else
TABLE = [
    ("A catering site", R, MAY),
    ("A catering site", W, MAY),
    ("A catering notice", Verb.SUBMIT, MAY),
    ("A making site", R, NOTHING),
    ("A making site", W, NOTHING),
    ("B making site", R, MAY),
    ("B making site", W, READS),
    ("B making notice", Verb.SUBMIT, READS),
    ("B making visit", Verb.COMPLETE, READS),
    ("B making firm", Verb.REVEAL, READS),
    ("B making firm", Verb.EXPORT, READS),
    ("B catering site", R, NOTHING),
    ("B catering site", W, NOTHING),
    ("B catering notice", Verb.SUBMIT, NOTHING),
]


def twofold(house: House) -> None:
    unpost(house, "suo-a")
    post(house, "suo-a", "chief", "A", lines=CATERING)
    post(house, "suo-a", "assistant", "B", lines=MAKING)


def test_chief_here_for_one_line_and_reader_there_for_another(house: House) -> None:
    rows = scene(house)
    twofold(house)
    assert [(what, verb, outcome(house, "suo-a", rows[what], verb)) for what, verb, _word in TABLE] == TABLE


@pytest.mark.parametrize(("what", "expected"), [(what, word) for what, verb, word in TABLE if verb is W])
def test_the_flush_judges_as_the_page_does(house: House, what: str, expected: str) -> None:
    rows = scene(house)
    twofold(house)
    key = rows[what][1]
    with house.acting("suo-a"):
        if expected == NOTHING:
            assert current_session().get(Site, key) is None
            return
        if expected == MAY:
            with unit_of_work() as session:
                session.get_one(Site, key).address = "改过的地址"
            return
        with pytest.raises(AccessRefused), unit_of_work() as session:
            session.get_one(Site, key).address = "改过的地址"


# A posting counts from its first day to its last, both included
DAYS = [((-5, None), MAY), ((0, 0), MAY), ((-5, 0), MAY), ((-5, -1), NOTHING), ((1, None), NOTHING)]


@pytest.mark.parametrize(("days", "expected"), DAYS)
def test_a_posting_counts_on_its_days(house: House, days: tuple[int, int | None], expected: str) -> None:
    rows = scene(house)
    unpost(house, "yuan-b")
    post(house, "yuan-b", "inspector", "A", since=days[0], until=days[1])
    assert outcome(house, "yuan-b", rows["A making site"], W) == expected

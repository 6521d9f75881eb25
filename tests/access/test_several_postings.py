"""One person with several postings: the union of what they reach, and nothing of one on the rows of another."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.core.access.fetch import fetch
from app.core.access.policy import Coverage as C  # noqa: N817 - a table of roles stays readable
from app.core.access.policy import Grant
from app.core.errors import AccessRefused
from app.core.office import AccessRole
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from tests.support.house import House
from tests.support.rights import CATERING, MAKING, MAY, NOTHING, READS, R, W, outcome, post, role, scene, unpost

FIRM = (Verb.READ, Verb.UPDATE, Verb.EXPORT)
# the postings of one person (role, station, lines), then: may the firm's telephone be seen? may it be changed?
# "blind" is a role that hides telephones, "careful" one that only reads them, "open" one that withholds nothing
COLUMNS = [
    ([("open", "A", 0)], True, True),
    ([("blind", "A", 0)], False, False),
    ([("careful", "A", 0)], True, False),
    # open here, blind there: seen nowhere, or the list would tell what the cell leaves out
    ([("open", "A", 0), ("blind", "B", 0)], False, False),
    ([("open", "A", 0), ("careful", "B", 0)], True, False),
    # the wider posting shows all that the narrower one reaches
    ([("open", "bureau", 0), ("blind", "B", 0)], True, True),
    ([("open", "A", 0), ("blind", "A", CATERING)], True, True),
    ([("open", "A", CATERING), ("blind", "A", 0)], False, False),
    ([("open", "A", CATERING), ("blind", "A", MAKING)], False, False),
    ([("open", "bureau", CATERING), ("careful", "A", CATERING)], True, True),
    # a posting that reads nothing of firms shows no telephone of a firm
    ([("blind", "A", 0), ("elsewhere", "A", 0)], False, False),
    ([("blind", "A", 0), ("reader", "A", 0)], True, False),
]


def roles(house: House) -> None:
    firm = [Grant("Enterprise", FIRM, C.SUBTREE), Grant("Site", (R,), C.SUBTREE)]
    role(house, "open", firm)
    role(house, "blind", firm, hidden={"Enterprise": ["phone"]})
    role(house, "careful", firm, readonly={"Enterprise": ["phone"]})
    role(house, "reader", [Grant("Enterprise", (R,), C.SUBTREE)])
    role(house, "elsewhere", [Grant("Inspection", (R,), C.SUBTREE)])


@pytest.mark.parametrize(("postings", "seen", "changed"), COLUMNS)
def test_a_column_is_withheld_unless_a_posting_shows_it_on_all_those_rows(
    house: House, postings: list[tuple[str, str, int]], seen: bool, changed: bool
) -> None:
    roles(house)
    unpost(house, "yuan-a")
    for code, station, lines in postings:
        post(house, "yuan-a", code, station, lines=lines)
    with house.acting("yuan-a") as access:
        assert ("phone" not in access.hidden("Enterprise")) is seen
        assert ("phone" not in access.readonly("Enterprise")) is changed


def test_what_is_read_only_there_is_not_changed_there(house: House) -> None:
    rows = scene(house)
    roles(house)
    unpost(house, "yuan-a")
    post(house, "yuan-a", "open", "A")
    post(house, "yuan-a", "careful", "B")
    with house.acting("yuan-a"), pytest.raises(AccessRefused), unit_of_work():
        fetch(Enterprise, rows["B catering firm"][1], W).phone = "0475-1234567"
    form = {"name": "B站catering店", "state": "正常", "version": 1, "phone": "0475-1234567"}
    house.client("yuan-a").post(f"/enterprises/{rows['B catering firm'][1]}/edit", data=form)
    with house.system() as session:
        assert session.get_one(Enterprise, rows["B catering firm"][1]).phone is None


# yuan-a: inspector at A, clerk at B, legal section besides: each verb where the posting that gives it reaches
UNION = [
    ("A catering visit", W, MAY),
    ("A catering notice", Verb.SUBMIT, MAY),
    ("A catering notice", Verb.REVIEW, READS),
    ("B catering site", W, MAY),
    ("B catering visit", W, READS),
    ("B catering visit", R, MAY),
    ("B catering notice", Verb.SUBMIT, READS),
    ("B making firm", Verb.REVEAL, MAY),
]


def test_the_union_of_postings(house: House) -> None:
    rows = scene(house)
    post(house, "yuan-a", "clerk", "B")
    assert [(what, verb, outcome(house, "yuan-a", rows[what], verb)) for what, verb, _word in UNION] == UNION


def test_a_new_row_is_made_where_the_posting_that_makes_it_is(house: House) -> None:
    """Reader at the bureau, clerk at B: a new firm is B's, whatever ranks higher."""
    unpost(house, "yuan-a")
    role(house, "observer", [Grant("Enterprise", (R,), C.SUBTREE)])
    with house.system() as session, unit_of_work():
        session.scalars(select(AccessRole).where(AccessRole.code == "observer")).one().rank = 99
    post(house, "yuan-a", "observer", "bureau")
    post(house, "yuan-a", "clerk", "B")
    answer: Any = house.client("yuan-a").post("/enterprises/add", data={"name": "新店", "state": "正常"})
    assert answer.status_code == 302
    with house.system() as session:
        made = session.scalars(select(Enterprise).where(Enterprise.name == "新店")).one()
        assert made.office_id == house.offices["150525-S02"]


def test_ended_postings_leave_the_others(house: House) -> None:
    rows = scene(house)
    unpost(house, "yuan-a")
    post(house, "yuan-a", "inspector", "A", until=-1)
    post(house, "yuan-a", "assistant", "B")
    assert outcome(house, "yuan-a", rows["A catering site"], R) == NOTHING
    assert outcome(house, "yuan-a", rows["B catering site"], R) == MAY
    assert outcome(house, "yuan-a", rows["B catering site"], W) == READS

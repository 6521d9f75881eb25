"""Coverage: what each kind of reach reads. A row of the table: who, what, what comes of opening it."""

from __future__ import annotations

from app.core.access.policy import Coverage, Grant
from app.core.office import Account
from app.core.verbs import Verb
from tests.support.house import House
from tests.support.rights import MAY, NOTHING, appoint, outcome, post, put_to, role, scene, unpost

TABLE = [
    # subtree: the office and all below it
    ("yuan-a", "A catering site", MAY),
    ("yuan-a", "A making site", MAY),
    ("yuan-a", "B catering site", NOTHING),
    ("ju", "A making visit", MAY),
    ("ju", "B catering notice", MAY),
    # supervised: the parent office's subtree, in the line of the section; the task force has all lines
    ("gu-canyin", "A catering firm", MAY),
    ("gu-canyin", "B catering visit", MAY),
    ("gu-canyin", "A making firm", NOTHING),
    ("gu-canyin", "B making notice", NOTHING),
    ("fagui", "B making notice", MAY),
    ("zhuanban", "A making site", MAY),
    # firm: where one holds an appointment in force
    ("firm-a", "A catering firm", MAY),
    ("firm-a", "A catering site", MAY),
    ("firm-a", "A catering visit", NOTHING),  # inspections are not the firm's to read
    ("firm-a", "A making firm", NOTHING),
    ("firm-b", "A catering firm", NOTHING),
    # assigned: the row one is put to, and its firm and site
    ("yuan-b", "A making visit", MAY),
    ("yuan-b", "A making site", MAY),
    ("yuan-b", "A making firm", MAY),
    ("yuan-b", "A making notice", NOTHING),
    ("yuan-b", "A catering visit", NOTHING),
    # nobody else has business with them
    ("admin", "A catering site", NOTHING),
    ("audit", "A catering site", NOTHING),
    ("shi", "A catering site", NOTHING),
]


def test_who_reads_what(house: House) -> None:
    rows = scene(house)
    appoint(house, "firm-a", rows["A catering firm"], "食品安全员")
    put_to(house, "yuan-b", rows["A making visit"])
    found = [(who, what, outcome(house, who, rows[what], Verb.READ)) for who, what, _expected in TABLE]
    assert found == TABLE


def test_own_is_ones_own_row_whatever_ones_rank(house: House) -> None:
    role(house, "selfish", [Grant("Account", (Verb.READ,), Coverage.OWN)])
    unpost(house, "ju")
    post(house, "ju", "selfish", "bureau")
    mine, other = house.accounts["ju"], house.accounts["yuan-a"]
    assert outcome(house, "ju", (Account, mine), Verb.READ) == MAY
    assert outcome(house, "ju", (Account, other), Verb.READ) == NOTHING


def test_all_is_for_what_no_office_owns(house: House) -> None:
    from app.models.holiday import Holiday

    with house.system() as session:
        key = session.query(Holiday.id).order_by(Holiday.id).first()[0]
    table = [("fagui", MAY), ("yuan-a", "reads only"), ("firm-b", "reads only")]
    assert [(who, outcome(house, who, (Holiday, key), Verb.UPDATE)) for who, _word in table] == table

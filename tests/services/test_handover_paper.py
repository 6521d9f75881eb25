"""移交清单 tell nobody more than he may know: sealed visits, hidden columns, papers that outlive what was open."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.document import IssuedDocument, render_document
from app.core.handover import neutral_name
from app.core.office import AccessRole
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.inspection import DRAFT, Inspection
from app.models.rectification import Notice
from app.services.handover import hand_over
from tests.core.pdf.papers import text
from tests.services.test_handover import DRAFTS, UNSIGNED, parcels, posting_of, second_inspector
from tests.support.house import A, House


def planned(house: House, *, sealed: int = 0, count: int = 3) -> dict[int, str]:
    """Unfinished visits of 包文斌's with the chief, the first of them sealed; what each is called."""
    with house.system() as session, unit_of_work():
        found = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A])).unique().all()
        for number, visit in enumerate(found[:count]):
            visit.state, visit.sealed, visit.approver_id = DRAFT, number < sealed, house.accounts["suo-a"]
            visit.inspector_id, visit.co_inspector_id = house.accounts["yuan-a"], house.accounts["suo-a"]
        session.flush()
        return {visit.id: str(visit) for visit in found[:count]}


def handed(house: House, receiver: int, *keys: str) -> IssuedDocument:
    """The chief hands these kinds over; the paper that was made."""
    posting = posting_of(house, "yuan-a")
    with house.acting("suo-a"):
        hand_over(posting, parcels(posting, receiver, keys or None), reason="移交")
    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.entity == "Handover")).one()
        session.expunge(paper)
        return paper


def called(house: House, paper: IssuedDocument) -> set[str]:
    with house.system() as session:
        return {row["name"] for row in session.get_one(IssuedDocument, paper.id).context["rows"]}


def opened(house: House, who: str, paper: IssuedDocument) -> set[int]:
    """The answers to whoever opens the page and the two files."""
    client, base = house.client(who), f"/documents/{paper.public_id}"
    return {client.get(url).status_code for url in (base, f"{base}/original.pdf", f"{base}/download")}


def test_a_sealed_visit_goes_by_its_number_on_the_paper(house: House) -> None:
    """The chief sealed it and reads it; neither the receiver nor the bureau's leader does, and the paper is theirs."""
    visits = planned(house, sealed=2)
    (first, name), (second, other_name), (_third, open_name) = visits.items()
    paper = handed(house, second_inspector(house), DRAFTS)
    numbers = {neutral_name("Inspection", key) for key in (first, second)}
    assert called(house, paper) >= numbers | {open_name}
    assert not called(house, paper) & {name, other_name}
    with house.system():
        render_document(paper.id)
    for who in ("yuan-c", "ju"):
        assert {house.client(who).get(f"/inspections/{key}").status_code for key in (first, second)} == {404}, who
        answer = house.client(who).get(f"/documents/{paper.public_id}/original.pdf")
        shown = "".join(text(answer.data).split())
        assert answer.status_code == 200 and all("".join(one.split()) in shown for one in (*numbers, open_name)), who
        assert "".join(name.split()) not in shown and "".join(other_name.split()) not in shown, who


def test_what_the_receiver_may_not_read_goes_by_its_number(house: House) -> None:
    """A column that is hidden from the receiver, or from the giver, is in no name on the paper they sign."""
    planned(house)
    other = second_inspector(house)
    with house.system() as session, unit_of_work(Verb.UPDATE, "test"):
        role = session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one()
        role.hidden = {"Notice": ["party"]}
    names = called(house, handed(house, other, DRAFTS, UNSIGNED))
    with house.system() as session:
        parties = set(session.scalars(select(Notice.party)))
        visits = {str(one) for one in session.scalars(select(Inspection)).unique()}
    assert names & visits, "a visit keeps its name"
    assert not [name for name in names - visits for party in parties if party in name]


def test_a_paper_is_closed_to_who_may_not_read_what_it_names_today(house: House) -> None:
    """Named while it was open, sealed afterwards: who signed the list was told then; the leader was not."""
    visits = planned(house)
    paper = handed(house, second_inspector(house), DRAFTS)
    assert called(house, paper) >= set(visits.values())
    with house.system():
        render_document(paper.id)
    assert opened(house, "ju", paper) == {200}
    with house.system() as session, unit_of_work():
        session.get_one(Inspection, min(visits)).sealed = True
    assert opened(house, "ju", paper) == {403}
    assert opened(house, "yuan-c", paper) == opened(house, "suo-a", paper) == {200}
    assert opened(house, "suo-b", paper) == {404}


@pytest.mark.parametrize("hidden", [{"Inspection": ["date"]}, {"Inspection": ["site"]}, {"Site": ["name"]}])
def test_a_paper_is_closed_to_who_is_not_shown_the_names(house: House, hidden: dict[str, list[str]]) -> None:
    planned(house)
    paper = handed(house, second_inspector(house), DRAFTS)
    with house.system():
        render_document(paper.id)
    with house.system() as session, unit_of_work(Verb.UPDATE, "test"):
        session.scalars(select(AccessRole).where(AccessRole.code == "leader")).one().hidden = hidden
    assert opened(house, "ju", paper) == {403}
    assert opened(house, "suo-a", paper) == {200}

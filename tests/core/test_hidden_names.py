"""A row's own name shows no column that is hidden from who reads it; nobody reads a person by pointing at them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.core.db import current_session
from app.core.entity import registry
from app.core.errors import AccessRefused
from app.core.office import AccessRole
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from app.models.inspection import Finding
from app.models.personnel import Appointment, Person
from app.models.rectification import Notice
from tests.support.house import A, B, House


def hide(house: House, role: str, hidden: dict[str, list[str]]) -> None:
    with house.system() as session, unit_of_work(Verb.UPDATE, "test"):
        session.scalars(select(AccessRole).where(AccessRole.code == role)).one().hidden = hidden


def test_a_hidden_column_is_no_part_of_a_name(house: House) -> None:
    with house.system() as session:
        named = {
            row.id: str(row) for row in session.scalars(select(Notice).where(Notice.office_id == house.offices[A]))
        }
        parties = {row.id: row.party for row in session.scalars(select(Notice))}
    hide(house, "inspector", {"Notice": ["party"], "Finding": ["fact"], "Inspection": ["date"]})
    with house.acting("yuan-a"):
        rows = list(current_session().scalars(select(Notice)))
        assert rows and all(parties[row.id] not in str(row) and str(row) for row in rows)
        assert {str(row) for row in current_session().scalars(select(Finding))} <= {
            f"{Finding.__label__} {key}" for key in current_session().scalars(select(Finding.id))
        }
        visit = current_session().scalars(select(registry()["Inspection"])).first()
        assert str(visit) == f"{visit.__label__} {visit.id}", "a date that is hidden leaves no half of a name"
    with house.acting("suo-a"):
        assert {row.id: str(row) for row in current_session().scalars(select(Notice))} == named


def test_nobody_reads_a_person_by_appointing_them(house: House) -> None:
    """An own firm's appointment would make the other station's person readable: judged before it is written."""
    with house.system() as session:
        stranger = session.scalars(select(Person.id).where(Person.office_id == house.offices[B])).first()
        firm = session.scalars(select(Enterprise.id).where(Enterprise.office_id == house.offices[A])).first()
        own = session.scalars(select(Person.id).where(Person.office_id == house.offices[A])).first()
    values = {"enterprise_id": firm, "role": "食品安全员", "date_from": date(2026, 1, 1)}
    with house.acting("yuan-a"):
        with pytest.raises(AccessRefused), unit_of_work(Verb.CREATE) as session:
            session.add(Appointment(person_id=stranger, **values))
            session.flush()
        assert current_session().scalar(select(Person.id).where(Person.id == stranger)) is None
        with unit_of_work(Verb.CREATE) as session:
            session.add(Appointment(person_id=own, **values))

"""What a form does with columns that may not be empty, may not be changed, or are not there."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.core.office import AccessRole
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from tests.support.house import A, House


def firm_of(house: House, office: str) -> Enterprise:
    with house.system() as session:
        found = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[office])).first()
    assert found is not None
    return found


def change_role(house: House, code: str, **changes: Any) -> None:
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == code)).one()
        for name, value in changes.items():
            setattr(role, name, value)


@pytest.mark.parametrize("key", ["%00", "A" * 21 + "%00", "A" * 5_000, "%ff%fe", "中文", "A" * 23])
def test_what_could_be_no_public_id_is_not_asked_of_the_database(house: House, key: str) -> None:
    """PostgreSQL refuses a NUL in a text; and an id with something behind it is another id."""
    client = house.client("yuan-a")
    assert client.get(f"/documents/{key}").status_code == 404
    assert client.get(f"/verify/{key}").status_code == 404

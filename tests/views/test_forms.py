"""What a form does with columns that may not be empty, may not be changed, or are not there."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.core.office import AccessRole, Office
from app.core.writing import unit_of_work
from app.models.area import Area
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


def test_a_text_that_is_never_empty_in_the_database_can_be_cleared(house: House) -> None:
    firm = firm_of(house, A)
    form = {"name": firm.name, "state": "正常", "legal_person": "", "address": "", "version": str(firm.version)}
    assert house.client("yuan-a").post(f"/enterprises/{firm.id}/edit", data=form).status_code == 302
    with house.system() as session:
        stored = session.get_one(Enterprise, firm.id)
        assert (stored.legal_person, stored.address) == ("", "")


def test_a_needed_column_that_one_may_only_read_does_not_stop_the_form(house: House) -> None:
    change_role(house, "inspector", readonly={"Enterprise": ["name"]})
    firm = firm_of(house, A)
    client = house.client("yuan-a")
    assert 'name="name"' not in client.get(f"/enterprises/{firm.id}/edit").get_data(as_text=True)
    form = {"state": "正常", "address": "新街 1 号", "version": str(firm.version)}
    assert client.post(f"/enterprises/{firm.id}/edit", data=form).status_code == 302
    with house.system() as session:
        stored = session.get_one(Enterprise, firm.id)
        assert (stored.name, stored.address) == (firm.name, "新街 1 号")


def test_a_firm_with_sites_is_not_deleted(house: House) -> None:
    with house.system() as session:
        grants = session.scalars(select(AccessRole.grants).where(AccessRole.code == "inspector")).one()
    change_role(
        house, "inspector", grants={**grants, "Enterprise": {**grants["Enterprise"], "delete": [["subtree", None]]}}
    )
    firm = firm_of(house, A)
    client = house.client("yuan-a")
    answer = client.post(f"/enterprises/{firm.id}/delete")
    assert answer.status_code == 409 and "不能删除" in answer.get_data(as_text=True)
    assert firm_of(house, A).id == firm.id
    made = client.post("/enterprises/add", data={"name": "没有场所的店", "state": "正常"})
    assert client.post(f"{made.location}/delete").status_code == 302


def test_an_administrator_adds_an_office_below_the_bureau_and_nowhere_else(house: House) -> None:
    client = house.client("admin")
    with house.system() as session:
        station = session.get_one(Office, house.offices[A])
        bureau, city = station.parent_id, session.scalars(select(Office.id).where(Office.parent_id.is_(None))).first()
    form = {"code": "150525-S99", "name": "新设市场监管所", "short_name": "新设所", "kind": "所"}
    for parent in ("", str(city)):
        assert client.post("/offices/add", data=form | {"parent": parent}).status_code == 403
    page = client.post("/offices/add", data=form | {"parent": str(bureau)})
    assert page.status_code == 302
    with house.system() as session:
        made = session.scalars(select(Office).where(Office.code == "150525-S99")).one()
        assert made.path == f"{session.get_one(Office, bureau).path}{made.id}/"
    assert client.get(page.location).status_code == 200
    assert client.get(f"{page.location}/edit").status_code == 200
    assert house.client("yuan-a").post("/offices/add", data=form | {"parent": str(bureau)}).status_code == 403


def test_an_area_is_not_put_below_itself(house: House) -> None:
    client = house.client("admin")
    with house.system() as session:
        above, below = session.scalars(select(Area).order_by(Area.id).limit(2)).all()

    def put(area: Area, parent: Area) -> Any:
        form = {"code": area.code, "name": area.name, "kind": area.kind, "parent": str(parent.id)}
        return client.post(f"/areas/{area.id}/edit", data=form | {"version": str(area.version)})

    assert put(below, above).status_code == 302
    for parent in (above, below):
        answer = put(above, parent)
        assert answer.status_code == 422 and "上级不能是它自己或它的下级" in answer.get_data(as_text=True)


@pytest.mark.parametrize("key", ["%00", "A" * 21 + "%00", "A" * 5_000, "%ff%fe", "中文", "A" * 23])
def test_what_could_be_no_public_id_is_not_asked_of_the_database(house: House, key: str) -> None:
    """PostgreSQL refuses a NUL in a text; and an id with something behind it is another id."""
    client = house.client("yuan-a")
    assert client.get(f"/documents/{key}").status_code == 404
    assert client.get(f"/verify/{key}").status_code == 404

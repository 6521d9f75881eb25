"""What points at another row can be hidden as the matrix offers it, by its relationship: nowhere, and never an error.

Every such column of every entity, one at a time and all at once, from the registry and the running views.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import inspect, select

from app.core.access.problems import columns_of
from app.core.entity import Entity
from app.core.office import AccessRole, Posting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from tests.access.test_columns import NAMES, row_to_read, view_of
from tests.support.house import House

INNER_PAGES = ("", "/edit", "/history", "/access", "/delete")
OUTER_PAGES = ("/", "/add", "/columns", "/filters", "/lookup?q=a", "/import/template.xlsx", "/?q=a")


def relations_of(model: type[Entity]) -> list[str]:
    """The relationships among the columns that the matrix offers."""
    return [name for name in columns_of(model) if name in inspect(model).relationships]


def hide(house: House, username: str, model: type[Entity], names: list[str]) -> None:
    with house.system() as session, unit_of_work(Verb.UPDATE, "test"):
        held = select(Posting.role_id).where(Posting.account_id == house.accounts[username])
        for role in session.scalars(select(AccessRole).where(AccessRole.id.in_(held))):
            role.hidden = {model.policy_name(): names}


def addresses(view: Any, key: int, public_id: str) -> list[str]:
    base, api = view.route_base, f"/api/v1{view.route_base}"
    flow = view.model.__workflow__
    steps = [f"{base}/{key}/do/{step.name}" for step in (flow.transitions if flow else ())]
    pages = [*(f"{base}{one}" for one in OUTER_PAGES), *(f"{base}/{key}{one}" for one in INNER_PAGES)]
    return [*pages, *steps, f"{api}/", f"{api}/{public_id}", "/api/v1/openapi.json"]


def wrong(house: House, username: str, view: Any, key: int, names: list[str]) -> Iterator[str]:
    """What an address says that it should not, or that it fails."""
    keys = {next(iter(inspect(view.model).relationships[name].local_columns)).key for name in names}
    known = {*names, *keys}
    client = house.client(username)
    with house.system() as session:
        public_id = session.get_one(view.model, key).public_id
    for url in addresses(view, key, public_id):
        answer = client.get(url)
        if answer.status_code >= 500:
            yield f"{names}: {url} fails"
        told = answer.get_json(silent=True) or {}
        for row in [*told.get("items", []), told]:
            if known & set(row) and "openapi" not in url:
                yield f"{names}: {url} says {known & set(row)}"
        text = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
        shown = [one for one in known if any(
            f'{lead}{one}"' in text for lead in ('name="', "order=", "order=-")
        )]  # fmt: skip
        if shown and not url.endswith("/filters"):
            yield f"{names}: {url} asks for {shown}"
    for form in ("csv", "xlsx"):
        if client.post(f"{view.route_base}/export", data={"format": form}, buffered=True).status_code >= 500:
            yield f"{names}: the {form} fails"


@pytest.mark.parametrize("name", NAMES)
def test_a_hidden_relationship_is_nowhere_and_breaks_nothing(small: House, name: str) -> None:
    view = view_of(small, name)
    found = row_to_read(small, view)
    if found is None:
        return
    username, key = found
    relations = relations_of(view.model)
    told: list[str] = []
    for names in [*([one] for one in relations), relations] if relations else []:
        hide(small, username, view.model, names)
        told += wrong(small, username, view, key, names)
    assert not told, "\n".join(told)


def test_the_walk_has_something_to_hide(small: House) -> None:
    found = {f"{cls.__name__}.{name}" for one in NAMES for cls in [view_of(small, one).model]
             for name in relations_of(cls)}  # fmt: skip
    assert {"Inspection.inspector", "Notice.drafter", "Site.area", "Person.account", "Posting.role",
            "Appointment.person", "DailyCheck.risk_list"} <= found  # fmt: skip

"""Start-up check of the policy table against entities and workflows: a contradiction refuses to start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import inspect

from app.core.access.limits import baseline
from app.core.access.problems import Shape, role_problems, states_of
from app.core.entity import Entity, registry
from app.core.workflow import Workflow

Table = Mapping[str, Mapping[str, Any]]


def policy_problems(roles: Mapping[str, Table]) -> list[str]:
    """What is wrong with these roles' grants (role code → entity → verb → cells) and with the models' workflows."""
    classes = list(registry().values())
    found = []
    for code, table in roles.items():
        wrong = role_problems(Shape(table, family=baseline.families.get(code)))
        found += [f"role {code}: {why}" for why in wrong]
    for cls in classes:
        found += [f"{cls.__name__}: {why}" for why in charge_problems(cls)]
        if cls.__workflow__ is not None:
            found += [f"{cls.__name__}: {why}" for why in workflow_problems(cls, roles)]
    return found


def charge_problems(cls: type[Entity]) -> Iterator[str]:
    """Open work that is declared by columns or states the entity has not."""
    columns = inspect(cls).columns
    for one in cls.__handover__:
        for name in (one.column, one.instead, one.ends, *one.same):
            if name and name not in columns:
                yield f"hand-over {one.label}: no column {name}"
        if unknown := set(one.states) - (states_of(cls) or set(one.states)):
            yield f"hand-over {one.label}: unknown state {', '.join(sorted(unknown))}"
        if "office_id" not in columns and cls.__about__ is None:
            yield f"hand-over {one.label}: the row is of no office"


def workflow_problems(cls: type[Entity], roles: Mapping[str, Table]) -> Iterator[str]:
    """Steps between states that are not there, named twice, or that no role can ever take."""
    flow: Workflow = cls.__workflow__  # type: ignore[assignment]  # asked for models that have one
    states = states_of(cls) or frozenset()
    named = [flow.initial, *flow.tones, *(state for one in flow.transitions for state in (*one.sources, one.to))]
    for state in dict.fromkeys(named):
        if state not in states:
            yield f"unknown state {state}"
    names = [one.name for one in flow.transitions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two steps called {name}"
    for one in flow.transitions:
        cells = [cell for table in roles.values() for cell in table.get(cls.policy_name(), {}).get(one.verb.value, ())]
        if not cells:
            yield f"step {one.name}: no role is granted {one.verb}"
        elif not any(allowed is None or set(allowed) & set(one.sources) for _coverage, allowed in cells):
            yield f"step {one.name}: {one.verb} is granted in none of the states it leaves"

"""Start-up check of the policy table against entities and workflows: a contradiction refuses to start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
        if cls.__workflow__ is not None:
            found += [f"{cls.__name__}: {why}" for why in workflow_problems(cls, roles)]
    return found


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

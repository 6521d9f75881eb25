"""Which columns a person's postings withhold.

A column is hidden when some posting hides it and no other posting shows it on at least the same rows: who is chief here
and reads there without telephones sees telephones nowhere, who leads the bureau sees them though a second posting at a
station hides them. One answer for all rows of an entity, so that no order, filter or search tells what cells leave out.

What points at another row has two names, its key's and its relationship's; whichever a role withholds, both are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from app.core.access.policy import Coverage
from app.core.entity import Entity, registry
from app.core.verbs import Verb

if TYPE_CHECKING:
    from app.core.access.context import Access, Held

CHANGING = (Verb.UPDATE.value, Verb.CREATE.value)


def withheld(access: Access, entity: str, what: str) -> frozenset[str]:
    """The columns of an entity that are `what` ("hidden", "readonly") for this person."""
    deciding = _deciding(entity)
    reaching = [held for held in access.postings if deciding in held.grants] or list(access.postings)
    verbs = CHANGING if what == "readonly" else (Verb.READ.value,)
    able = [held for held in reaching if set(verbs) & set(held.grants.get(deciding, ()))] or reaching
    ends, found = ends_of(entity), set()
    kept = [(held, _of(held, entity, what, ends)) for held in able]
    for held, names in kept:
        for name in names:
            showing = (one for one, others in kept if name not in others)
            if not any(_reaches_all(access, one, held, deciding, verbs) for one in showing):
                found.add(name)
    return frozenset(found)


def _of(held: Held, entity: str, what: str, ends: dict[str, str]) -> set[str]:
    """What one posting withholds: who may not see a column does not change it by that posting either."""
    also = held.hidden.get(entity, ()) if what == "readonly" else ()
    named = {*getattr(held, what).get(entity, ()), *also}
    return named | {name for pair in ends.items() if named & set(pair) for name in pair}


def ends_of(entity: str) -> dict[str, str]:
    """Of each key the relationship that stands for it."""
    cls: type[Entity] | None = registry().get(entity)
    relations = inspect(cls).relationships if cls is not None else ()
    to_one = [one for one in relations if one.direction.name == "MANYTOONE"]
    return {column.key: one.key for one in to_one for column in one.local_columns}


def _deciding(entity: str) -> str:
    """The entity in whose name grants are written: a part goes with its whole."""
    cls: type[Entity] | None = registry().get(entity)
    while cls is not None and cls.__part_of__:
        cls = inspect(cls).relationships[cls.__part_of__].mapper.class_
    return cls.policy_name() if cls is not None else entity


def _reaches_all(access: Access, wide: Held, narrow: Held, entity: str, verbs: tuple[str, ...]) -> bool:
    """Whether each cell of one posting lies inside some cell of the other."""
    return all(
        any(_inside(access, narrow, cell, wide, other) for other in wide.grants.get(entity, {}).get(verb, ()))
        for verb in verbs
        for cell in narrow.grants.get(entity, {}).get(verb, ())
    )


def _inside(access: Access, narrow: Held, cell: Any, wide: Held, other: Any) -> bool:
    (coverage, states), (wider, allowed) = cell, other
    if allowed is not None and (states is None or not set(states) <= set(allowed)):
        return False
    if wider == Coverage.ALL:
        return True
    if wider not in {Coverage.SUBTREE, Coverage.SUPERVISED}:
        return bool(coverage == wider)  # the person's own firms, rows and tasks are the same under either posting
    if coverage not in {Coverage.SUBTREE, Coverage.SUPERVISED}:
        return False
    (path, lines), (above, all_lines) = _place(access, narrow, coverage), _place(access, wide, wider)
    return path.startswith(above) and (not all_lines or bool(lines and lines & all_lines == lines))


def _place(access: Access, held: Held, coverage: str) -> tuple[str, int]:
    """The path below which a cell reaches, and in which lines (0: all)."""
    unit = access.offices[held.office_id]
    if coverage == Coverage.SUBTREE:
        return unit.path, held.lines
    return access.offices[unit.parent_id or unit.id].path, held.lines or unit.lines

"""Through which indexes the rows a person may read are found: by office, or by a criterion of few rows.

Only a way to them, never the limit: the session attaches the predicate to every statement all the same. What is said
here covers at least all rows the predicate lets through, in parts that an index serves in the order of a list. The
predicate itself ("the office answers for it, or made it") is an OR, and no index gives an OR its order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, False_

from app.core.access.context import Access
from app.core.access.policy import Coverage
from app.core.access.predicate import deciding, lent_firms
from app.core.entity import Entity, Scope, Scoped
from app.core.verbs import Verb


@dataclass
class Reach:
    """Rows of these offices, and rows that one of these criteria names."""

    offices: set[int] = field(default_factory=set)
    everywhere: bool = False  # these are all offices there are
    nearly: bool = False  # all but some above them, which answer for few rows or none
    named: list[ColumnElement[bool]] = field(default_factory=list)


def reach(access: Access, cls: type[Entity]) -> Reach | None:
    """None where an index of another kind does it, or where the table stays small (`__grows__`).

    Postings' lines and `sealed` only take rows away, so they are left to the predicate.
    """
    if not cls.__grows__ or not _by_office(cls):
        return None
    columns: Any = cls
    found = Reach()
    for held, name, clause in deciding(access, cls, cls, Verb.READ, states=True):
        match Coverage(name):
            case Coverage.ALL:
                found.offices |= set(access.offices)
            case Coverage.SUBTREE:
                found.offices |= access.subtree(held.office_id)
            case Coverage.SUPERVISED:
                unit = access.offices[held.office_id]
                found.offices |= access.subtree(unit.parent_id or unit.id)
            case _ if not isinstance(clause, False_):
                found.named.append(clause)
            case _:
                pass
    if found.offices and (lent := lent_firms(cls, columns, frozenset(found.offices))) is not None:
        found.named.append(lent)
    if cls.__shared__:
        found.named.append(getattr(columns, cls.__shared__).is_(True))
    found.everywhere = len(found.offices) == len(access.offices)
    found.nearly = bool(found.offices) and all(_above(access, key, found.offices) for key in access.offices)
    return found


def _above(access: Access, key: int, offices: set[int]) -> bool:
    """Whether an office is one of these, or one that they belong to."""
    path = access.offices[key].path
    return key in offices or any(access.offices[one].path.startswith(path) for one in offices)


def _by_office(cls: type[Entity]) -> bool:
    """Whether the grants of offices decide, and nothing that another row says (`core.access.predicate._build`)."""
    other = cls.__part_of__ or cls.__about__ is not None or getattr(cls, "__read_via__", "")
    return issubclass(cls, Scoped) and cls.__scope__ is Scope.OFFICE and not other

"""What a role may hold, as data: by its family, by what an entity's rows are about, by what their columns can answer.

A role that administrators make holds, beside reading, only what some built-in role of its family and of no higher rank
holds too: nobody makes a small role with a great power in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import inspect

from app.core.access.policy import Coverage
from app.core.entity import Entity, Scope, Sphere, registry
from app.core.office import Family
from app.core.verbs import Verb

READS = frozenset({Verb.READ, Verb.EXPORT, Verb.PRINT})
EVERY = frozenset(Verb)
FIRST = (Verb.READ, Verb.CREATE, Verb.UPDATE, Verb.DELETE, Verb.EXPORT, Verb.IMPORT, Verb.PRINT, Verb.REVEAL)
C, S = Coverage, Sphere


@dataclass(frozen=True)
class Limit:
    """The verbs and coverages that a family may have over a sphere."""

    verbs: frozenset[Verb]
    coverages: frozenset[Coverage]


def _limit(verbs: frozenset[Verb], *coverages: Coverage) -> Limit:
    return Limit(verbs, frozenset(coverages))


# a family and a sphere that are not here: nothing
LIMITS: Mapping[Family, Mapping[Sphere, Limit]] = {
    Family.SYSTEM: {
        S.ADMINISTRATION: _limit(EVERY, C.SUBTREE, C.OWN, C.ALL),
        S.TOOL: _limit(EVERY, C.OWN, C.SUBTREE),
    },
    Family.AUDIT: {
        S.BUSINESS: _limit(READS, C.SUBTREE, C.SUPERVISED, C.ALL),
        S.ADMINISTRATION: _limit(READS, C.SUBTREE, C.OWN, C.ALL),
        S.LOG: _limit(READS, C.SUBTREE, C.ALL),
        S.TOOL: _limit(EVERY, C.OWN),
    },
    Family.BUSINESS: {
        S.BUSINESS: _limit(EVERY, C.SUBTREE, C.SUPERVISED, C.ASSIGNED, C.OWN, C.ALL),
        S.ADMINISTRATION: _limit(READS, C.SUBTREE, C.SUPERVISED, C.OWN, C.ALL),
        S.TOOL: _limit(EVERY, C.OWN, C.SUBTREE),
    },
    Family.FIRM: {
        S.BUSINESS: _limit(EVERY, C.FIRM, C.OWN, C.ALL),
        S.TOOL: _limit(EVERY, C.OWN),
    },
}


class Known(Protocol):
    """A built-in role as `register_builtin` takes it."""

    @property
    def code(self) -> str:
        """Its code."""

    @property
    def family(self) -> Family:
        """Its family."""

    @property
    def rank(self) -> int:
        """Its rank."""

    def table(self) -> dict[str, Any]:
        """Its grants."""


@dataclass
class Baseline:
    """The built-in roles: each one's family, and from which rank on one of a family holds a verb on an entity."""

    families: dict[str, Family] = field(default_factory=dict)
    floors: dict[Family, dict[tuple[str, str], int]] = field(default_factory=lambda: defaultdict(dict))


baseline = Baseline()


def register_builtin(roles: Iterable[Known]) -> None:
    """Tell core the built-in roles (they are the models')."""
    for role in roles:
        baseline.families[role.code] = role.family
        floors = baseline.floors[role.family]
        for entity, verbs in role.table().items():
            for verb in verbs:
                floors[entity, verb] = min(floors.get((entity, verb), role.rank), role.rank)


def governed() -> dict[str, type[Entity]]:
    """The entities that have grants of their own, by their name in the policy table."""
    return {
        name: cls
        for name, cls in registry().items()
        if not (cls.__policy__ or cls.__part_of__ or cls.__about__) and cls.__scope__ in {Scope.OFFICE, Scope.REFERENCE}
    }


def fitting(cls: type[Entity]) -> frozenset[Coverage]:
    """The coverages that the rows' own columns can answer: a row without an office is nobody's subtree."""
    columns, firm = inspect(cls).columns, bool(getattr(cls, "__firm_key__", ""))
    found = {Coverage.ALL} if cls.__scope__ is Scope.REFERENCE or cls.__sphere__ is Sphere.LOG else set()
    if "office_id" in columns or cls.__name__ == "Office":
        found |= {Coverage.SUBTREE, Coverage.SUPERVISED}
    if firm or "enterprise_id" in columns:
        found |= {Coverage.FIRM, Coverage.ASSIGNED}
    if "account_id" in columns or cls.__name__ == "Account":
        found.add(Coverage.OWN)
    return frozenset(found)


def of_family(family: str) -> Mapping[Sphere, Limit]:
    """What a family may have by sphere; what is no family (or hidden from who reads it) may have nothing."""
    return LIMITS[Family(family)] if family in set(Family) else {}


def coverages(family: str, cls: type[Entity]) -> list[Coverage]:
    """What a role of the family may choose from for the entity, in the order of the enum."""
    limit = of_family(family).get(cls.__sphere__)
    return [one for one in Coverage if limit and one in limit.coverages and one in fitting(cls)]


def verbs(family: str, rank: int, cls: type[Entity]) -> list[Verb]:
    """What a role of the family and rank that administrators make may hold on the entity."""
    limit = of_family(family).get(cls.__sphere__)
    if limit is None or not coverages(family, cls):
        return []
    floors, entity = baseline.floors[Family(family)], cls.policy_name()
    return [
        verb
        for verb in Verb
        if verb in limit.verbs and (_freely_read(cls, verb) or floors.get((entity, verb.value), rank + 1) <= rank)
    ]


def _freely_read(cls: type[Entity], verb: Verb) -> bool:
    """Reading is no question of rank; what people keep about lists is theirs alone."""
    return verb in READS and cls.__sphere__ is not Sphere.TOOL


def verbs_of(cls: type[Entity]) -> list[Verb]:
    """Every verb that some built-in role holds on the entity, with reading: those that mean something there."""
    entity = cls.policy_name()
    held = {verb for floors in baseline.floors.values() for name, verb in floors if name == entity}
    return [verb for verb in Verb if verb in READS or verb.value in held]

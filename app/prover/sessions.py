"""The ways below the screens: what a careless screen or service could do in the session of somebody's request.

The screens have guards of their own (a form finds a foreign parent before the session does). Here the session is asked
directly, as each account: to read, to write a row that was loaded elsewhere, to make, move and point one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.access.context import acting, current_access
from app.core.access.fetch import fetch
from app.core.access.predicate import predicate
from app.core.db import FabModel, current_session, db, unscoped
from app.core.entity import Entity, Scope, registry, system_columns
from app.core.errors import ShouzeError
from app.core.verbs import WRITES, Verb
from app.core.writing import perform, unit_of_work
from app.prover.bureau import Row
from app.prover.making import Place, owners_of, parents_of, states_of
from app.prover.trying import Judge
from app.prover.ways import Ways

Deed = Callable[[Session], Any]


class WentThroughError(Exception):
    """Nothing refused."""


@dataclass(frozen=True)
class Deeds:
    """The tries of one account in its session, by way and entity."""

    ways: Ways

    def tries(self) -> Iterator[tuple[str, str, Callable[[Judge], None]]]:
        """(way, entity, what to do)."""
        for cls in self.ways.bureau.facts.classes:
            name = cls.__name__
            if cls.__scope__ is Scope.SYSTEM and not cls.__part_of__:
                yield "session: system rows", name, self._refused(cls, _read_all(cls))
                continue
            for verb in Verb:
                way = "session: read" if verb is Verb.READ else "session: verb"
                yield way, name, self._alike(cls, verb)
            yield "session: statement", name, self._refused(cls, _write_all(cls))
            yield from self._written(cls, name)
        yield "session: statement", "", self._refused(None, lambda s: s.execute(text("SELECT 1")))
        for mapper in FabModel.registry.mappers:
            cls = mapper.class_
            if cls not in set(registry().values()):
                yield "session: system rows", cls.__name__, self._nothing(cls)

    # ---- reading ----------------------------------------------------------------------------------------------------

    def _alike(self, cls: type[Entity], verb: Verb) -> Callable[[Judge], None]:
        """The rows on which the verb may be done, as the application has them and as they are said here."""

        def run(judge: Judge) -> None:
            oracle, who = self.ways.oracle, self.ways.who
            said = {key for key, fact in self.ways.bureau.facts.rows[cls].items()
                    if oracle.may(who, cls, fact, verb.value)}  # fmt: skip
            with self._acting():
                if verb is Verb.READ:
                    found = set(current_session().scalars(select(cls.id)))
                else:
                    access = current_access()
                    with unscoped("prover: verb", quiet=True) as session:
                        found = set(session.scalars(select(cls.id).where(predicate(access, cls, verb))))
            if found - said:
                judge.leaks.append(f"{judge.name} session {verb}: {cls.__name__} {sorted(found - said)[:5]}")
            if said - found:
                judge.withheld.append(f"{judge.name} session {verb}: {cls.__name__} {sorted(said - found)[:5]}")

        return run

    def _nothing(self, cls: type[Any]) -> Callable[[Judge], None]:
        """A table of FAB's own: refused, or empty."""

        def run(judge: Judge) -> None:
            with self._acting():
                try:
                    found = current_session().execute(select(cls)).all()
                except ShouzeError:
                    return
            if found:
                judge.leaks.append(f"{judge.name} session read: {cls.__name__}")

        return run

    # ---- writing ----------------------------------------------------------------------------------------------------

    def _written(self, cls: type[Entity], name: str) -> Iterator[tuple[str, str, Callable[[Judge], None]]]:
        for row in self.ways.foreign(cls)[:2]:
            yield "session: guessed key", name, self._refused(cls, _fetched(row))
            yield "session: foreign row changed", name, self._refused(cls, self._change(row))
            yield "session: foreign row deleted", name, self._refused(cls, self._erase(row))
        if cls.__about__ is None and not cls.__part_of__ and cls.__scope__ is Scope.OFFICE:
            yield from self._made(cls, name)
        for row in self.ways.own(cls, "update")[:1]:
            yield from self._kept(row, name)
        for verb in sorted(WRITES - {Verb.CREATE, Verb.IMPORT, Verb.DELETE}):
            for row in self.ways.own(cls, verb)[:1] if hasattr(cls, "office_id") and not cls.__part_of__ else ():
                yield "session: moved away", name, self._refused(cls, self._move(row, verb))
                break
            else:
                continue
            break

    def _made(self, cls: type[Entity], name: str) -> Iterator[tuple[str, str, Callable[[Judge], None]]]:
        """A new row elsewhere; a new one of one's own that points at a foreign one."""
        for place in self._elsewhere(cls):
            yield "session: created elsewhere", name, self._refused(cls, self._create(cls, place, {}))
            break
        yield from self._begun(cls, name)
        here = [one for one in self.ways.bureau.where if one not in self._elsewhere(cls)][:1]
        for key, other in owners_of(cls):
            for there in self.ways.foreign(other)[:1] if here else ():
                yield "session: foreign owner", name, self._refused(cls, self._owned(cls, here[0], key, there.id))
        for place in self.ways.bureau.where:
            for key, other in parents_of(cls):
                for there in self.ways.foreign(other)[:1]:
                    yield "session: foreign key", name, self._refused(cls, self._create(cls, place, {key: there.id}))
            break

    def _begun(self, cls: type[Entity], name: str) -> Iterator[tuple[str, str, Callable[[Judge], None]]]:
        """A new row in a state that only a step leads to."""
        elsewhere = self._elsewhere(cls)
        for place in (one for one in self.ways.bureau.where if one not in elsewhere):
            for state in [one for one in states_of(cls) if cls.__workflow__ and one != cls.__workflow__.initial][:1]:
                yield (
                    "session: begun elsewhere",
                    name,
                    self._refused(cls, self._create(cls, place, {cls.state_column(): state})),
                )
            return

    def _elsewhere(self, cls: type[Entity]) -> list[Place]:
        """Places whose rows of the entity the account may not make."""
        found = []
        for place in self.ways.bureau.where:
            key = self.ways.bureau.made.firsts.get((cls, place.name))
            fact = self.ways.bureau.facts.rows[cls].get(key or 0)
            if fact is not None and not self.ways.oracle.may(self.ways.who, cls, fact, "create", states=False):
                found.append(place)
        return found

    def _kept(self, row: Row, name: str) -> Iterator[tuple[str, str, Callable[[Judge], None]]]:
        """An own row: pointed at a foreign one, its system columns written, its withheld ones changed."""
        for key, other in owners_of(row.cls):
            for there in self._not_there(row, key, other):
                yield "session: foreign owner", name, self._refused(row.cls, self._given(row, key, there.id))
        for key, other in parents_of(row.cls):
            for there in self._not_there(row, key, other):
                yield "session: foreign key", name, self._refused(row.cls, self._set(row, key, there.id))
        kept = system_columns(row.cls) - {"id", "version", "public_id"}
        for column in sorted(kept) if not row.cls.__part_of__ else ():  # a whole's form numbers its parts
            value = self._other_value(row, column)
            if value is not None:
                yield "session: system column", name, self._refused(row.cls, self._set(row, column, value))
        for column in inspect(row.cls).columns.keys():  # noqa: SIM118 - a collection of columns is no dictionary
            if self.ways.oracle.hides(self.ways.who, row.cls, column):
                yield "session: hidden column", name, self._refused(row.cls, self._set(row, column, "改"))

    def _not_there(self, row: Row, key: str, other: type[Entity]) -> list[Row]:
        """A foreign row that this one does not point at already: to write the same again changes nothing."""
        return [one for one in self.ways.foreign(other) if one.id != row.fact[key]][:1]

    @staticmethod
    def _other_value(row: Row, column: str) -> Any:
        """Something else of the same kind."""
        value = row.fact[column]
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + 1
        return "改" if isinstance(value, str) and inspect(row.cls).columns[column].info.get("choices") is None else None

    def _load(self, session: Session, row: Row) -> Any:
        """A row that was loaded past the filter and then put into the session, as careless code would."""
        with unscoped("prover: careless", quiet=True) as own:
            found: Any = own.get(row.cls, row.id)
            own.expunge_all()
        session.add(found)
        return found

    def _change(self, row: Row) -> Deed:
        names = [prop.key for prop in inspect(row.cls).column_attrs if isinstance(row.fact[prop.key], str)]
        plain = [name for name in names if name not in system_columns(row.cls)]

        def deed(session: Session) -> None:
            found = self._load(session, row)
            name = next(iter(plain), "version")
            setattr(found, name, f"{row.fact[name]}"[:3] + "改" if plain else row.fact[name] + 1)
            if not plain:
                perform(found, Verb.UPDATE)

        return deed

    def _erase(self, row: Row) -> Deed:
        return lambda session: session.delete(self._load(session, row))

    def _set(self, row: Row, column: str, value: Any) -> Deed:
        return lambda session: setattr(self._load(session, row), column, value)

    def _move(self, row: Row, verb: Verb) -> Deed:
        office = int(self.ways.elsewhere["office_id"])

        def deed(session: Session) -> None:
            found = self._load(session, row)
            perform(found, verb)
            found.office_id = office
            session.flush()
            with unscoped("prover: moved", quiet=True):
                fact = row.fact | {"office_id": office}
            if self.ways.oracle.may(self.ways.who, row.cls, fact, verb.value, states=False):
                raise ShouzeError("it is the account's there too")

        return deed

    def _create(self, cls: type[Entity], place: Place, fixed: dict[str, Any]) -> Deed:
        def deed(session: Session) -> None:
            values = self.ways.bureau.made.values(cls, place, fixed, {}, "")
            session.add(cls(**values))

        return deed

    def _owned(self, cls: type[Entity], place: Place, key: str, owner: int) -> Deed:
        """A new row of an owner."""

        def deed(session: Session) -> None:
            row: Any = cls(**self.ways.bureau.made.values(cls, place, {key: owner}, {}, ""))
            session.add(row)
            _must_stay(session, row, key, owner)

        return deed

    def _given(self, row: Row, key: str, owner: int) -> Deed:
        """An own row put to an owner."""

        def deed(session: Session) -> None:
            found = self._load(session, row)
            setattr(found, key, owner)
            _must_stay(session, found, key, owner)

        return deed

    def _refused(self, cls: type[Entity] | None, deed: Deed) -> Callable[[Judge], None]:
        """Whether the session refuses the deed; all is rolled back whatever becomes of it."""

        def run(judge: Judge) -> None:
            with self._acting():
                try:
                    with unit_of_work(Verb.UPDATE, "prover") as session:
                        deed(session)
                        session.flush()
                        raise WentThroughError  # noqa: TRY301 - whatever went through is undone here
                except WentThroughError:
                    judge.leaks.append(f"{judge.name} {judge.way}: {cls.__name__ if cls else ''} went through")
                except ShouzeError:
                    pass
                except IntegrityError as error:
                    judge.undecided.append(f"{judge.name} {judge.way}: {cls.__name__ if cls else ''}: {error.orig}")

        return run

    def _acting(self) -> Any:
        return _Acting(self.ways)


def _must_stay(session: Session, row: Any, key: str, owner: int) -> None:
    """Raise ShouzeError where the owner is not kept: of several, the nearest gives the others."""
    session.flush()
    if getattr(row, key) != owner:
        raise ShouzeError("it belongs to its nearer owner")


def _read_all(cls: type[Entity]) -> Deed:
    return lambda session: session.scalars(select(cls)).all()


def _write_all(cls: type[Entity]) -> Deed:
    same: Any = cls
    return lambda session: session.execute(update(cls).values(version=same.version))


def _fetched(row: Row) -> Deed:
    return lambda _session: fetch(row.cls, row.id)


class _Acting:
    """The account in context, outside a request, with a session of its own."""

    def __init__(self, ways: Ways) -> None:
        self.stack: list[Any] = []
        self.ways = ways

    def __enter__(self) -> None:
        for one in (self.ways.bureau.app.app_context(), acting(self.ways.who)):
            one.__enter__()
            self.stack.append(one)

    def __exit__(self, *args: object) -> None:
        db.session.remove()
        while self.stack:
            self.stack.pop().__exit__(*args)

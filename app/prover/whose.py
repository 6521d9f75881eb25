"""Whose rows are whose, as one account has them: what is foreign, what is its own, what names a row outside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from sqlalchemy import String, UniqueConstraint, inspect

from app.core.entity import Entity, Scope
from app.core.fab.view import EntityView
from app.prover.bureau import Bureau, Row
from app.prover.forms import Body, fields_of, key_column
from app.prover.oracle import SIGNS
from app.prover.routes import routes_of
from app.prover.trying import NOBODY

NO_KEY, NO_ID = 9876543, "A" * 22  # of no row


class Whose:
    """The rows of the bureau, seen from one account. `most`: foreign rows of an entity that are taken (one a place)."""

    def __init__(self, bureau: Bureau, username: str, most: int = 3) -> None:
        self.bureau, self.username, self.most = bureau, username, most
        self.who, self.oracle = bureau.accounts[username], bureau.oracle
        self.routes = routes_of(bureau.app)
        self.bulk = 0
        self._foreign: dict[type[Entity], list[Row]] = {}
        self._own: dict[tuple[type[Entity], str], list[Row]] = {}

    def foreign(self, cls: type[Entity]) -> list[Row]:
        """Rows the account may not see: one of each place."""
        if cls not in self._foreign:
            found: dict[str, Row] = {}
            for row in self.bureau.rows(cls):
                sealed = "sealed" if row.fact.get("sealed") else ""
                if row.place + sealed not in found and not self.oracle.reads(self.who, cls, row.fact):
                    found[row.place + sealed] = row
            self._foreign[cls] = list(found.values())[: self.most]
        return self._foreign[cls]

    def own(self, cls: type[Entity], verb: str = "read") -> list[Row]:
        """Rows on which the account may do the verb."""
        key = (cls, verb)
        if key not in self._own:
            rows = self.bureau.rows(cls)
            self._own[key] = list(islice((one for one in rows if self.oracle.may(self.who, cls, one.fact, verb)), 2))
        return self._own[key]

    def has_rows(self, url: str, entity: str = "") -> bool:
        """Whether a page lists rows of offices (of an entity), some of which are the account's own."""
        views = [one.view for one in self.routes if one.rule == url and one.view is not None]
        views = [one for one in views if entity in {"", one.model.__name__}]
        return any(one.model.__scope__ is Scope.OFFICE and self.own(one.model) for one in views)

    def _bridged(self, cls: type[Entity]) -> dict[int, tuple[str, tuple[type[Entity], int]]]:
        """Own rows of the entity that point at foreign ones: key → (column, the foreign row)."""
        reads, rows = self.oracle.reads, self.bureau.facts.rows
        return {
            key: (column, there) for (one, key), column, there in self.bureau.bridges
            if one is cls and reads(self.who, cls, rows[cls][key])
            and not reads(self.who, there[0], rows[there[0]][there[1]])
        }  # fmt: skip

    @cached_property
    def elsewhere(self) -> Body:
        """What says that a row belongs to the other office, if it were believed."""
        person = self.oracle.person(self.who)
        mine = {post.office_id for post in person.posts if post.grants is not SIGNS} or {person.account["office_id"]}
        places = [one.office_id for one in self.bureau.where]
        office = next((one for one in places if one not in mine), places[0])
        firm = next(iter(self.foreign(self.bureau.facts.named["Enterprise"])), None)
        site = next(iter(self.foreign(self.bureau.facts.named["Site"])), None)
        return {"office_id": str(office), "office": str(office), "made_office_id": str(office), "lines": "7",
                "enterprise_id": str(firm.id if firm else NO_KEY), "site_id": str(site.id if site else NO_KEY),
                "account_id": "1", "made_by_id": "1"}  # fmt: skip

    def _pointed(self, view: EntityView) -> Iterator[tuple[str, Row]]:
        """(relationship, foreign row) of each filter and field that names a row of another limited entity."""
        asked = dict.fromkeys([*view.list_filters, *(name for name, _kind, other in fields_of(view) if other)])
        for name in asked:
            relation = inspect(view.model).relationships.get(name)
            if relation is not None and relation.mapper.class_.__scope__ is Scope.OFFICE:
                there = [self.bureau.row(*target) for key, target in self._bridged(view.model).values()
                         if key == key_column(view.model, name)]  # fmt: skip
                for one in [*there[:1], *self.foreign(relation.mapper.class_)[:2]]:
                    yield name, one

    def _words(self, model: type[Entity]) -> list[str]:
        """Words of foreign rows of the entity, and of those it points at; not what a row that is read says as well."""
        read = (fact for fact in self.bureau.facts.rows[model].values() if self.oracle.reads(self.who, model, fact))
        mine = "\n".join(one for fact in read for one in fact.values() if isinstance(one, str))
        found = []
        near = [model, *(one.mapper.class_ for one in inspect(model).relationships)]
        for cls in dict.fromkeys(near):
            for there in self.foreign(cls)[: 2 if cls is model else 1] if issubclass(cls, Entity) else ():
                names = [name.rpartition(".")[2] for name in getattr(cls, "__search__", ())] or ["name"]
                found += [str(word) for name in names if (word := there.fact.get(name))][:2]
        return [word for word in dict.fromkeys(found) if word not in mine]

    def _withheld(self, view: EntityView) -> list[str]:
        """Columns of the entity that the account's roles hide."""
        names = inspect(view.model).columns.keys()
        return [name for name in names if self.oracle.hides(self.who, view.model, name)]

    def _sealed_from(self, cls: type[Entity], column: str) -> list[Row]:
        """An own row and a foreign one whose value the account does not see whole: who does may look for it."""
        oracle, some = self.oracle, (*self.own(cls)[:1], *self.foreign(cls)[:1])
        seen = [one for one in some if oracle.reads(self.who, cls, one.fact)]
        seen = [one for one in seen if oracle.plain(self.who, cls, one.fact, column)]
        return [one for one in some if one not in seen and one.fact.get(column)]

    def _secrets(self, there: Row) -> list[str]:
        """What names a row outside: its public id, and each text that the table keeps unique, or that is a file's."""
        mapper, found = inspect(there.cls), [there.public_id]
        unique = {one for rule in mapper.local_table.constraints if isinstance(rule, UniqueConstraint)
                  for one in rule.columns}  # fmt: skip
        for name, column in mapper.columns.items():
            file = name in {"stored", "file"}
            if isinstance(column.type, String) and (column.unique or column in unique or file) and name != "public_id":
                value = there.fact[name]
                found += [str(value)] if value and "/" not in str(value) else []
        return list(dict.fromkeys(found))


def like(word: str) -> str:
    """A word of the same shape that names nothing."""
    return NOBODY if word.startswith(NOBODY[0]) else "".join("A" if one.isalnum() else one for one in word)

"""The ways that are tried, as one account: from the route map, the declarations and the rows; nothing names a screen.

A way is a name under which tries are counted; it follows from what a request holds of others: an id, a key, words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any
from urllib.parse import urlencode

from app.core import filestore
from app.core.entity import Entity, registry
from app.core.fab.view import EntityView
from app.prover.bureau import Row
from app.prover.facts import Fact
from app.prover.forms import Body, child_rows, fields_of, form_of, json_of
from app.prover.making import parents_of
from app.prover.routes import ENDS_SESSION, Route
from app.prover.trying import NOBODY, Ask, Try, sealed_columns
from app.prover.whose import NO_ID, NO_KEY, Whose, like

BULK_KEY = "prover-bulk-{:012d}"
BY_CLASS = {"Attachment": "attachment", "IssuedDocument": "document", "Job": "job result", "JobFile": "job result",
            "Message": "message", "SavedFilter": "saved filter", "ListPreference": "saved filter",
            "ImportRun": "import", "BulkRun": "bulk act"}  # fmt: skip
ELSEWHERE = ("office_id", "office", "made_office_id", "enterprise_id", "site_id", "account_id", "lines", "state",
             "public_id", "made_by_id")  # fmt: skip
SEEN_BY = {"history": "history", "access": "audience"}
LISTS = frozenset({"lookup", "export"})
Hostile = tuple[str, Body, tuple[str, ...]]  # way, values, words typed
SIZES = (*filestore.COPIES, "download")


class Ways(Whose):
    """All tries of one account."""

    # ---- all --------------------------------------------------------------------------------------------------------
    def tries(self) -> Iterator[Try]:
        """Every try by way of a request."""
        for route in self.routes:
            if route.rule in ENDS_SESSION:
                continue
            if route.verb and route.view is not None and not self.oracle.granted(self.who, _entity(route), route.verb):
                yield from self._gate(route)
            elif route.view is None:
                yield from self._other(route)
            elif not route.whole and not route.texts:
                yield from self._open(route, route.view)
            elif "key" in (*route.whole, *route.texts):
                yield from self._of_rows(route, route.view)
            else:
                yield from self._by_words(route)

    def anonymous(self) -> Iterator[Try]:
        """Every closed route without a session."""
        for route in self.routes:
            if not route.public and route.rule != "/logout/":
                yield from (replace(one, way="no session") for one in self._gate(route))

    def _gate(self, route: Route) -> Iterator[Try]:
        """A route that no posting opens: refused, whatever row it is about."""
        cls = route.view.model if route.view is not None else None
        row = next(iter(self.foreign(cls) or self.own(cls)), None) if cls is not None else None
        words: dict[str, Any] = dict.fromkeys(route.texts, NO_ID) | dict.fromkeys(route.whole, NO_KEY)
        if row is not None and "key" in words:
            words["key"] = row.public_id if route.api else row.id
        for method in route.methods:
            body: Body | None = None if method == "GET" else {}
            yield Try("gate", route.named(method), Ask(method, route.filled(**words), body, route.api), refused=True)

    # ---- rows by their key ------------------------------------------------------------------------------------------
    def _of_rows(self, route: Route, view: EntityView) -> Iterator[Try]:
        """A foreign row by its number or its public id; and an own one that is sent where it does not belong."""
        if "GET" in route.methods:
            yield from self._seen(route, view)
        for method in route.methods:
            for row in self.foreign(view.model):
                yield from self._on_foreign(route, view, method, row)
            if method != "GET":
                yield from self._without_right(route, view, method)
            if method != "GET" and route.last != "delete" and method != "DELETE":
                for row in self.own(view.model, route.verb or "update")[:1] or self.own(view.model)[:1]:
                    yield from self._on_own(route, view, method, row)

    def _seen(self, route: Route, view: EntityView) -> Iterator[Try]:
        """Own rows' pages: nothing foreign through what they point at, or what points at them, and no hidden column."""
        keys = [*self._bridged(view.model)][:3]
        keys += [there[1] for _mine, _column, there in self.bureau.bridges if there[0] is view.model][:2]
        rows = [self.bureau.row(view.model, key) for key in keys] + self.own(view.model)[:2]
        for row in rows:
            if self.oracle.reads(self.who, view.model, row.fact):
                for words in self._further(route, view):
                    way = SEEN_BY.get(route.last, "API relation" if route.api else "relation")
                    key = row.public_id if route.api else row.id
                    closed = route.last == "access" and not self.oracle.asks(self.who, row.fact)
                    yield Try(way, route.named("GET"), Ask("GET", route.filled(key=key, **words)), refused=closed)

    def _without_right(self, route: Route, view: EntityView, method: str) -> Iterator[Try]:
        """Rows that the account reads and may do nothing to as they stand."""
        flow = view.model.__workflow__
        rows = (one for one in self.bureau.rows(view.model) if self.oracle.reads(self.who, view.model, one.fact))
        for row in islice((one for one in rows if not self.oracle.writes(self.who, view.model, one.fact)), 2):
            key = row.public_id if route.api else row.id
            body = None if method == "DELETE" else self._body(route, view, row.fact)
            for words in self._further(route, view) if flow is not None or "name" not in route.texts else ():
                if "column" in words:  # showing a masked value is no writing: there is a right of its own
                    yield self._reveal(route, view, row, words["column"])
                    continue
                yield Try("no right to the row", route.named(method),
                          Ask(method, route.filled(key=key, **words), body, route.api))  # fmt: skip

    def _on_foreign(self, route: Route, view: EntityView, method: str, row: Row) -> Iterator[Try]:
        key = row.public_id if route.api else row.id
        nothing = NO_ID if route.api else NO_KEY
        body = None if method in {"GET", "DELETE"} else self._body(route, view, row.fact) | self._moved(route)
        for words in self._further(route, view):
            way = self._way_on(route, method)
            asks = [Ask(method, route.filled(key=one, **words), body, route.api) for one in (key, nothing)]
            yield Try(way, route.named(method), asks[0], (str(key),), asks[1], (str(nothing),))

    @staticmethod
    def _way_on(route: Route, method: str) -> str:
        read, api = method == "GET", "API " if route.api else ""
        if "name" in route.texts:
            return f"{api}workflow verb"
        if "column" in route.texts:
            return "masked value"
        if read:
            return (
                "public id" if route.api else {"history": "history", "access": "audience"}.get(route.last, "guessed id")
            )
        return f"{api}foreign row {'deleted' if method == 'DELETE' or route.last == 'delete' else 'moved here'}"

    def _further(self, route: Route, view: EntityView) -> list[dict[str, str]]:
        """What the other arguments of a row's address can be: its steps, its columns."""
        found: list[dict[str, str]] = [{}]
        for name in (one for one in (*route.whole, *route.texts) if one != "key"):
            if name == "name":
                flow = view.model.__workflow__
                values = [step.name for step in flow.transitions] if flow is not None else ["submit"]
            elif name == "column":
                values = [*sealed_columns(view.model), *self._withheld(view)] or ["name"]
            elif name == "other":  # a second row of the same entity: an own one, and one that may not be seen
                rows = (*self.own(view.model)[:1], *self.foreign(view.model)[:1])
                values = [str(row.id) for row in rows] or [str(NO_KEY)]
            else:
                values = [NO_ID]
            found = [one | {name: value} for one in found for value in values]
        return found

    def _body(self, route: Route, view: EntityView, fact: Fact) -> Body:
        return json_of(self.bureau, view, fact) if route.api else form_of(self.bureau, view, fact)

    def _moved(self, route: Route) -> Body:
        """The account's own office, as if a foreign row were to come here."""
        office = self.oracle.person(self.who).account["office_id"]
        return {"office_id": office if route.api else str(office)}

    def _on_own(self, route: Route, view: EntityView, method: str, row: Row) -> Iterator[Try]:
        """An own row pointed at foreign ones, given away, or changed where the role may not."""
        key = row.public_id if route.api else row.id
        body = self._body(route, view, row.fact)
        for words in self._further(route, view):
            url = route.filled(key=key, **words)
            if "column" in words:
                yield self._reveal(route, view, row, words["column"])
                continue
            for way, extra, typed in self._hostile(route, view, row, words.get("name", "")):
                ask = Ask(method, url, body | extra, route.api)
                yield Try(f"API {way}" if route.api else way, route.named(method), ask, typed)

    def _reveal(self, route: Route, view: EntityView, row: Row, column: str) -> Try:
        """A masked value of an own row: shown to who may ask for it, to nobody else."""
        value = str(row.fact.get(column) or "")
        may = self.oracle.may(self.who, view.model, row.fact, "reveal")
        return Try("masked value", route.named("POST"), Ask("POST", route.filled(key=row.id, column=column), {}),
                   reveals=value if may and not self.oracle.hides(self.who, view.model, column) else "")  # fmt: skip

    def _hostile(self, route: Route, view: EntityView, row: Row, step: str) -> Iterator[Hostile]:
        """(way, values, words typed): each foreign parent, child and office, each column that is withheld."""
        if step:
            for name, asked in self._asked(view, step):
                for there in self.foreign(asked)[:1]:
                    yield "foreign key", {name: there.public_id if route.api else str(there.id)}, ()
            return
        for name, _kind, other in fields_of(view):
            for there in self.foreign(other)[:2] if other else ():
                yield "foreign key", {name: there.public_id if route.api else str(there.id)}, ()
        for key, parent in parents_of(view.model):
            for there in self.foreign(parent)[:1]:
                yield "foreign key", {key: there.id if route.api else str(there.id)}, ()
        for name, value in self.elsewhere.items():
            yield "moved away", {name: int(value) if route.api else value}, ()
        for name in self._withheld(view):
            yield "hidden column", {name: NOBODY}, (NOBODY,)
        yield from self._stolen(route, view)

    def _stolen(self, route: Route, view: EntityView) -> Iterator[Hostile]:
        """A foreign row's child, sent as an own one's."""
        for there in self.foreign(view.model):
            for relation, columns, children in child_rows(self.bureau, view, there.fact):
                for child in children[:1]:
                    if route.api:
                        body: Body = {relation: [{"id": child["public_id"], columns[0]: "改"}]}
                    else:
                        body = {f"{relation}-0-id": str(child["id"]), f"{relation}-0-{columns[0]}": "改"}
                    yield "child taken", body, ()

    def _asked(self, view: EntityView, step: str) -> Iterator[tuple[str, type[Entity]]]:
        form, names = view.asks.get(step, (None, []))
        for name in names:
            other = getattr(getattr(form, name, None), "kwargs", {}).get("model")
            if other is not None:
                yield name, other

    # ---- lists and what is made -------------------------------------------------------------------------------------
    def _open(self, route: Route, view: EntityView) -> Iterator[Try]:
        """Routes without arguments: lists and look-ups by every oracle; what they make or do when something is sent."""
        for method in route.methods:
            if method == "GET":
                yield Try("list", route.named(method), Ask(method, route.rule))
                yield from self._oracles(route, view, method, None)
            elif route.last == "export":
                for kind in ("csv", "xlsx"):
                    yield Try("export", route.named(method), Ask(method, route.rule, {"format": kind}),
                              taken=(view.model, "export"))  # fmt: skip
                yield from self._oracles(route, view, method, {"format": "csv"})
            elif route.last == "bulk":
                yield from self._bulk(route, view)
            else:
                yield from self._makes(route, view, method)

    def _oracles(self, route: Route, view: EntityView, method: str, body: Body | None) -> Iterator[Try]:
        """Asking whether something is there that may not be seen: the answer must be that of what is not there."""
        for oracle, name, value, nothing in self._questions(route, view):
            way = "export" if route.last == "export" else f"API {oracle}" if route.api else oracle
            asks = [Ask(method, f"{route.rule}?{urlencode({name: one})}", body) for one in (value, nothing)]
            yield Try(way, route.named(method), asks[0], (value,), asks[1], (nothing,))

    def _questions(self, route: Route, view: EntityView) -> Iterator[tuple[str, str, str, str]]:
        """(way, argument, foreign value, value of nothing)."""
        model = view.model
        for name, there in self._pointed(view):
            pair = (there.public_id, NO_ID) if route.api else (str(there.id), str(NO_KEY))
            yield "filter oracle", name, *pair
        for name in [*sealed_columns(model), *self._withheld(view), "password"]:
            yield "sort oracle", "order", name, "nothing"
            yield "sort oracle", "order", f"-{name}", "-nothing"
        for word in self._words(model)[: None if route.last in LISTS or route.rule.endswith("/") else 1]:
            yield "search oracle", "q", word, NOBODY
        for name in self._withheld(view):
            for row in self.own(model)[:1]:
                if value := row.fact.get(name):
                    yield "filter oracle", name, str(value), NOBODY
                    yield "search oracle", "q", str(value), NOBODY
        for name in sealed_columns(model):
            for row in self._sealed_from(model, name):
                value = str(row.fact[name])
                yield "filter oracle", name, value, "9" * len(value)
                yield "search oracle", "q", value[-6:], "9" * 6

    def _bulk(self, route: Route, view: EntityView) -> Iterator[Try]:
        """Foreign rows ticked, in every act: asked about, and done."""
        flow = view.model.__workflow__
        acts = [*(step.name for step in (flow.transitions if flow is not None else ())), "delete"]
        acts += [act.name for act in view.bulk_acts]
        for act in acts:
            yield from self._bulk_own(route, view, act)
            for there in self.foreign(view.model)[:2]:
                for sure in ({}, {"sure": "1"}):
                    self.bulk += 1
                    form = {"act": act, "ids": str(there.id), "reason": "改", "key": BULK_KEY.format(self.bulk)} | sure
                    twin = form | {"ids": str(NO_KEY), "key": BULK_KEY.format(self.bulk + 500_000)}
                    yield Try("bulk act", route.named("POST"), Ask("POST", route.rule, form),
                              (str(there.id), str(form["key"])), Ask("POST", route.rule, twin),
                              (str(NO_KEY), str(twin["key"])))  # fmt: skip

    def _bulk_own(self, route: Route, view: EntityView, act: str) -> Iterator[Try]:
        """Rows that one may only read among the ticked ones."""
        rows = (one for one in self.bureau.rows(view.model) if self.oracle.reads(self.who, view.model, one.fact))
        for row in islice((one for one in rows if not self.oracle.writes(self.who, view.model, one.fact)), 1):
            self.bulk += 1
            form = {"act": act, "ids": str(row.id), "reason": "改", "key": BULK_KEY.format(self.bulk), "sure": "1"}
            yield Try("bulk act", route.named("POST"), Ask("POST", route.rule, form))

    def _makes(self, route: Route, view: EntityView, method: str) -> Iterator[Try]:
        """A new row like an own one, with a foreign parent, in another office; whatever else takes a form."""
        way = "API " if route.api else ""
        model = next(iter(self.own(view.model)), None)
        start = self._body(route, view, model.fact) if model is not None else {}
        start = {name: value for name, value in start.items() if not name.endswith("-id") and name != "version"}
        if route.last == "filters":
            for name, there in self._pointed(view):
                form = {"name": "改", "shared": "1", "arguments": urlencode({name: there.id, "q": "查不到"})}
                yield Try("saved filter", route.named(method), Ask(method, route.rule, form))
            return
        if route.last == "columns":
            names = [*self._withheld(view), *sealed_columns(view.model), "password"]
            columns: Body = {"column": names, **{f"place-{name}": "1" for name in names}}
            yield Try("hidden column", route.named(method), Ask(method, route.rule, columns))
            return
        if model is None:
            return
        for name, extra, typed in self._hostile(route, view, model, ""):
            made = "created elsewhere" if name == "moved away" else name
            yield Try(f"{way}{made}", route.named(method), Ask(method, route.rule, start | extra, route.api), typed)

    # ---- by what only its owner knows -------------------------------------------------------------------------------
    def _by_words(self, route: Route) -> Iterator[Try]:
        """A screen's further arguments: somebody's saved filter, import, answer of a bulk act."""
        assert route.view is not None
        for method in route.methods:
            for name in route.whole:
                for cls in self._private(route, name):
                    for there in self._about(cls, route.view)[:1]:
                        yield self._named(route, method, name, there, str(there.id), str(NO_KEY))
            for name in route.texts:
                for cls in self._private(route, name):
                    for there in self._about(cls, route.view)[:1]:
                        for word in self._secrets(there):
                            yield self._named(route, method, name, there, word, like(word))

    def _private(self, route: Route, name: str) -> list[type[Entity]]:
        """Classes whose rows are one person's and are about a list: those that the address speaks of, else all."""
        found = [cls for cls in self.bureau.facts.classes if hasattr(cls, "account_id") and hasattr(cls, "entity")]
        parts = route.rule.split("/")
        spoken = next((before for before, gap in pairwise(parts) if gap in {f"<{name}>", f"<int:{name}>"}), "")
        return [cls for cls in found if spoken.rstrip("s") in cls.__name__.lower()] or found

    def _about(self, cls: type[Entity], view: EntityView) -> list[Row]:
        rows = [one for one in self.bureau.rows(cls) if not self.oracle.reads(self.who, cls, one.fact)]
        return sorted(rows, key=lambda one: one.fact["entity"] != view.model.__name__)

    @staticmethod
    def _named(route: Route, method: str, name: str, there: Row, word: str, nothing: str) -> Try:
        body: Body | None = None if method == "GET" else {"c0": "name", "skip_bad": "1", "accept": "1"}
        asks = [Ask(method, route.filled(**{name: one}), body) for one in (word, nothing)]
        way = BY_CLASS.get(there.cls.__name__, "public id")
        return Try(way, route.named(method), asks[0], (word,), asks[1], (nothing,))

    def _other(self, route: Route) -> Iterator[Try]:
        """Pages of no entity: by the public id, and by each other secret, of foreign rows of every entity."""
        for method in route.methods:
            body: Body | None = None if method == "GET" else {}
            if not route.whole and not route.texts:
                yield Try("list", route.named(method), Ask(method, route.rule, body))
                yield from self._everywhere(route) if method == "GET" else self._listed(route, method)
                continue
            first = (*route.whole, *route.texts)[0]
            for cls in self.bureau.facts.classes:
                for there in self._picked(cls, route):
                    known = self._secrets(there)
                    known = known if there.cls.__name__ in BY_CLASS else known[:1]
                    for word in [str(there.id)] if route.whole else known:
                        yield from self._secret(route, method, first, there, word)

    def _listed(self, route: Route, method: str) -> Iterator[Try]:
        """Foreign rows ticked in a list that such a page sends, beside rows that are not there."""
        for there in self.foreign(registry()[route.entity])[:3] if route.entity else ():
            for sure in ({}, {"sure": "1"}):
                asks = [Ask(method, route.rule, {"ids": str(one)} | sure) for one in (there.id, NO_KEY)]
                yield Try("bulk act", route.named(method), asks[0], (str(there.id),), asks[1], (str(NO_KEY),))

    def _picked(self, cls: type[Entity], route: Route) -> list[Row]:
        """Some foreign rows of a class: more of those that are reached by a secret."""
        return self.foreign(cls)[: 3 if cls.__name__ in BY_CLASS else 1] if not route.public else []

    def _secret(self, route: Route, method: str, first: str, there: Row, word: str) -> Iterator[Try]:
        way = BY_CLASS.get(there.cls.__name__, "public id") if word == there.public_id else "file name"
        nothing = str(NO_KEY) if route.whole else like(word)
        further: list[dict[str, str]] = [{}]
        for name in (*route.whole, *route.texts):
            if name != first:
                values = SIZES if name == "size" else (word,)
                further = [one | {name: value} for one in further for value in values]
        body: Body | None = None if method == "GET" else {}
        for words in further:
            instead = {name: nothing if value == word else value for name, value in words.items()}
            asks = [Ask(method, route.filled(**{first: word}, **words), body),
                    Ask(method, route.filled(**{first: nothing}, **instead), body)]  # fmt: skip
            yield Try(way, route.named(method), asks[0], (word,), asks[1], (nothing,))

    def _everywhere(self, route: Route) -> Iterator[Try]:
        """The search over everything, and any page that takes its words."""
        for cls in self.bureau.facts.classes:
            if not hasattr(cls, "__search__"):
                continue
            for word in self._words(cls)[: 2 if route.last == "search" else 1]:
                asks = [Ask("GET", f"{route.rule}?{urlencode({'q': one})}") for one in (word, NOBODY)]
                yield Try("search oracle", route.named("GET"), asks[0], (word,), asks[1], (NOBODY,))


def _entity(route: Route) -> str:
    assert route.view is not None
    return route.view.entity_name

"""One try: a request (and the one it must be answered like), and what it may show and change."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from flask.testing import FlaskClient
from sqlalchemy import inspect
from werkzeug.test import TestResponse

from app.core.entity import Entity, Scope
from app.core.jobs import Job
from app.core.types import Encrypted
from app.prover.bureau import Bureau
from app.prover.facts import Fact, written_tables

WORD = re.compile(r"印[0-9a-fA-F]{5}记")
# tables that say nothing of who reaches what
KEPT_APART = frozenset({"HistoryEntry", "HistoryHead", "HistoryLink", "SignInSession", "Receipt"})
LOG = re.compile(r"(?:/api/v1)?/log/")
NOBODY = "印fffff记"  # a word that no row has
NUMBER = re.compile(r"(?<!\d)(?:139\d{8}|150525198001\d{5}X)(?![\dX])")
TOKEN = re.compile(r"[A-Za-z0-9_.-]{20,}")
LONG = 20  # characters of a token
MOMENT = re.compile(r"\b[a-z0-9]{5}(?:-[a-z0-9]{5})+\b|\d\d:\d\d(?::\d\d)?|W?\"[0-9a-f]{8,}\"|-\d{4}")
REFUSED = frozenset({401, 403, 404, 405})


@dataclass(frozen=True)
class Ask:
    """A request."""

    method: str
    url: str
    body: Any = None
    json: bool = False

    def send(self, client: FlaskClient) -> TestResponse:
        """Its answer, whole. What it left to be said on the next page is not said there."""
        given: dict[str, Any] = {"json" if self.json else "data": self.body}
        answer = client.open(self.url, method=self.method, follow_redirects=False, buffered=True, **given)
        if answer.status_code == 302:
            with client.session_transaction() as cookie:
                cookie.pop("_flashes", None)
        return answer


@dataclass(frozen=True)
class Try:
    """`twin` must be answered the same, once `typed` and `instead` are taken for one another. `refused`: nothing but a
    refusal will do. `reveals`: the one sealed value it may show. `taken`: an entity whose rows it may show only to who
    may do the verb to them."""

    way: str
    rule: str
    ask: Ask
    typed: tuple[str, ...] = ()
    twin: Ask | None = None
    instead: tuple[str, ...] = ()
    refused: bool = False
    reveals: str = ""
    taken: tuple[type[Entity], str] | None = None


@dataclass
class Judge:
    """Looks into answers and at what was changed, for one account."""

    bureau: Bureau
    who: int
    name: str
    way: str = ""  # of a try that is no request
    leaks: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)  # what should be seen and is not
    undecided: list[str] = field(default_factory=list)  # refused by a rule of the table before access was asked

    def look(self, one: Try, ask: Ask, client: FlaskClient) -> TestResponse:
        """Send a request and look at what it shows and changes."""
        with written_tables(self.bureau.engine) as tables:
            answer = ask.send(client)
        self.shown(one, answer)
        if tables:
            self._written(one, tables)
        if answer.status_code >= 500:
            self._leak(one, f"HTTP {answer.status_code}")
        return answer

    def run(self, one: Try, client: FlaskClient) -> None:
        """The try, and what it must be answered like."""
        answer = self.look(one, one.ask, client)
        sent_away = answer.status_code == 302 and (answer.location or "").startswith("/login")
        if one.refused and answer.status_code not in REFUSED and not sent_away:
            self._leak(one, f"not refused: HTTP {answer.status_code}")
        if one.twin is not None:
            self.alike(one, answer, self.look(one, one.twin, client))

    def _leak(self, one: Try, what: str) -> None:
        self.leaks.append(f"{self.name} {one.way}: {one.ask.method} {one.ask.url}: {what}")

    # ---- what an answer shows ---------------------------------------------------------------------------------------

    def shown(self, one: Try, answer: TestResponse) -> None:
        """Every word and number in an answer must be one that the account may see."""
        text = text_of(answer)
        typed = {word.lower() for word in one.typed}
        quoted = LOG.match(one.rule.partition(" ")[2]) is not None  # the log repeats what others typed, in its file too
        for word in sorted({word.lower() for word in WORD.findall(text)} - typed):
            told = self.bureau.made.words.get(word)
            if told is None or self._may_see(one, told.cls, told.id, told.column):
                continue
            if (one.taken is not None and not quoted) or not self.holds(word):
                self._leak(one, f"saw {word} of {told.cls.__name__} {told.id} ({told.column})")
        for number in sorted(set(NUMBER.findall(text)) - {one.reveals, *one.typed}):
            told = self.bureau.made.numbers.get(number)
            if told is None or self._may_see(one, told.cls, told.id, told.column, whole=True):
                continue
            if "/export" in one.rule or not self._holds_number(number):
                self._leak(one, f"saw {told.cls.__name__} {told.id} {told.column} whole")

    def holds(self, word: str) -> bool:
        """Whether a row of the account's own says the word by now: it was typed there."""
        for cls, rows in self.bureau.facts.rows.items():
            for fact in rows.values():
                names = [name for name, value in fact.items() if isinstance(value, str) and word in value.lower()]
                shown = any(not self.bureau.oracle.hides(self.who, cls, name) for name in names)
                if shown and self.bureau.oracle.reads(self.who, cls, fact):
                    return True
        return False

    def _holds_number(self, number: str) -> bool:
        """Whether a row that shows it whole to the account has the same number by now: a file may have brought it."""
        oracle = self.bureau.oracle
        return any(
            value == number and oracle.reads(self.who, cls, fact)
            and oracle.plain(self.who, cls, fact, name) and not oracle.hides(self.who, cls, name)
            for cls, rows in self.bureau.facts.rows.items() for fact in rows.values() for name, value in fact.items()
        )  # fmt: skip

    def _may_see(self, one: Try, cls: type[Entity], key: int, column: str, *, whole: bool = False) -> bool:
        fact, oracle = self.bureau.facts.rows[cls].get(key), self.bureau.oracle
        if fact is None:
            return True  # it is gone: what is left of it is history
        if one.rule.endswith("/verify/<code>") and column in {"title", "number"}:
            return True  # what a paper's own code tells whoever holds it
        if one.rule.endswith("/access") and cls.__name__ in {"Account", "Posting"}:
            return True  # the page that says who can see a record, to its own office's people
        verb = one.taken[1] if one.taken is not None and one.taken[0] is cls else "read"
        if not oracle.may(self.who, cls, fact, verb) or oracle.hides(self.who, cls, column):
            return False
        return not whole or (oracle.plain(self.who, cls, fact, column) and "/export" not in one.rule)

    def alike(self, one: Try, answer: TestResponse, other: TestResponse) -> None:
        """An answer about what may not be seen is the answer about what is not there."""
        if answer.status_code != other.status_code:
            self._leak(one, f"HTTP {answer.status_code}, but {other.status_code} for what is not there")
            return
        if LOG.match(one.rule.partition(" ")[2]):
            return  # each request adds to it: no two answers are the same, and it is read whole or not at all
        gaps = [*one.typed, *one.instead]
        mine, theirs = (_evened(told, gaps) for told in (text_of(answer), text_of(other)))
        if mine != theirs or answer.content_type != other.content_type:
            self._leak(one, f"answered otherwise than for what is not there: {_difference(mine, theirs)}")

    # ---- what it changed --------------------------------------------------------------------------------------------

    def _written(self, one: Try, tables: set[str]) -> None:
        facts = self.bureau.facts
        before = {cls: dict(facts.rows[cls]) for cls in facts.classes if inspect(cls).local_table.name in tables}
        with self.bureau.app.app_context():
            changes = facts.changes(tables)
        if any(cls.__name__ not in KEPT_APART for cls, *_rest in changes):
            self.bureau.oracle.forget()
        for cls, key, old, new in changes:
            if cls.__scope__ is Scope.SYSTEM and not cls.__part_of__:
                continue
            if old is not None and not self._before(before, cls, old, self.bureau.oracle.reads):
                self._leak(one, f"changed {cls.__name__} {key}")
            elif old is not None and not self._allowed(before, cls, old):
                self._leak(one, f"changed {cls.__name__} {key} without any right to")
            elif new is not None and not self._stands(cls, new):
                self._leak(one, f"left {cls.__name__} {key} where it can't be read")
            elif new is not None and (parent := self._foreign_parent(before, cls, old, new)):
                self._leak(one, f"pointed {cls.__name__} {key} at {parent}")
        if asked := [key for cls, key, old, _new in changes if cls is Job and old is None]:
            self.bureau.drop_jobs(asked)

    def _allowed(self, before: dict[type[Entity], Any], cls: type[Entity], old: Fact) -> bool:
        """Whether there was anything the person might do to the row as it stood."""
        if cls.__scope__ is not Scope.OFFICE or cls.__about__ is not None or old["id"] == self.who:
            return True  # what is written with another row, or is one's own account
        if self.bureau.oracle.by_itself(cls):
            return True  # that it may be read was asked before this
        return self._before(before, cls, old, self.bureau.oracle.writes)

    def _before(self, before: dict[type[Entity], Any], cls: type[Entity], row: Fact, may: Callable[..., bool]) -> bool:
        """Whether the person might, before the request: a row may make its own parent readable."""
        facts = self.bureau.facts
        now = {one: facts.rows[one] for one in before}
        facts.rows.update(before)
        self.bureau.oracle.forget()
        try:
            return may(self.who, cls, row)
        finally:
            facts.rows.update(now)
            self.bureau.oracle.forget()

    def _stands(self, cls: type[Entity], new: Fact) -> bool:
        if cls.__name__ == "HistoryEntry" or cls.__scope__ is Scope.OWN:  # core tells whom an act concerns
            return True
        return self.bureau.oracle.reads(self.who, cls, new)

    def _foreign_parent(self, before: dict[type[Entity], Any], cls: type[Entity], old: Fact | None, new: Fact) -> str:
        for relation in inspect(cls).relationships:
            other = relation.mapper.class_
            if relation.direction.name != "MANYTOONE" or not issubclass(other, Entity):
                continue
            name = str(next(iter(relation.local_columns)).key)
            found = before.get(other, self.bureau.facts.rows[other]).get(new[name] or 0)
            moved = old is None or old[name] != new[name]
            if found is None or not moved or other.__scope__ is not Scope.OFFICE or found["id"] == self.who:
                continue
            if not self._before(before, other, found, self.bureau.oracle.reads):
                return f"{other.__name__} {found['id']}"
        return ""


def _evened(text: str, gaps: list[str]) -> str:
    """An answer without what differs from one request to the next, and without what was asked for."""
    spelled = {way for gap in gaps if gap for way in (gap, quote(gap), quote_plus(gap), quote(quote_plus(gap)))}
    for gap in sorted((one for one in spelled if len(one) >= LONG), key=len, reverse=True):
        text = text.replace(gap, "∅")
    text = MOMENT.sub("", TOKEN.sub("T", text))
    for gap in sorted((one for one in spelled if len(one) < LONG), key=len, reverse=True):
        text = text.replace(gap, "∅")
    return text.replace("T", "∅")


def _difference(mine: str, theirs: str) -> str:
    both = enumerate(zip(mine, theirs, strict=False))
    place = next((n for n, (a, b) in both if a != b), min(len(mine), len(theirs)))
    return f"{mine[place : place + 40]!r} for {theirs[place : place + 40]!r}"


def text_of(answer: TestResponse) -> str:
    """What an answer says, its headers too; a workbook says what its sheets do."""
    content = answer.get_data()
    head = "\n".join(
        unquote(value) for name, value in answer.headers.items() if name in {"Location", "Content-Disposition"}
    )
    if answer.is_json:
        return f"{json.dumps(answer.get_json(), ensure_ascii=False)}\n{head}"  # where \\u5370 is the word it stands for
    if not content.startswith(b"PK"):
        return f"{content.decode(errors='ignore')}\n{head}"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode(errors="ignore") for name in book.namelist() if name.endswith(".xml"))


def sealed_columns(cls: type[Entity]) -> Iterator[str]:
    """Columns that are shown in part only."""
    for name, column in inspect(cls).columns.items():
        firm = bool(getattr(cls, "__firm_key__", "")) and column.info.get("format") == "tel"
        if isinstance(column.type, Encrypted) or firm:
            yield name


Tries = Callable[..., Iterator[Try]]

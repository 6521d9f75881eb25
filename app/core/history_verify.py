"""Verifying history: every chain is walked from its sealed checkpoint, or its first entry, to its head.

What the chain alone can't show (cut off at its end and the head set back; written anew by somebody who has the key) is
found by the seal of its head, or by comparing it with heads that were kept elsewhere: in each issued paper, in a file
a day, in each backup.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.core.crypto import chain
from app.core.db import unscoped
from app.core.history_entry import (
    SEALED,
    HistoryCheckpoint,
    HistoryEntry,
    HistoryHead,
    HistoryLink,
    columns_of,
    head_seal,
    seal_of,
)

STEP = 1_000  # entries read at a time


@dataclass(frozen=True)
class Break:
    """The first bad entry of a chain: its office and number, what is wrong, when it was written and what it tells.

    Office and number are 0 for a file of kept heads that is itself bad.
    """

    office_id: int
    seq: int
    what: str
    at: datetime | None = None
    told: str = ""


@dataclass(frozen=True)
class Kept:
    """The head of a chain as it was kept elsewhere. `seq` is None where only the hash was kept."""

    office_id: int
    seq: int | None
    hash: str
    where: str
    at: datetime | None = None


Keeper = Callable[[Session], Iterable[Kept | Break]]
keepers: list[Keeper] = []  # who keeps heads elsewhere (core.anchors, core.document)


def verify() -> Iterator[Break]:
    """Walk every chain; yield the first break of each, and what is wrong with what was kept elsewhere."""
    with unscoped("verify history") as session:
        kept: dict[int, list[Kept]] = defaultdict(list)
        for one in (one for keeper in keepers for one in keeper(session)):
            if isinstance(one, Break):
                yield one
            else:
                kept[one.office_id].append(one)
        for office in _offices(session) | set(kept):
            bad = _Chain(session, office, kept[office]).first_break()
            if bad is not None:
                yield bad


def verify_office(session: Session, office: int, until: int | None = None) -> Break | None:
    """The first break of one chain by itself (up to an entry), without what was kept elsewhere."""
    return _Chain(session, office, [], until=until).first_break()


def _offices(session: Session) -> set[int]:
    models = (HistoryHead, HistoryEntry, HistoryLink, HistoryCheckpoint)
    return {office for model in models for office in session.scalars(select(model.office_id).distinct())}


@dataclass
class _Chain:
    """One office's chain while it is walked."""

    session: Session
    office: int
    kept: list[Kept]
    until: int | None = None
    seq: int = 0
    hash: str = ""
    row_id: int = 0
    begins: datetime | None = None
    body: str = "{}"  # of the newest entry walked
    wanted: dict[int, Kept] = field(default_factory=dict)
    missing: dict[str, Kept] = field(default_factory=dict)

    def first_break(self) -> Break | None:
        """Begin at the checkpoint, walk, compare the end with the head and what was kept with what was met."""
        start = self._start()
        if start is not None:
            return start
        for one in self.kept:
            if one.seq is None:
                self.missing[one.hash] = one
            elif one.seq > self.seq or (one.seq == self.seq and one.hash != self.hash):
                self.wanted[one.seq] = one
        return self._walk() or (self._end() if self.until is None else self._short())

    def _start(self) -> Break | None:
        row = self.session.execute(_of(HistoryCheckpoint, self.office)).one_or_none()
        if row is None:
            return None
        if row.seal != seal_of(self.office, row.seq, row.hash, row.at):
            return Break(self.office, row.seq, "检查点的封印不对：不是本系统留下的，或被改动")
        self.seq, self.hash, self.begins = row.seq, row.hash, row.at
        return None

    def _walk(self) -> Break | None:
        links = _Links(self.session, self.office, self.until)
        entries = _of(HistoryEntry, self.office).order_by(HistoryEntry.seq, HistoryEntry.id)
        if self.until is not None:
            entries = entries.where(HistoryEntry.seq <= self.until)
        with closing(links), closing(self.session.execute(entries.execution_options(yield_per=STEP))) as rows:
            for row in rows:
                why = self._wrong(row, links)
                if why:
                    seq = min(row.seq, self.seq + 1) if row.seq > self.seq else row.seq
                    return Break(self.office, seq, why, row.at if seq == row.seq else None, _told(row))
                self.seq, self.hash, self.row_id = row.seq, row.hash, row.id
                self.body = row.body
                self.missing.pop(row.hash, None)
            if (more := links.next_seq()) is not None:
                return Break(self.office, more, "关联记录指向没有的日志")
        return None

    def _wrong(self, row: Row[Any], links: _Links) -> str:
        if row.seq <= self.seq:
            return "多出一条：序号重复或在检查点之前"
        if row.seq != self.seq + 1:
            return f"缺少第 {self.seq + 1} 条"
        if row.id <= self.row_id:
            return "先后次序被改动"
        if chain(self.hash, row.body) != row.hash:
            return "内容或校验值被改动"
        body = json.loads(row.body)
        told = columns_of(body, row.hash)
        if changed := [name for name, value in told.items() if getattr(row, name) != value]:
            return f"检索列与内容不符：{'、'.join(changed)}"
        linked = links.of(row.seq)
        if "v" in body and linked != sorted((entity, key) for entity, key in body.get("also", [])):
            return "关联记录被改动、删除或添加"
        kept = self.wanted.pop(row.seq, None)
        if kept is not None and kept.hash != row.hash:
            return f"与留存的链头不符（{kept.where}）：到这一条为止的内容被重写"
        return ""

    def _short(self) -> Break | None:
        """Whether the walk ended before the entry it was to reach."""
        return None if self.seq == self.until else Break(self.office, self.seq + 1, f"缺少第 {self.seq + 1} 条")

    def _end(self) -> Break | None:
        head = self.session.execute(_of(HistoryHead, self.office)).one_or_none()
        after = self.seq + 1
        if head is None or (head.seq, head.hash) != (self.seq, self.hash):
            return Break(self.office, after, "链头与最后一条不符：末尾被删除或链头被改")
        if self.wanted:
            one = self.wanted[min(self.wanted)]
            return Break(self.office, after, f"留存的链头到第 {one.seq} 条（{one.where}）：末尾被截断", one.at)
        lost = [one for one in self.missing.values() if _is_after(one.at, self.begins)]
        if lost:
            first = min(lost, key=lambda one: str(one.at))
            return Break(self.office, after, f"链中没有{first.where}留存的链头：被截断或重写", first.at)
        return self._set_back(head)

    def _set_back(self, head: Row[Any]) -> Break | None:
        """Whether the head was written by hand; the newest entry stays whatever retention takes away."""
        form = int(json.loads(self.body).get("v", 0))
        if form >= SEALED and head.public_id != head_seal(self.office, self.seq, self.hash):
            return Break(self.office, self.seq + 1, "链头的封印不对：末尾被截断，链头不是本系统留下的")
        if self.begins is not None and not self.row_id:
            return Break(self.office, self.seq + 1, "检查点之后没有日志：末尾被截断")
        return None


def _is_after(at: datetime | None, begins: datetime | None) -> bool:
    return at is None or begins is None or at > begins


def _told(row: Row[Any]) -> str:
    return " ".join(str(part) for part in (row.actor_name, row.verb, row.entity, row.row_id, row.summary) if part)


def _of(model: Any, office: int) -> Any:
    """Rows of one office as plain columns: making objects of a million entries takes minutes."""
    table = model.__table__
    return select(*table.c).where(table.c.office_id == office)


class _Links:
    """The further records of one office's entries, in step with the walk."""

    def __init__(self, session: Session, office: int, until: int | None) -> None:
        wanted = select(HistoryLink.seq, HistoryLink.entity, HistoryLink.row_id).where(HistoryLink.office_id == office)
        if until is not None:
            wanted = wanted.where(HistoryLink.seq <= until)
        self.result = session.execute(wanted.order_by(HistoryLink.seq).execution_options(yield_per=STEP))
        self.groups = groupby(self.result, key=attrgetter("seq"))
        self.ahead: tuple[int, list[tuple[str, int]]] | None = None
        self._read()

    def _read(self) -> None:
        found = next(self.groups, None)
        self.ahead = None if found is None else (found[0], sorted((one.entity, one.row_id) for one in found[1]))

    def next_seq(self) -> int | None:
        """The number of the next entry that has further records."""
        return self.ahead[0] if self.ahead is not None else None

    def of(self, seq: int) -> list[tuple[str, int]]:
        """What the entry with this number is about beside its first record; those passed over are not forgotten."""
        if self.ahead is None or self.ahead[0] > seq:
            return []
        if self.ahead[0] < seq:
            return [("?", self.ahead[0])]
        found = self.ahead[1]
        self._read()
        return found

    def close(self) -> None:
        """Let go of the cursor."""
        self.result.close()

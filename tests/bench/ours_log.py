"""Our side with a long history: the auditor's log over very many entries, and walking their chains."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert, select

from app.core import clock
from app.core.crypto import chain
from app.core.db import unscoped
from app.core.history_entry import HistoryEntry, HistoryHead, Kind, canonical, columns_of
from app.core.history_verify import verify
from app.core.office import Account, Family, Office
from app.services.office import add_account, add_posting
from tests.bench.measure import counted
from tests.bench.ours import Ours

CHUNK = 20_000
KINDS = [(Kind.WRITE, "update", "更正")] * 84 + [(Kind.SIGN_IN, "update", "登录")] * 8 + [
    (Kind.DENIED, "read", "被拒绝"), (Kind.DENIED, "read", "被拒绝"), (Kind.EXPORT, "export", "导出"),
    (Kind.PRINT, "print", "打开文书"), (Kind.PRINT, "print", "打开文书"), (Kind.SIGN_IN, "read", "登录失败"),
    (Kind.REVEAL, "reveal", "查看全文"), (Kind.IMPORT, "import", "导入")]  # fmt: skip
QUERIES: tuple[dict[str, str], ...] = (
    {}, {"page": "38"}, {"order": "at"}, {"actor": "1"}, {"kind": "被拒绝"}, {"kind": "写入"}, {"result": "未成功"},
    {"verb": "export"}, {"office": "3"}, {"office": "3", "kind": "导出"}, {"entity": "Notice"},
    {"row_id": "Notice 77"}, {"address": "10.1.2.3"}, {"at_from": "2024-03-01", "at_to": "2024-03-02"},
    {"at_to": "2024-02-01"}, {"actor": "1", "kind": "写入", "at_to": "2024-06-01"},
)  # fmt: skip
TEXTS: tuple[dict[str, str], ...] = (
    {"q": "更正"}, {"q": "龘"}, {"q": "没有的字"}, {"q": "龘", "kind": "写入", "office": "3"},
)  # fmt: skip


class OursLog(Ours):
    """The log as the auditor sees it."""

    def grow(self, entries: int) -> None:
        """Entries of all offices, chained as the program chains them."""
        with self.app.app_context(), unscoped("bench") as session:
            add_account("auditor", "审计员", Family.AUDIT, "150525", "", must_change=False)
            add_posting("auditor", "150525", "auditor")
            offices = list(session.scalars(select(Office.id)))
            people = [(key, name) for key, name in session.execute(select(Account.id, Account.name))]
            heads = {one.office_id: (one.seq, one.hash) for one in session.scalars(select(HistoryHead))}
            known = set(heads)
            session.rollback()
            made = _entries(entries, offices, people, heads)
            for _start in range(0, entries, CHUNK):
                connection = session.connection(execution_options={"shouze_write": True})
                rows = [row for _n, row in zip(range(min(CHUNK, entries)), made, strict=False)]
                if rows:
                    connection.execute(insert(HistoryEntry.__table__), rows)
                session.commit()
            self._set_heads(session, heads, known)

    @staticmethod
    def _set_heads(session: Any, heads: dict[int, tuple[int, str]], known: set[int]) -> None:
        """Heads only ever go forward by one: known ones are left behind, so chains grow from offices without one."""
        connection, table = session.connection(execution_options={"shouze_write": True}), HistoryHead.__table__
        fresh = {office: head for office, head in heads.items() if office not in known}
        if fresh:
            rows = [{"office_id": o, "seq": seq, "hash": link, "version": 1} for o, (seq, link) in fresh.items()]
            connection.execute(insert(table), rows)
        session.commit()

    def log(self) -> dict[str, list[tuple[str, float, int]]]:
        """(arguments, milliseconds of processor time, statements) of each page of the log."""
        with self.app.app_context(), unscoped("bench") as session:
            auditor = session.scalars(select(Account).where(Account.username == "auditor")).one()
        with self.client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = f"{auditor.id}.{auditor.session_epoch}", True
        return {"filters": [self._page(one) for one in QUERIES], "texts": [self._page(one) for one in TEXTS]}

    def _page(self, args: dict[str, str]) -> tuple[str, float, int]:
        url = f"/log/?{urlencode(args)}"
        self.get(url)
        with counted() as heard:
            start = time.process_time()
            self.get(url)
            took = (time.process_time() - start) * 1000
        return urlencode(args), took, len(heard)

    def walk(self) -> tuple[float, int]:
        """(seconds of processor time, broken chains) of verifying everything."""
        with self.app.app_context():
            start = time.process_time()
            broken = len(list(verify()))
            return time.process_time() - start, broken


def _entries(
    count: int, offices: list[int], people: list[tuple[int, str]], heads: dict[int, tuple[int, str]]
) -> Iterator[dict[str, Any]]:
    """Entries one after another, of offices that have no chain yet."""
    draw, at = random.Random(11), datetime(2024, 1, 1, tzinfo=clock.SHANGHAI)
    free = [office for office in offices if office not in heads]
    for number in range(count):
        kind, verb, reason = draw.choice(KINDS)
        office = draw.choice(free)
        seq, link = heads.get(office, (0, ""))
        body = {
            "v": 2, "office": office, "seq": seq + 1, "actor": list(draw.choice(people)), "kind": str(kind),
            "at": (at + timedelta(seconds=60 * number)).isoformat(timespec="microseconds"), "verb": verb,
            "address": f"10.{draw.randrange(4)}.{draw.randrange(200)}.{draw.randrange(200)}", "note": "",
            "reason": f"{reason} {number}{' 龘' if number % 1_000 == 7 else ''}",
            "root": [draw.choice(["Site", "Enterprise", "Inspection", "Notice"]), draw.randrange(1, 20_000)],
            "changes": [["Site", number, "~", {"name": ["旧招牌" * 5, "新招牌" * 5], "note": ["", "说明" * 40]}]],
        }  # fmt: skip
        text = canonical(body)
        link = chain(link, text)
        heads[office] = (seq + 1, link)
        yield columns_of(body, link) | {"body": text, "hash": link}

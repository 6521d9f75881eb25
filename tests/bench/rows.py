"""Sides of the generic import: who makes the file, and who brings it in by the pages, as an inspector does."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.bench.measure import counted, held, peak_rss, timed

EVERY = 100  # each so many rows one code is spoilt
HEADINGS = ("单位名称", "统一社会信用代码", "组织形式", "法定代表人", "联系电话", "住所", "经营状态", "备注")


class Maker:
    """Writes the file."""

    def make(self, file: str, rows: int) -> int:
        """`rows` firms, the code spoilt in each hundredth; how many are spoilt."""
        from openpyxl import Workbook

        from app.core.codes import make_credit_code, make_mobile

        book = Workbook(write_only=True)
        sheet = book.create_sheet("台账")
        sheet.append(HEADINGS)
        for n in range(rows):
            code = "X" if n % EVERY == EVERY - 1 else make_credit_code(n)
            told = (
                f"奈曼旗第{n}食品经营部",
                code,
                "企业",
                "王小明",
                make_mobile(n),
                f"大沁他拉镇某街 {n} 号",
                "正常",
                "",
            )
            sheet.append(told)
        book.save(file)
        return rows // EVERY


class Ours:
    """The application with an inspector at the keyboard."""

    def __init__(self, folder: str) -> None:
        from sqlalchemy import select

        from app.core.db import unscoped
        from app.core.office import Account
        from tests.bench.ours import TOKEN, application
        from tests.support.house import enter_as

        self.app = application(folder, 0)
        self.client = self.app.test_client()
        with self.app.app_context(), unscoped("bench") as session:
            key = enter_as(session.scalars(select(Account.id).where(Account.username == "one")).one())
        with self.client.session_transaction() as cookie:
            cookie["_user_id"] = key
        self.token = TOKEN.findall(self.client.get("/enterprises/import").get_data(as_text=True))[0]
        self.url = ""

    def bring(self, file: str) -> dict[str, Any]:
        """Every step, timed."""
        self._upload(file)
        locks: dict[str, list[tuple[float, float]]] = {}
        with counted() as heard, held() as locks["trial"]:
            trial = timed(self._trial)
        wrong = self._wrong()
        marked = timed(lambda: self._get(f"{self.url}/checked.xlsx"))
        with held() as locks["write"]:
            write = timed(lambda: self._do(self.url, {"skip_bad": "1", "accept": "1"}))
        first = self.url
        self._upload(file)
        again = timed(self._trial)
        with held() as locks["undo"]:
            undo = timed(lambda: self._do(f"{first}/undo", {}))
        return {"trial": trial, "wrong": wrong, "marked": marked, "write": write, "again": again, "undo": undo,
                "locks": locks, "statements": len(heard), "peak": peak_rss()}  # fmt: skip

    def _upload(self, file: str) -> None:
        data = {"file": (BytesIO(Path(file).read_bytes()), "firms.xlsx")}
        self.url = self._post("/enterprises/import", data).removesuffix("/columns")

    def _trial(self) -> None:
        picks = re.findall(r'<select name="(c\d+)".*?</select>', self._get(f"{self.url}/columns"), re.DOTALL)
        names = ["name", "code", "org_form", "legal_person", "phone", "address", "state", "note"]
        self._do(f"{self.url}/columns", dict(zip(picks, names, strict=True)))

    def _do(self, url: str, data: dict[str, Any]) -> None:
        """What may be work for the worker, with that work."""
        from app.core import jobs

        self._post(url, data)
        with self.app.app_context():
            jobs.sweep()

    def _wrong(self) -> int:
        return int(re.findall(r'<dd class="tally">(\d+)</dd>', self._get(self.url))[3])

    def _get(self, url: str) -> str:
        answer = self.client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return str(answer.get_data().decode(errors="ignore"))

    def _post(self, url: str, data: dict[str, Any]) -> str:
        answer = self.client.post(url, data=data | {"csrf_token": self.token}, content_type="multipart/form-data")
        assert answer.status_code == 302, answer.get_data(as_text=True).partition("<main")[2][:3000]
        return str(answer.location)

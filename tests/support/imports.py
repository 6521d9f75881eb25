"""Files as the offices bring them, and the pages of an import from the first to the last."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import select

from app.core.codes import make_credit_code, make_mobile
from app.core.importing.run import ImportRun
from tests.support.house import House

FIRM_HEADINGS = ("单位名称", "统一社会信用代码", "法定代表人", "联系电话", "住所", "经营状态")


def page(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def workbook(*rows: Sequence[Any], title: str = "台账", mac: bool = False) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    if mac:
        from openpyxl.utils.datetime import MAC_EPOCH

        book.epoch = MAC_EPOCH
    for row in rows:
        sheet.append(list(row))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    """A workbook with one part more."""
    out = BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def firm_rows(count: int, first: int = 7000) -> list[tuple[str, ...]]:
    return [
        (f"奈曼旗导入饭店{n}号", make_credit_code(n), "张三", make_mobile(n), f"大沁他拉镇某街 {n} 号", "正常")
        for n in range(first, first + count)
    ]


def firms_file(rows: Iterable[Sequence[Any]]) -> bytes:
    return workbook(FIRM_HEADINGS, *rows)


@dataclass
class Desk:
    """One of the cast with a browser, importing for one entity."""

    house: House
    username: str
    base: str = "/enterprises"
    client: FlaskClient = field(init=False)
    run: str = ""

    def __post_init__(self) -> None:
        self.client = self.house.client(self.username)

    def upload(self, data: bytes, name: str = "台账.xlsx") -> Any:
        answer = self.client.post(
            f"{self.base}/import", data={"file": (BytesIO(data), name)}, content_type="multipart/form-data"
        )
        if answer.status_code == 302:
            self.run = answer.location.split("/")[-2]
        return answer

    @property
    def url(self) -> str:
        return f"{self.base}/import/{self.run}"

    def columns(self, **query: Any) -> str:
        return page(self.client.get(f"{self.url}/columns", query_string=query))

    def chosen(self, text: str) -> dict[str, str]:
        """The fields that the page of columns proposes, by heading."""
        rows = re.findall(r"<tr[^>]*><th scope=\"row\"><span[^>]*>[A-Z]+</span> (.*?)</th>(.*?)</tr>", text, re.DOTALL)
        picks = {heading: re.search(r'value="(\w*)" selected', cells) for heading, cells in rows}
        return {heading: found[1] if found else "" for heading, found in picks.items()}

    def attempt(self, mapping: Sequence[str] | None = None, **options: str) -> Any:
        """Try it with the columns as proposed, or as told."""
        text = self.columns(**{key: options[key] for key in ("sheet", "row") if key in options})
        names = list(mapping) if mapping is not None else list(self.chosen(text).values())
        place = {key: re.search(rf'type="hidden" name="{key}" value="([^"]*)"', text) for key in ("sheet", "row")}
        form = {key: found[1] for key, found in place.items() if found} | {f"c{n}": one for n, one in enumerate(names)}
        return self.client.post(f"{self.url}/columns", data=form | options)

    def attempt_gone(self) -> Any:
        """Try it although its file is gone."""
        return self.client.post(f"{self.url}/columns", data={"c0": "name"})

    def result(self) -> str:
        return page(self.client.get(self.url))

    def write(self, **ticks: str) -> Any:
        return self.client.post(self.url, data=ticks)

    def undo(self) -> Any:
        return self.client.post(f"{self.url}/undo")

    def through(self, data: bytes, name: str = "台账.xlsx", **ticks: str) -> Any:
        """Upload, try, write."""
        assert self.upload(data, name).status_code == 302
        tried = self.attempt()
        assert tried.status_code == 302, page(tried)[-3000:]
        return self.write(**ticks)

    def kept(self) -> ImportRun:
        with self.house.system() as session:
            return session.scalars(select(ImportRun).where(ImportRun.public_id == self.run)).one()

    def counts(self) -> tuple[int, int, int, int]:
        run = self.kept()
        return run.made, run.changed, run.same, run.wrong

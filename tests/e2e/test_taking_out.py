"""What leaves the screen: a file at once, a file from the background, a sheet of paper."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, start, stop
from tests.e2e.test_story import picture, wide

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]
AT_ONCE = 3  # rows; a longer list is background work for this server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that makes nearly every export in the background."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOUZE_EXPORT_DIRECT_ROWS", str(AT_ONCE))
        found = start(tmp_path_factory.mktemp("out") / "data")
    yield found
    stop(found)


@contextmanager
def resting(server: Server) -> Iterator[None]:
    """The job worker, the second child of the server, does nothing for a while: as when it has much to do."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    worker = int(children[1])
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def ask(page: Page, format_: str) -> None:
    """Choose a format in the menu, which closes by itself after a file that came at once."""
    expect(page.locator(".out[open]")).to_have_count(0)
    page.locator(".out summary").click()
    page.locator(f'.out button[value="{format_}"]').click()


def table(content: bytes, format_: str) -> list[list[object]]:
    """The rows of a file, its three head lines first."""
    if format_ == "csv":
        return [list(row) for row in csv.reader(StringIO(content.decode("utf-8-sig")))]
    return [list(row) for row in load_workbook(BytesIO(content)).worksheets[0].iter_rows(values_only=True)]


def first_firm(page: Page) -> str:
    page.goto("/enterprises/")
    return page.locator("tr[data-row] th a").first.inner_text()


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_a_short_list_is_a_file_at_once(sign_in: SignIn, width: int, height: int) -> None:
    page = sign_in("suo-a", width, height)
    firm = first_firm(page)
    page.goto(f"/enterprises/?q={firm}")
    for format_ in ("xlsx", "csv"):
        with page.expect_download() as taken:
            ask(page, format_)
        assert re.search(r"[一-鿿].*\." + format_ + "$", taken.value.suggested_filename)
        rows = table(Path(taken.value.path()).read_bytes(), format_)
        assert firm in str(rows[1][0]), "the second line says which filter it was"
        assert [row[0] for row in rows[3:]] == [firm]
        assert page.locator("tr[data-row]").count() == 1, "the list stays where it was"


def test_a_long_list_shows_how_far_it_is_and_is_fetched(sign_in: SignIn, server: Server, out: Path) -> None:
    page = sign_in("suo-a")
    page.goto("/enterprises/")
    shown = page.locator("tr[data-row]").count()
    assert shown > AT_ONCE
    with resting(server):
        ask(page, "csv")
        page.wait_for_url("**/jobs/")
        bar = page.locator(".jobs li").first.locator("progress")
        expect(bar).to_be_visible()
        assert bar.get_attribute("value") == "0"
        assert page.locator(".jobs li").first.locator("a[download]").count() == 0
        picture(page, out, "job-waits")
    expect(page.locator(".jobs li").first.locator("a[download]")).to_be_visible(timeout=60_000)  # by itself
    assert page.locator(".jobs li").first.locator("progress").count() == 0
    with page.expect_download() as taken:
        page.locator(".jobs li").first.locator("a[download]").click()
    assert len(table(Path(taken.value.path()).read_bytes(), "csv")) - 3 >= shown
    page.goto("/messages/")
    expect(page.locator("main")).to_contain_text("导出")
    other = sign_in("yuan-b")
    other.goto("/jobs/")
    assert other.locator(".jobs li").count() == 0, "a file is its person's alone"


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_an_export_is_cancelled_before_it_is_made(
    sign_in: SignIn, server: Server, out: Path, width: int, height: int
) -> None:
    page = sign_in("yuan-a", width, height)
    with resting(server):
        page.goto("/enterprises/")
        ask(page, "xlsx")
        page.wait_for_url("**/jobs/")
        job = page.locator(".jobs li").first
        expect(job.locator("progress")).to_be_visible()
        assert not wide(page)
        job.locator("form button").click()
        expect(page.locator(".jobs li").first).to_contain_text("已取消")
        assert page.locator(".jobs progress").count() == 0
        picture(page, out, f"job-cancelled-{width}")
    page.wait_for_timeout(2_500)  # the worker is awake again, and has looked
    page.reload()
    expect(page.locator(".jobs li").first).to_contain_text("已取消")
    assert page.locator(".jobs li").first.locator("a[download]").count() == 0


def printed(page: Page, path: Path) -> str:
    """What the page's own button sends to the printer, as text."""
    page.evaluate("() => { window.asked = 0; window.print = () => { window.asked += 1; }; }")
    page.locator("[data-print]").first.click()
    assert page.evaluate("window.asked") == 1
    page.emulate_media(media="print")
    for selector in (".side", ".top", ".actions", ".filters", ".bulk", ".tabs"):
        assert page.locator(f"{selector}:visible").count() == 0, selector
    expect(page.locator(".printhead")).to_be_visible()
    path.write_bytes(page.pdf())
    words = ["pdftotext", "-raw", str(path), "-"]  # as it was written: a cell's lines stay together
    text = re.sub(r"\s+", "", subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    page.emulate_media(media="screen")
    expect(page.locator(".printhead")).to_be_hidden()
    return text


def test_a_list_is_printed_with_what_it_is(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("suo-a")
    page.goto("/enterprises/?state=正常")
    firms = page.locator("tr[data-row] th a").all_inner_texts()
    text = printed(page, tmp_path / "list.pdf")
    assert "筛选：" in text and "正常" in text and "打印：" in text
    assert len(firms) > 3 and [firm for firm in firms if re.sub(r"\s+", "", firm) not in text] == []
    assert "导出" not in text and "新建" not in text and "上一页" not in text


def test_a_record_is_printed_whole(sign_in: SignIn, tmp_path: Path) -> None:
    """All of its sections, not only the tab that is open."""
    page = sign_in("suo-a")
    page.goto("/notices/1")
    number = page.locator("h1").inner_text()
    hidden = [one for one in page.locator("section[id]").all() if not one.is_visible()]
    assert hidden, "on the screen the sections are tabs"
    text = printed(page, tmp_path / "record.pdf")
    assert re.sub(r"\s+", "", number) in text and "打印：" in text
    page.emulate_media(media="print")
    assert all(one.is_visible() for one in hidden)
    page.emulate_media(media="screen")

"""摸底 in a browser: the bureau opens a round, a station judges its list and hands it in, the bureau accepts."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_story import SignIn, picture, save, wide

pytestmark = pytest.mark.e2e
MOST_TRIES = 120


def until(page: Page, url: str, text: str) -> None:
    """Open the page until the worker has done what it waits for."""
    for _try in range(MOST_TRIES):
        page.goto(url)
        if page.locator("main", has_text=text).count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.locator("main").inner_text()[:800])


def step(page: Page, name: str) -> None:
    """Take a step of the record: first its page, then its button."""
    page.locator("main .actions, .bar").get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(re.compile("/do/"))
    page.locator(".bar button").first.click()


def living(server: Server) -> int:
    """The sites in being over all offices."""
    with sqlite3.connect(server.data / "shouze.db") as found:
        return int(
            found.execute("SELECT COUNT(*) FROM site WHERE state NOT IN ('注销', '已并入', '吊销')").fetchone()[0]
        )


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_a_census_from_opening_to_accepted(
    sign_in: SignIn, server: Server, out: Path, width: int, height: int
) -> None:  # fmt: skip
    bureau, chief = (sign_in(who, width, height) for who in ("zhuanban", "suo-b"))
    sites, name = living(server), f"摸底演练{width}"
    bureau.goto("/census-rounds/add")
    bureau.fill('[name="name"]', name)
    save(bureau, r"/census-rounds/\d+$", out)
    census = bureau.url.rsplit("/", 1)[-1]
    step(bureau, "开始摸底")
    bureau.wait_for_url(re.compile(r"/census-rounds/\d+$"))
    until(bureau, bureau.url, "清单建好")
    bureau.goto(f"/census/?round={census}")
    expect(bureau.locator(".figures dd").first).to_have_text(str(sites))
    assert not wide(bureau)
    picture(bureau, out, f"census-begun-{width}")

    until(chief, "/messages/", name)  # told at last, when all lines are there
    chief.goto("/census-returns/")
    chief.locator("tr[data-row] a", has_text=name).first.click()
    chief.wait_for_url(re.compile(r"/census-returns/\d+$"))
    sheet = chief.url
    assert not wide(chief)
    picture(chief, out, f"census-return-{width}")
    chief.get_by_role("link", name=re.compile("核实清单")).first.click()
    chief.wait_for_url(re.compile("/census-lines/"))
    assert not wide(chief)
    picture(chief, out, f"census-lines-{width}")
    whole = "[data-found]" if chief.locator("[data-found]").count() else "[data-all]"
    chief.locator("label", has=chief.locator(whole)).click()
    chief.select_option("#act", "confirm")
    chief.locator(".bulk .btn").click()
    chief.locator(".bar .primary").click()
    chief.wait_for_url("**/bulk/*", timeout=120_000)
    picture(chief, out, f"census-confirmed-{width}")
    chief.goto(sheet)
    chief.get_by_role("link", name="上报", exact=True).first.click()
    chief.locator('[name="looked"]').check()
    picture(chief, out, f"census-hand-in-{width}")
    chief.locator(".bar .primary").click()
    chief.wait_for_url(sheet)
    expect(chief.locator("main")).to_contain_text("已上报")

    bureau.goto(sheet)
    step(bureau, "认可")
    bureau.wait_for_url(sheet)
    bureau.goto(f"/census/?round={census}")
    expect(bureau.locator("tr[data-row]", has_text="已认可")).to_have_count(1)
    expect(bureau.locator(".figures dd").first).to_have_text(str(sites))
    picture(bureau, out, f"census-accepted-{width}")
    assert living(server) == sites, "counting changes nothing"
    bureau.goto(f"/census-rounds/{census}")
    step(bureau, "结束摸底")
    bureau.wait_for_url(re.compile(r"/census-rounds/\d+$"))

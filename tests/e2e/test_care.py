"""In a browser: many sites are put in charge of people at once; a site goes to another station, the sum stays."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]
COUNTED = ("enterprise", "site", "inspection", "notice", "daily_check", "licence", "appointment", "caretaker")


def picture(page: Page, out: Path, name: str) -> None:
    page.screenshot(path=out / f"{name}.png", full_page=True)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"))


def figure(page: Page, label: str) -> int:
    """What the home page counts for this person."""
    page.goto("/")
    box = page.locator(".figures > div", has=page.get_by_role("link", name=label, exact=True))
    return int(box.locator("dd").inner_text().replace(",", ""))


def sums(server: Server) -> dict[str, int]:
    """Rows of each table over all offices."""
    with sqlite3.connect(server.data / "shouze.db") as found:
        return {name: found.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in COUNTED}


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_sites_are_assigned_by_ticks_and_by_filter(
    sign_in: SignIn, server: Server, out: Path, width: int, height: int
) -> None:
    page = sign_in("suo-a", width, height)
    picture(page, out, f"care-home-{width}")
    page.goto("/sites/?all=1")
    for tick in page.locator(".tick label").all()[:2]:
        tick.click()
    page.select_option("#act", "care")
    page.locator(".bulk .btn").click()
    expect(page.locator("h1")).to_contain_text("指定监管责任人")
    choice = page.locator('[name="principal"] option', has_text="包文斌").get_attribute("value")
    page.select_option('[name="principal"]', choice)
    page.locator('[name="assistants"]').first.check()
    assert fits(page)
    picture(page, out, f"care-bulk-{width}")
    page.locator(".bar .primary").click()
    page.wait_for_url("**/bulk/*")
    picture(page, out, f"care-result-{width}")
    page.goto("/sites/?care=none")
    left = page.locator("tr[data-row]").count()
    if page.locator("[data-found]").count():
        page.locator("label", has=page.locator("[data-found]")).click()
    else:
        page.locator("label", has=page.locator("[data-all]")).click()
    page.select_option("#act", "care")
    page.locator(".bulk .btn").click()
    page.select_option('[name="principal"]', choice)
    page.locator(".bar .primary").click()
    page.wait_for_url("**/bulk/*")
    page.goto("/sites/?care=none")
    assert left and page.locator("tr[data-row]").count() == 0
    with sqlite3.connect(server.data / "shouze.db") as found:
        open_rows = "SELECT site_id FROM caretaker WHERE role = '主管' AND date_to IS NULL"
        twice = f"{open_rows} GROUP BY site_id HAVING COUNT(*) > 1"
        assert found.execute(twice).fetchall() == []
        found.execute("DELETE FROM caretaker")
    picture(page, out, f"care-none-{width}")


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_a_site_goes_to_another_station_and_the_sum_stays(
    sign_in: SignIn, server: Server, out: Path, width: int, height: int
) -> None:
    giver, receiver, bureau = (sign_in(who, width, height) for who in ("suo-a", "suo-b", "ju"))
    before = [figure(page, "经营场所") for page in (giver, receiver, bureau)]
    rows = sums(server)
    giver.goto("/sites/?care=none")  # its own, not what it only made
    giver.locator("tr[data-row] th a").last.click()
    giver.wait_for_url(re.compile(r"/sites/\d+$"))
    site = giver.url
    picture(giver, out, f"transfer-site-{width}")
    giver.get_by_role("link", name="提出移交").click()
    office = giver.locator('[name="office"] option', has_text="八仙筒").first.get_attribute("value")
    giver.select_option('[name="office"]', office)
    giver.fill('[name="reason"]', "辖区调整")
    assert fits(giver)
    picture(giver, out, f"transfer-propose-{width}")
    giver.locator(".bar .primary").click()
    giver.wait_for_url(re.compile(r"/site-transfers/\d+$"))
    assert [figure(page, "经营场所") for page in (giver, receiver, bureau)] == before, "nothing moves yet"
    picture(receiver, out, f"transfer-home-{width}")
    receiver.get_by_role("link", name="待接收的场所移交").click()
    receiver.locator("tr[data-row] th a").first.click()
    picture(receiver, out, f"transfer-offer-{width}")
    assert fits(receiver)
    receiver.get_by_role("link", name="接收", exact=True).click()
    receiver.locator(".bar .primary").click()
    receiver.wait_for_url(re.compile(r"/site-transfers/\d+$"))
    offer = receiver.url
    for _try in range(60):
        receiver.goto(offer)
        if receiver.get_by_text("实际移交日期").count():
            break
        receiver.wait_for_timeout(500)
    picture(receiver, out, f"transfer-done-{width}")
    after = [figure(page, "经营场所") for page in (giver, receiver, bureau)]
    assert after == [before[0] - 1, before[1] + 1, before[2]]
    assert sums(server) == rows
    receiver.goto(site)
    expect(receiver.get_by_role("link", name="提出移交")).to_be_visible()
    giver.goto(site)
    assert giver.get_by_role("link", name="提出移交").count() == 0
    giver.goto(f"{site}/day")
    assert fits(giver)
    picture(giver, out, f"transfer-day-{width}")

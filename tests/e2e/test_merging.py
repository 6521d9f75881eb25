"""Two entries of one firm, found by the list and made one in the browser, on a desk and on a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_story import SignIn, picture, save, wide

pytestmark = pytest.mark.e2e


def enter(page: Page, server: Server, out: Path, name: str, **values: str) -> str:
    """A firm entered by hand, the doubt ticked where one is asked; its address."""
    page.goto(f"{server.url}/enterprises/add")
    for field, value in {"name": name, **values}.items():
        page.fill(f'[name="{field}"]', value)
    page.locator(".bar button.primary").click()
    tick = page.locator('[name="accept-name"]')
    if tick.count():
        expect(page.locator("main")).to_contain_text("疑似重复")
        assert not wide(page)
        picture(page, out, f"duplicate-asked-{page.viewport_size['width']}")  # type: ignore[index]  # it has one
        tick.check()
        save(page, r"/enterprises/\d+$", out)
    page.wait_for_url(re.compile(r"/enterprises/\d+$"))
    return page.url


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_two_entries_become_one(sign_in: SignIn, server: Server, out: Path, width: int, height: int) -> None:
    page = sign_in("neiqin-a", width, height)
    street = f"大沁他拉镇合并街{width}号"
    kept = enter(page, server, out, f"宝力高包子铺{width}", address=street, legal_person="宝力高")
    gone = enter(
        page, server, out, f"宝力高包子铺{width}（个体工商户）", address=f"奈曼旗{street}", phone="04751234567"
    )
    page.goto(f"{server.url}/duplicates/")
    pair = page.locator(".twins", has_text=f"宝力高包子铺{width}")
    expect(pair).to_have_count(1)
    assert not wide(page)
    picture(page, out, f"duplicates-{width}")

    pair.get_by_role("link", name="核对并合并").click()
    expect(page.locator('input[name="clash-phone"][value="theirs"]')).to_be_checked()
    assert not wide(page)
    page.locator(".bar button.danger").click()  # the reason is asked for first
    page.fill('[name="reason"]', "同一家店录入了两次")
    page.check('input[name="clash-name"][value="theirs"]')
    picture(page, out, f"merging-{width}")
    page.locator(".bar button.danger").click()
    page.wait_for_url(kept)
    expect(page.locator("main")).to_contain_text("04751234567"[:3])
    expect(page.locator("h1")).to_contain_text("个体工商户")

    page.goto(gone)
    expect(page.locator("main")).to_contain_text("已并入")
    assert not wide(page)
    picture(page, out, f"merged-away-{width}")
    page.get_by_role("link", name="打开合并后的记录").click()
    page.wait_for_url(kept)

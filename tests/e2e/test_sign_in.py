"""Setting up one-time codes, signing in with them, and seeing where one is signed in, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PASSWORD, Server
from tests.e2e.test_story import picture, wide

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]
WHO = "zhuanban"  # nobody else's story


def sound(page: Page) -> None:
    """Nothing wide, nothing that a screen reader stumbles over."""
    assert not wide(page)
    violations = Axe().run(page).response["violations"]
    assert [one["id"] for one in violations if one["impact"] in {"serious", "critical"}] == []


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_one_time_codes_and_the_list_of_sign_ins(
    sign_in: SignIn, server: Server, out: Path, width: int, height: int
) -> None:
    page = sign_in(WHO, width, height)
    page.locator("details.who summary").click()
    page.click("details.who a:has-text('动态口令')")
    page.click("text=开始设置")
    expect(page.locator("svg.qr")).to_be_visible()
    sound(page)
    picture(page, out, f"second-factor-{width}")
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.fill("#code", "000000")
    page.press("#code", "Enter")
    expect(page.locator("#code-error")).to_contain_text("现在的六位数字")
    page.fill("#code", pyotp.TOTP(secret).now())
    page.press("#code", "Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    sound(page)
    picture(page, out, f"recovery-codes-{width}")
    codes = page.locator(".codes code").all_inner_texts()

    browser = page.context.browser
    assert browser is not None
    other = browser.new_context(
        base_url=server.url, locale="zh-CN", user_agent="Mozilla/5.0 (Linux; Android 14) Chrome/116.0 Mobile"
    ).new_page()
    other.goto("/enterprises/add")
    other.fill("#username", WHO)
    other.fill("#password", PASSWORD)
    other.press("#password", "Enter")
    expect(other.locator("h1")).to_have_text("动态口令")
    sound(other)
    other.goto("/enterprises/")
    expect(other.locator("#username")).to_be_visible()  # half signed in opens nothing
    other.go_back()
    other.fill("#code", codes[0])
    other.press("#code", "Enter")
    expect(other.locator("details.who")).to_be_visible()

    page.goto("/sessions/")
    expect(page.locator(".signins li", has_text="登录中")).to_contain_text("Chrome 116 · Android")
    expect(page.locator(".signins li").first).to_contain_text("现在这里")
    sound(page)
    picture(page, out, f"sessions-{width}")
    page.locator(".signins li", has_text="Android").locator("button").click()
    expect(page.locator(".note")).to_contain_text("已结束")
    other.goto("/messages/")
    expect(other.locator(".note")).to_contain_text("已经结束")
    other.context.close()

    page.goto("/messages/")
    expect(page.locator(".mail li").first).to_contain_text("恢复码")
    page.goto("/second-factor/")
    page.click("text=停用动态口令")
    expect(page.locator("h2", has_text="还没有启用")).to_be_visible()


def test_a_form_left_open_comes_back_with_its_draft(sign_in: SignIn, server: Server) -> None:
    """Signed out from elsewhere while typing: the save leads to sign-in, and from there back to the form."""
    page, elsewhere = sign_in("yuan-b"), sign_in("yuan-b")
    page.goto("/enterprises/add")
    page.fill('[name="name"]', "写了一半的店")
    elsewhere.goto("/sessions/")
    elsewhere.click("text=结束其他所有登录")
    elsewhere.click("#confirm button[value=yes]")
    expect(elsewhere.locator(".note")).to_contain_text("已结束其他")
    page.fill('[name="legal_person"]', "王")
    page.locator(".bar button.primary").click()
    expect(page.locator(".note")).to_contain_text("没有提交")
    page.fill("#username", "yuan-b")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(re.compile("/enterprises/add$"))
    page.click(".draft >> text=恢复")
    expect(page.locator('[name="name"]')).to_have_value("写了一半的店")

"""A list in a browser: by keyboard alone, with the thumb, and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import PASSWORD, Server

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]


def test_a_list_is_worked_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("yuan-a")
    page.goto("/inspections/?size=25")
    for key in "jjx":
        page.keyboard.press(key)
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.locator(".tick input:checked").count() == 2
    assert page.locator(".bulk .ticked").inner_text() == "已选 2 条"
    page.locator("[data-all]").check()
    assert page.locator(".tick input:checked").count() == page.locator("tr[data-row]").count()
    page.keyboard.press("Escape")
    page.locator("tr.on th a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/inspections/\d+$"))
    page.goto("/sites/")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.wait_for_url("**/sites/*/edit")
    page.goto("/sites/")
    page.keyboard.press("n")
    page.wait_for_url("**/sites/add")
    page.goto("/sites/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Tab")
    page.locator("body").press("?")
    assert page.locator("#help[open]").count() == 1
    assert page.locator("#help kbd").all_inner_texts() == ["/", "j", "k", "Enter", "x", "e", "n", "?"]


def test_filters_are_set_saved_and_taken_away(sign_in: SignIn) -> None:
    page = sign_in("suo-a")
    page.goto("/inspections/")
    page.locator("#f-site").press_sequentially("奈曼", delay=20)
    page.locator(".look .drop li").first.click()
    name = page.locator("#f-site").input_value()
    page.locator(".fold > button").click()
    page.wait_for_url("**site=*")
    assert "q=" not in page.url and "date_from" not in page.url, "what is empty is not sent"
    assert name in page.locator(".chips li").first.inner_text()
    page.locator(".keep summary").click()
    page.fill("#keep-name", "这一家")
    page.locator(".keep button").click()
    page.locator(".views [aria-current]").wait_for()
    assert "这一家" in page.locator(".views [aria-current]").inner_text()
    page.locator(".chips a").first.click()
    assert page.locator(".views [aria-current]").inner_text() == "全部"
    page.goto("/inspections/filters")
    page.locator("form[data-confirm] button").click()
    page.locator("#confirm button[value=yes]").click()
    page.locator(".note").wait_for()
    assert page.locator(".kept").count() == 0


def test_a_phone_has_room_for_the_thumb(sign_in: SignIn) -> None:
    page = sign_in("yuan-a", 390, 844)
    for url in ("/inspections/?size=25&state=草稿&state=已完成", "/inspections/columns", "/inspections/filters"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, url
    page.goto("/inspections/")
    box = page.locator(".tick label").first.bounding_box()
    assert box is not None and box["width"] >= 44 and box["height"] >= 44
    page.locator(".tick label").first.click()
    assert page.locator(".tick input:checked").count() == 1 and page.url.endswith("/inspections/")
    page.locator("label[for=more-filters]").click()
    for summary in page.locator(".several summary").all():
        found = summary.bounding_box()
        assert found is not None and found["height"] >= 42
    page.locator(".several summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_a_script_rows_are_ticked_and_filters_set(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", base_url=server.url)
    page = context.new_page()
    page.goto("/login/")
    page.fill("#username", "yuan-a")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.goto("/inspections/")
    page.locator(".several summary").first.click()
    page.locator(".several input[value=已完成]").check()
    page.locator(".several .pop button").first.click()
    assert page.locator(".chips").inner_text().startswith("状态：已完成")
    page.locator(".tick input").first.check()
    page.select_option("#act", "void")
    page.locator(".bulk button").click()
    assert page.locator("h1").inner_text() == "作废：选中 1 条"
    assert "现在是“已完成”，不能作废" in page.locator("main").inner_text(), "said before it is tried"
    assert page.locator(".bar button").count() == 0, "none of them can go"
    context.close()

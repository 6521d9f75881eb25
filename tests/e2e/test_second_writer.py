"""Two browsers, one visit: the second one chooses field by field what is saved, on a desk and on a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_story import SignIn, choose, picture, save, wide

pytestmark = pytest.mark.e2e


def new_visit(page: Page, server: Server, out: Path) -> str:
    """A visit of the inspector's with one finding; its address."""
    page.goto(f"{server.url}/inspections/add")
    choose(page, "site", "nm")
    page.select_option('[name="kind"]', index=1)
    page.select_option('[name="selection"]', index=1)
    choose(page, "co_inspector", "苏日娜")
    page.click(".children button.add")
    page.fill('[name="findings-0-fact"]', "冷藏柜没有温度计")
    page.fill('[name="findings-0-demand"]', "配备温度计")
    save(page, r"/inspections/\d+$", out)
    return page.url


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_the_second_writer_chooses(sign_in: SignIn, server: Server, out: Path, width: int, height: int) -> None:
    yuan, suo = sign_in("yuan-a", width, height), sign_in("suo-a", 1366, 900)
    url = new_visit(yuan, server, out)
    for page in (yuan, suo):
        page.goto(f"{url}/edit")
    yuan.fill('[name="summary"]', "监管员写的检查情况")
    yuan.fill('[name="findings-0-fact"]', "冷藏柜的温度计坏了")
    yuan.select_option('[name="result"]', "基本符合")
    suo.fill('[name="summary"]', "所长写的检查情况")
    suo.fill('[name="findings-0-demand"]', "三日内配备温度计")
    save(suo, r"/inspections/\d+$", out)

    yuan.locator(".bar button.primary").click()
    clash = yuan.locator(".clash")
    expect(clash).to_contain_text("所长写的检查情况")
    expect(clash).to_contain_text("苏日娜")
    expect(yuan.locator('[name="summary"]')).to_have_value("监管员写的检查情况")
    assert not wide(yuan)
    picture(yuan, out, f"second-writer-{width}")

    yuan.locator(".bar button.primary").click()  # nothing chosen yet: the page comes again
    expect(yuan.locator(".clash")).to_contain_text("还有项目没有选择")
    for name, choice in (("summary", "theirs"), ("findings", "theirs")):  # nobody else touched the result
        yuan.check(f'input[name="clash-{name}"][value="{choice}"]')
    picture(yuan, out, f"second-writer-chosen-{width}")
    save(yuan, r"/inspections/\d+$", out)
    for text in ("所长写的检查情况", "三日内配备温度计", "基本符合"):
        expect(yuan.locator("main")).to_contain_text(text)
    expect(yuan.locator("main")).not_to_contain_text("监管员写的检查情况")


def test_all_at_once_by_keyboard(sign_in: SignIn, server: Server, out: Path) -> None:
    yuan, suo = sign_in("yuan-a", 1366, 900), sign_in("suo-a", 1366, 900)
    url = new_visit(yuan, server, out)
    for page in (yuan, suo):
        page.goto(f"{url}/edit")
    yuan.fill('[name="summary"]', "监管员写的")
    suo.fill('[name="summary"]', "所长写的")
    save(suo, r"/inspections/\d+$", out)
    yuan.locator(".bar button.primary").click()
    yuan.locator('button[name="clash-all"][value="mine"]').focus()
    yuan.keyboard.press("Enter")
    yuan.wait_for_url(re.compile(r"/inspections/\d+$"))
    expect(yuan.locator("main")).to_contain_text("监管员写的")

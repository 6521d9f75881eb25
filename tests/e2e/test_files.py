"""Files, drafts, tabs and masked values in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_story import choose, picture, save, wide
from tests.support import files

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]


def given(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def fill(page: Page) -> None:
    """A visit that found something."""
    choose(page, "site", "奈曼旗")
    page.select_option('[name="kind"]', "日常监督检查")
    page.select_option('[name="selection"]', "计划指定")
    choose(page, "co_inspector", "苏日娜")
    page.locator("button:has-text('加一个问题')").click()
    page.locator('[name^="findings-"][name$="-fact"]:not([name*="__n__"])').first.fill("冷库温度过高。")
    page.fill('[name="summary"]', "写了半天的检查情况")


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_photos_are_sent_shown_taken_away_and_kept(sign_in: SignIn, out: Path, width: int, height: int) -> None:
    page = sign_in("yuan-a", width, height)
    page.goto("/inspections/add")
    page.set_input_files(
        "#files", [given("整改 照片.jpg", files.jpeg()), given("坏.jpg", files.SVG), given("多.txt", b"x")]
    )
    expect(page.locator(".files li")).to_have_count(2)
    expect(page.locator(".refused")).to_contain_text("坏.jpg：不收这种文件")
    page.locator(".files li", has_text="多.txt").locator("button").click()
    expect(page.locator(".files li")).to_have_count(1)
    fill(page)
    picture(page, out, f"files-form-{width}")
    assert not wide(page)
    save(page, r"/inspections/\d+$", out)
    page.click('.tabs a[href="#files"]')
    expect(page.locator("#files img")).to_be_visible()
    expect(page.locator("#facts")).to_be_hidden()
    page.reload()
    assert page.url.endswith("#files")
    expect(page.locator("#files")).to_be_visible()
    assert page.evaluate("document.querySelector('#files img').naturalWidth") == 320
    picture(page, out, f"files-{width}")
    assert not wide(page)
    for tab in ("#facts", "#rows-1", "#history"):
        page.click(f'.tabs a[href="{tab}"]')
        expect(page.locator(tab)).to_be_visible()
    violations = Axe().run(page).response["violations"]
    assert [one["id"] for one in violations if one["impact"] in {"serious", "critical"}] == []
    page.click(".tabs a[href$='/access']")
    expect(page.locator("h1")).to_have_text("谁能看到")
    picture(page, out, f"access-{width}")
    assert not wide(page)


def test_what_was_typed_and_sent_outlives_the_session(sign_in: SignIn, server: Server) -> None:
    """The session ends while somebody types: the save leads to sign-in, back to the form, and offers it all again."""
    page = sign_in("yuan-a")
    page.goto("/inspections/add")
    page.set_input_files("#files", [given("留着.jpg", files.jpeg())])
    expect(page.locator(".files li")).to_have_count(1)
    fill(page)
    page.context.clear_cookies()
    page.locator(".bar button.primary").click()
    expect(page.locator(".note")).to_contain_text("没有提交")
    page.fill("#username", "yuan-a")
    page.fill("#password", "shouze-demo-2026")
    page.click("button.primary")
    page.wait_for_url(server.url + "/inspections/add")
    expect(page.locator(".draft")).to_contain_text("草稿")
    page.click(".draft >> text=恢复")
    expect(page.locator('[name="summary"]')).to_have_value("写了半天的检查情况")
    expect(page.locator(".files li")).to_contain_text("留着.jpg")
    page.locator(".bar button.primary").click()
    page.wait_for_url(re.compile(r"/inspections/\d+$"))
    expect(page.locator(".tabs")).to_contain_text("附件1")
    page.goto("/inspections/add")
    expect(page.locator(".draft")).to_have_count(0)


def test_a_draft_says_when_the_record_was_changed_meanwhile(sign_in: SignIn) -> None:
    mine, other = sign_in("yuan-a"), sign_in("suo-a")
    mine.on("dialog", lambda dialog: dialog.accept())
    mine.goto("/enterprises/3/edit")
    mine.fill('[name="legal_person"]', "没保存的人")
    expect(mine.locator(".saved")).to_contain_text("草稿已存在本机")
    other.goto("/enterprises/3/edit")
    other.fill('[name="note"]', "别人改的")
    other.locator(".bar button.primary").click()
    other.wait_for_url(re.compile(r"/enterprises/3$"))
    mine.goto("/enterprises/3/edit")
    expect(mine.locator(".draft")).to_contain_text("这条记录已被改过")
    mine.click(".draft >> text=放弃")
    mine.reload()
    expect(mine.locator(".draft")).to_have_count(0)


def test_no_secret_is_kept_on_the_device_and_signing_out_clears_the_rest(sign_in: SignIn) -> None:
    page = sign_in("yuan-a")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/people/add")
    page.fill('[name="name"]', "草稿里的人")
    page.fill('[name="mobile"]', "19900000042")
    page.fill('[name="id_card"]', "150525199001010011")
    expect(page.locator(".saved")).to_contain_text("草稿已存在本机")
    kept = str(page.evaluate("JSON.stringify(localStorage)"))
    assert "草稿里的人" in kept and "19900000042" not in kept and "150525199001010011" not in kept
    page.goto("/")
    page.locator("details.who summary").click()
    page.locator("[data-signout]").click()
    page.wait_for_url(re.compile("/login/"))
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('draft')).length") == 0


def test_a_masked_number_opens_in_its_place(sign_in: SignIn) -> None:
    page = sign_in("yuan-a")
    page.goto("/people/1")
    expect(page.locator("dd", has_text="*****")).to_be_visible()
    page.locator("[data-reveal] button").click()
    expect(page.locator("dd .code", has_text=re.compile(r"^\d{17}[\dX]$"))).to_be_visible()
    page.goto("/people/1/history")
    expect(page.locator(".trail li").first).to_contain_text("查看全文")


def test_without_script_the_parts_follow_each_other(sign_in: SignIn, server: Server) -> None:
    page = sign_in("yuan-a")
    browser = page.context.browser
    assert browser is not None
    bare = browser.new_context(
        java_script_enabled=False, base_url=server.url, storage_state=page.context.storage_state()
    )
    plain = bare.new_page()
    plain.goto("/enterprises/1")
    expect(plain.locator("#facts")).to_be_visible()
    expect(plain.locator("#history")).to_be_visible()
    plain.goto("/enterprises/add")
    expect(plain.locator("#files")).to_be_visible()
    plain.fill('[name="name"]', "没有脚本的店")
    plain.fill('[name="legal_person"]', "王")
    plain.set_input_files("#files", [given("门头.jpg", files.jpeg())])
    plain.locator(".bar button.primary").click()
    plain.wait_for_url(re.compile(r"/enterprises/\d+$"))
    expect(plain.locator("#files img")).to_be_visible()
    bare.close()

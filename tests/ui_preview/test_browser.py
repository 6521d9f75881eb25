"""What the script does, in a real browser; and axe over every page (`shots.py` takes all sizes and themes)."""

import logging
import re
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.ui_preview.harness import create
from tests.ui_preview.samples import FIRMS, PAGES

SIZES = {"desk": (1366, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/p/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 900}, locale="zh-CN", reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_axe(browser: Browser, base: str, size: str, scheme: Literal["light", "dark"]) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page, found = context.new_page(), []
    page.on(
        "console", lambda m: found.append(m.text) if m.type == "error" and "Content Security Policy" in m.text else None
    )
    for name in PAGES:
        page.goto(base + name)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), (
            f"{name} is wider than the screen"
        )
        faults = Axe().run(page).response["violations"]
        found.extend(f"{name}: {v['impact']} {v['id']} {[n['target'] for n in v['nodes']][:3]}" for v in faults)
    context.close()
    assert not found


def test_theme_is_remembered(page: Page, base: str) -> None:
    page.goto(base + "list")
    page.click(".top [data-theme-toggle]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.click(".top [data-theme-toggle]")
    assert page.evaluate("localStorage.getItem('theme')") is None


def test_keys_move_and_open(page: Page, base: str) -> None:
    page.goto(base + "list")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.on th a")).to_be_focused()
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/notices/1"
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_lookup(page: Page, base: str) -> None:
    page.goto(base + "form-plain")
    firm = page.locator("#firm")
    firm.fill("八仙筒")
    expect(page.locator("[role=option]")).to_have_count(1)
    firm.press("Enter")
    expect(firm).to_have_value(FIRMS[1][0])
    expect(page.locator("input[name=firm]")).to_have_value("1")
    firm.fill("err")
    expect(page.locator(".drop p.bad").first).to_be_visible()
    expect(page.locator("input[name=firm]")).to_have_value("")
    assert page.evaluate("!document.querySelector('#firm').checkValidity()")


def test_no_lookup_while_composing(page: Page, base: str) -> None:
    page.goto(base + "form-plain")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/lookup" in r.url else None)
    firm = page.locator("#firm")
    firm.fill("")
    firm.dispatch_event("compositionstart")
    firm.evaluate("el => { el.value = 'ba xian'; el.dispatchEvent(new InputEvent('input', {bubbles: true})); }")
    page.wait_for_timeout(400)
    assert not asked
    firm.evaluate("el => { el.value = '八仙'; }")
    firm.dispatch_event("compositionend")
    expect(page.locator("[role=option]")).to_have_count(1)
    assert len(asked) == 1


def test_rows_draft_and_sending(page: Page, base: str) -> None:
    page.on("dialog", lambda d: d.accept())
    page.goto(base + "form-plain")
    page.click(".children .add")
    page.keyboard.type("加装防鼠板")
    page.locator(".child").nth(1).locator(".remove input").check(force=True)
    page.locator(".child").last.locator("input[type=date]").fill("2026-12-10")
    expect(page.locator(".saved")).to_contain_text("草稿已存在本机")
    page.goto(base + "form-plain")
    page.locator(".draft .primary").click()
    expect(page.locator(".child")).to_have_count(4)
    expect(page.locator(".child textarea").last).to_have_value("加装防鼠板")
    expect(page.locator(".child").nth(1)).to_have_class(re.compile("gone"))
    with page.expect_response(lambda r: r.request.method == "POST") as sent:
        page.click(".bar .primary")
    data = sent.value.json()
    assert data["corrections-5-demand"] == ["加装防鼠板"]
    assert data["corrections-5-id"] == [""]
    assert data["corrections-1-removed"] == ["1"]
    assert "corrections-0-removed" not in data
    page.goto(base + "list")
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('draft')).length") == 0


def test_no_name_is_read_out_with_its_star(page: Page, base: str) -> None:
    page.goto(base + "form-plain")
    stars = page.locator("label:has(.req)")
    assert stars.count()
    names = page.locator(".combo button, .combo [role=listbox]").evaluate_all(
        "els => els.map(el => el.getAttribute('aria-label'))"
    )
    assert names and all(name.strip() and "*" not in name for name in names)
    assert page.locator(".children .add").get_attribute("type") == "button", "the script adds the row"


def test_drafts_hold_no_secrets(page: Page, base: str) -> None:
    page.goto(base + "form-plain")
    page.fill("#facts", "当事人身份证号 152326198001011234。")
    page.fill("#weight", "7")
    expect(page.locator(".saved")).to_contain_text("草稿已存在本机")
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "152326198001011234" not in kept
    assert "csrf_token" not in kept


def test_action_asks_first(page: Page, base: str) -> None:
    page.goto(base + "show")
    page.get_by_text("准予延期").click()
    expect(page.locator("#confirm")).to_be_visible()
    with page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/t/2")):
        page.click("#confirm [value=yes]")


def test_drawer(browser: Browser, base: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(base + "list")
    expect(page.locator("#nav")).to_be_hidden()
    page.click(".thumb [data-nav-open]")
    expect(page.locator("#nav")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#nav")).to_be_hidden()
    context.close()


def test_without_script(browser: Browser, base: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(base + "form-plain#nav")
    expect(page.locator("#nav")).to_be_visible()
    page.goto(base + "form-plain")
    expect(page.locator(".children .add")).to_be_visible()
    assert page.locator(".children .add").get_attribute("type") is None, "the server adds the row"
    page.locator(".child").last.locator("input[type=date]").fill("2026-12-10")
    page.locator(".child").nth(1).locator(".remove input").check(force=True)
    page.locator(".child textarea").nth(1).fill("x")
    page.locator(".child input[type=date]").nth(1).fill("2026-12-10")
    with page.expect_response(lambda r: r.request.method == "POST") as sent:
        page.click(".bar .primary")
    assert sent.value.json()["corrections-1-removed"] == ["1"]
    context.close()

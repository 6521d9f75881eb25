"""激活卡: from the station's list to the firm's telephone, in a real browser, with the code that the paper says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_sign_in import sound
from tests.e2e.test_story import picture

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]
CODE = re.compile(r"[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}")
PIN, WRONG = "830276", "741903"


@pytest.fixture
def telephone(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A browser of the size of a telephone that nobody has used yet."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", base_url=server.url,
                                  user_agent="Mozilla/5.0 (Linux; Android 14) Chrome/116.0 Mobile")  # fmt: skip
    yield context
    context.close()


def codes_on(page: Page, button: str) -> list[str]:
    """The codes on the sheet that a button hands out."""
    with page.expect_download() as handed:
        page.click(button)
    path = handed.value.path()
    assert path.read_bytes().startswith(b"%PDF-")
    read = subprocess.run(["pdftotext", "-raw", str(path), "-"], capture_output=True, text=True, check=True).stdout
    return CODE.findall(read)


def waiting(page: Page) -> int:
    """How many have an account and are not in yet."""
    page.goto("/activation/?state=waiting")
    found = re.search(r"共 (\d+) 人", page.locator("main").inner_text())
    return int(found[1]) if found else 0


def only(page: Page, number: int) -> str:
    """Tick one line alone; whose it is."""
    boxes = page.locator('tbody input[name="ids"]')
    for place in range(boxes.count()):
        boxes.nth(place).set_checked(place == number)
    return page.locator("tbody tr").nth(number).locator("th").inner_text()


def type_code(page: Page, code: str) -> None:
    page.goto("/activate/")
    page.fill("#code", code.upper().replace("-", ""))
    page.press("#code", "Enter")


def open_with(page: Page, pin: str) -> None:
    page.fill("#pin", pin)
    page.press("#pin", "Enter")


def come_back(page: Page) -> None:
    """The browser was closed; the telephone is still known."""
    page.context.clear_cookies(name="shouze")
    page.goto("/")
    expect(page).to_have_url(re.compile("/phone/"))


def test_a_safety_officer_comes_in_by_card_and_pin(
    sign_in: SignIn, telephone: BrowserContext, out: Path, server: Server
) -> None:
    # the station makes accounts in bulk
    clerk = sign_in("neiqin-a")
    before = waiting(clerk)
    clerk.goto("/activation/?state=none")
    many = clerk.locator('tbody input[name="ids"]').count()
    assert many > 3
    clerk.check('input[name="whole"]')  # nobody is ticked beforehand
    clerk.click("button:has-text('开通账号')")
    made = re.search(r"已开通 (\d+) 个账号", clerk.locator(".note").first.inner_text())
    assert made is not None and int(made[1]) > 3
    assert waiting(clerk) == before + int(made[1])
    picture(clerk, out, "activation-1366")

    # and prints a card for one of them
    firms = clerk.locator("tbody tr", has_text="食品安全员")
    name = firms.first.locator("th").inner_text()
    only(clerk, clerk.locator("tbody tr th").all_inner_texts().index(name))
    key = clerk.locator('tbody input[name="ids"]:checked').get_attribute("value")
    clerk.click("button:has-text('打印激活卡')")
    expect(clerk.locator(".outcomes li")).to_have_count(1)
    codes = codes_on(clerk, "button:has-text('生成并下载')")
    assert len(codes) == 1

    # who reads it on the telephone types the code, reads what is kept, agrees, chooses a PIN
    phone = telephone.new_page()
    type_code(phone, codes[0])
    expect(phone.locator("dl.facts")).to_contain_text(f"{name[0]}*")  # a found card tells no name
    expect(phone.locator("details.notice")).to_contain_text("为什么")
    sound(phone)
    picture(phone, out, "activate-390")
    phone.fill("#pin", PIN)
    phone.fill("#repeat", WRONG)
    phone.check("[name=agree]")
    phone.press("#repeat", "Enter")
    expect(phone.locator("#repeat-error")).to_contain_text("不一样")
    expect(phone.locator("[name=agree]")).to_be_checked()
    phone.fill("#pin", PIN)
    phone.fill("#repeat", PIN)
    phone.press("#repeat", "Enter")
    expect(phone).to_have_url(f"{server.url}/")
    expect(phone.locator("h1")).to_contain_text(name)
    sound(phone)
    picture(phone, out, "phone-home-390")
    assert waiting(clerk) == before + int(made[1]) - 1

    # comes back with the PIN alone
    come_back(phone)
    sound(phone)
    picture(phone, out, "phone-pin-390")
    open_with(phone, WRONG)
    expect(phone.locator(".note")).to_contain_text("还可以试 4 次")
    open_with(phone, PIN)
    expect(phone.locator("h1")).to_contain_text(name)

    # five wrong ones lock it, and the right one opens it no more
    come_back(phone)
    for left in (4, 3, 2, 1):
        open_with(phone, WRONG)
        expect(phone.locator(".note")).to_contain_text(f"还可以试 {left} 次")
    open_with(phone, WRONG)
    expect(phone.locator(".note")).to_contain_text("已锁定")
    expect(phone.locator("#pin")).to_have_count(0)
    picture(phone, out, "phone-locked-390")

    # the station resets it in one act, with a new card
    clerk.goto(f"/people/{key}/reset-pin")
    clerk.fill("[name=reason]", "本人到所，PIN 连错五次")
    codes = codes_on(clerk, ".bar button.primary, .bar button.danger")
    type_code(phone, codes[0])
    phone.fill("#pin", WRONG)
    phone.fill("#repeat", WRONG)
    phone.check("[name=agree]")
    phone.press("#repeat", "Enter")
    expect(phone.locator("h1")).to_contain_text(name)
    come_back(phone)
    open_with(phone, WRONG)
    expect(phone.locator("h1")).to_contain_text(name)

"""The registration system's export brought in, its columns matched, compared, and decided singly and in bulk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.core.codes import make_credit_code
from tests.e2e.conftest import Server
from tests.e2e.test_story import SignIn, picture, wide
from tests.support.imports import workbook

pytestmark = pytest.mark.e2e
NEW = 91_000


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)])
def test_an_export_is_compared_and_decided(sign_in: SignIn, server: Server, out: Path, width: int, height: int) -> None:
    page = sign_in("neiqin-a", width, height)
    shops = [(f"比对新店{width}之{n}", make_credit_code(NEW + width + n), f"大沁他拉镇比对街{n}号") for n in (1, 2)]
    file = workbook(("企业名称", "统一社会信用代码", "住所"), *shops, ("坏的一行", "92150525", "某处"))
    page.goto(f"{server.url}/reconciliations/add")
    page.select_option('[name="source"]', "登记注册系统")
    page.select_option('[name="extent"]', "月度变动")
    page.locator('input[type="file"][name="files"]').set_input_files(
        {"name": "导出.xlsx", "mimeType": "application/octet-stream", "buffer": file}
    )
    page.locator(".bar button.primary").click()
    page.wait_for_url(re.compile(r"/reconciliations/\d+$"))
    page.get_by_role("link", name="对应列并比对").click()
    expect(page.locator('[name="c0"]')).to_have_value("name")
    assert not wide(page)
    picture(page, out, f"reconciling-columns-{width}")
    page.get_by_role("button", name="开始比对").click()
    page.wait_for_url(re.compile(r"/reconciliations/\d+$"))
    assert not wide(page)
    picture(page, out, f"reconciling-done-{width}")

    page.get_by_role("link", name="逐条处理").click()
    expect(page.locator("main")).to_contain_text(shops[0][0])
    assert not wide(page)
    picture(page, out, f"reconciling-lines-{width}")
    page.get_by_role("link", name=shops[0][0]).first.click()
    assert not wide(page)
    page.get_by_role("link", name="新增").click()
    page.select_option('[name="kind"]', "小餐饮")
    page.locator(".bar button.primary").click()
    page.wait_for_url(re.compile(r"/reconciliation-lines/\d+$"))
    expect(page.locator("main")).to_contain_text("已新增")
    assert not wide(page)
    picture(page, out, f"reconciling-line-{width}")

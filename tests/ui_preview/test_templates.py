"""Every template renders, strictly, and keeps the house's rules for markup and for bytes."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.ui_preview.harness import APP, create
from tests.ui_preview.samples import PAGES

TEMPLATES = APP / "templates"
STATIC = APP / "static"
HAN = re.compile(r"[一-鿿]")


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create().test_client()


class Outline(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.bad: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("for", "aria-describedby", "aria-labelledby"):
                self.refs.extend((value or "").split())
            if name == "style" or name.startswith("on") or (value or "").startswith("javascript:"):
                self.bad.append(f"{tag} {name}")
        if tag == "script" and "src" not in dict(attrs):
            self.bad.append("inline script")


@pytest.mark.parametrize("name", PAGES)
def test_page(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/p/{name}")
    assert answer.status_code == 200
    seen = Outline(answer.text)
    assert not seen.bad
    assert seen.tags.count("h1") == 1
    assert seen.tags.count("main") == 1
    assert len(seen.ids) == len(set(seen.ids))
    assert set(seen.refs) <= set(seen.ids)
    assert '<html lang="zh-CN">' in answer.text
    assert "None" not in answer.text
    assert not re.search(r'(?:src|href)="https?:', answer.text)


# what a sample could only imitate: the application draws these from its own tables, and tests of their own open them
# in tests/views: policy, abilities, rights, office_page, walk; axe reads them in tests/e2e/test_story.py
DRAWN_FROM_TABLES = {
    "abilities.html",
    "explain.html",
    "rights.html",
    "role.html",
    "role_compare.html",
    "role_form.html",
    "entity/handover.html",
}


def test_every_template_has_a_sample() -> None:
    pages = {str(p.relative_to(TEMPLATES)) for p in TEMPLATES.rglob("*.html") if p.parent.name != "macros"} - {
        "base.html"
    }
    assert pages - DRAWN_FROM_TABLES == {template for template, _ in PAGES.values()}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: p.relative_to(TEMPLATES).as_posix())
def test_chinese_goes_through_gettext(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|_\('[^']*'", "", path.read_text(), flags=re.DOTALL)
    assert not HAN.findall(text.replace("'中文'", "")), "visible text outside _()"


def test_icons_exist() -> None:
    have = set(re.findall(r'symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    used = {name for p in TEMPLATES.rglob("*.html") for name in re.findall(r"icon\('([\w-]+)'", p.read_text())}
    used |= {
        name
        for p in APP.rglob("*.py")
        for name in re.findall(r'^\s+icon(?:: [^=]+)? = "([\w-]+)"', p.read_text(), re.MULTILINE)
    }
    assert used <= have


def test_bytes(client: FlaskClient) -> None:
    def packed(data: bytes) -> int:
        return len(gzip.compress(data, 9))

    assert packed((STATIC / "app.css").read_bytes()) + packed((STATIC / "app.js").read_bytes()) < 25_000
    assert packed(client.get("/p/list").data) < 12_000
    assert len((STATIC / "app.js").read_text().splitlines()) < 400

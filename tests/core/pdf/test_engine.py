"""The engine: safe, exact, the same bytes every time."""

import base64
import http.server
import logging
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from app.core.pdf import engine, justify
from app.core.pdf.errors import Blocked, ContextError, LayoutError, MissingGlyph, NotReady
from app.core.pdf.fetcher import LockedFetcher
from tests.core.pdf.papers import context, pages, printed, text

GREY = b"0.862745 0.862745 0.862745 rg"
"""How a page draws #dcdcdc, the colour of the words across it."""
FOLDER = Path(engine.__file__).parents[2] / "reports" / "notice"
PIXEL = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\1\0\0\0\0\x37n\xf9$\0\0\0\nIDATx\x9cc`\0\0\0\2\0\1H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82"
).decode()


def sheet(body: str) -> bytes:
    """The PDF of a page with that body, undeflated as far as it matters."""
    return engine.write_pdf(f'<html lang="zh-CN"><meta charset="utf-8"><title>甲</title><body>{body}', FOLDER)


def streams(pdf: bytes) -> bytes:
    """The PDF with its deflated streams opened."""
    parts = [pdf]
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            parts.append(zlib.decompress(found[1]))
        except zlib.error:
            continue
    return b"".join(parts)


class Bait(http.server.BaseHTTPRequestHandler):
    """A server nobody may reach."""

    hits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.hits.append(self.path)
        if "redir" in self.path:
            self.send_response(302)
            self.send_header("Location", "/internal")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/css" if "css" in self.path else "image/png")
        self.end_headers()
        if "css" in self.path:
            self.wfile.write(b'body:after{content:"HTTPLEAK"}')

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bait)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "secret.png").write_bytes(base64.b64decode(PIXEL))
    (folder / "secret.txt").write_text("SECRET")
    (folder / "secret.css").write_text('body:after{content:"CSSLEAK"}')
    (folder / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><text id="a">SECRET</text></svg>')
    return folder.as_uri() + "/"


FETCHING = {
    "image file": '<img src="{f}secret.png">',
    "image host": '<img src="{u}i.png">',
    "stylesheet file": '<link rel=stylesheet href="{f}secret.css">',
    "import host": "<style>@import url({u}x.css);</style>",
    "attachment link": '<link rel=attachment href="{f}secret.txt">',
    "attachment anchor": '<a rel=attachment href="{f}secret.txt">x</a>',
    "object": '<object data="{f}secret.png"></object>',
    "embed": '<embed src="{f}secret.png">',
    "background": '<p style="background:url({f}secret.png);height:9px">x',
    "svg image": '<svg width=9 height=9 xmlns:xlink="http://www.w3.org/1999/xlink">'
    '<image xlink:href="{f}secret.png" width=9 height=9 /></svg>',
    "svg file": '<img src="{f}secret.svg">',
    "svg data": '<img src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E">',
    "font face": '<style>@font-face{{font-family:x;src:url({u}f.ttf)}}</style><p style="font-family:x">a',
    "base": '<base href="{f}"><img src="secret.png">',
    "redirect to file": '<img src="{u}redir-file">',
    "redirect to host": '<img src="{u}redir-int">',
    "content": "<style>p:before{{content:url({f}secret.png)}}</style><p>x",
    "ftp": '<img src="ftp://127.0.0.1/x">',
}
INERT = {
    "svg use": '<svg width=9 height=9><use href="{f}secret.svg#a"/></svg>',
    "iframe": '<iframe src="{f}secret.txt"></iframe>',
    "script": "<script>document.write('SECRET')</script>",
    "refresh": '<meta http-equiv=refresh content="0;url={f}secret.txt">',
    "entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><p>&e;',
}


@pytest.mark.parametrize("vector", FETCHING)
def test_nothing_outside_is_fetched(vector: str, web: str, secrets: str) -> None:
    Bait.hits.clear()
    with pytest.raises(Blocked, match="外部资源"):
        sheet(FETCHING[vector].format(f=secrets, u=web))
    assert Bait.hits == []


@pytest.mark.parametrize("vector", INERT)
def test_what_needs_no_fetch_leaks_nothing(vector: str, secrets: str) -> None:
    pdf = sheet(INERT[vector].format(f=secrets))
    assert not {word for word in ("SECRET", "LEAK", "root:") if word in text(pdf)}
    assert b"/EmbeddedFile" not in streams(pdf)
    assert b"/Subtype /Image" not in streams(pdf)


def test_a_relative_address_has_no_base() -> None:
    with pytest.raises(LayoutError):
        sheet('<img src="sec/secret.png">')


def test_the_vectors_are_all_there() -> None:
    assert len(FETCHING) + len(INERT) + 1 == 24


def test_an_image_in_the_document_passes() -> None:
    assert b"/Subtype /Image" in streams(sheet(f'<img alt="x" src="data:image/png;base64,{PIXEL}">'))


def test_the_door_refuses_other_formats_and_large_images() -> None:
    from weasyprint.urls import FatalURLFetchingError

    door = LockedFetcher()
    for url in ("data:text/html,x", "data:image/png;base64,AAAA", f"data:image/png;base64,iVBORw0KGgo{'A' * 100_000}"):
        with pytest.raises(FatalURLFetchingError):
            door.fetch(url)
    assert len(door.refused) == 3


def test_markup_in_a_context_is_text() -> None:
    bait = '<img src="file:///etc/passwd">&amp;之类'
    assert bait in text(printed(conduct=bait))


def test_a_missing_glyph_is_an_error_of_the_page() -> None:
    with pytest.raises(MissingGlyph, match="😀") as caught:
        sheet("<p>甲😀</p>")
    assert caught.value.character == "😀"


def test_a_missing_glyph_is_named_before_the_page() -> None:
    with pytest.raises(ContextError, match="😀") as caught:
        printed(party="犇😀店")
    assert list(caught.value.fields) == ["party"]


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\u202e", "\u200b", "\ud800", "\ue000", "\ufeff", "\u2028", "\r"])
def test_characters_without_ink_are_refused_in_any_field(bad: str) -> None:
    with pytest.raises(ContextError) as caught:
        printed(contact={"person": f"张{bad}三", "phone": "1", "address": "路"})
    assert list(caught.value.fields) == ["contact.person"]


def test_a_huge_field_is_refused() -> None:
    with pytest.raises(ContextError, match="过长"):
        printed(demo=False, extra="甲" * 2_001)


def test_deep_nesting_is_refused() -> None:
    deep: object = "甲"
    for _ in range(2_000):
        deep = [deep]
    with pytest.raises(ContextError, match="层次过深"):
        printed(extra=deep)


def test_equal_contexts_give_equal_bytes() -> None:
    first = engine.render("notice", context())
    printed(party="另一家店")
    assert engine.render("notice", context()) == first


def test_another_process_gives_equal_bytes() -> None:
    script = (
        "import sys; from app.core.pdf import engine; from app.reports import notice;"
        "sys.stdout.buffer.write(engine.render('notice', notice.sample()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/New_York", "PYTHONPATH": str(FOLDER.parents[2])}
    other = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert other.stdout == engine.render("notice", context())


def test_a_signed_paper_is_pdf_a_3a_with_its_context() -> None:
    pdf = streams(engine.render("notice", context()))
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf or b'pdfaid:part="3"' in pdf
    assert b"data.json" in pdf
    assert "奈曼旗犇鑫餐饮管理有限公司".encode() in pdf
    assert b"2026-11-23T00:00:00" in pdf
    assert b"/Interpolate true" not in pdf


def test_a_draft_is_marked_and_carries_no_data() -> None:
    pdf = printed()
    assert text(pdf).startswith("草稿奈曼旗")
    assert GREY in streams(pdf)
    assert b"data.json" not in streams(pdf)


def test_demonstration_papers_are_marked_on_each_page() -> None:
    long = context(
        demo=True,
        demands=[{"n": n, "fact": "事实" * 60, "demand": "要求" * 60, "deadline": None} for n in range(1, 12)],
    )
    pdf = engine.render("notice", long)
    count = int(re.findall(rb"/Count (\d+)", streams(pdf))[0])
    assert count > 2
    assert ["演示 无效" in page for page in pages(pdf)] == [True] * count
    assert streams(pdf).count(GREY) == count
    plain = engine.render("notice", context())
    assert "演示" not in text(plain)
    assert GREY not in streams(plain)


def test_marks_do_not_tear_the_text_apart() -> None:
    assert text(printed(demo=True)).removeprefix("草稿演示 无效") == text(engine.render("notice", context()))


def test_a_warning_of_the_renderer_is_an_error() -> None:
    with pytest.raises(LayoutError, match="排版出错"):
        sheet('<p style="text-spacing-trim:none">甲</p>')


def test_what_must_stay_on_page_one_does() -> None:
    with pytest.raises(LayoutError, match="超出一页"):
        sheet('<p>甲</p><p style="break-before:page" id="first-page-end">乙</p>')


def test_the_logger_is_left_as_it_was() -> None:
    logger = logging.getLogger("weasyprint")
    before = list(logger.handlers), logger.propagate
    sheet("<p>甲</p>")
    assert (list(logger.handlers), logger.propagate) == before


def test_the_environment_is_left_as_it_was() -> None:
    sheet("<p>甲</p>")
    assert "FONTCONFIG_FILE" not in os.environ


@pytest.mark.parametrize("name", ["", "../notice", "notice/../notice", "none", "Notice"])
def test_only_packages_are_documents(name: str) -> None:
    with pytest.raises(ContextError):
        engine.render(name, context())


def test_versions_change_with_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine.template_version("notice")
    assert before == engine.template_version("notice") != engine.template_version("delivery")
    (tmp_path / "template.html").write_text("x")
    monkeypatch.setattr(engine, "_folder", lambda _: tmp_path)
    assert engine.template_version("notice") != before


def test_check_names_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.check()
    monkeypatch.setattr(engine, "LIBRARIES", {"libharfbuzz-nothing.so.0": "libharfbuzz-subset0"})
    with pytest.raises(NotReady, match="apt-get install -y --no-install-recommends libharfbuzz-subset0"):
        engine.check()


def test_check_names_the_command_for_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(NotReady, match="script/fonts"):
        engine.check()


def test_another_weasyprint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(justify, "WEASYPRINT", "71.0")
    with pytest.raises(NotReady, match=r"71\.0"):
        justify.install()
    with pytest.raises(NotReady, match=r"71\.0"):
        engine.check()


def test_checking_imports_no_renderer() -> None:
    script = (
        "import sys; from app.core.pdf import engine, pool; engine.check();"
        "assert not {'weasyprint', 'flask', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=FOLDER.parents[2])

"""One warm renderer a process: context in, PDF bytes out.

A document is a package under `app.reports` with `template.html`, `style.css` and three functions: `validate(context,
draft=)` raises ContextError, `view(context)` gives the template its variables, `created(context)` the instant
that the PDF claims. Equal contexts give equal bytes as long as fonts, libraries and template stay; stored papers are
therefore never rendered again.

WeasyPrint is imported by the first render, not by importing this module: the web process only calls `check`.
"""

import ctypes
import gc
import json
import logging
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import justify
from .errors import Blocked, ContextError, LayoutError, MissingGlyph, NotReady
from .fonts import font_order, font_set
from .marks import mark
from .text import refuse_unprintable

REPORTS = "app.reports"
BASE = Path(__file__).parent / "base"
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
"""What pip cannot bring, and its Debian package. Without the last one everything works, fifty times slower."""
DEFLATE_LEVEL = 2
END_OF_FIRST_PAGE = "first-page-end"
"""A template gives this id to the last element that must stand on page one."""
DRAFT_MARK, DEMO_MARK = "草稿", "演示 无效"

_lock = Lock()
_mark = lru_cache(mark)


def check() -> None:
    """Refuse to start without what a render needs; a few milliseconds. NotReady names the command that mends it."""
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError as error:
            command = f"apt-get install -y --no-install-recommends {package}"
            raise NotReady(f"缺少系统库 {library}，请以 root 运行：{command}") from error
    if version("weasyprint") != justify.WEASYPRINT:
        raise NotReady(f"需要 WeasyPrint {justify.WEASYPRINT}，请运行 script/bootstrap")
    font_order()
    font_set()


def font_set_hash() -> str:
    """SHA-256 over the font files in use, to be frozen with a signed context."""
    return font_set().hash


def template_version(name: str) -> str:
    """SHA-256 over what shapes the document `name`: base, template, style, layout. ContextError: no such."""
    folder = _folder(name)
    digest = sha256()
    for file in [
        *sorted(BASE.iterdir()),
        *sorted(folder.glob("*.html")),
        *sorted(folder.glob("*.css")),
        *sorted(folder.glob("layout.py")),
    ]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def render(name: str, context: dict[str, Any], *, draft: bool = False) -> bytes:
    """Print `context` as the document `name`.

    A draft is a plain PDF that bears 草稿 and may lack number and date. Otherwise PDF/A-3a with the context attached as
    data.json, or a plain PDF if the package says `ARCHIVED = False` (pieces of a list, which `join` puts together).
    `context["demo"]` true puts 演示 无效 on each page of any.
    Errors: ContextError, MissingGlyph, Blocked, LayoutError, NotReady.
    """
    folder = _folder(name)
    refuse_unprintable(context)
    report = import_module(f"{REPORTS}.{name}")
    report.validate(context, draft=draft)
    created: datetime | None = report.created(context)
    marks = [_mark(word) for word, wanted in ((DRAFT_MARK, draft), (DEMO_MARK, context.get("demo"))) if wanted]
    html = _template(folder).render(doc=report.view(context), marks=marks, created=created and created.isoformat())
    with _lock:
        plain = draft or not getattr(report, "ARCHIVED", True)
        return write_pdf(html, folder, None if plain else (context, created))


def write_pdf(html: str, folder: Path, frozen: tuple[dict[str, Any], datetime | None] | None = None) -> bytes:
    """Lay out `html` with the style of a document folder; `frozen` makes it PDF/A-3a. Not for several threads at once.

    Whatever the layout engine warns of is an error here: a legal paper has no tolerable blemish.
    """
    machine = _machine()
    options = machine.archive(*frozen) if frozen else {}
    fetcher = machine.new_fetcher()
    with _complaints() as complaints:
        try:
            source = machine.weasyprint.HTML(string=html, url_fetcher=fetcher)
            document = source.render(font_config=machine.fonts, stylesheets=[machine.style(folder)], **options)
            _keep_first_page(document)
            content: bytes = document.write_pdf(**options)
        except machine.fatal as error:
            raise Blocked(f"文书引用了外部资源：{error}") from None
    if fetcher.refused:
        raise Blocked(f"文书引用了外部资源：{fetcher.refused[0]}")
    _refuse(complaints)
    return content


def warm(name: str) -> None:
    """Render the samples of a document, then take all that lives out of the collector's sight. For worker processes."""
    for context in import_module(f"{REPORTS}.{name}").samples():
        render(name, context)


def settle() -> None:
    """Freeze what the warm-up made and switch the collector off; the worker collects between documents."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _keep_first_page(document: Any) -> None:
    for page in document.pages[1:]:
        if END_OF_FIRST_PAGE in page.anchors:
            raise LayoutError("文书正文超出一页，请缩短内容")


def _refuse(complaints: list[str]) -> None:
    for message in complaints:
        if found := re.search(r'\.notdef glyph rendered for Unicode string unsupported by fonts: "(.+)"', message):
            raise MissingGlyph(found[1])
    if complaints:
        raise LayoutError(f"排版出错：{complaints[0][:200]}")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs from warnings up, and keep it out of everyone else's log."""
    logger = logging.getLogger("weasyprint")
    heard: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield heard
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _folder(name: str) -> Path:
    """The package folder of a document. ContextError: the name is none."""
    folder = Path(__file__).parents[2] / "reports" / name
    if not re.fullmatch(r"[a-z][a-z_]{0,30}", name) or not (folder / "template.html").is_file():
        raise ContextError({"name": f"没有名为“{name[:30]}”的文书"})
    return folder


@lru_cache
def _template(folder: Path) -> Any:
    environment = Environment(
        loader=FileSystemLoader([folder, BASE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html")


class _Machine:
    """WeasyPrint with the private fonts, the locked door and the parsed styles. One a process."""

    def __init__(self) -> None:
        fonts = font_set()
        with _environment(FONTCONFIG_FILE=str(fonts.config)):
            import pydyf
            import weasyprint
            from weasyprint.text.ffi import harfbuzz_subset
            from weasyprint.text.fonts import FontConfiguration
            from weasyprint.urls import FatalURLFetchingError

            self.fonts = FontConfiguration()
        if harfbuzz_subset is None:
            check()
        from .fetcher import LockedFetcher

        justify.install()
        pydyf.zlib = _Deflate()
        _close_profiles()
        self.weasyprint: Any = weasyprint
        self.fatal: type[BaseException] = FatalURLFetchingError
        self.new_fetcher = LockedFetcher
        self._faces = {face: fonts.css(face) for face in font_order()}
        self._styles: dict[Path, Any] = {}

    def style(self, folder: Path) -> Any:
        """The parsed style of a document on top of the base, with `face(fang)` replaced by the families. Cached."""
        if folder not in self._styles:
            text = (BASE / "base.css").read_text() + (folder / "style.css").read_text()
            text = re.sub(r"face\((\w+)\)", lambda found: self._faces[found[1]], text)
            with _complaints() as complaints:
                self._styles[folder] = self.weasyprint.CSS(
                    string=text, font_config=self.fonts, url_fetcher=self.new_fetcher()
                )
            _refuse(complaints)
        return self._styles[folder]

    def archive(self, context: dict[str, Any], created: datetime | None) -> dict[str, Any]:
        """Options for PDF/A-3a with the context inside; the attachment's own dates would else be the clock's."""
        text = json.dumps(context, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        attachment = self.weasyprint.Attachment(
            string=text.encode(),
            name="data.json",
            relationship="Source",
            created=created,
            modified=created,
            url_fetcher=self.new_fetcher(),
        )
        return {"pdf_variant": "pdf/a-3a", "attachments": [attachment]}


def _close_profiles() -> None:
    """Make WeasyPrint close the colour profile it embeds in every archive document."""
    from weasyprint import pdf

    read = pdf.ColorProfile

    def closing(file: Any, *rest: Any) -> Any:
        with file:
            return read(file, *rest)

    pdf.ColorProfile = closing


class _Deflate:
    """`zlib` for pydyf with level 2: a tenth of the time of level 9 for a twentieth more bytes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(zlib, name)

    def compressobj(self, level: int = DEFLATE_LEVEL) -> Any:
        """As `zlib.compressobj`; the level asked for is ignored."""
        return zlib.compressobj(DEFLATE_LEVEL)


@lru_cache(maxsize=1)
def _machine() -> _Machine:
    return _Machine()


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for a moment: a browser started by this process later must find the system's fonts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""Sides of the notice: our engine, WeasyPrint used the plain way, and the pool of workers."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from tests.bench.measure import timed, wall


def pages(content: bytes) -> int:
    """Pages of a PDF."""
    told = subprocess.run(["pdfinfo", "-"], input=content, capture_output=True, check=True).stdout
    return int(re.findall(rb"Pages:\s+(\d+)", told)[0])


class Ours:
    """`engine.render` in this process, as a worker does."""

    def source(self) -> dict[str, str]:
        """The HTML of the paper and its style, for the peer."""
        from importlib import import_module

        from app.core.pdf import engine

        folder = engine._folder("notice")
        report = import_module("app.reports.notice")
        html = engine._template(folder).render(doc=report.view(report.samples()[1]), marks=[], created=None)
        return {"html": html, "style": (engine.BASE / "base.css").read_text() + (folder / "style.css").read_text()}

    def first(self) -> dict[str, Any]:
        """The first paper of the process, what it imports included."""
        return {"time": timed(lambda: self.print(archive=True))}

    def print(self, *, archive: bool) -> bytes:
        """One paper of two pages."""
        from app.core.pdf import engine
        from app.reports.notice import samples

        context: Any = samples()[1]
        return engine.render("notice", context) if archive else self._plain(context)

    def _plain(self, context: Any) -> bytes:
        """As a draft, but without its watermark: what the peer prints too."""
        from app.core.pdf import engine
        from app.reports import notice

        notice.validate(context, draft=False)
        folder = engine._folder("notice")
        html = engine._template(folder).render(doc=notice.view(context), marks=[], created=None)
        return engine.write_pdf(html, folder)

    def papers(self, count: int, archive: bool) -> list[tuple[float, float]]:
        """Time `count` papers, warm, the collector as the workers have it."""
        from app.core.pdf import engine

        self.print(archive=archive)
        engine.settle()
        return [timed(lambda: self.print(archive=archive)) for _number in range(count)]

    def size(self) -> dict[str, int]:
        """Bytes and pages."""
        content = self.print(archive=True)
        return {"bytes": len(content), "pages": pages(content)}


class Naive:
    """WeasyPrint as its documentation shows it: whole fonts by @font-face, a new FontConfiguration for each paper."""

    def first(self, html: str, style: str) -> dict[str, Any]:
        """The first paper of the process, what it imports included."""
        self.html, self.style = html, _whole_fonts(style)
        return {"time": timed(self.print)}

    def print(self) -> bytes:
        """One paper."""
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration

        fonts = FontConfiguration()
        style = CSS(string=self.style, font_config=fonts)
        return bytes(HTML(string=self.html).write_pdf(stylesheets=[style], font_config=fonts))

    def papers(self, count: int, archive: bool) -> list[tuple[float, float]]:
        """Time `count` papers."""
        return [timed(self.print) for _number in range(count)]

    def size(self) -> dict[str, int]:
        """Bytes and pages."""
        content = self.print()
        return {"bytes": len(content), "pages": pages(content)}


def _whole_fonts(style: str) -> str:
    """The style with the fonts our set is made from, whole."""
    from app.core.pdf.fonts import cache_home, font_order
    from app.core.pdf.fontsource import sources

    fandol = cache_home() / "sources" / "fandol"
    found, _notes = sources(fandol if fandol.is_dir() else None)
    faces = "".join(f"@font-face {{ font-family: whole-{one.face}; src: url({one.file.as_uri()}) }}\n" for one in found)

    def families(face: str) -> str:
        return ",".join(f"whole-{name}" for name in (face, *font_order()[face]))

    return faces + re.sub(r"face\((\w+)\)", lambda hit: families(hit[1]), style)


class Pool:
    """Two worker processes fed by four threads."""

    def throughput(self, count: int) -> dict[str, Any]:
        """Papers a second, once both are warm."""
        from concurrent.futures import ThreadPoolExecutor

        from app.core.pdf.pool import RenderPool
        from app.reports.notice import samples

        context = samples()[1]
        pool = RenderPool(2)
        try:
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(lambda _n: pool.render("notice", context), range(4)))

                def run() -> None:
                    list(threads.map(lambda _n: pool.render("notice", context), range(count)))

                time = timed(run)
        finally:
            pool.close()
        return {"rate": count / wall([list(time)]) * 1000, "papers": count, "time": time}

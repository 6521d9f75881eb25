"""Screenshots and axe of every sample page: python -m tests.ui_preview.shots OUT [page ...]"""

import logging
import sys
import threading
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from tests.ui_preview.harness import create
from tests.ui_preview.samples import PAGES

# what a thumb would miss, apart from links inside text and cells (the whole card opens)
SMALL = """
[...document.querySelectorAll('a,button,summary,select,input:not([type=hidden],[type=checkbox],[type=radio])')]
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, r]) => r.width > 1 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden')
  .filter(([e, r]) => (r.height < 43.5 || r.width < 40) && !e.closest('td,tbody th,.crumbs ol,dd,.figures,.skip'))
  .map(([e, r]) => `${e.outerHTML.slice(0, 70)} ${Math.round(r.width)}x${Math.round(r.height)}`).slice(0, 5)
"""


def tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def main(out: Path, names: list[str]) -> int:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base, faults = f"http://127.0.0.1:{server.port}", 0
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(
            env={"LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"},
            executable_path="/usr/bin/chromium",
            args=["--lang=zh-CN", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for size, (w, h) in {"desk": (1366, 900), "phone": (390, 844)}.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": w, "height": h},
                    color_scheme=scheme,
                    locale="zh-CN",
                    has_touch=size == "phone",
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.on(
                    "console", lambda m: tell("console", m.type, m.text) if m.type in ("error", "warning") else None
                )
                page.on("pageerror", lambda e: tell("pageerror", e))
                for name in names or PAGES:
                    page.goto(f"{base}/p/{name}")
                    page.screenshot(path=out / f"{name}-{size}-{scheme}.png")
                    page.screenshot(path=out / f"{name}-{size}-{scheme}-full.png", full_page=True)
                    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                        tell(name, size, "wider than the screen")
                        faults += 1
                    for v in Axe().run(page).response["violations"]:
                        tell(name, size, scheme, v["impact"], v["id"], [n["target"] for n in v["nodes"]][:4])
                        faults += v["impact"] in ("serious", "critical")
                    if size == "phone":
                        small = page.evaluate(SMALL)
                        if small and scheme == "light":
                            tell("small", name, small)
                context.close()
        browser.close()
    server.shutdown()
    tell("serious or critical:", faults)
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

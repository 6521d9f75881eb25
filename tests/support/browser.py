"""The system's Chromium, one a process: Playwright refuses a second start in the same thread.

It draws Chinese with the fonts that the application brings along: a machine of tests need not have any, and what is not
drawn is in no printed page either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from app.core.pdf.fonts import noto_folder

# how long a browser waits for what must come, in ms: a busy machine is slow, and no test is about that
PATIENCE = 120_000

# no sandbox: the tests may run as root; the others keep it from looking for its maker's servers
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{}</dir></fontconfig>
"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for every test of this process that drives one."""
    fonts: Path = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    fonts.write_text(FONTS.format(noto_folder()))
    surroundings: dict[str, str | float | bool] = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS, env=surroundings)
        make = found.new_context

        def patient(**options: Any) -> BrowserContext:
            context = make(**options)
            context.set_default_timeout(PATIENCE)
            return context

        found.new_context = patient  # type: ignore[method-assign]
        expect.set_options(timeout=PATIENCE)
        yield found
        found.close()

"""The system's Chromium, one a process: Playwright refuses a second start in the same thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser for every test of this process that drives one."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        make = found.new_context

        def patient(**options: Any) -> BrowserContext:
            context = make(**options)
            context.set_default_timeout(PATIENCE)
            return context

        found.new_context = patient  # type: ignore[method-assign]
        expect.set_options(timeout=PATIENCE)
        yield found
        found.close()

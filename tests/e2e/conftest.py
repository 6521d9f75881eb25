"""A real server (gunicorn and worker) on a demo database, and a real browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[2]
PASSWORD = "shouze-demo-2026"


@dataclass
class Server:
    """A running server and its data."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a `shouze` command on the same data."""
        return subprocess.run(
            [sys.executable, "-m", "app", *words],
            cwd=ROOT,
            env=environment(self.data),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def environment(data: Path) -> dict[str, str]:
    """Of a server with its own data."""
    return {**os.environ, "SHOUZE_DATA_DIR": str(data), "SHOUZE_WORKERS": "1"}


def start(data: Path) -> Server:
    """Start a demo server and wait for its first page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "app", "serve", "--demo", "--port", str(port)]
    with (data.parent / f"{data.name}.log").open("ab") as log:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment(data), stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/login/", timeout=2):
                return Server(url, data, process)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)  # the server is starting: nothing to listen to yet
    raise AssertionError((data.parent / f"{data.name}.log").read_text()[-3000:])


def stop(server: Server, number: int = signal.SIGTERM) -> None:
    """End the server's whole process group."""
    if server.process.poll() is None:
        os.killpg(server.process.pid, number)
    try:
        server.process.wait(timeout=25)
    except subprocess.TimeoutExpired:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One demo server for the browser tests."""
    found = start(tmp_path_factory.mktemp("e2e") / "data")
    yield found
    stop(found)


@pytest.fixture
def sign_in(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """A page of somebody signed in; errors on the console or from the server fail the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def go(username: str, width: int = 1366, height: int = 900) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", base_url=server.url)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None
        )
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((server.url, "data:", "blob:", "chrome-extension:", "chrome:"))
                else wrong.append(asked.url)
            ),
        )
        page.goto("/login/")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.click("button.primary")
        page.wait_for_url(server.url + "/")
        return page

    yield go
    for context in contexts:
        context.close()
    # pages that tests ask for on purpose; Chromium writes each to the console
    expected = ("400", "401", "404", "409", "422")
    assert [one for one in wrong if not any(code in one for code in expected)] == []

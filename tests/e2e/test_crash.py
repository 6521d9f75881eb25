"""kill -9 of everything between signing and rendering: the next start finishes the same paper."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, environment, start, stop

pytestmark = pytest.mark.e2e

SIGN = """
import sys
from sqlalchemy import select
from app import create_app
from app.core.access import fetch
from app.core.access.context import acting
from app.core.office import Account
from app.core.db import unscoped
from app.core.workflow import run
from app.models.rectification import Notice
app = create_app()
with app.app_context():
    with unscoped("test") as session:
        ju = session.scalars(select(Account.id).where(Account.username == "ju")).one()
        key = session.scalars(select(Notice.id).where(Notice.state == "待签发").order_by(Notice.id)).first()
    with acting(ju):
        print(run(fetch(Notice, key), "sign").number)
"""


def test_a_killed_server_finishes_the_paper_with_the_same_number(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = start(data)
    stop(server, signal.SIGKILL)
    made = subprocess.run(
        [sys.executable, "-c", SIGN],
        cwd=ROOT,
        env=environment(data),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    number = made.stdout.strip()
    assert re.fullmatch(r"奈市监责改〔\d{4}〕\d+号", number)
    assert papers(data)[number][0] == "正在生成"
    server = start(data)
    try:
        for _ in range(300):
            if papers(data)[number][0] == "有效":
                break
            server.process.poll()
            subprocess.run(["sleep", "0.2"], check=True)
        state, size = papers(data)[number]
        assert state == "有效" and size > 20_000
        assert server.command("audit", "verify").returncode == 0
    finally:
        stop(server)


def papers(data: Path) -> dict[str, tuple[str, int]]:
    with sqlite3.connect(data / "shouze.db") as connection:
        rows = connection.execute("SELECT number, state, size FROM issued_document").fetchall()
    connection.close()
    return {number: (state, size or 0) for number, state, size in rows}

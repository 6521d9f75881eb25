"""The main job from the command line, with the real engine; and that a demo is the same twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core.errors import Conflict, Forbidden, Invalid
from app.models.enterprise import Enterprise
from app.models.inspection import Finding
from app.models.rectification import Notice
from app.services.issue import issue_to_file
from tests.support.house import House, on_sqlite


def notice_in(house: House, state: str) -> int:
    with house.system() as session:
        return session.scalars(select(Notice.id).where(Notice.state == state).order_by(Notice.id)).first() or 0


def test_a_notice_is_signed_rendered_and_written(small: House, tmp_path: Path) -> None:
    key, out = notice_in(small, "待签发"), tmp_path / "通知书.pdf"
    with small.app.app_context():
        number, sha256 = issue_to_file(key, out, "ju")
        again = issue_to_file(key, tmp_path / "二.pdf", None)
    assert re.fullmatch(r"奈市监责改〔\d{4}〕\d+号", number)
    assert again == (number, sha256), "the stored bytes, not a second rendering"
    assert (tmp_path / "二.pdf").read_bytes() == out.read_bytes()
    read = subprocess.run(["pdftotext", out, "-"], capture_output=True, text=True, check=True).stdout
    assert number in "".join(read.split())
    with small.system() as session:
        notice = session.get_one(Notice, key)
        assert (notice.state, notice.signer_id) == ("已签发", small.accounts["ju"])


def test_what_is_not_far_enough_or_not_ones_own_is_refused(small: House, tmp_path: Path) -> None:
    out = tmp_path / "x.pdf"
    with small.app.app_context():
        for key, username, error in (
            (notice_in(small, "草稿"), None, Conflict),
            (notice_in(small, "待签发"), None, Conflict),
            (notice_in(small, "待签发"), "suo-a", Forbidden),
            (notice_in(small, "待签发"), "nobody", Invalid),
            (99_999, None, Invalid),
        ):
            with pytest.raises(error):
                issue_to_file(key, out, username)
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["issue-notice", "99999", "--out", "OUT"],
        ["user", "add", "x", "--name", "x", "--office", "nowhere"],
        ["posting", "add", "nobody", "--office", "150525", "--role", "chief"],
        ["import-ledger", "README.md", "--office", "150525-S01"],
        ["user", "add", "x", "--name", "x", "--office", "150525", "--family", "不存在"],
    ],
)
def test_a_wrong_command_is_one_line_and_code_one(small: House, tmp_path: Path, words: list[str]) -> None:
    data = small.app.extensions["shouze_settings"].data_dir
    words = [word.replace("OUT", str(tmp_path / "o.pdf")) for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        env={**os.environ, "SHOUZE_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    assert "Error" in done.stderr


def test_the_same_seed_makes_the_same_bureau(small: House, tmp_path: Path) -> None:
    other = on_sqlite(tmp_path)

    def told(house: House) -> list[tuple[str, ...]]:
        with house.system() as session:
            firms = session.execute(
                select(Enterprise.name, Enterprise.code, Enterprise.address).order_by(Enterprise.id)
            )
            facts = session.execute(select(Finding.fact).order_by(Finding.id))
            return [tuple(row) for row in (*firms, *facts)]

    assert told(other) == told(small)

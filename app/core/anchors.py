"""Heads of the history chains kept outside the database: a signed file a day, and one for whoever makes a backup.

Who holds only the database can cut a chain's end and set its head back, or put an older copy of it in place; no entry
then is wrong by itself. The file says how far each chain had come. Keep copies of the files elsewhere: each by itself
suffices to verify against.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, filestore
from app.core.crypto import seal_text
from app.core.db import unscoped
from app.core.history_entry import HistoryHead, canonical
from app.core.history_verify import Break, Kept, keepers
from app.core.jobs import job


def folder() -> Path:
    """Where the days' files lie."""
    found: Path = current_app.extensions["shouze_settings"].data_dir / "anchors"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def anchor(target: Path | None = None) -> Path:
    """Keep the heads of all chains as they are now, in `target` or in the file of today (the first of a day stays).

    A backup calls it with a file of its own. The file is on the disk, whole, when this returns.
    """
    path = target or folder() / f"{clock.today().isoformat()}.json"
    if target is None and path.exists():
        return path
    with unscoped("keep heads of history", quiet=True) as session:
        heads = session.execute(select(HistoryHead.office_id, HistoryHead.seq, HistoryHead.hash)).all()
        told = {"at": clock.now().isoformat(timespec="seconds"), "heads": sorted([list(head) for head in heads])}
    filestore.write(path, canonical(told | {"seal": seal_text("anchor", canonical(told))}).encode())
    return path


def read(path: Path) -> list[Kept] | Break:
    """The heads that a file has kept; what is wrong with a file that is not as it was written."""
    bad = Break(0, 0, f"留存的链头文件 {path.name} 无法使用：不是本系统写的，或被改动")
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        seal = str(told.pop("seal"))
        if not hmac.compare_digest(seal.encode(), seal_text("anchor", canonical(told)).encode()):
            return bad
        at = datetime.fromisoformat(told["at"])
        return [Kept(office, seq, link, path.name, at) for office, seq, link in told["heads"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return bad


def heads_in_files(_session: Session) -> Iterator[Kept | Break]:
    """What the days' files have kept, the oldest first."""
    for path in sorted(folder().glob("*.json")):
        found = read(path)
        if isinstance(found, Break):
            yield found
        else:
            yield from found


def install() -> None:
    """Have verification compare every chain with the days' files."""
    if heads_in_files not in keepers:
        keepers.append(heads_in_files)


@job("anchor", daily=True)
def anchor_job() -> None:
    """Keep today's heads."""
    anchor()


def forget_older(days: int, *, dry_run: bool = False) -> int:
    """Delete files older than so many days: their heads lie before every checkpoint by then. How many."""
    last = (clock.today() - timedelta(days=days)).isoformat()
    old = [path for path in folder().glob("????-??-??.json") if path.stem < last]
    for path in old if not dry_run else ():
        path.unlink(missing_ok=True)
    return len(old)

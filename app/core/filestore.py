"""Bytes of attachments, under random names in the data directory: no public folder, no name from outside in a path.

`files/ab/<name>` is the original; `<name>.screen` and `<name>.thumb` beside it are a picture's copies. What was
uploaded with a form that is not saved yet has a note in `pending/<account>/<token>/<name>.json`; saving turns the note
into an Attachment row. Bytes are on the disk before the note or the row that names them; `sweep` takes away what no
note and no row names.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from flask import current_app
from flask_babel import gettext as _

from app.core import clock
from app.core.errors import Invalid, NotFound

KEPT_PENDING = timedelta(days=1)
MOST_PENDING = 60  # files of one account that no form has been saved with yet
COPIES = ("screen", "thumb")
NAME = re.compile(r"[A-Za-z0-9_-]{22,32}")


@dataclass(frozen=True)
class Pending:
    """An uploaded file whose form is not saved yet."""

    file: str
    name: str
    mime: str
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None


def root() -> Path:
    """The folder of this installation's files."""
    return Path(current_app.extensions["shouze_settings"].data_dir)


def place(name: str, copy: str = "") -> Path:
    """Where a file lies. Raises NotFound for what is no name of ours."""
    if not NAME.fullmatch(name) or copy not in ("", *COPIES):
        raise NotFound(_("没有这个文件。"))
    return root() / "files" / name[:2].lower() / (f"{name}.{copy}" if copy else name)


def new_name() -> str:
    """A name nobody can guess."""
    return secrets.token_urlsafe(20)


def write(path: Path, content: bytes) -> None:
    """Put bytes on the disk for good: the file appears whole or not at all, and survives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(name: str, copy: str = "") -> bytes:
    """The bytes. Raises NotFound when the disk does not have them."""
    try:
        return place(name, copy).read_bytes()
    except OSError as error:
        raise NotFound(_("文件不在了，请联系管理员。")) from error


# ---- waiting for their form to be saved


def _corner(account_id: int, token: str) -> Path:
    if not NAME.fullmatch(token):
        raise NotFound(_("没有这个文件。"))
    return root() / "pending" / str(account_id) / token


def require_room(account_id: int, token: str) -> None:
    """Raise Invalid when the account has too many unsaved files lying about; to be asked before one more is kept."""
    if sum(1 for _note in _corner(account_id, token).parent.glob("*/*.json")) >= MOST_PENDING:
        raise Invalid(_("还没保存的文件太多了，请先保存或删掉一些。"))


def put_pending(account_id: int, token: str, one: Pending) -> None:
    """Note a file that is on the disk already."""
    folder = _corner(account_id, token)
    write(folder / f"{one.file}.json", json.dumps(asdict(one), ensure_ascii=False).encode())


def pending(account_id: int, token: str) -> list[Pending]:
    """The files uploaded with this form, oldest first."""
    found = []
    for note in _corner(account_id, token).glob("*.json"):
        try:
            found.append((note.stat().st_mtime_ns, note.name, Pending(**json.loads(note.read_text()))))
        except FileNotFoundError:  # taken away meanwhile by the same person in another window
            continue
    return [one for _at, _name, one in sorted(found, key=lambda each: each[:2])]


def one_pending(account_id: int, token: str, name: str) -> Pending:
    """One of them. Raises NotFound: another account's are never found."""
    for one in pending(account_id, token):
        if one.file == name:
            return one
    raise NotFound(_("没有这个文件。"))


def drop_pending(account_id: int, token: str, names: Iterable[str]) -> None:
    """Forget these notes; the bytes go with the next sweep unless a row names them by then."""
    folder = _corner(account_id, token)
    for name in names:
        if NAME.fullmatch(name):
            (folder / f"{name}.json").unlink(missing_ok=True)


# ---- sweeping


def drop_old_notes() -> int:
    """Forget what was uploaded more than a day ago and never saved. Returns how many."""
    old = [note for note in (root() / "pending").glob("*/*/*") if _older(note)]
    for note in old:
        note.unlink(missing_ok=True)
    for folder in (root() / "pending").glob("*/*"):
        if _older(folder):  # nobody writes there any more
            with suppress(OSError):  # not empty
                folder.rmdir()
    return len(old)


def unnoted() -> Iterator[str]:
    """Names of originals older than a day that no note names: each needs a row, or goes."""
    noted = {note.stem for note in (root() / "pending").glob("*/*/*.json")}
    for path in (root() / "files").glob("*/*"):
        draft = path.name.startswith(".")
        name = path.name if draft else path.name.partition(".")[0]
        if name not in noted and (draft or NAME.fullmatch(name)) and _older(path):
            yield name


def erase(name: str) -> None:
    """Take an original and its copies, or a draft that a crash left, off the disk."""
    if name.startswith("."):
        for draft in (root() / "files").glob(f"*/{name}"):
            draft.unlink(missing_ok=True)
        return
    for copy in ("", *COPIES):
        place(name, copy).unlink(missing_ok=True)


def _older(path: Path) -> bool:
    try:
        return path.stat().st_mtime < (clock.now() - KEPT_PENDING).timestamp()
    except OSError:  # another sweep was first
        return False

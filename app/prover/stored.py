"""What core keeps outside the tables for some rows: bytes of attachments, papers, job files and imports.

Their content says the row's word too, so that a file handed out is seen as a page is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.core import clock, filestore, jobfile
from app.core.attachment import Attachment
from app.core.document import DocumentState, IssuedDocument
from app.core.entity import registry
from app.core.importing import run as runs
from app.core.importing.run import ImportRun, RunState
from app.core.jobfile import JobFile
from app.core.jobs import Job, JobState
from app.core.saved import BulkRun, SavedFilter, Sharing
from app.core.verbs import Verb
from app.models.roles import ROLES

Filler = Callable[[Any, bytes, str], None]


def put_files(row: Any, word: str, told: dict[str, str]) -> None:
    """Give a row of core's its bytes; `told` loses the words of columns that now hold something else."""
    filler = FILLERS.get(type(row))
    if filler is None:
        return
    before = {name: getattr(row, name) for name in told}
    filler(row, word.encode(), word)
    for name, text in before.items():
        if getattr(row, name) != text:
            del told[name]
    told["(content)"] = word


def _attachment(row: Any, content: bytes, _word: str) -> None:
    row.file, row.mime, row.size = filestore.new_name(), "text/plain", len(content)
    row.sha256 = hashlib.sha256(content).hexdigest()
    row.width = row.height = None
    filestore.write(filestore.place(row.file), content)


def _paper(row: Any, content: bytes, _word: str) -> None:
    row.content, row.size, row.sha256 = content, len(content), hashlib.sha256(content).hexdigest()
    row.state, row.rendered_at, row.kind = DocumentState.VALID, clock.now(), "notice"
    row.context = {"bureau": ""}


def _job(row: Any, _content: bytes, word: str) -> None:
    row.state, row.arguments, row.error = JobState.DONE, {"word": word}, ""


def _job_file(row: Any, content: bytes, _word: str) -> None:
    row.stored = f"prover.{filestore.new_name()}"
    (jobfile.folder() / row.stored).write_bytes(content)
    row.mimetype, row.size, row.sha256 = "text/plain", len(content), hashlib.sha256(content).hexdigest()
    row.until, row.removed_at = clock.now() + timedelta(days=7), None


def _import(row: Any, content: bytes, word: str) -> None:
    content += b"\nx\n"
    row.stored, row.sha256, row.state = runs.keep(content), hashlib.sha256(content).hexdigest(), RunState.TRIED
    row.file_name, row.sheet, row.heading, row.mapping = f"{word}.csv", "", 1, ["name"]
    row.result = {"bad": [], "doubts": 0, "plan": []}
    row.entity = _importable()
    runs.keep_outcome(row, [], [])


def _importable() -> str:
    """The entity that most roles may import: a run of any other is shown to nobody, and would prove nothing."""
    granted = [grant.entity for role in ROLES for grant in role.grants if Verb.IMPORT in grant.verbs]
    return Counter(name for name in granted if name in registry()).most_common(1)[0][0]


def _filter(row: Any, _content: bytes, _word: str) -> None:
    row.arguments = "q=a"
    row.sharing = Sharing.OWN if row.account_id else Sharing.OFFICE


def _answer(row: Any, _content: bytes, word: str) -> None:
    row.key, row.outcomes = filestore.new_name(), [[999_999, True, "", word]]


FILLERS: dict[type[Any], Filler] = {
    Attachment: _attachment,
    IssuedDocument: _paper,
    Job: _job,
    JobFile: _job_file,
    ImportRun: _import,
    SavedFilter: _filter,
    BulkRun: _answer,
}

"""What a person does with an import: try it, write it, take it back. Each is one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.history import record
from app.core.importing import run as runs
from app.core.importing.batch import Batch
from app.core.importing.lines import CHANGED, NEW, SAME, WRONG, Line, Reader, Spec, digest_of, findings_of, read_lines
from app.core.importing.naming import naming_of
from app.core.importing.run import ImportRun, RunState
from app.core.importing.source import open_source
from app.core.importing.undoing import take_back, undo_text
from app.core.jobs import settle, tick
from app.core.office import Office
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work

MOST_LISTED = 300  # records to go to after writing


class Stale(Conflict):
    """The file or what it is about is not what it was at the trial: it is to be tried again."""


class _Tried(Exception):
    """The trial is over: no error, it ends a transaction that must not be kept."""


@dataclass(frozen=True)
class Reading:
    """How a run's file is read: what it is imported as, how a cell becomes a value, and what a trial tells of lines."""

    spec: Spec
    read: Reader
    tell: Callable[[Spec, Sequence[Line]], list[dict[str, Any]]]


def try_out(run: ImportRun, reading: Reading) -> Counter[str]:
    """Do everything an import does, roll it back, and remember on the run what came of it.

    Raises XlsxError, and Invalid when there is not one row.
    """
    lines = _lines(run, reading)
    if not lines:
        raise Invalid(_("第 %(n)s 行表头的下面，要导入的列里没有数据。请填好数据后重新上传。", n=run.heading))
    counts, plan, told = _rolled_back(reading, lines)
    found = findings_of(reading.spec, lines)
    tick()
    with unit_of_work(Verb.IMPORT):
        row = open_run(run)
        runs.keep_outcome(row, found, told)
        row.state, row.tried_at = RunState.TRIED, clock.now()
        row.made, row.changed, row.same, row.wrong = (counts[name] for name in (NEW, CHANGED, SAME, WRONG))
        doubts = sum(one["kind"] == "doubt" for one in found)
        bad = [line.number for line in lines if line.verdict == WRONG]
        row.result = {"plan": plan, "bad": bad, "doubts": doubts, "rows": len(lines)}
        settle()
    return counts


def _rolled_back(reading: Reading, lines: list[Line]) -> tuple[Counter[str], str, list[dict[str, Any]]]:
    """The counts, the digest of the plan, and what would happen to each row; nothing of it is kept."""
    found: tuple[Counter[str], str, list[dict[str, Any]]] = (Counter(), "", [])
    try:
        with unit_of_work(Verb.IMPORT, "文件导入"):
            counts = Batch(reading.spec, lines).take()
            found = (counts, digest_of(lines), reading.tell(reading.spec, lines))
            raise _Tried  # noqa: TRY301 - the one way to end a unit of work without its commit
    except _Tried:
        return found


def _lines(run: ImportRun, reading: Reading, skip: frozenset[int] = frozenset()) -> list[Line]:
    """Read the file again; outside any transaction."""
    data = runs.content(run)
    if data is None:
        raise Conflict(_("上传的文件已经删除，请重新上传。"))
    with open_source(data, run.file_name) as sheets:
        sheet = next((one for one in sheets if one.title == run.sheet), None)
        if sheet is None:
            raise Invalid(_("文件里没有这张工作表。"))
        return read_lines(reading.spec, sheet.rows(), run.heading, reading.read, date1904=sheet.date1904, skip=skip)


def open_run(run: ImportRun) -> ImportRun:
    """The run, locked; refused once it is written: a second press finds it so."""
    row: ImportRun = lock(run)
    if row.state not in {RunState.OPEN, RunState.TRIED}:
        raise Conflict(_("这次导入已经写入，不会重复写入。"))
    return row


def require_ready(run: ImportRun, *, skip_bad: bool, accept: bool) -> None:
    """Raise Invalid when a tick is missing, Conflict when it was not tried or is written already."""
    told = run.result
    if run.state != RunState.TRIED:
        raise Conflict(_("这次导入已经写入，不会重复写入。") if run.state != RunState.OPEN else _("请先试导入。"))
    if told["bad"] and not skip_bad:
        raise Invalid(_("还有 %(n)s 行有误：改正文件后重新上传，或勾选“略过有误的行”。", n=len(told["bad"])))
    if told["doubts"] and not accept:
        raise Invalid(_("有 %(n)s 处需要核对，请核对后勾选确认。", n=told["doubts"]))


def write(run: ImportRun, reading: Reading, *, skip_bad: bool, accept: bool) -> Counter[str]:
    """Write what was tried: all of it in one transaction, exactly as the trial foretold, or nothing.

    Raises Invalid when a tick is missing, Conflict when it is written already, Stale when anything has changed since.
    """
    require_ready(run, skip_bad=skip_bad, accept=accept)
    told = run.result
    lines = _lines(run, reading, frozenset(told["bad"]))
    with unit_of_work(Verb.IMPORT, "文件导入"):
        row = open_run(run)
        if row.result != told:
            raise Stale(_CHANGED())
        _require_first(row, reading.spec)
        _queue_up()
        counts = Batch(reading.spec, lines).take()
        if digest_of(lines) != told["plan"] or counts[WRONG]:
            raise Stale(_CHANGED())
        row.undo = undo_text(lines)
        row.state, row.done_at = RunState.DONE, clock.now()
        row.result = told | {"written": _written(lines)}
        settle()
    _log(row, "文件导入", made=counts[NEW], changed=counts[CHANGED])
    runs.forget(row.stored)
    return counts


def _written(lines: list[Line]) -> list[list[Any]]:
    """The first records that were made or changed, [key, how], so that their pages can be offered."""
    return [[line.row.id, line.verdict] for line in lines if line.verdict in {NEW, CHANGED}][:MOST_LISTED]


def _CHANGED() -> str:  # noqa: N802 - reads as the constant it would be, were it not translated
    return str(_("试导入之后，文件或数据有了变化，没有写入。请重新试导入，看过结果再写入。"))


def _require_first(run: ImportRun, spec: Spec) -> None:
    """Rows that nothing identifies would be made again: the same file is taken once."""
    if naming_of(spec.model).keys:
        return
    same = (ImportRun.entity == run.entity, ImportRun.sha256 == run.sha256, ImportRun.state == RunState.DONE)
    if current_session().scalar(select(ImportRun.id).where(*same)) is not None:
        raise Conflict(_("这个文件您已经导入过。要重新导入，请先撤销那一次。"))


def _queue_up() -> None:
    """Imports of one office come one after the other: two files with the same rows must not both find none there.

    The office's row is the turnstile. FOR NO KEY UPDATE: rows that point at the office are written meanwhile.
    """
    office = current_access().person.office_id
    current_session().scalars(select(Office).where(Office.id == office).with_for_update(key_share=True)).one_or_none()


def undo(run: ImportRun) -> int:
    """Take back what a run made and changed, each row only if nobody has touched it since; how many rows were left.

    Raises Conflict when the run was not written, is taken back already, or is older than a day.
    """
    with unit_of_work(Verb.IMPORT, "撤销导入"):
        row: ImportRun = lock(run)
        if not row.undoable() or row.undo is None:
            raise Conflict(_("这次导入不能撤销：没有写入、已经撤销，或者写入已超过一天。"))
        left, again = take_back(row.entity, row.undo)
        row.state, row.undone_at, row.undo = RunState.UNDONE, clock.now(), None
        row.result = row.result | {"left": left, "restored": again}
        settle()
    _log(row, "撤销导入", left=len(left))
    return len(left)


def discard(run: ImportRun) -> None:
    """Drop a run that was not written, and its file."""
    with unit_of_work(Verb.IMPORT):
        row = open_run(run)
        stored = row.stored
        current_session().delete(row)
    runs.forget(stored)


def _log(run: ImportRun, what: str, **facts: Any) -> None:
    """The file behind the entries of this transaction, in the history of the person's office."""
    office = current_access().person.office_id
    facts |= {"entity": run.entity, "file": run.file_name, "sha256": run.sha256}
    record(Verb.IMPORT, what, office_id=office, **facts)

"""What a person does with an import: try it, write it, take it back.

Writing goes part by part (`importing.part`), each a short transaction, and is whole all the same: what turns out not to
be as tried, or is cancelled, takes back what was written before it; what was killed goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
from app.core.importing.lines import (
    CHANGED,
    NEW,
    SAME,
    WRONG,
    Line,
    Reader,
    Spec,
    digest_of,
    findings_of,
    plan_of,
    read_lines,
)
from app.core.importing.naming import naming_of
from app.core.importing.part import ImportPart, breathe, in_parts, parts_of
from app.core.importing.rehearsal import Teller, aims_of, rehearse
from app.core.importing.run import ImportRun, RunState
from app.core.importing.source import open_source
from app.core.importing.undoing import made_of, take_back, undo_text
from app.core.jobs import Cancelled, apart, cancelled_by_person, settle, tick
from app.core.office import Office
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work

MOST_LISTED = 300  # records to go to after writing


class Stale(Conflict):
    """The file or what it is about is not what it was at the trial: it is to be tried again."""


@dataclass(frozen=True)
class Reading:
    """How a run's file is read: what it is imported as, how a cell becomes a value, and what a trial tells of lines."""

    spec: Spec
    read: Reader
    tell: Teller


def try_out(run: ImportRun, reading: Reading) -> Counter[str]:
    """Do everything an import does, roll it back, and remember on the run what came of it.

    Raises XlsxError, and Invalid when there is not one row.
    """
    lines = _lines(run, reading)
    if not lines:
        raise Invalid(_("第 %(n)s 行表头的下面，要导入的列里没有数据。请填好数据后重新上传。", n=run.heading))
    tried = rehearse(reading.spec, lines, reading.tell)
    found, counts = findings_of(reading.spec, lines), tried.counts
    tick()
    with unit_of_work(Verb.IMPORT):
        row = open_run(run)
        runs.keep_outcome(row, found, tried.told)
        row.state, row.tried_at = RunState.TRIED, clock.now()
        row.made, row.changed, row.same, row.wrong = (counts[name] for name in (NEW, CHANGED, SAME, WRONG))
        doubts = sum(one["kind"] == "doubt" for one in found)
        bad = [line.number for line in lines if line.verdict == WRONG]
        row.result = {"plan": tried.plan, "aim": tried.aim, "bad": bad, "doubts": doubts, "rows": len(lines),
                      "restored": row.result.get("restored", [])}  # fmt: skip
        settle()
    return counts


def _lines(run: ImportRun, reading: Reading) -> list[Line]:
    """Read the file again; outside any transaction."""
    data = runs.content(run)
    if data is None:
        raise Conflict(_("上传的文件已经删除，请重新上传。"))
    with open_source(data, run.file_name) as sheets:
        sheet = next((one for one in sheets if one.title == run.sheet), None)
        if sheet is None:
            raise Invalid(_("文件里没有这张工作表。"))
        return read_lines(reading.spec, sheet.rows(), run.heading, reading.read, date1904=sheet.date1904)


def open_run(run: ImportRun) -> ImportRun:
    """The run, locked; refused once it is written: a second press finds it so."""
    row: ImportRun = lock(run)
    if row.state not in {RunState.OPEN, RunState.TRIED}:
        raise Conflict(_("这次导入已经写入，不会重复写入。"))
    return row


def require_ready(run: ImportRun, *, skip_bad: bool, accept: bool) -> None:
    """Raise Invalid when a tick is missing, Conflict when it was not tried or is written already. One that was stopped
    in the middle has its ticks."""
    told = run.result
    if run.state == RunState.WRITING:
        return
    if run.state != RunState.TRIED:
        raise Conflict(_("这次导入已经写入，不会重复写入。") if run.state != RunState.OPEN else _("请先试导入。"))
    if told["bad"] and not skip_bad:
        raise Invalid(_("还有 %(n)s 行有误：改正文件后重新上传，或勾选“略过有误的行”。", n=len(told["bad"])))
    if told["doubts"] and not accept:
        raise Invalid(_("有 %(n)s 处需要核对，请核对后勾选确认。", n=told["doubts"]))


# -- writing ----------------------------------------------------------------------------------------------------------


def write(run: ImportRun, reading: Reading, *, skip_bad: bool, accept: bool) -> Counter[str]:
    """Write what was tried: all of it, exactly as the trial foretold, or nothing. Goes on with what was killed.

    Raises Invalid when a tick is missing, Conflict when it is written already, Stale when anything has changed since.
    """
    if run.state == RunState.UNDOING and run.done_at is None:  # killed while it gave back what can't be whole
        _take_back(run)
        raise Stale(_CHANGED())
    require_ready(run, skip_bad=skip_bad, accept=accept)
    told, bad = run.result, set(run.result["bad"])
    lines = _lines(run, reading)
    parts = [[line for line in part if line.number not in bad] for part in in_parts(lines)]
    begun = len(parts_of(run)) if run.state == RunState.WRITING else 0
    try:
        if not begun and len(parts) > 1:
            _require_aim(reading.spec, [line for part in parts for line in part], told)
        for number in range(begun, len(parts)):
            if number > begun:
                breathe()
            _write_part(run, reading.spec, told, parts, number)
    except Stale:
        with apart():
            _give_back(run)
        raise
    except Cancelled:
        if cancelled_by_person():  # else another worker is at it
            with apart():
                _give_back(run)
        raise
    _log(run, "文件导入", made=run.made, changed=run.changed)
    runs.forget(run.stored)
    return Counter({NEW: run.made, CHANGED: run.changed})


def _require_aim(spec: Spec, lines: list[Line], told: dict[str, Any]) -> None:
    """Before the first of several parts: nearly all that may have changed since the trial is seen without writing."""
    aims = aims_of(spec, lines)
    if digest_of(list(aims.values())) != told.get("aim") or any(line.verdict == WRONG for line in lines):
        raise Stale(_CHANGED())


def _write_part(run: ImportRun, spec: Spec, told: dict[str, Any], parts: list[list[Line]], number: int) -> None:
    """One transaction: some rows, and the part that says they are written."""
    lines, last = parts[number], number + 1 == len(parts)
    with unit_of_work(Verb.IMPORT, "文件导入"):
        row, before = _turn_of(run, told, number)
        if number == 0:
            _require_first(row, spec)
        _queue_up()
        counts = Batch(spec, lines, _made_by(before)).take()
        if counts[WRONG] or plan_of(lines) != told["plan"][number] or (number == 0 and _new_doubts(row, lines)):
            raise Stale(_CHANGED(lines))
        written = _written(lines, MOST_LISTED - sum(len(one.written) for one in before))
        part = ImportPart(run=row, number=number, made=counts[NEW], changed=counts[CHANGED], written=written,
                          undo=undo_text(lines))  # fmt: skip
        current_session().add(part)
        row.state = RunState.WRITING
        if last:
            row.state, row.done_at = RunState.DONE, clock.now()
            row.result = told | {"written": [pair for one in (*before, part) for pair in one.written]}
        settle() if last else settle((number + 1) * 100 // len(parts))


def _turn_of(run: ImportRun, told: dict[str, Any], number: int) -> tuple[ImportRun, list[ImportPart]]:
    """The run, locked, and what is written of it, when it is the turn of part `number`."""
    row: ImportRun = lock(run)
    before = parts_of(row)
    if row.state == RunState.TRIED and row.result != told:
        raise Stale(_CHANGED())
    if row.state != (RunState.WRITING if number else RunState.TRIED) or len(before) != number:
        raise Conflict(_("这次导入已经写入，不会重复写入。"))
    if len(told["plan"]) <= number:
        raise Stale(_CHANGED())
    return row, before


def _made_by(parts: list[ImportPart]) -> frozenset[int]:
    return frozenset(key for one in parts for key in made_of(one.undo))


def _new_doubts(run: ImportRun, lines: list[Line]) -> bool:
    """Whether something is doubtful that the person was not told. Only of the first part: a later one may be in doubt
    because of the rows before it, which the trial did not have."""
    told = {(one["row"], one["text"]) for one in runs.outcome(run)[0] if one["kind"] == "doubt"}
    return any((line.number, text) not in told for line in lines for _name, text in line.doubts)


def _written(lines: list[Line], most: int) -> list[list[Any]]:
    """The first records that were made or changed, [key, how], so that their pages can be offered."""
    return [[line.row.id, line.verdict] for line in lines if line.verdict in {NEW, CHANGED}][: max(most, 0)]


def _CHANGED(lines: Sequence[Line] = ()) -> str:  # noqa: N802 - reads as the constant it would be, were it not translated
    """What is said of it, with the first row that can't be written any more."""
    told = str(_("试导入之后，文件或数据有了变化，没有写入。请重新试导入，看过结果再写入。"))
    wrong = next((line for line in lines if line.problems), None)
    if wrong is None:
        return told
    return f"{told}{_('（第 %(n)s 行：%(why)s）', n=wrong.number, why=wrong.problems[0][1])}"


def _require_first(run: ImportRun, spec: Spec) -> None:
    """Rows that nothing identifies would be made again: the same file is taken once."""
    if naming_of(spec.model).keys:
        return
    begun = ImportRun.state.in_([RunState.WRITING, RunState.DONE, RunState.UNDOING])
    same = (ImportRun.entity == run.entity, ImportRun.sha256 == run.sha256, begun, ImportRun.id != run.id)
    if current_session().scalar(select(ImportRun.id).where(*same).limit(1)) is not None:
        raise Conflict(_("这个文件您已经导入过。要重新导入，请先撤销那一次。"))


def _queue_up() -> None:
    """Imports of one office come one after the other: two files with the same rows must not both find none there.

    The office's row is the turnstile. FOR NO KEY UPDATE: rows that point at the office are written meanwhile.
    """
    office = current_access().person.office_id
    current_session().scalars(select(Office).where(Office.id == office).with_for_update(key_share=True)).one_or_none()


# -- undoing ----------------------------------------------------------------------------------------------------------


def undo(run: ImportRun) -> int:
    """Take back what a run made and changed, each row only if nobody has touched it since; how many rows were left.

    The last part first, each in a transaction of its own; what was stopped goes on. Raises Conflict when the run was
    not written, is taken back already, or is older than a day.
    """
    with unit_of_work(Verb.IMPORT):
        row: ImportRun = lock(run)
        if not row.undoable() or any(one.undo is None and not one.told for one in parts_of(row)):
            raise Conflict(_("这次导入不能撤销：没有写入、已经撤销，或者写入已超过一天。"))
        row.state = RunState.UNDOING
    return _take_back(run)


def _give_back(run: ImportRun) -> None:
    """Take back the parts that were written before one that can't be; nothing has been begun, nothing is done."""
    with unit_of_work(Verb.IMPORT):
        row: ImportRun = lock(run)
        if row.state != RunState.WRITING:
            return
        row.state = RunState.UNDOING
    _take_back(run)


def _take_back(run: ImportRun) -> int:
    while not _take_back_one(run):
        breathe()
    left = run.result.get("left", [])
    _log(run, "撤销导入", left=len(left))
    return len(left)


def _take_back_one(run: ImportRun) -> bool:
    """The last part that is still there; whether it was the last of all."""
    with unit_of_work(Verb.IMPORT, "撤销导入"):
        row: ImportRun = lock(run)
        if row.state != RunState.UNDOING:
            return True
        parts = parts_of(row)
        there = [one for one in parts if one.undo is not None]
        if there:
            part = there.pop()
            left, again = take_back(row.entity, part.undo or "")
            part.told, part.undo = {"left": left, "restored": again}, None
        if not there:
            _end_undoing(row, parts)
        settle() if not there else settle((len(parts) - len(there)) * 100 // len(parts))
        return not there


def _end_undoing(run: ImportRun, parts: list[ImportPart]) -> None:
    """All is taken back: the run is undone, or, where it was never whole and nothing is left of it, as before."""
    left = [one for part in parts for one in part.told.get("left", ())]
    again = [one for part in parts for one in part.told.get("restored", ())]
    whole = run.done_at is not None
    run.state, run.undone_at = RunState.UNDONE if whole or left else RunState.TRIED, clock.now()
    run.result = run.result | {"left": left, "restored": [*run.result.get("restored", ()), *again]}
    for part in parts:
        current_session().delete(part)


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

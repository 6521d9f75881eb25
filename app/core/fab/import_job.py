"""Imports of many rows work in the background: the trial, the writing and the undoing, each as a job of the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.importing import act
from app.core.importing import run as runs
from app.core.importing.run import ImportRun, RunState
from app.core.importing.source import open_source
from app.core.jobs import MAX_ATTEMPTS, Final, Job, JobState, enqueue, job
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work

if TYPE_CHECKING:
    from app.core.fab.import_view import ImportScreens

MOST_DIRECT = 1_000  # rows that are worked through while the person waits
TRY, WRITE, UNDO = "try", "write", "undo"
OVER = {WRITE: {RunState.DONE}, UNDO: {RunState.UNDONE, RunState.TRIED}}  # what a run is when that has been done
_views: dict[str, ImportScreens] = {}  # route base → its view, for the worker; the same in every application


def register(view: ImportScreens) -> None:
    """Tell the worker which view answers for a route base."""
    _views[view.route_base] = view


def is_long(run: ImportRun) -> bool:
    """Whether the file has more rows than a person should wait for. All are counted, which takes a second or two: a
    file of too many is refused at once. Raises XlsxError."""
    data = runs.content(run)
    if data is None:
        return False  # the act itself says so
    with open_source(data, run.file_name) as sheets:
        sheet = next((one for one in sheets if one.title == run.sheet), None)
        rows = sheet.rows() if sheet is not None else iter(())
        return bool(sum(row.number > run.heading for row in rows) > MOST_DIRECT)


def start(view: ImportScreens, run: ImportRun, what: str, page: str, **ticks: bool) -> None:
    """Have it done in the background; asked twice, it is done once. Raises Conflict while something else is under way.

    `page` is where its outcome is seen.
    """
    words = {TRY: _("试导入：%(name)s", name=run.file_name), WRITE: _("写入导入的内容：%(name)s", name=run.file_name),
             UNDO: _("撤销导入：%(name)s", name=run.file_name)}  # fmt: skip
    arguments: dict[str, Any] = {"view": view.route_base, "run": run.public_id, "what": what, **ticks}
    with unit_of_work(Verb.IMPORT):
        row: ImportRun = lock(run)
        waiting = open_job(row)
        if waiting is not None and waiting.arguments["what"] != what:
            raise Conflict(busy())
        if waiting is None:
            key = f"import:{row.public_id}:{public_id()}"
            told = {"lang": str(get_locale()), "page": page}
            enqueue("import", key, account_id=current_access().person.id, title=words[what], **arguments, **told)


def busy() -> str:
    """What is said to who would do something else meanwhile."""
    return str(_("这次导入正在后台处理，请等它完成，或者先取消。"))


def last_job(run: ImportRun) -> Job | None:
    """The newest job about a run."""
    mine = Job.unique_key.startswith(f"import:{run.public_id}:", autoescape=True)
    newest = select(Job).where(Job.kind == "import", mine).order_by(Job.id.desc()).limit(1)
    return current_session().scalars(newest).one_or_none()


def open_job(run: ImportRun) -> Job | None:
    """The job about a run that waits or runs."""
    found = last_job(run)
    return found if found is not None and _is_open(found) else None


def _is_open(found: Job) -> bool:
    again = found.state == JobState.FAILED and found.attempts < MAX_ATTEMPTS
    return again or found.state in {JobState.WAITING, JobState.RUNNING}


def failed_job(run: ImportRun) -> Job | None:
    """The last job, when it could not be done and nothing has been tried since."""
    found = last_job(run)
    if found is None or found.state != JobState.FAILED or _is_open(found):
        return None
    return found if run.tried_at is None or run.tried_at < found.made_at else None


@job("import")
def import_job(view: str, run: str, what: str, **ticks: bool) -> None:
    """One act upon a run, with the rights of this moment. Run again after a crash it finds what was done."""
    screens = _views[view]
    if not current_access().may(screens.entity_name, Verb.IMPORT):
        raise Final(_("您的角色没有这项权限。"))
    try:
        row = fetch(ImportRun, run)
        if row.state in OVER.get(what, ()):
            return
        if what == UNDO:
            act.undo(row)
        elif what == WRITE:
            act.write(row, screens.import_reading(row), **ticks)
        else:
            act.try_out(row, screens.import_reading(row))
    except (Invalid, Conflict, NotFound) as error:
        raise Final(str(error)) from error

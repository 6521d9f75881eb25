"""我的后台任务: what works for one in the background, with its progress, its file, and a way to stop it."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, send_file
from flask_babel import gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, NotFound
from app.core.fab.cells import datetime_text, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import signed_in
from app.core.history import record
from app.core.jobfile import JobFile, attachment, path_of
from app.core.jobs import MAX_ATTEMPTS, Job, JobState, cancel
from app.core.screen import Badge
from app.core.verbs import Verb
from app.core.writing import unit_of_work

SHOWN = 50
TONES = {JobState.DONE: "success", JobState.RUNNING: "info", JobState.FAILED: "danger"}
KB, MB = 1 << 10, 1 << 20


class JobView(Page):
    """One's own jobs; everybody else's are not there."""

    route_base = "/jobs"
    default_view = "jobs"

    @expose("/")
    @signed_in
    def jobs(self) -> Answer:
        """The newest ones."""
        lines = _lines()
        return render_template("jobs.html", jobs=lines, pending=any(line["open"] for line in lines))

    @expose("/status")
    @signed_in
    def status(self) -> Answer:
        """How far each is, for the page that waits."""
        lines = _lines()
        told = [{"id": line["id"], "progress": line["progress"], "state": line["state"].text} for line in lines]
        return jsonify(jobs=told, open=[line["id"] for line in lines if line["open"]])

    @expose("/<key>/cancel", methods=["POST"])
    @signed_in
    def cancel(self, key: str) -> Answer:
        """Stop it; a running one stops within seconds and leaves nothing."""
        row = fetch(Job, key)
        with unit_of_work(Verb.VOID, ""):
            if not cancel(row.id, current_access().person.id):
                raise Conflict(_("这项任务已经结束。"))
        flash(_("已取消：%(what)s", what=row.title), "success")
        return redirect(self.route_base + "/")

    @expose("/<key>/file")
    @signed_in
    def file(self, key: str) -> Answer:
        """What it made, to the account that asked and nobody else."""
        row = fetch(Job, key)
        found = current_session().scalars(select(JobFile).where(JobFile.job_id == row.id)).one_or_none()
        if found is None:
            raise NotFound(_("没有这个文件。"))
        path = path_of(found)
        record(Verb.EXPORT, "下载", office_id=current_access().person.office_id, name=found.name, sha256=found.sha256)
        answer = send_file(path, mimetype=found.mimetype, conditional=request.method == "GET", etag=found.sha256)
        answer.headers["Content-Disposition"] = attachment(found.name)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _lines() -> list[dict[str, Any]]:
    session = current_session()
    titled = select(Job).where(Job.title != "").order_by(Job.id.desc()).limit(SHOWN)
    rows = session.scalars(titled).all()
    files = session.scalars(select(JobFile).where(JobFile.job_id.in_([row.id for row in rows]))) if rows else ()
    by_job = {file.job_id: file for file in files}
    return [_line(row, by_job.get(row.id)) for row in rows]


def _line(row: Job, file: JobFile | None) -> dict[str, Any]:
    again = row.state == JobState.FAILED and row.attempts < MAX_ATTEMPTS
    state = JobState(row.state)
    return {
        "id": row.public_id,
        "title": row.title,
        "state": Badge(_("稍后重试"), "warning") if again else Badge(said(state), TONES.get(state, "neutral")),
        "open": again or state in {JobState.WAITING, JobState.RUNNING},
        "progress": row.progress,
        "error": row.error if state is JobState.FAILED and not again else "",
        "at": datetime_text(row.made_at),
        "url": f"/jobs/{row.public_id}/file" if file is not None and file.removed_at is None else None,
        "size": size_text(file.size) if file is not None else "",
        "until": datetime_text(file.until) if file is not None and file.removed_at is None else "",
        "gone": file is not None and file.removed_at is not None,
        "page": row.arguments.get("page"),
        "cancel_url": f"/jobs/{row.public_id}/cancel",
    }


def size_text(size: int) -> str:
    """Bytes as people say them."""
    if size >= MB:
        return f"{size / MB:.1f} MB"
    return f"{max(size // KB, 1)} KB"

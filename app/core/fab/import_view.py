"""Importing an entity's rows from a file: template, upload, columns, trial, writing, undoing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import Any
from urllib.parse import quote

from flask import Response, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.fab import import_job, importing
from app.core.fab.cell_values import value_in
from app.core.fab.cells import base_of, datetime_text, name_of, one_of, said
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.foretelling import foretold
from app.core.fab.gate import needs
from app.core.importing import act, books
from app.core.importing import run as runs
from app.core.importing.act import Reading
from app.core.importing.lines import CHANGED, NEW, SAME, WRONG, Spec
from app.core.importing.naming import naming_of
from app.core.importing.part import parts_of
from app.core.importing.run import ImportRun, RunState
from app.core.importing.source import LIMITS, open_source
from app.core.screen import Badge
from app.core.verbs import Verb
from app.core.writing import unit_of_work

MOST_RUNS = 20
MOST_SHOWN = 50
MOST_ROWS = 300  # told row by row on the page; the marked workbook has them all
ORDER = (CHANGED, NEW, WRONG, SAME)
VERDICT_TONES = {CHANGED: "info", NEW: "success", WRONG: "danger", SAME: "neutral"}
TONES = {RunState.OPEN: "neutral", RunState.TRIED: "info", RunState.WRITING: "warning", RunState.DONE: "success",
         RunState.UNDOING: "warning", RunState.UNDONE: "warning"}  # fmt: skip
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ImportScreens(Declaration):
    """`/import` and what follows it; a run is reached by its public id, by who made it alone."""

    @expose("/import", methods=["GET", "POST"])
    @needs(Verb.IMPORT)
    def import_page(self) -> Answer:
        """The template, a place for a file, and one's own runs."""
        if not self.form_parts:
            abort(404)
        if request.method == "GET":
            return self._import_start()
        try:
            run = self._import_upload()
        except Invalid as error:
            return self._import_start(str(error)), error.status
        return redirect(f"{self._import_base(run)}/columns")

    @expose("/import/template.xlsx")
    @needs(Verb.IMPORT)
    def import_template(self) -> Answer:
        """The workbook to fill in."""
        if not self.form_parts:
            abort(404)
        return _file(importing.template_of(self), _("%(what)s导入模板", what=said(self.model.__label__)))

    def _import_start(self, error: str = "") -> str:
        mine = select(ImportRun).where(ImportRun.entity == self.model.__name__)
        rows = current_session().scalars(mine.order_by(ImportRun.id.desc()).limit(MOST_RUNS))
        screen = self._import_screen(_("导入%(what)s", what=one_of(self.model)), error)
        shown = [{"url": self._import_base(run), "name": run.file_name, "at": datetime_text(run.made_at),
                  "state": _badge(run), "counts": _counts(run)} for run in rows]  # fmt: skip
        keyed = bool(naming_of(self.model).keys)
        screen |= {"template_url": f"{self.route_base}/import/template.xlsx", "runs": shown, "keyed": keyed,
                   "most_rows": LIMITS.rows, "most_mb": LIMITS.file_bytes >> 20}  # fmt: skip
        return render_template("entity/import.html", screen=screen)

    def _import_upload(self) -> ImportRun:
        """Store the file that came in, once it has been proved harmless. Raises XlsxError, Invalid."""
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            raise Invalid(_("请选择文件。"))
        name = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", re.split(r"[/\\]", upload.filename)[-1])[-200:] or "file"
        data = upload.stream.read(LIMITS.file_bytes + 1)
        sheet, heading = importing.Top(data, name).choose(importing.targets_of(self))
        stored = runs.keep(data)
        try:
            with unit_of_work(Verb.IMPORT) as session:
                run = ImportRun(
                    account_id=current_access().person.id, entity=self.model.__name__, file_name=name,
                    sha256=hashlib.sha256(data).hexdigest(), stored=stored, sheet=sheet, heading=heading, mapping=[],
                    result={},
                )  # fmt: skip
                session.add(run)
                session.flush()
        except BaseException:
            runs.forget(stored)
            raise
        return run

    # -- columns ------------------------------------------------------------------------------------------------------

    @expose("/import/<run>/columns", methods=["GET", "POST"])
    @needs(Verb.IMPORT)
    def import_columns(self, run: str) -> Answer:
        """Which column is which field; then the trial."""
        found = self._import_run(run)
        if found.state not in {RunState.OPEN, RunState.TRIED}:
            return redirect(self._import_base(found))
        if import_job.open_job(found) is not None:
            return redirect(self._import_base(found)) if request.method == "GET" else self._import_busy(found)
        targets = importing.targets_of(self)
        told = request.args if request.method == "GET" else request.form
        try:
            top = importing.top_of(found)
            sheet = told.get("sheet", found.sheet)
            moved = sheet != told.get("was", sheet if request.method == "POST" else found.sheet)
            row = "" if moved else told.get("row", str(found.heading))  # a row of the sheet that was shown before
            title, number = top.choose(targets, sheet, row)
        except (Invalid, Conflict) as error:  # the file is gone, or is not to be read after all
            return self._import_start(str(error)), error.status
        if request.method == "GET":
            chosen = importing.guessed(found, top, title, number, targets)
            failed = import_job.failed_job(found)
            return self._import_columns(found, top, (title, number), chosen, failed.error if failed else "")
        names = [request.form.get(f"c{n}", "") for n in range(len(top.headings(title, number)))]
        mapping = [name if name in targets else "" for name in names]
        try:
            self._import_try(found, top, (title, number), mapping)
        except (Invalid, Conflict) as error:
            return self._import_columns(found, top, (title, number), mapping, str(error)), error.status
        return redirect(self._import_base(found))

    def _import_try(self, run: ImportRun, top: importing.Top, place: tuple[str, int], mapping: list[str]) -> None:
        importing.require_mapping(mapping, importing.targets_of(self))
        with unit_of_work(Verb.IMPORT):
            row = act.open_run(run)
            row.sheet, row.heading = place
            row.mapping, row.erase = mapping, bool(request.form.get("erase"))
            row.state, row.result = RunState.OPEN, {}
            importing.remember(row.entity, top.headings(*place), mapping)
        self._import_do(row, import_job.TRY)

    def _import_columns(
        self, run: ImportRun, top: importing.Top, place: tuple[str, int], chosen: list[str], error: str = ""
    ) -> str:
        targets = importing.targets_of(self)
        used = set(chosen)
        screen = self._import_screen(_("对应列：%(name)s", name=run.file_name), error, run)
        screen |= {
            "columns": top.columns(*place, chosen), "sheets": [title for title, rows in top.sheets.items() if rows],
            "sheet": place[0], "row": place[1], "rows": top.choices(place[0]), "erase": run.erase,
            "fields": [(name, one.parser.label.text, one.required) for name, one in targets.items()],
            "missing": [one.parser.label.text for one in targets.values() if one.required and one.name not in used],
            "action": f"{self._import_base(run)}/columns",
        }  # fmt: skip
        return render_template("entity/import_columns.html", screen=screen)

    # -- result -------------------------------------------------------------------------------------------------------

    @expose("/import/<run>", methods=["GET", "POST"])
    @needs(Verb.IMPORT)
    def import_result(self, run: str) -> Answer:
        """What the trial found, or what was written; POST writes."""
        found = self._import_run(run)
        if request.method == "GET":
            if found.state == RunState.OPEN and import_job.open_job(found) is None:
                return redirect(f"{self._import_base(found)}/columns")
            return self._import_result(found)
        ticks = {name: bool(request.form.get(name)) for name in ("skip_bad", "accept")}
        try:
            counts = self._import_do(found, import_job.WRITE, **ticks)
        except (Invalid, Conflict) as error:
            stale = isinstance(error, act.Stale)
            return self._import_result(self._import_run(run), str(error), stale=stale), error.status
        if counts is not None:
            flash(_("已写入：新建 %(n)s 条，修改 %(m)s 条。", n=counts["new"], m=counts["changed"]), "success")
        return redirect(self._import_base(found))

    @expose("/import/<run>/again", methods=["POST"])
    @needs(Verb.IMPORT)
    def import_again(self, run: str) -> Answer:
        """The trial once more, with the columns chosen before."""
        found = self._import_run(run)
        if found.state == RunState.OPEN:
            return redirect(f"{self._import_base(found)}/columns")
        try:
            counts = self._import_do(found, import_job.TRY)
        except (Invalid, Conflict) as error:
            return self._import_result(self._import_run(run), str(error)), error.status
        if counts is not None:
            flash(_("已重新试导入，请看过结果再写入。"), "success")
        return redirect(self._import_base(found))

    def _import_result(self, run: ImportRun, error: str = "", *, stale: bool = False) -> str:
        base, (found, outcomes) = self._import_base(run), runs.outcome(run)
        screen = self._import_screen(_("导入：%(name)s", name=run.file_name), error, run)
        tried, there = run.state == RunState.TRIED, runs.content(run) is not None
        rows, left = base_of(self.model), run.result.get("left", ())
        waiting, failed = import_job.open_job(run), import_job.failed_job(run)
        if failed is not None and not error:
            screen["error"], stale = failed.error, failed.arguments["what"] == import_job.WRITE
        tried = tried and waiting is None
        screen |= {
            "run": run, "tried": tried, "there": there, "counts": _counts(run),
            "problems": [one for one in found if one["kind"] == "error"][:MOST_SHOWN],
            "doubts": [one for one in found if one["kind"] == "doubt"][:MOST_SHOWN],
            "most": MOST_SHOWN, "bad": len(run.result.get("bad", ())), "all_doubts": run.result.get("doubts", 0),
            "problem_count": sum(one["kind"] == "error" for one in found),
            "again_url": f"{base}/again" if tried and there and stale else None,
            "able": tried and there and run.made + run.changed > 0,
            "checked_url": f"{base}/checked.xlsx" if tried and there else None, "columns_url": f"{base}/columns",
            "job": waiting,
            "discard_url": f"{base}/discard" if not waiting and run.state in {RunState.OPEN, RunState.TRIED} else None,
            "undo_url": f"{base}/undo" if not waiting and run.undoable() else None,
            "undone": run.state == RunState.UNDONE, "half": _half(run) if waiting is None else "",
            "go_on": waiting is None and run.state == RunState.WRITING and there,
            "left": [one | {"url": f"{rows}/{one['id']}" if one["text"] else None} for one in left],
            "skip_bad": bool(request.form.get("skip_bad")), "accept": bool(request.form.get("accept")),
            "done_at": datetime_text(run.done_at) if run.done_at else "",
            "rows": _rows_screen(outcomes, base, rows), "written": self._import_written(run),
        }  # fmt: skip
        return render_template("entity/import_result.html", screen=screen)

    @expose("/import/<run>/checked.xlsx")
    @needs(Verb.IMPORT)
    def import_checked(self, run: str) -> Answer:
        """The file as it came in, with what happens to each row, and what is wrong marked."""
        found = self._import_run(run)
        data = runs.content(found)
        if data is None or found.state != RunState.TRIED:
            abort(404)
        told, outcomes = runs.outcome(found)
        with open_source(data, found.file_name) as sheets:
            sheet = next((one for one in sheets if one.title == found.sheet), None)
            if sheet is None:
                raise NotFound(_("文件里没有这张工作表。"))
            content = books.annotated(sheet.title, sheet.rows(), found.heading, told, outcomes)
        stem = found.file_name.rpartition(".")[0] or found.file_name
        return _file(content, _("%(name)s（导入结果）", name=stem))

    @expose("/import/<run>/undo", methods=["POST"])
    @needs(Verb.IMPORT)
    def import_undo(self, run: str) -> Answer:
        """Take back what was written, within a day."""
        found = self._import_run(run)
        try:
            counts = self._import_do(found, import_job.UNDO)
        except Conflict as error:
            return self._import_result(self._import_run(run), str(error)), error.status
        if counts is not None:
            left = counts["left"]
            flash(
                _("已撤销，有 %(n)s 条没有撤销。", n=left) if left else _("已撤销。"), "warning" if left else "success"
            )
        return redirect(self._import_base(found))

    @expose("/import/<run>/discard", methods=["POST"])
    @needs(Verb.IMPORT)
    def import_discard(self, run: str) -> Answer:
        """Drop a run that was not written."""
        found = self._import_run(run)
        if import_job.open_job(found) is not None:
            return self._import_busy(found)
        try:
            act.discard(found)
        except Conflict as error:
            return self._import_result(self._import_run(run), str(error)), error.status
        flash(_("已放弃这次导入，文件已删除。"), "success")
        return redirect(f"{self.route_base}/import")

    def _import_written(self, run: ImportRun) -> dict[str, Any]:
        """The records that were written, as far as they are listed and the person may read them still."""
        if run.state != RunState.DONE:
            return {}
        kept = run.result.get("written", [])
        wanted = select(self.model).where(self.model.id.in_([key for key, _how in kept]))
        found = {row.id: row for row in current_session().scalars(wanted).unique()}
        rows = [_told_row({"verdict": how, "text": name_of(found[key]), "id": key}, base_of(self.model))
                for key, how in kept if key in found]  # fmt: skip
        return {"rows": rows, "total": run.made + run.changed, "cut": run.made + run.changed > len(kept)}

    def _import_do(self, run: ImportRun, what: str, **ticks: bool) -> Counter[str] | None:
        """Try, write or undo: at once, with what came of it, or None when it works in the background."""
        if what == import_job.WRITE:
            act.require_ready(run, **ticks)
        many = import_job.is_long(run) if what == import_job.TRY else run.made + run.changed > import_job.MOST_DIRECT
        if import_job.open_job(run) is not None or many or run.result.get("rows", 0) > import_job.MOST_DIRECT:
            import_job.start(self, run, what, self._import_base(run), **ticks)
            return None
        if what == import_job.UNDO:
            return Counter(left=act.undo(run))
        reading = self.import_reading(run)
        return act.write(run, reading, **ticks) if what == import_job.WRITE else act.try_out(run, reading)

    def _import_busy(self, run: ImportRun) -> tuple[str, int]:
        return self._import_result(run, import_job.busy()), Conflict.status

    # -- shared -------------------------------------------------------------------------------------------------------

    def _import_run(self, key: str) -> ImportRun:
        """One's own run of this entity, or 404."""
        if not self.form_parts or not re.fullmatch(r"[\w-]{1,22}", key, re.ASCII):
            abort(404)
        found = fetch(ImportRun, key)
        if found.entity != self.model.__name__:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
        return found

    def _import_base(self, run: ImportRun) -> str:
        return f"{self.route_base}/import/{run.public_id}"

    def import_reading(self, run: ImportRun) -> Reading:
        """How a run's file is read, with the fields that the person may fill in now."""
        targets = importing.targets_of(self)
        columns = [name if name in targets else "" for name in run.mapping]
        return Reading(Spec(self.model, targets, columns, run.erase), value_in, foretold)

    def _import_screen(self, title: str, error: str, run: ImportRun | None = None) -> dict[str, Any]:
        crumbs = [(self.title, f"{self.route_base}/")]
        if run is not None:
            crumbs.append((_("导入"), f"{self.route_base}/import"))
        return {"title": title, "error": error, "crumbs": crumbs, "state": _badge(run) if run else None,
                "action": self._import_base(run) if run else f"{self.route_base}/import"}  # fmt: skip


def _half(run: ImportRun) -> str:
    """What is said of a run that was stopped in the middle."""
    parts = parts_of(run) if run.half() else []
    done, gone = sum(one.made + one.changed for one in parts), sum(bool(one.told) for one in parts)
    if run.state == RunState.WRITING:
        return str(_("写到一半停下了，已写入 %(n)s 条。请接着写入，或者撤销。", n=done))
    told = _("撤销到一半停下了：%(m)s 段里撤销了 %(n)s 段。请接着撤销。", n=gone, m=len(parts))
    return str(told) if parts else ""


def _badge(run: ImportRun) -> Badge:
    return Badge(said(run.state), TONES[RunState(run.state)])


def _counts(run: ImportRun) -> list[tuple[str, int, str]]:
    """Word, number, tone."""
    if run.state == RunState.OPEN:
        return []
    return [(_("新建"), run.made, "success"), (_("修改"), run.changed, "info"), (_("不变"), run.same, "neutral"),
            (_("有误"), run.wrong, "danger" if run.wrong else "neutral")]  # fmt: skip


def _rows_screen(outcomes: list[dict[str, Any]], base: str, records: str | None) -> dict[str, Any]:
    """What happens row by row: of one kind when asked for, else what changes first and what stays the same last."""
    tally = Counter(one["verdict"] for one in outcomes)
    only = request.args.get("only", "")
    only = only if only in ORDER else ""
    listed = [one for verdict in ORDER if only in {"", verdict} for one in outcomes if one["verdict"] == verdict]
    kinds = [
        (books.verdict_word(one), tally[one], f"{base}?only={one}#rows", only == one) for one in ORDER if tally[one]
    ]
    every = (_("全部"), len(outcomes), f"{base}#rows", not only)
    return {"kinds": [every, *kinds], "rows": [_told_row(one, records) for one in listed[:MOST_ROWS]],
            "most": MOST_ROWS, "cut": len(listed) > MOST_ROWS}  # fmt: skip


def _told_row(one: dict[str, Any], records: str | None) -> dict[str, Any]:
    url = f"{records}/{one['id']}" if records and one["id"] is not None else None
    return one | {"word": books.verdict_word(one["verdict"]), "tone": VERDICT_TONES[one["verdict"]], "url": url}


def _file(content: bytes, name: str) -> Response:
    answer = Response(content, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename=import.xlsx; filename*=UTF-8''{quote(name)}.xlsx"
    return answer

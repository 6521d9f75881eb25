"""The steps of an entity's workflow."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _

from app.core.access.fetch import fetch, may
from app.core.clash_screen import Clash, ClashField
from app.core.errors import Conflict, Invalid, NotFound, ShouzeError, Taken
from app.core.fab import forming, showing, trail
from app.core.fab.cells import said
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, Declaration, expose, require_valid, seen_version
from app.core.fab.gate import needs
from app.core.screen import FormError
from app.core.verbs import Verb
from app.core.workflow import Transition, reasons_against, refusal, run
from app.core.writing import unit_of_work


class StepScreens(Declaration):
    """`/<key>/do/<name>`."""

    @expose("/<int:key>/do/<name>", methods=["GET", "POST"])
    @needs(Verb.READ)
    def step_page(self, key: int, name: str) -> Answer:
        """Take one step of the workflow; asks first what the step needs."""
        row = fetch(self.model, key)
        if row.__workflow__ is None:
            raise NotFound(_("没有这一步操作。"))
        step = row.__workflow__.named(name)
        if not may(row, step.verb):
            raise by_whom(row, refusal(row, step))
        form_class, columns = self.asks.get(name, (AppForm, []))
        form = form_class(formdata=request.form if request.method == "POST" else None, data=self.step_data(row, name))
        if request.method == "GET":
            return self._step_page(row, step, form, columns, reasons_against(row, step), closed=True)
        return self._take(row, step, form, columns)

    def step_data(self, row: Any, name: str) -> dict[str, Any]:
        """What a step's form starts with."""
        return {}

    def _take(self, row: Any, step: Transition, form: Any, columns: list[str]) -> Answer:
        key = row.id
        try:
            with unit_of_work(step.verb, request.form.get("reason", "").strip()):
                require_valid(form)
                inputs = {name: one.data for name, one in form._fields.items() if name in columns}
                run(row, step.name, reason=request.form.get("reason", ""), seen=seen_version(), **inputs)
        except Taken as error:
            raise by_whom(fetch(self.model, key), error) from error
        except (Invalid, Conflict) as error:
            fields = error.fields if isinstance(error, Invalid) else {}
            for field_name in set(fields) & set(form._fields):
                form._fields[field_name].errors = [str(fields[field_name])]
            loose = [] if set(fields) & set(form._fields) or any(form.errors.values()) else [str(error)]
            row = fetch(self.model, key)
            both = _clash(row, error)
            return self._step_page(row, step, form, columns, [] if both else loose, both), error.status
        flash(_("已%(what)s。", what=said(step.label)), "success")
        return redirect(f"{self.route_base}/{key}")

    def _step_page(
        self, row: Any, step: Transition, form: Any, columns: list[str], errors: list[str],
        both: Clash | None = None, *, closed: bool = False,
    ) -> str:  # fmt: skip
        shown = [forming.screen_field(form._fields[name]) for name in columns]
        if step.reason:
            shown.append(forming.reason_field(request.form.get("reason", ""), step.kind == "danger"))
        facts = [one for group in showing.facts(row, self.show_parts[:1]) for one in group.facts]
        screen = {
            "title": _("%(what)s：%(value)s", what=said(step.label), value=str(row)), "text": said(step.confirm),
            "fields": shown, "submit_label": said(step.label), "kind": step.kind, "action": request.path,
            "cancel_url": f"{self.route_base}/{row.id}", "summary": facts, "version": row.version,
            "children": [showing.child_table(row, one) for one in self.children if showing.is_part(row, one)],
            "conflict": both, "closed": closed and bool(errors),
            "errors": [FormError("", "", text) for text in errors],
            "edit_url": f"{self.route_base}/{row.id}/edit" if self.form_parts and may(row, Verb.UPDATE) else None,
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)


def by_whom(row: Any, error: ShouzeError) -> ShouzeError:
    """A refusal of a step, with who took it first."""
    last = trail.last_writer(row)
    if not isinstance(error, Taken) or not last["who"]:
        return error
    return Taken(_("已由%(who)s处理（%(at)s）。%(now)s", now=str(error), **last))


def _clash(row: Any, error: Invalid | Conflict) -> Clash | None:
    """What the last writer changed, when the page was opened upon an older version of the record."""
    if not isinstance(error, Conflict) or seen_version() == row.version:
        return None
    last = next(iter(trail.events(row, limit=1)[0]), None)
    lines = [ClashField("", one["field"], one["new"], one["old"]) for one in last.changes] if last else []
    return Clash(str(error), last.who if last else "", last.at if last else "", lines)

"""Adding, editing and deleting a record."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask_babel import gettext as _

from app.core import receipt
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.access.veil import withheld
from app.core.clash_screen import Clash
from app.core.db import current_session
from app.core.deleting import erase
from app.core.entity import Entity
from app.core.errors import Conflict, Invalid, NotFound
from app.core.fab import clash, forming, showing
from app.core.fab.cells import name_of, one_of, said
from app.core.fab.declaration import Answer, Declaration, expose, require_valid
from app.core.fab.file_box import Upload
from app.core.fab.forming import BoundForm
from app.core.fab.gate import needs
from app.core.fab.listing import newest
from app.core.fab.sending import Sending, form_key
from app.core.office import Family
from app.core.saving import Refused, save
from app.core.screen import FormScreen
from app.core.verbs import Verb
from app.core.workflow import lock, run
from app.core.writing import unit_of_work


class FormScreens(Declaration):
    """`/add`, `/<key>/edit`, `/<key>/delete`."""

    @expose("/add", methods=["GET", "POST"])
    @needs(Verb.CREATE)
    def add_page(self) -> Answer:
        """A new record."""
        if not self.form_parts:
            abort(404)
        if request.method == "GET":
            return self._form_page(self._bound(self.blank()), None)
        try:
            return self._save(None, Sending(self.model))
        except receipt.Raced:
            return self._save(None, Sending(self.model))

    def _upload(self) -> Upload | None:
        return Upload(self.attachments) if self.attachments else None

    def blank(self) -> Any:
        """The row a new form starts from; prefilled by lookups named in the address."""
        row = self.model()
        for name, one in self.add_form()._fields.items():
            if name in request.args and one.kind in {"lookup", "select"}:
                self._prefill(row, name, one, request.args[name])
            elif one.data is not None:
                setattr(row, name, one.data)
            elif one.kind == "lookup" and not one.nullable and (only := self._only(one.model)) is not None:
                setattr(row, name, only)
        return row

    @staticmethod
    def _only(model: type[Entity]) -> Entity | None:
        """The one row there is to choose, for somebody of a firm; nobody else's choice is that small."""
        if current_access().person.family != Family.FIRM:
            return None
        rows = newest(model, "", 2, "-made_at")
        return rows[0] if len(rows) == 1 else None

    def _prefill(self, row: Any, name: str, one: Any, text: str) -> None:
        try:
            setattr(row, name, one.parse(text.strip()))
        except ValueError as error:
            raise NotFound(_("没有这条记录，或者您无权查看。")) from error

    @expose("/<int:key>/edit", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def edit_page(self, key: int) -> Answer:
        """An existing record."""
        if not self.form_parts:
            abort(404)
        if request.method == "GET":
            row = fetch(self.model, key, Verb.UPDATE)
            return self._form_page(self._bound(row), row)
        return self._save(key)

    def _bound(self, row: Any) -> BoundForm:
        bound = BoundForm(self.edit_form, self.form_parts, row, self.model)
        bound.withheld = withheld(self.model)
        self.prepare(bound)
        return bound

    def _save(self, key: int | None, sending: Sending | None = None) -> Answer:
        """Parse, check and write in one unit of work; whatever fails shows the form again as typed.

        A form for a new row (`sending`) that has made its row already is answered with that row.
        """
        if forming.only_fills():
            return self._filled(key)
        bound: BoundForm | None = None
        verb, upload = Verb.CREATE if key is None else Verb.UPDATE, self._upload()
        if upload is not None:
            upload.receive()
        try:
            with unit_of_work(verb):
                bound = self._bound(self.model() if key is None else lock(fetch(self.model, key, Verb.UPDATE)))
                made = sending.first_made() if sending is not None else None
                saved = made or self._write(bound, verb, upload, sending)
        except (Invalid, Conflict) as error:
            if bound is None:
                raise
            made = sending.twin(error) if sending is not None else None
            return self._saved(made) if made else self._again(bound, key, error, upload)
        if upload is not None:
            upload.settle()
        return self._saved(saved)

    def _write(self, bound: BoundForm, verb: Verb, upload: Upload | None, sending: Sending | None) -> int:
        """Check and write what the form holds, in the unit of work in force. Returns the row's key."""
        row: Any = bound.row
        _require_fit(bound, row if verb is Verb.UPDATE else None, upload)
        with current_session().no_autoflush:
            bound.populate(row)
        save(row, verb, accepted=frozenset(forming.accepted()))
        if upload is not None:
            upload.keep(row, verb)
        key: int = row.id
        if self._then():
            run(row, self._then())
        if sending is not None:
            sending.keep(row)
        return key

    def _then(self) -> str:
        """The step that the pressed button takes after saving."""
        return self.then[0] if self.then is not None and request.form.get("then") == self.then[0] else ""

    def _saved(self, key: int) -> Answer:
        flash(_("已%(what)s。", what=said(self.then[1])) if self.then and self._then() else _("已保存。"), "success")
        return redirect(f"{self.route_base}/{key}")

    def _filled(self, key: int | None) -> Answer:
        """The form as typed, its open items filled; nothing is saved."""
        row = None if key is None else fetch(self.model, key, Verb.UPDATE)
        bound = self._bound(self.model() if row is None else row)
        forming.fill(bound)
        return self._form_page(bound, row)

    def _again(
        self, bound: BoundForm, key: int | None, error: Invalid | Conflict, upload: Upload | None = None
    ) -> Answer:
        """The form again, with what was typed, what is wrong, and the other writer's values."""
        fields = error.fields if isinstance(error, Invalid) else {}
        loose = bound.add_errors(fields)
        if not fields and not any(bound.form.errors.values()) and not isinstance(error, Refused):
            loose.append(str(error))
        row = fetch(self.model, key) if key is not None else None
        both = clash.clash_of(bound, row, error) if isinstance(error, Conflict) and row is not None else None
        doubts = error.doubts if isinstance(error, Refused) else []
        page = self._form_page(bound, row, loose=[] if both else loose, both=both, doubts=doubts, upload=upload,
                               sent_key=form_key(error))  # fmt: skip
        return page, error.status

    def _form_page(
        self, bound: BoundForm, row: Any, *, loose: list[str] | None = None, both: Clash | None = None,
        doubts: list[Any] | None = None, upload: Upload | None = None, sent_key: str = "",
    ) -> str:  # fmt: skip
        label = one_of(self.model)
        upload = upload or self._upload()
        title = _("修改%(what)s：%(name)s", what=label, name=name_of(row)) if row is not None else ""
        screen = FormScreen(
            title=title or _("新建%(what)s", what=label), crumbs=self._way_to(row), action=request.path,
            sections=forming.sections(bound, {one.field: one.text for one in doubts or []}),
            submit_label=said(self.then[1]) if self.then else _("保存"), then=self.then[0] if self.then else "",
            extra_submits=[{"name": "then", "value": "", "label": said(self.then[2])}] if self.then else [],
            cancel_url=f"{self.route_base}/{row.id}" if row is not None else f"{self.route_base}/",
            errors=forming.summary(bound, loose or []), conflict=both,
            version=str(row.version) if row is not None else "",
            opened=clash.kept_opened(bound, row, anew=both is not None) if row is not None else "",
            key=(sent_key or form_key()) if row is None else "",
            warnings=forming.tick_boxes(doubts or [], bound),
            files=upload.screen(row) if upload is not None else None,
        )  # fmt: skip
        return render_template("entity/form.html", screen=screen)

    def _way_to(self, row: Any) -> list[tuple[Any, str]]:
        """The list, and the record when there is one."""
        own = [(name_of(row), f"{self.route_base}/{row.id}")] if row is not None else []
        return [(self.title, f"{self.route_base}/"), *own]

    @expose("/<int:key>/delete", methods=["GET", "POST"])
    @needs(Verb.DELETE)
    def delete_page(self, key: int) -> Answer:
        """Delete a record that nothing refers to; history keeps it."""
        row = fetch(self.model, key, Verb.DELETE)
        if request.method == "GET":
            title = _("删除%(what)s：%(name)s", what=one_of(self.model), name=str(row))
            facts = [one for group in showing.facts(row, self.show_parts[:1]) for one in group.facts]
            screen = {"title": title, "action": request.path, "cancel_url": f"{self.route_base}/{key}",
                      "summary": facts}  # fmt: skip
            return render_template("entity/delete.html", screen=screen)
        erase(self.model, key)
        flash(_("已删除。"), "success")
        return redirect(f"{self.route_base}/")


def _require_fit(bound: BoundForm, stored: Any, upload: Upload | None) -> None:
    """What was typed and chosen can be saved upon the record as it stands. Raises Invalid, Conflict."""
    if stored is not None:
        clash.settle(bound, stored)
    require_valid(bound)
    if upload is not None:
        upload.require_all()
    if stored is not None:
        clash.require_unchanged(stored)

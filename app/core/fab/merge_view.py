"""Two records that are one: side by side, field by field, and merged; or said to be two, once and for all.

The fields are those of the entity's form, decided by the same pairs of buttons as between two writers (`clash`): mine
is the record that stays, theirs the one that goes. What the person may not see or change is decided by nobody: it fills
what is blank.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import inspect

from app.core import merging
from app.core.access.fetch import fetch, may
from app.core.access.veil import concealed, withheld
from app.core.clash_screen import ClashField
from app.core.errors import Conflict, Invalid
from app.core.fab import forming
from app.core.fab.cells import cell, label_of, many_of, name_of, one_of, url_of
from app.core.fab.clash import MINE, THEIRS, choice_of
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, expose, require_valid, version_in
from app.core.fab.fields import Lookup
from app.core.fab.gate import needs
from app.core.fab.show_view import ShowScreens
from app.core.merge_screen import MergeScreen
from app.core.screen import Action, FormError, ShowScreen
from app.core.verbs import Verb

LONGEST_REASON = 500


class MergeScreens(ShowScreens, ABC):
    """`/<key>/merge`, `/<key>/merge/<other>`, `/<key>/distinct/<other>`; of an entity with `__superseded__`.

    A view that lacks one of the two abstract methods refuses to start.
    """

    @expose("/<int:key>/merge", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def merge_choice(self, key: int) -> Answer:
        """With which other record."""
        row: Any = fetch(self.model, key, Verb.UPDATE)
        form = self._other_form()
        if request.method == "POST":
            try:
                require_valid(form)
                other: Any = form._fields["other"].data
                return redirect(f"{self.route_base}/{key}/merge/{other.id}")
            except Invalid as error:
                return self._choice_page(row, form), error.status
        return self._choice_page(row, form)

    def _other_form(self) -> Any:
        label = _("与哪一个合并")
        made = type("OtherForm", (AppForm,), {"other": Lookup(label, model=self.model, nullable=False)})
        return made(formdata=request.form if request.method == "POST" else None)

    def _choice_page(self, row: Any, form: Any) -> str:
        screen = {
            "title": _("合并%(what)s：%(name)s", what=one_of(self.model), name=name_of(row)),
            "text": _("选好后逐项核对，再决定保留哪一个的内容。"), "action": request.path,
            "fields": [forming.screen_field(form._fields["other"])], "submit_label": _("下一步"),
            "cancel_url": f"{self.route_base}/{row.id}", "crumbs": self._crumbs(row),
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)

    @expose("/<int:key>/merge/<int:other>", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def merge_page(self, key: int, other: int) -> Answer:
        """Both side by side; then one. The record in the address stays, the other one goes."""
        kept: Any = fetch(self.model, key, Verb.UPDATE)
        gone: Any = fetch(self.model, other, Verb.UPDATE)
        try:
            merging.check_pair(gone, kept)
            if request.method == "GET":
                return self._merge_page(kept, gone)
            choice, total = self._decided(kept, gone), sum(merging.weigh(gone).values())
            merging.merge(kept, gone, choice)
        except (Invalid, Conflict) as error:
            rows: list[Any] = [fetch(self.model, one, Verb.UPDATE) for one in (key, other)]
            return self._merge_page(rows[0], rows[1], error), error.status
        flash(_("已合并，%(n)s 条关联记录转到本记录。", n=total), "success")
        return redirect(f"{self.route_base}/{key}")

    @expose("/<int:key>/distinct/<int:other>", methods=["POST"])
    @needs(Verb.EXPORT)
    def distinct(self, key: int, other: int) -> Answer:
        """These two are not one: nobody is asked again; `undo` asks again."""
        one: Any = fetch(self.model, key, Verb.EXPORT)
        two: Any = fetch(self.model, other, Verb.EXPORT)
        if one.id == two.id:
            raise Invalid(_("请选择另一条记录。"))
        undo = request.form.get("undo") == "1"
        self.tell_apart(one, two, distinct=not undo)
        flash(_("已恢复到疑似重复。") if undo else _("已记住：不是重复。"), "success")
        return redirect(self.duplicates_url(dismissed=undo))

    @abstractmethod
    def tell_apart(self, one: Any, other: Any, *, distinct: bool) -> None:
        """Remember that two records are not one, or forget it."""

    @abstractmethod
    def duplicates_url(self, *, dismissed: bool = False) -> str:
        """Where the records that look alike are listed."""

    # ---- the page ---------------------------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        return [name for part in self.form_parts for name in part.columns]

    def _key_of(self, name: str) -> str:
        """The column behind a field: a relationship's key."""
        relation = inspect(self.model).relationships.get(name)
        return str(next(iter(relation.local_columns)).key) if relation is not None else name

    def _decides(self, name: str) -> bool:
        return not concealed(self.model, name) and not {name, self._key_of(name)} & withheld(self.model)

    def _differing(self, kept: Any, gone: Any) -> list[str]:
        keys = {name: self._key_of(name) for name in self._names() if self._decides(name)}
        return [name for name, key in keys.items() if (getattr(kept, key) or None) != (getattr(gone, key) or None)]

    def _decided(self, kept: Any, gone: Any) -> merging.Choice:
        """What the form says of each field that differs. Raises Conflict, Invalid."""
        reason = request.form.get("reason", "").strip()
        seen = (version_in("version"), version_in("other_version"))
        if seen != (kept.version, gone.version):
            raise Conflict(merging.CHANGED)
        names = self._differing(kept, gone)
        if any(not choice_of(name) for name in names):
            raise Invalid(_("还有项目没有选择采用哪一个。"))
        if not reason or len(reason) > LONGEST_REASON:
            raise Invalid(_("请写明理由。"), {"reason": _("请写明理由，最多 %(n)s 个字。", n=LONGEST_REASON)})
        taken = frozenset(self._key_of(name) for name in names if choice_of(name) == THEIRS)
        filled = frozenset(self._key_of(name) for name in self._names() if not self._decides(name))
        return merging.Choice(taken, filled, reason, seen)

    def _merge_page(self, kept: Any, gone: Any, error: Invalid | Conflict | None = None) -> str:
        base = self.route_base
        reason = forming.reason_field(request.form.get("reason", ""), danger=False)
        reason.help, errors = _("会记入两条记录的历史。"), []
        if error is not None:
            wrong = error.fields.get("reason", "") if isinstance(error, Invalid) else ""
            reason.errors = [str(wrong)] if wrong else []
            errors = [FormError("reason" if wrong else "", reason.label if wrong else "", str(wrong or error))]
        moves = merging.weigh(gone)
        screen = MergeScreen(
            title=_("合并%(what)s", what=one_of(self.model)), action=f"{base}/{kept.id}/merge/{gone.id}",
            cancel_url=f"{base}/{kept.id}", swap_url=f"{base}/{gone.id}/merge/{kept.id}",
            kept=name_of(kept), gone=name_of(gone), kept_url=f"{base}/{kept.id}", gone_url=f"{base}/{gone.id}",
            versions=(kept.version, gone.version),
            fields=[self._side(name, kept, gone) for name in self._differing(kept, gone)],
            moves=[(many_of(cls), rows) for cls, rows in moves.items() if cls.__label__],
            reason=reason, crumbs=self._crumbs(kept), errors=errors,
        )  # fmt: skip
        return render_template("entity/merge.html", screen=screen)

    def _side(self, name: str, kept: Any, gone: Any) -> ClashField:
        texts = [cell(row, name, link=False).text for row in (gone, kept)]
        usual = MINE if getattr(kept, self._key_of(name)) not in (None, "", 0) else THEIRS
        return ClashField(name, label_of(self.model, name), texts[0], texts[1], choice_of(name) or usual)

    # ---- the record's page ------------------------------------------------------------------------------------------

    def extra_actions(self, row: Any) -> list[Any]:
        """Merging, for who may; of what was merged, the way to its successor."""
        found: list[Any] = super().extra_actions(row)
        if (successor := self._successor(row)) is not None:
            return [*found, Action(_("打开合并后的记录"), str(url_of(successor)), "primary")]
        if getattr(row, self.model.__superseded__) is None and may(row, Verb.UPDATE):
            found.append(Action(_("合并"), f"{self.route_base}/{row.id}/merge"))
        return found

    def _successor(self, row: Any) -> Any:
        return getattr(row, self.model.__superseded__.removesuffix("_id"))

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With a word about the successor of what was merged."""
        screen = super().show_screen(row, revealed=revealed)
        if getattr(row, self.model.__superseded__) is not None:
            other, text = self._successor(row), _("已并入别的记录，只能查看。")
            if other is not None:
                text = _("已并入“%(name)s”，只能查看。", name=str(other))
            screen.notice, screen.edit_url, screen.delete_url = {"text": text, "tone": "info"}, None, None
        return screen

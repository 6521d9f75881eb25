"""A JSON body as the form it stands for, so that screens and API parse and check by the same fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect
from werkzeug.datastructures import MultiDict

from app.core.access.veil import concealed, withheld
from app.core.entity import Entity
from app.core.errors import Invalid
from app.core.fab.api.values import public_name, stored_texts, texts
from app.core.fab.converter import row_form
from app.core.fab.forming import MOST_ROWS, BoundForm, Part, RowsOf, fillable, row_data
from app.core.verbs import Verb


def _hidden(model: type[Entity]) -> frozenset[str]:
    names = {*inspect(model).columns.keys(), *inspect(model).relationships.keys()}
    return frozenset(name for name in names if concealed(model, name))


class Incoming:
    """One body turned into what the browser would have sent.

    whole: names that are missing are blank (POST, PUT); otherwise they stay as stored (PATCH). meta: what is said about
    the body, beside its fields. step: the form is a step's, not the record's, whose withheld columns are not its own.
    """

    def __init__(  # noqa: PLR0913 - what a body can be, said at the one place it is read
        self, form_class: type[Any], parts: list[Part], model: type[Entity], body: dict[str, Any],
        row: Any = None, *, meta: frozenset[str], whole: bool = True, step: bool = False,
    ) -> None:  # fmt: skip
        self.sent: MultiDict[str, str] = MultiDict()
        self.errors: dict[str, str] = {}
        self.model, self.body, self.whole = model, body, whole
        self.row = row
        self.rows = {one.relation: one for part in parts for one in part.rows}
        start = form_class(formdata=None, data=row_data(None if whole else row, form_class))
        self._refuse_unknown({*start._fields, *self.rows} | meta, step=step)
        for name, one in start._fields.items():
            self._put(name, name, one, body)
        for rows in self.rows.values():
            self._children(rows)

    def _refuse_unknown(self, known: set[str], *, step: bool) -> None:
        hidden = frozenset[str]() if step else _hidden(self.model)
        kept = frozenset[str]() if step else withheld(self.model) - hidden
        columns = (
            set[str]() if step else {public_name(self.model, name) for name in set(inspect(self.model).columns.keys())}
        )
        for name in self.body.keys() - (known - hidden - kept):
            ours = name in columns and name not in hidden
            if name in kept:
                self.errors[name] = _("您的角色不能修改这一项。")
            else:
                self.errors[name] = _("这一项由系统填写，不能直接修改。") if ours else _("没有这一项。")

    def _put(self, key: str, path: str, one: Any, given: dict[str, Any]) -> None:
        """One field's texts: those of the value given, else those it has."""
        name = one.short_name
        try:
            found = texts(one, given[name]) if name in given else stored_texts(one)
        except ValueError as error:
            self.errors[path], found = str(error), stored_texts(one)
        for text in found:
            self.sent.add(key, text)

    def _children(self, rows: RowsOf) -> None:
        name = rows.relation
        model: type[Entity] = inspect(self.model).relationships[name].mapper.class_
        stored = {one.public_id: one for one in getattr(self.row, name)} if self.row is not None else {}
        kept = [] if self.whole else [{"id": key} for key in stored]
        given = self.body.get(name, kept)
        if not isinstance(given, list) or len(given) > MOST_ROWS:
            most = _("应为列表，最多 %(n)s 行。", n=MOST_ROWS)
            self.errors[name] = most
            return
        for number, one in enumerate(given):
            self._child(rows, fillable(model, rows.columns), number, one, stored)

    def _child(self, rows: RowsOf, names: list[str], number: int, given: Any, stored: dict[str, Any]) -> None:
        path, prefix = f"{rows.relation}.{number}", f"{rows.relation}-{number}-"
        if not isinstance(given, dict) or not given.keys() & {"id", *names}:
            self.errors[path] = _("应为有内容的一行。")
            return
        key = given.get("id")
        if key is not None and (not isinstance(key, str) or key not in stored):
            self.errors[path] = _("这一行不属于本记录，请刷新后再试。")
            return
        for name in given.keys() - {"id", "version", *names}:
            self.errors[f"{path}.{name}"] = _("没有这一项。")
        child = stored.get(key) if key else None
        form_class = row_form(inspect(self.model).relationships[rows.relation].mapper.class_, names)
        start = form_class(data=row_data(None if self.whole else child, form_class))
        self.sent.add(f"{prefix}id", str(child.id) if child is not None else "")
        for name, one in start._fields.items():
            self._put(f"{prefix}{name}", f"{path}.{name}", one, given)
        if not any(self.sent.get(f"{prefix}{name}", "").strip() for name in names) and child is None:
            self.errors[path] = _("应为有内容的一行。")


def bind(incoming: Incoming, form_class: type[Any], parts: list[Part], row: Any, verb: Verb) -> BoundForm:
    """The form filled and checked. Raises Invalid with every error by its path."""
    bound = BoundForm(form_class, parts, row, incoming.model, posted=incoming.sent)
    if verb in {Verb.CREATE, Verb.UPDATE}:
        bound.withheld = withheld(incoming.model)
    fine = bound.validate()
    if incoming.errors or not fine:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors_of(bound) | incoming.errors)
    return bound


def errors_of(bound: BoundForm, more: dict[str, Any] | None = None) -> dict[str, str]:
    """Errors by path: name, or rows.0.name (0 is the first); those of saving (`more`) under the form's names."""
    found = _told(bound.form._fields.items())
    for rows in bound.children.values():
        for child in rows:
            found |= _told((one.name.replace("-", ".", 2), one) for one in child.form._fields.values())
    for name, text in (more or {}).items():
        head, _dot, rest = name.partition(".")
        place, _dot, column = rest.partition(".")
        if place.isdigit():
            found[f"{head}.{int(place) - 1}.{column}"] = str(text)
        else:
            short = name.removesuffix("_id")
            found[short if name not in bound.form._fields and short in bound.form._fields else name] = str(text)
    return found


def _told(fields: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {name: " ".join(map(str, one.errors)) for name, one in fields if one.errors}

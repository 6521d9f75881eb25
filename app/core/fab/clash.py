"""Two wrote the same record: both versions field by field, and what the second one chooses of them.

The page of a 409 lists what differs. Each field is decided by a pair of buttons (`clash-<name>`: mine, theirs), or all
at once by a button (`clash-all`); child rows are decided as one. What was typed stays in the form below, so that "mine"
may still be edited. The page carries the version it shows: a third writer makes the page come again.

A form also carries what each field held when it was opened, as a keyed digest (`opened`). What still holds the same was
not changed by its writer: it takes what is stored now, and is nobody's to decide. Only what both changed is.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from flask import request
from flask_babel import gettext as _

from app.core.clash_screen import Clash, ClashField
from app.core.crypto import digest
from app.core.entity import Entity
from app.core.errors import Conflict, Outdated
from app.core.fab import trail
from app.core.fab.cells import cell, label_of, said
from app.core.fab.declaration import seen_version
from app.core.fab.forming import BoundForm, BoundRow

MINE, THEIRS, ALL = "mine", "theirs", "clash-all"
CHOICES = {MINE, THEIRS}
OPENED = "opened"
OPENED_FIELD = re.compile(r"([a-z_]{1,60})\.([0-9a-f]{12})")


class Undecided(Conflict):
    """Fields that differ have not all been decided."""


def require_unchanged(row: Any) -> None:
    """Raise Conflict when the row was saved after the form in this request was opened."""
    if seen_version() != row.version:
        raise Outdated(_("您打开之后，这条记录已被别人改过。请逐项选择采用哪一个，再保存。"))


def settle(bound: BoundForm, row: Any) -> None:
    """Put what was decided into the form, before it is checked. Raises Undecided.

    Only while the version that the page showed is still the record's: else there is something new to decide.
    """
    names = [name for name in request.form.getlist("clash") if name in _names(bound)]
    if not names or seen_version() != row.version:
        return
    decided = {name: choice_of(name) for name in names}
    for name, choice in decided.items():
        if choice == THEIRS:
            bound.take_stored(name, row)
        elif choice == MINE and name in bound.children:
            bound.keep_rows(name, row)
    if not all(decided.values()):
        raise Undecided(_("还有项目没有选择采用哪一个。"))


def choice_of(name: str) -> str:
    """What was decided of a field: mine, theirs, or nothing yet."""
    given = request.form.get(ALL) or request.form.get(f"clash-{name}", "")
    return given if given in CHOICES else ""


def _names(bound: BoundForm) -> set[str]:
    return {*bound.form._fields, *bound.children}


def opened(bound: BoundForm, row: Any) -> str:
    """What the fields of a form hold as the record stands, for the form to carry along."""
    return _carried(_marks(bound, row))


def _marks(bound: BoundForm, row: Any) -> dict[str, str]:
    fields = {name: _mark(row, name, _plain(one, getattr(row, name)))
              for name, one in bound.form._fields.items() if _stored(row, name)}  # fmt: skip
    return fields | {name: _mark(row, name, _lines(bound.stored_rows(name, row))) for name in bound.children}


def _carried(marks: dict[str, str]) -> str:
    return " ".join(f"{name}.{mark}" for name, mark in marks.items())


def kept_opened(bound: BoundForm, row: Any, *, anew: bool) -> str:
    """What a form that comes again carries: what it was opened on, or, where it shows a newer record, that one's."""
    return opened(bound, row) if anew or request.method == "GET" else _carried(_was())


def _was() -> dict[str, str]:
    """The marks that this request's form was opened with; nothing from a form that carries none."""
    told = (OPENED_FIELD.fullmatch(one) for one in request.form.get(OPENED, "").split())
    return {one[1]: one[2] for one in told if one}


def _mark(row: Any, name: str, value: Any) -> str:
    """A short keyed digest of a value: equal for equal values, and tells nothing of what is shown in part."""
    if isinstance(value, Entity):
        value = value.id
    text = json.dumps(value or None, default=str, sort_keys=True, ensure_ascii=False)
    return digest(text, f"opened:{type(row).__name__}:{row.id}:{name}")[:12]


def _plain(one: Any, value: Any) -> Any:
    """A field's value without what says nothing: empty words beside an item of a list."""
    return one.settled(value) if one.kind == "checklist" else value


def _stored(row: Any, name: str) -> bool:
    """Whether the class has it; not `hasattr`, which computes a hybrid on the class and finds none where that fails."""
    return inspect.getattr_static(type(row), name, None) is not None


def merge(bound: BoundForm, row: Any) -> None:
    """Give every field that the writer left as it was opened what is stored now."""
    was = _was()
    for name, one in bound.form._fields.items():
        unread = one.process_errors or (one.data is None and one.typed)
        if name in was and _stored(row, name) and not unread and was[name] == _mark(row, name, _plain(one, one.data)):
            bound.take_stored(name, row)
    for name, rows in bound.children.items():
        if name in was and was[name] == _mark(row, name, _lines(rows)):
            bound.take_stored(name, row)


def clash_of(bound: BoundForm, row: Any, error: Conflict) -> Clash:
    """Both versions where both writers changed something, with who saved last and when."""
    last = next(iter(trail.events(row, limit=1)[0]), None)
    decided = isinstance(error, Undecided)
    if not decided:
        merge(bound, row)
    found = [one for name in bound.form._fields if (one := _field(bound, row, name)) is not None]
    found += [one for name in bound.children if (one := _rows(bound, row, name)) is not None]
    names = set(request.form.getlist("clash")) if decided else {one.name for one in found} - _only_mine(bound, row)
    text = (
        str(error)
        if decided or names
        else _("您打开之后，别人改了这条记录的其他项目。两边的修改已合在下面，请核对后保存。")
    )
    return Clash(text, last.who if last else "", last.at if last else "", [one for one in found if one.name in names])


def _only_mine(bound: BoundForm, row: Any) -> set[str]:
    """The fields and rows that hold today what they held when the form was opened: nobody else changed them."""
    was = _was()
    return {name for name, mark in _marks(bound, row).items() if was.get(name) == mark}


def _field(bound: BoundForm, row: Any, name: str) -> ClashField | None:
    one, stored = bound.form._fields[name], getattr(row, name, None)
    if (_plain(one, one.data) or None) == (_plain(one, stored) or None) or not _stored(row, name):
        return None
    if one.kind == "checklist":
        theirs, yours = one.told(stored, one.data), one.told(one.data, stored)
    else:
        theirs, yours = cell(row, name, link=False).text, _words(one)
    return ClashField(name, label_of(bound.model, name), theirs, yours, choice_of(name))


def _words(one: Any) -> str:
    if one.data is None:
        return one.typed or ""
    if one.kind == "checkbox":
        return str(_("是") if one.data else _("否"))
    if one.kind == "checks":
        return "、".join(said(label) for value, label in one.choices() if str(value) in one.values())
    return said(one.data) if one.kind == "select" else str(one.data)


def _rows(bound: BoundForm, row: Any, relation: str) -> ClashField | None:
    yours, theirs = _lines(bound.children[relation]), _lines(bound.stored_rows(relation, row))
    if yours == theirs:
        return None
    return ClashField(relation, label_of(bound.model, relation), theirs, yours, choice_of(relation))


def _lines(rows: list[BoundRow]) -> str:
    return "\n".join(_line(number, child.form) for number, child in enumerate(rows, 1))


def _line(number: int, form: Any) -> str:
    ticked = (one.label.text if one.kind == "checkbox" and one.data else "" if one.kind == "checkbox" else _words(one)
              for one in form._fields.values())  # fmt: skip
    return f"{number}. " + " · ".join(str(text) for text in ticked if text)

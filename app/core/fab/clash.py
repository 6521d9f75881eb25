"""Two wrote the same record: both versions field by field, and what the second one chooses of them.

The page of a 409 lists what differs. Each field is decided by a pair of buttons (`clash-<name>`: mine, theirs), or all
at once by a button (`clash-all`); child rows are decided as one. What was typed stays in the form below, so that "mine"
may still be edited. The page carries the version it shows: a third writer makes the page come again.
"""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _

from app.core.clash_screen import Clash, ClashField
from app.core.errors import Conflict
from app.core.fab import trail
from app.core.fab.cells import cell, label_of, said
from app.core.fab.declaration import seen_version
from app.core.fab.forming import BoundForm

MINE, THEIRS, ALL = "mine", "theirs", "clash-all"
CHOICES = {MINE, THEIRS}


class Undecided(Conflict):
    """Fields that differ have not all been decided."""


def require_unchanged(row: Any) -> None:
    """Raise Conflict when the row was saved after the form in this request was opened."""
    if seen_version() != row.version:
        raise Conflict(_("您打开之后，这条记录已被别人改过。请逐项选择采用哪一个，再保存。"))


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


def clash_of(bound: BoundForm, row: Any, error: Conflict) -> Clash:
    """Both versions where they differ, with who saved last and when."""
    last = next(iter(trail.events(row, limit=1)[0]), None)
    found = [one for name in bound.form._fields if (one := _field(bound, row, name)) is not None]
    found += [one for name in bound.children if (one := _rows(bound, row, name)) is not None]
    if isinstance(error, Undecided):
        found = [one for one in found if one.name in request.form.getlist("clash")]
    return Clash(str(error), last.who if last else "", last.at if last else "", found)


def _field(bound: BoundForm, row: Any, name: str) -> ClashField | None:
    one, stored = bound.form._fields[name], getattr(row, name, None)
    if (one.data or None) == (stored or None) or not hasattr(type(row), name):
        return None
    if one.kind == "checklist":
        theirs, yours = one.format(stored), one.format(one.data)
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
    yours = "\n".join(_line(number, child.form) for number, child in enumerate(bound.children[relation], 1))
    stored = bound.stored_rows(relation, row)
    theirs = "\n".join(_line(number, child.form) for number, child in enumerate(stored, 1))
    if yours == theirs:
        return None
    return ClashField(relation, label_of(bound.model, relation), theirs, yours, choice_of(relation))


def _line(number: int, form: Any) -> str:
    ticked = (one.label.text if one.kind == "checkbox" and one.data else "" if one.kind == "checkbox" else _words(one)
              for one in form._fields.values())  # fmt: skip
    return f"{number}. " + " · ".join(str(text) for text in ticked if text)

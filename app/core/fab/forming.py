"""Forms from a view's declaration: reading what came in, child rows included, and showing it again as typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import inspect
from werkzeug.datastructures import MultiDict

from app.core.access.veil import withheld
from app.core.entity import Entity
from app.core.errors import Invalid
from app.core.fab import fields as f
from app.core.fab.cells import base_of, label_of, said
from app.core.fab.checklist import ALL, Checklist
from app.core.fab.converter import row_form
from app.core.saving import Doubt
from app.core.screen import ChildRows, Field, FieldSet, FormError, Section, TickBox

MOST_ROWS = 200
MORE = "rows-add"  # the button that adds a row
MOST_ITEMS = 5  # of a checklist in the summary of errors; the others say it beside themselves


@dataclass(frozen=True)
class RowsOf:
    """Child rows edited inside the parent's form: the relationship, its columns, how the button is called."""

    relation: str
    columns: list[str]
    add_label: Any = ""
    help: Any = ""


@dataclass(frozen=True)
class Part:
    """A section of a form: heading, columns, child rows."""

    label: Any
    columns: list[str] = field(default_factory=list)
    rows: list[RowsOf] = field(default_factory=list)
    help: Any = ""


@dataclass
class BoundRow:
    """One child row as posted or as stored."""

    form: Any
    key: str
    errors: list[str] = field(default_factory=list)


class BoundForm:
    """One request's form: the parent's fields and its child rows."""

    def __init__(
        self, form_class: type[Any], parts: list[Part], row: Entity | None, model: type[Entity],
        posted: MultiDict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.row, self.model = row, model
        self.parts = [replace(part, rows=[one for one in part.rows if self._may_fill(one)]) for part in parts]
        self.posted = request.form if posted is None and request.method == "POST" else posted
        self.form = form_class(formdata=self.posted, data=row_data(row, form_class))
        self.children = {rows.relation: self._children(rows) for part in self.parts for rows in part.rows}
        self.withheld: frozenset[str] = frozenset()

    def _may_fill(self, rows: RowsOf) -> bool:
        """Child rows of which everything is withheld are no part of the form, and stay as they are."""
        return bool(fillable(inspect(self.model).relationships[rows.relation].mapper.class_, rows.columns))

    def _children(self, rows: RowsOf) -> list[BoundRow]:
        model = inspect(self.model).relationships[rows.relation].mapper.class_
        form_class = row_form(model, fillable(model, rows.columns))
        if self.posted is None:
            stored = list(getattr(self.row, rows.relation)) if self.row is not None else []
            return [BoundRow(form_class(data=row_data(one, form_class)), str(one.id or "")) for one in stored]
        numbers = sorted({int(m[1]) for key in self.posted if (m := re.match(rf"{rows.relation}-(\d{{1,4}})-", key))})
        if len(numbers) > MOST_ROWS:
            raise Invalid(_("最多 %(n)s 行。", n=MOST_ROWS))
        bound = [self._posted_row(rows.relation, number, form_class) for number in numbers]
        return [one for one in bound if one is not None]

    def stored_rows(self, relation: str, row: Entity) -> list[BoundRow]:
        """The child rows as the record has them now, bound as a form shows them."""
        rows = next(one for part in self.parts for one in part.rows if one.relation == relation)
        model = inspect(self.model).relationships[relation].mapper.class_
        form_class = row_form(model, fillable(model, rows.columns))
        return [BoundRow(form_class(data=row_data(one, form_class)), str(one.id)) for one in getattr(row, relation)]

    def take_stored(self, name: str, row: Entity) -> None:
        """Instead of what was typed, what the record has now: of a field, or of child rows as a whole."""
        if name in self.children:
            self.children[name] = self.stored_rows(name, row)
            return
        one = self.form._fields[name]
        one.data, one.typed, one.process_errors = getattr(row, name), None, []

    def keep_rows(self, relation: str, row: Entity) -> None:
        """The typed child rows go on although some have been taken away meanwhile: those are new ones again."""
        stored = {str(one.id) for one in getattr(row, relation)}
        for one in self.children[relation]:
            if one.key not in stored:
                one.key = ""

    def _posted_row(self, relation: str, number: int, form_class: type[Any]) -> BoundRow | None:
        """A posted row; one without a key in which nothing was typed is no row."""
        assert self.posted is not None
        prefix = f"{relation}-{number}-"
        key = self.posted.get(f"{prefix}id", "").strip()
        mine = {name: value for name, value in self.posted.items(multi=True) if name.startswith(prefix)}
        if self.posted.get(f"{prefix}removed") == "1":
            return None
        typed = any(value.strip() for name, value in mine.items() if name != f"{prefix}id")
        if not key and not typed:
            return None
        return BoundRow(form_class(formdata=self.posted, prefix=prefix), key)

    def validate(self) -> bool:
        """Parse everything; errors stay beside their fields. What the role may not change is not asked for."""
        for name in self.withheld & set(self.form._fields):
            del self.form[name]
        fine = bool(self.form.validate())
        for rows in self.children.values():
            for bound in rows:
                fine = bool(bound.form.validate()) and fine
        return fine

    def populate(self, row: Entity) -> None:
        """Put the parsed values on the row and its parts. A child key that is not this row's is refused."""
        for name, one in self.form._fields.items():
            if name in inspect(type(row)).all_orm_descriptors and name not in self.withheld:
                _assign(row, name, one.data)
        for relation, rows in self.children.items():
            self._populate_children(row, relation, rows)

    def _populate_children(self, row: Entity, relation: str, rows: list[BoundRow]) -> None:
        stored = {str(one.id): one for one in getattr(row, relation)}
        model = inspect(type(row)).relationships[relation].mapper.class_
        kept = []
        for number, bound in enumerate(rows, 1):
            if bound.key and bound.key not in stored:
                raise Invalid(_("这一行不属于本记录，请刷新后再试。"))
            child = stored.get(bound.key) or model()
            for name, one in bound.form._fields.items():
                _assign(child, name, one.data)
            if hasattr(child, "position") and child.position != number:
                child.position = number
            kept.append(child)
        if [id(one) for one in kept] != [id(one) for one in getattr(row, relation)]:
            setattr(row, relation, kept)

    def add_errors(self, errors: dict[str, Any]) -> list[str]:
        """Put saving's errors beside their fields; what has no field is returned."""
        loose = []
        for name, text in errors.items():
            target = self.field(name)
            if target is None:
                loose.append(str(text))
            else:
                target.errors = [*target.errors, str(text)]
        return loose

    def field(self, name: str) -> Any:
        """A field by name, or a child's by relation.position.name (1 is the first)."""
        head, _dot, rest = name.partition(".")
        if isinstance(self.form._fields.get(head), Checklist):
            return self.form._fields[head].part(rest) if rest else self.form._fields[head]
        if "." in name:
            relation, position, column = name.split(".", 2)
            rows = self.children.get(relation, [])
            return rows[int(position) - 1].form._fields.get(column) if int(position) <= len(rows) else None
        fields = self.form._fields
        return fields.get(name) or fields.get(name.removesuffix("_id"))


def fillable(model: type[Entity], names: list[str]) -> list[str]:
    """The columns of child rows that this person may fill in."""
    kept = withheld(model)
    return [name for name in names if name not in kept]


def _assign(row: Entity, name: str, value: Any) -> None:
    if getattr(row, name) != value:
        setattr(row, name, value)


def row_data(row: Entity | None, form_class: type[Any]) -> dict[str, Any]:
    """A row's values for a form; read here, not by WTForms, which would take `items` or `data` for methods."""
    if row is None:
        return {}
    names = [name for name in dir(form_class) if name in inspect(type(row)).all_orm_descriptors]
    return {name: getattr(row, name) for name in names}


def sections(bound: BoundForm, doubts: dict[str, str]) -> list[Section]:
    """The form as the template shows it."""
    found = []
    for part in bound.parts:
        shown = [
            screen_field(bound.form._fields[name], doubts.get(name, ""), bound.model)
            for name in part.columns
            if name not in bound.withheld
        ]
        rows = [child_rows(bound, one) for one in part.rows]
        found.append(Section(part.label, shown, rows, part.help))
    return found


def child_rows(bound: BoundForm, rows: RowsOf) -> ChildRows:
    """Child rows with a blank template row for adding."""
    model = inspect(bound.model).relationships[rows.relation].mapper.class_
    form_class = row_form(model, fillable(model, rows.columns))
    template = FieldSet([_child_field(one, rows.relation, "__n__") for one in form_class()._fields.values()])
    shown = [
        FieldSet(
            [_child_field(one, rows.relation, str(n)) for one in child.form._fields.values()], child.key, child.errors
        )
        for n, child in enumerate(bound.children[rows.relation])
    ]
    return ChildRows(
        id=rows.relation, name=rows.relation, label=label_of(bound.model, rows.relation), fields=template.fields,
        rows=shown, template=template, help=rows.help, add_label=rows.add_label or _("加一行"), max=MOST_ROWS,
    )  # fmt: skip


def _child_field(one: Any, relation: str, number: str) -> Field:
    made = screen_field(one)
    short = one.short_name
    made.name = f"{relation}-{number}-{short}"
    made.id = made.name
    return made


def screen_field(one: Any, doubt: str = "", model: type[Entity] | None = None) -> Field:
    """A WTForms field as the template's plain data. `model`: whose form it is, if it is a record's."""
    info = one.meta_info
    made = Field(
        id=one.name,
        name=one.name,
        label=str(one.label.text),
        kind=one.kind,
        value=one.shown(),
        help=str(one.description),
        errors=[str(text) for text in one.errors],
        required=not one.nullable and one.kind not in {"checkbox", "checklist"},
        readonly=one.readonly,
        maxlength=info.get("maxlength") if one.kind in {"text", "textarea", "tel"} else None,
        wide=one.kind in {"textarea", "checks"},
        warning=doubt,
        private=bool(info.get("private")),
    )
    if isinstance(one, f.Sealed) and one.hint():
        made.placeholder, made.required = one.hint(), False
        made.help = _("留空就不改；要清空，请填一个减号。")
    if one.kind == "checkbox":
        made.value = bool(one.data)
    if isinstance(one, f.Bits):
        made.values = one.values()
    if isinstance(one, (f.Choice, f.Bits, f.Pick)):
        made.choices = [(str(value), said(label)) for value, label in one.choices()]
        if made.kind == "select":
            made.choices.insert(0, ("", _("请选择") if made.required else ""))
    if one.kind == "lookup":
        base = base_of(one.model)
        owner = model is not None and one.name in model.owner_names()
        made.lookup_url = f"{base}/lookup{f'?for={model.__name__}' if owner and model else ''}" if base else None
        made.lookup_text = one.text()
    if isinstance(one, f.Lookup) and one.offered:
        made.choices = [("", _("请选择")), *((str(row.id), str(row)) for row in one.offered)]
    if isinstance(one, Checklist):
        made.boxes, made.options = one.boxes(), [(choice, said(choice.value)) for choice in one.choices]
    if one.kind == "tel":
        made.inputmode = "tel"
    return made


def summary(bound: BoundForm, loose: list[str]) -> list[FormError]:
    """The list of errors above the form, each linked to its field."""
    found = [FormError("", "", text) for text in loose]
    for name, one in bound.form._fields.items():
        found += [FormError(name, one.label.text, str(text)) for text in one.errors]
        found += _item_errors(name, one)
    for relation, rows in bound.children.items():
        for number, child in enumerate(rows):
            for name, one in child.form._fields.items():
                label = _("第 %(n)s 行 %(what)s", n=number + 1, what=one.label.text)
                found += [FormError(f"{relation}-{number}-{name}", label, str(text)) for text in one.errors]
    return found


def _item_errors(name: str, one: Any) -> list[FormError]:
    """The first items of a checklist that are wrong; how many more there are is one line."""
    wrong = [(code, part) for code, part in sorted(getattr(one, "parts", {}).items()) if part.errors]
    found = [FormError(f"{name}-{code}", part.label.text, " ".join(part.errors)) for code, part in wrong[:MOST_ITEMS]]
    if rest := wrong[MOST_ITEMS:]:
        text = _("另有 %(n)s 项需要改正。", n=len(rest))
        found.append(FormError(f"{name}-{rest[0][0]}", rest[0][1].label.text, text))
    return found


def tick_boxes(doubts: list[Doubt], bound: BoundForm) -> list[TickBox]:
    """Doubts as boxes to tick."""
    found = []
    for doubt in doubts:
        target = bound.field(doubt.field)
        found.append(TickBox(doubt.name, target.label.text if target is not None else doubt.field, doubt.text))
    return found


def only_fills() -> bool:
    """Whether this request only fills a checklist or adds a row: their buttons, where the script does not run."""
    return any(key.endswith(f"--{ALL}") or key == MORE for key in request.form)


def fill(bound: BoundForm) -> None:
    """Fill the open items of the checklists whose button was pressed; add a blank row where that one was."""
    for part in bound.parts:
        for rows in part.rows:
            if request.form.get(MORE) == rows.relation and len(bound.children[rows.relation]) < MOST_ROWS:
                model = inspect(bound.model).relationships[rows.relation].mapper.class_
                bound.children[rows.relation].append(BoundRow(row_form(model, rows.columns)(), ""))
    for name, one in bound.form._fields.items():
        if isinstance(one, Checklist):
            one.fill(request.form.get(f"{name}--{ALL}", ""))


def accepted() -> set[str]:
    """The doubts ticked in this request."""
    return {key for key, value in request.form.items() if key.startswith("accept-") and value}


def reason_field(typed: str, danger: bool) -> Field:
    """The input for a mandatory reason."""
    return Field(id="reason", name="reason", label=_("理由"), kind="textarea", value=typed, required=True, wide=True,
                 maxlength=500, help=_("会记入历史，并通知经办人。") if danger else "", rows=3)  # fmt: skip

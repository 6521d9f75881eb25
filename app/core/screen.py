"""What a page shows, as plain data: the contract between views and templates (`app/templates/entity/`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.core.checklist_screen import CheckChoice, CheckItem
from app.core.clash_screen import Clash
from app.core.tile import FileBox, FileTile


@dataclass
class Cell:
    """One value. kind: text, state, date, number, code, link, flag. tone: neutral, info, success, warning, danger."""

    kind: str = "text"
    text: str = ""
    title: str = ""
    url: str | None = None
    tone: str = "neutral"
    reveal: str | None = None  # where the whole of a masked value is asked for


@dataclass
class ColumnHead:
    """A list column; `sort_url` when it can be sorted, `sorted` asc or desc when it is."""

    name: str
    label: Any
    align: str = "left"
    sort_url: str | None = None
    sorted: str | None = None
    hide_on_phone: bool = False


@dataclass
class Row:
    """A list row: where it opens, what it is called, its cells."""

    url: str
    title: str
    cells: list[Cell]
    key: int | None = None


@dataclass
class FilterBox:
    """One filter above a list. kind: text, range (of `input` number or date), several, lookup. `on`: in force."""

    name: str
    label: Any
    kind: str
    value: str = ""
    value_to: str = ""
    input: str = "text"
    choices: list[tuple[str, Any]] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    lookup_url: str | None = None
    on: bool = False


@dataclass
class Pager:
    """Where in the list we are; `total_text` says 1,000+ when counting stopped."""

    first: int
    last: int
    total_text: str
    page: int
    prev_url: str | None
    next_url: str | None
    sizes: list[tuple[int, str, bool]]
    hint: Any = ""
    pages: int = 1  # 0 when counting stopped
    whole: bool = False  # all rows on this page, for paper
    all_url: str | None = None  # where they are


@dataclass
class Empty:
    """What an empty list says."""

    text: Any
    hint: Any = ""
    add_url: str | None = None


@dataclass
class ActiveFilter:
    """A filter in force and the link that removes it."""

    label: str
    remove_url: str


@dataclass
class KeptFilter:
    """A saved filter as a link; `active` when the list shows just this; `key` and the rest for its own page."""

    label: Any
    url: str
    active: bool = False
    key: int | None = None
    shared: bool = False
    default: bool = False
    removable: bool = False
    text: str = ""


@dataclass
class BulkChoice:
    """An act on the ticked rows."""

    name: str
    label: Any
    kind: str = "plain"


@dataclass
class ListScreen:
    """A list page. `arguments`: search, filters and order as a query string, for saving and for other pages."""

    title: Any
    entity: str
    columns: list[ColumnHead]
    rows: list[Row]
    pager: Pager
    empty: Empty
    description: Any = ""
    filters: list[FilterBox] = field(default_factory=list)
    active_filters: list[ActiveFilter] = field(default_factory=list)
    query: str = ""
    add_url: str | None = None
    add_label: Any = ""
    import_url: str | None = None
    keep: list[tuple[str, str]] = field(default_factory=list)
    saved: list[KeptFilter] = field(default_factory=list)
    arguments: str = ""
    can_save: bool = False
    can_share: bool = False
    base_url: str = ""
    bulk: list[BulkChoice] = field(default_factory=list)
    bulk_key: str = ""
    found: int = 0  # rows that the list's filter finds, where an act may be done to all of them
    links: list[tuple[Any, str, str]] = field(default_factory=list)
    editable: bool = False
    export_url: str | None = None


@dataclass
class BulkResult:
    """What became of one row of a bulk act."""

    title: str
    url: str | None
    went: bool
    why: str = ""


@dataclass
class Field:
    """One input. kind as in the templates: text, textarea, select, radio, checks, checkbox, date, number, lookup, …"""

    id: str
    name: str
    label: Any
    kind: str = "text"
    value: Any = ""
    choices: list[tuple[str, Any]] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    help: Any = ""
    errors: list[str] = field(default_factory=list)
    required: bool = False
    readonly: bool = False
    maxlength: int | None = None
    autocomplete: str = "off"
    inputmode: str | None = None
    placeholder: Any = ""
    wide: bool = False
    rows: int = 4
    accept: str | None = None
    lookup_url: str | None = None
    lookup_text: str = ""
    warning: str = ""
    private: bool = False  # never kept as a draft in the browser
    boxes: list[CheckItem] = field(default_factory=list)
    options: list[tuple[CheckChoice, str]] = field(default_factory=list)


@dataclass
class FieldSet:
    """The cells of one child row."""

    fields: list[Field]
    id: str = ""
    errors: list[str] = field(default_factory=list)
    removed: bool = False


@dataclass
class ChildRows:
    """Child rows edited inside the parent's form; the template row's names carry `__n__`."""

    id: str
    name: str
    label: Any
    fields: list[Field]
    rows: list[FieldSet]
    template: FieldSet
    help: Any = ""
    add_label: Any = ""
    min: int = 0
    max: int = 200


@dataclass
class Section:
    """A part of a form."""

    label: Any
    fields: list[Field] = field(default_factory=list)
    rows: list[ChildRows] = field(default_factory=list)
    help: Any = ""


@dataclass
class FormError:
    """A line of the error summary; links to its field."""

    field_id: str
    label: Any
    text: str


@dataclass
class TickBox:
    """A warning that needs a tick before saving."""

    name: str
    label: Any
    text: str
    checked: bool = False


@dataclass
class FormScreen:
    """A form page."""

    title: Any
    action: str
    sections: list[Section]
    submit_label: Any
    cancel_url: str
    errors: list[FormError] = field(default_factory=list)
    conflict: Clash | None = None
    version: str = ""
    opened: str = ""  # what each field held then, by digest: what its writer did not change is not his
    crumbs: list[tuple[Any, str]] = field(default_factory=list)
    key: str = ""  # a new record's: sent twice, it makes one
    extra_submits: list[dict[str, Any]] = field(default_factory=list)
    then: str = ""
    warnings: list[TickBox] = field(default_factory=list)
    files: FileBox | None = None


@dataclass
class Fact:
    """A label and its value on a show page."""

    label: Any
    cell: Cell
    wide: bool = False


@dataclass
class FactGroup:
    """Facts under one heading."""

    label: Any
    facts: list[Fact]


@dataclass
class ChildTable:
    """Rows of another entity that belong to this one."""

    label: Any
    columns: list[ColumnHead]
    rows: list[Row]
    add_url: str | None = None
    add_label: Any = ""
    empty_text: Any = ""
    number: int | None = None  # what stands beside the label, where it is not how many rows there are


@dataclass
class Badge:
    """A state as a coloured word."""

    text: str
    tone: str = "neutral"


@dataclass
class Paper:
    """A document of the record."""

    title: str
    number: str
    url: str
    state: Badge
    at: str


@dataclass
class Step:
    """A step of the progress line. state: done, now, todo."""

    label: Any
    state: str
    who: str = ""
    at: str = ""


@dataclass
class Event:
    """A history entry of the record."""

    at: str
    who: str
    what: Any
    reason: str
    changes: list[dict[str, Any]]


@dataclass
class Action:
    """A button. kind: primary, plain, danger. method: get, post."""

    label: Any
    url: str
    kind: str = "plain"
    method: str = "get"
    confirm: Any = ""


@dataclass
class ShowScreen:
    """A record's page; `flat` shows everything at once, without tabs."""

    title: str
    sections: list[FactGroup]
    state: Badge | None = None
    crumbs: list[tuple[Any, str]] = field(default_factory=list)
    children: list[ChildTable] = field(default_factory=list)
    documents: list[Paper] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    edit_url: str | None = None
    delete_url: str | None = None
    notice: Any = None
    why: str | None = None
    files: list[FileTile] = field(default_factory=list)
    files_label: Any = ""
    history_url: str | None = None
    access_url: str | None = None
    flat: bool = False


@dataclass
class Task:
    """One kind of thing a person has to do, on the home page."""

    title: Any
    count: int
    tone: str
    url: str
    items: list[dict[str, Any]]
    empty_text: Any = ""


@dataclass
class Hits:
    """One entity's part of the search page."""

    label: Any
    url: str
    items: list[dict[str, Any]]

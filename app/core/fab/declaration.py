"""What a screen declares, and what every part of `EntityView` may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from flask import request
from flask_appbuilder import BaseView
from flask_appbuilder import expose as fab_expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.core.attachment import Attachments
from app.core.entity import Entity
from app.core.errors import Invalid
from app.core.fab.bulk import BulkAct
from app.core.fab.converter import AppForm
from app.core.fab.forming import BoundForm, Part
from app.core.fab.interface import AppInterface
from app.core.fab.listing import ListQuery
from app.core.fab.preset import Preset
from app.core.fab.showing import Children
from app.core.importing.naming import Naming
from app.core.verbs import Verb

Answer = str | BaseResponse | tuple[str, int]
F = TypeVar("F", bound=Callable[..., Any])


def expose(url: str = "/", methods: Sequence[str] = ("GET",)) -> Callable[[F], F]:
    """FAB's `expose`, with types: the address of a method, below that of its view."""
    decorate: Callable[[F], F] = fab_expose(url, methods)
    return decorate


class Page(BaseView):
    """Base of screens that are not an entity's; each route still says what it needs.

    With a `task` it stands in the navigation, for who holds `nav_verb` on `entity_name`.
    """

    entity_name = ""
    title: ClassVar[Any] = ""
    icon: ClassVar[str] = "list"
    task: ClassVar[tuple[str, int]] = ("", 0)
    nav_verb: ClassVar[Verb] = Verb.READ


class Declaration:
    """The declaration of one entity's screens.

    task: the navigation group and place; form_parts, show_parts: sections; children: related rows; asks: what a step
    needs, as a form class and its fields in order; presets: filters above the list, one of which it may open with;
    extra_columns: what a person may put into the list beside
    list_columns (None: everything of show_parts); bulk_acts: acts on ticked rows beside the steps and deletion;
    naming: how an import tells rows apart; import_names: further headings of a column; attachments: the
    record may have files; form_fields: fields that no column declares; then: a step that the form's first button
    takes after saving, its label, and that of the button which only saves; own_form: it brings its own /add and /edit.
    """

    datamodel: AppInterface
    route_base: str
    title: ClassVar[Any] = ""
    icon: ClassVar[str] = "list"
    task: ClassVar[tuple[str, int]] = ("", 0)
    description: ClassVar[Any] = ""
    list_columns: list[str]
    list_filters: ClassVar[list[str]] = []
    extra_columns: ClassVar[list[str] | None] = None
    order_columns: list[str]
    bulk_acts: ClassVar[list[BulkAct]] = []
    presets: ClassVar[list[Preset]] = []
    default_order: ClassVar[str] = "-id"
    form_parts: ClassVar[list[Part]] = []
    show_parts: ClassVar[list[tuple[Any, list[str]]]] = []
    children: ClassVar[list[Children]] = []
    form_fields: ClassVar[dict[str, Any]] = {}
    own_form: ClassVar[bool] = False
    nav_verb: ClassVar[Verb] = Verb.READ
    then: ClassVar[tuple[str, Any, Any] | None] = None
    asks: ClassVar[dict[str, tuple[type[AppForm], list[str]]]] = {}
    naming: ClassVar[Naming] = Naming()
    import_names: ClassVar[dict[str, tuple[str, ...]]] = {}
    attachments: ClassVar[Attachments | None] = None

    model: type[Entity]
    entity_name: str
    add_form: Any
    edit_form: Any

    def prepare(self, bound: BoundForm) -> None:
        """Fit a form's fields to its row: items, offers, what is fixed. Called before anything is read or shown."""

    def list_query(self, args: Mapping[str, str], path: str = "") -> tuple[ListQuery, list[str], list[str], list[str]]:
        """What list arguments ask for (list_view)."""
        raise NotImplementedError

    def export_url(self, query: ListQuery) -> str | None:
        """Where the list's export is, for those who may (export_view)."""
        raise NotImplementedError


def seen_version() -> int:
    """The version of the record that the form in this request was opened on; 0, which no record has, without one."""
    return version_in("version")


def version_in(name: str) -> int:
    """A version that the form in this request holds under a name; 0 without one."""
    typed = request.form.get(name, "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def require_valid(form: Any) -> None:
    """Raise Invalid; what is wrong stands beside the form's fields."""
    if not form.validate():
        raise Invalid(_("有内容需要改正，尚未保存。"))

"""What a screen declares, and what every part of `EntityView` may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from flask_appbuilder import BaseView
from flask_appbuilder import expose as fab_expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.core.entity import Entity
from app.core.errors import Invalid
from app.core.fab.converter import AppForm
from app.core.fab.forming import BoundForm, Part
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children

Answer = str | BaseResponse | tuple[str, int]
F = TypeVar("F", bound=Callable[..., Any])


def expose(url: str = "/", methods: Sequence[str] = ("GET",)) -> Callable[[F], F]:
    """FAB's `expose`, with types: the address of a method, below that of its view."""
    decorate: Callable[[F], F] = fab_expose(url, methods)
    return decorate


class Page(BaseView):
    """Base of screens that are not an entity's; each route still says what it needs."""

    entity_name = ""


class Declaration:
    """The declaration of one entity's screens.

    task: the navigation group and place; form_parts, show_parts: sections; children: related rows; asks: what a step
    needs, as a form class and its fields in order; form_fields: fields that no column declares; then: a step that the
    form's first button takes after saving, its label, and that of the button which only saves.
    """

    datamodel: AppInterface
    route_base: str
    title: ClassVar[Any] = ""
    icon: ClassVar[str] = "list"
    task: ClassVar[tuple[str, int]] = ("", 0)
    description: ClassVar[Any] = ""
    list_columns: list[str]
    list_filters: ClassVar[list[str]] = []
    order_columns: list[str]
    default_order: ClassVar[str] = "-id"
    form_parts: ClassVar[list[Part]] = []
    show_parts: ClassVar[list[tuple[Any, list[str]]]] = []
    children: ClassVar[list[Children]] = []
    form_fields: ClassVar[dict[str, Any]] = {}
    then: ClassVar[tuple[str, Any, Any] | None] = None
    asks: ClassVar[dict[str, tuple[type[AppForm], list[str]]]] = {}

    model: type[Entity]
    entity_name: str
    add_form: Any
    edit_form: Any

    def prepare(self, bound: BoundForm) -> None:
        """Fit a form's fields to its row: items, offers, what is fixed. Called before anything is read or shown."""


def require_valid(form: Any) -> None:
    """Raise Invalid; what is wrong stands beside the form's fields."""
    if not form.validate():
        raise Invalid(_("有内容需要改正，尚未保存。"))

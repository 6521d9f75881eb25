"""A declaration that contradicts its model refuses to start, and says which name of which view."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.attachment import Attachment
from app.core.errors import ConfigurationError
from app.core.fab.checks import require_sound
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.models.inspection import Inspection
from app.models.personnel import Person
from app.views import declared


class Declared:
    """A declaration as the check sees it: a view need not be put into an application."""

    def __init__(self, model: Any, **changes: Any) -> None:
        self.model = model
        self.list_columns, self.extra_columns, self.list_filters = ["id"], None, []
        self.order_columns, self.default_order = ["id"], "-id"
        for name, value in changes.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("changes", "where", "name"),
    [
        ({"list_columns": ["site", "nothing"]}, "list_columns", "nothing"),
        ({"list_columns": ["site.nothing"]}, "list_columns", "site.nothing"),
        ({"list_columns": ["findings"]}, "list_columns", "findings"),
        ({"extra_columns": ["nobody"]}, "extra_columns", "nobody"),
        ({"list_filters": ["findings"]}, "list_filters", "findings"),
        ({"list_filters": ["state", "gone"]}, "list_filters", "gone"),
        ({"order_columns": ["site"]}, "order_columns", "site"),
        ({"order_columns": ["gone"]}, "order_columns", "gone"),
        ({"default_order": "-gone"}, "default_order", "-gone"),
    ],
)
def test_an_unknown_name_is_named(changes: dict[str, Any], where: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Declared: {where} names '{name}'"):
        require_sound(Declared(Inspection, **changes))


def test_a_filter_is_not_called_like_an_argument_of_the_list() -> None:
    """`?size=` is how long a page is: a filter of that name would take it for a value."""
    with pytest.raises(ConfigurationError, match="list_filters names 'size'"):
        require_sound(Declared(Attachment, list_filters=["size"]))


@pytest.mark.parametrize("where", ["list_filters", "order_columns"])
def test_a_sealed_column_is_neither_filtered_nor_sorted(where: str) -> None:
    with pytest.raises(ConfigurationError, match="id_card"):
        require_sound(Declared(Person, **{where: ["id_card"]}))


@pytest.mark.parametrize("searched", [("mobile",), ("gone",), ("site",), ("appointments.role",), ("account.password",)])
def test_search_that_cannot_be_is_named(searched: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "__search__", searched)
    with pytest.raises(ConfigurationError, match="__search__"):
        require_sound(Declared(Person))


def test_the_application_does_not_start_with_such_a_view() -> None:
    wrong = type("WrongView", (EntityView,), {
        "datamodel": AppInterface(Inspection), "route_base": "/wrong", "list_columns": ["site", "gone"],
    })  # fmt: skip
    with pytest.raises(ConfigurationError, match="WrongView: list_columns names 'gone'"):
        wrong()


def test_every_view_of_ours_is_sound() -> None:
    for view in declared()[1]:
        require_sound(view())

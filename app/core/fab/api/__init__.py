"""The REST API of every entity, from the same declaration as its screens."""

from __future__ import annotations

from typing import Any

from flask import current_app

from app.core.fab.api.pages import ApiPages
from app.core.fab.api.routes import EntityApi
from app.core.fab.gate import API
from app.core.fab.view import EntityView


def install(fab: Any, views: list[EntityView]) -> None:
    """Put `/api/v1/<entity>/` for each of these views into the application, and the pages that describe them."""
    fab.add_view_no_menu(ApiPages)
    made = [
        type(f"{type(view).__name__}Api", (EntityApi,), {"view": view, "route_base": f"{API}{view.route_base}"})
        for view in views
    ]
    current_app.extensions["shouze_apis"] = [fab.add_view_no_menu(one) for one in made]

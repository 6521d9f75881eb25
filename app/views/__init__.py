"""Screens: declarations on top of `core.fab.view.EntityView`; one file a subject, found by being here."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from app.core.fab import api
from app.core.fab.declaration import Page
from app.core.fab.file_view import FileView
from app.core.fab.shell import the_shell
from app.core.fab.signin import SignInView
from app.core.fab.view import EntityView


def declared() -> tuple[list[type[Page]], list[type[EntityView]]]:
    """The pages and the entities' screens of every module of this folder, in the order of their names."""
    pages: list[type[Page]] = [SignInView, FileView]
    entities: list[type[EntityView]] = []
    for info in sorted(iter_modules(__path__), key=lambda info: info.name):
        module = import_module(f"{__name__}.{info.name}")
        for one in vars(module).values():
            if isinstance(one, type) and one.__module__ == module.__name__:
                if issubclass(one, EntityView):
                    entities.append(one)
                elif issubclass(one, Page):
                    pages.append(one)
    return pages, entities


def register(fab: Any) -> None:
    """Put every screen into the application."""
    pages, entities = declared()
    shell = the_shell()
    for page in pages:
        shown = fab.add_view_no_menu(page)
        if page.task[0]:
            shell.pages.append(shown)
    for view in entities:
        shell.views.append(fab.add_view_no_menu(view))
    api.install(fab, shell.views)

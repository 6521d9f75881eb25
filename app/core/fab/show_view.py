"""The page of one record."""

from __future__ import annotations

from typing import Any

from flask import render_template

from app.core.access.context import current_access
from app.core.access.explain import explain
from app.core.access.fetch import fetch, may
from app.core.fab import listing, showing
from app.core.fab.cells import cell
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import needs
from app.core.screen import Badge, ShowScreen
from app.core.verbs import Verb


class ShowScreens(Declaration):
    """`/<key>`."""

    @expose("/<int:key>")
    @needs(Verb.READ)
    def show_page(self, key: int) -> Answer:
        """One record."""
        row = fetch(self.model, key, options=listing.loading(self.model, self._show_names()))
        return render_template("entity/show.html", screen=self.show_screen(row))

    def _show_names(self) -> list[str]:
        return [name for _label, names in self.show_parts for name in names]

    def show_screen(self, row: Any) -> ShowScreen:
        """The record's page as plain data."""
        base = self.route_base
        editable = bool(self.form_parts) and may(row, Verb.UPDATE)
        removable = may(row, Verb.DELETE)
        state = cell(row, row.__workflow__.column) if row.__workflow__ else None
        return ShowScreen(
            title=str(row), sections=showing.facts(row, self.show_parts), crumbs=[(self.title, f"{base}/")],
            state=Badge(state.text, state.tone) if state else None,
            children=[showing.child_table(row, one) for one in self.children],
            documents=showing.papers(row), history=showing.events(row),
            actions=[*self.extra_actions(row), *showing.actions(row, base)],
            edit_url=f"{base}/{row.id}/edit" if editable else None,
            delete_url=f"{base}/{row.id}/delete" if removable else None,
            why=explain(current_access(), Verb.READ, row).text,
        )  # fmt: skip

    def extra_actions(self, row: Any) -> list[Any]:
        """Buttons beside those of the workflow."""
        return []

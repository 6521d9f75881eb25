"""The page of one record."""

from __future__ import annotations

from typing import Any

from flask import render_template

from app.core.access.audience import may_ask
from app.core.access.context import current_access
from app.core.access.explain import explain
from app.core.access.fetch import fetch, may
from app.core.fab import file_box, listing, showing, trail
from app.core.fab.cells import cell
from app.core.fab.declaration import Answer, expose
from app.core.fab.gate import needs
from app.core.fab.record_view import RecordScreens
from app.core.screen import Badge, ShowScreen
from app.core.verbs import Verb


class ShowScreens(RecordScreens):
    """`/<key>`."""

    @expose("/<int:key>")
    @needs(Verb.READ)
    def show_page(self, key: int) -> Answer:
        """One record."""
        row = fetch(self.model, key, options=listing.loading(self.model, self._show_names()))
        return render_template("entity/show.html", screen=self.show_screen(row))

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """The record's page as plain data; `revealed` names masked columns to be shown whole this once."""
        base = self.route_base
        editable = bool(self.form_parts) and may(row, Verb.UPDATE)
        removable = may(row, Verb.DELETE)
        history, older = trail.events(row)
        state = cell(row, row.__workflow__.column) if row.__workflow__ else None
        return ShowScreen(
            title=str(row), sections=showing.facts(row, self.show_parts, base=base, revealed=revealed),
            crumbs=[(self.title, f"{base}/")],
            state=Badge(state.text, state.tone) if state else None,
            children=[showing.child_table(row, one) for one in self.children],
            documents=showing.papers(row), history=history,
            actions=[*self.extra_actions(row), *showing.actions(row, base)],
            edit_url=f"{base}/{row.id}/edit" if editable else None,
            delete_url=f"{base}/{row.id}/delete" if removable else None,
            why=explain(current_access(), Verb.READ, row).text,
            files=file_box.tiles(row) if self.attachments else [],
            files_label=self.attachments.label if self.attachments else "",
            history_url=f"{base}/{row.id}/history?before={older}" if older else None,
            access_url=f"{base}/{row.id}/access" if may_ask(row) else None,
        )  # fmt: skip

    def extra_actions(self, row: Any) -> list[Any]:
        """Buttons beside those of the workflow."""
        return []

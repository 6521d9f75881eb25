"""The list of an entity, and the type-ahead over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import jsonify, render_template, request
from flask_babel import gettext as _

from app.core.access.context import current_access
from app.core.fab import listing
from app.core.fab.cells import one_of
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import needs
from app.core.screen import Empty, ListScreen
from app.core.verbs import Verb

MOST_RESULTS = 20


class ListScreens(Declaration):
    """`/` and `/lookup`."""

    @expose("/")
    @needs(Verb.READ)
    def list_page(self) -> Answer:
        """The list: search, filters, order, page."""
        query, names, filters, order = self.list_query(request.args, request.path)
        rows, total = listing.list_rows(self.model, names, self.datamodel, query, filters)
        boxes, active = listing.filter_boxes(query, filters)
        add_url = f"{self.route_base}/add" if self._can_add() else None
        narrowed = bool(query.text or query.values)
        screen = ListScreen(
            title=self.title, entity=self.entity_name, description=self.description,
            columns=listing.heads(query, names, order), rows=[listing.row_of(row, names) for row in rows],
            filters=boxes, active_filters=active, query=query.text, add_url=add_url,
            add_label=_("新建%(what)s", what=one_of(self.model)), pager=listing.pager(query, total, len(rows)),
            keep=[(name, request.args[name]) for name in ("order", "size") if request.args.get(name)],
            empty=self._empty(narrowed, add_url),
        )  # fmt: skip
        return render_template("entity/list.html", screen=screen)

    def list_query(
        self, args: Mapping[str, str], path: str = ""
    ) -> tuple[listing.ListQuery, list[str], list[str], list[str]]:
        """What these list arguments ask for, and the columns, filters and orders this person has: none hidden."""
        hidden = current_access().hidden(self.entity_name)
        names, filters, order = (
            [name for name in declared if name not in hidden]
            for declared in (self.list_columns, self.list_filters, self.order_columns)
        )
        query = listing.ListQuery(self.model, [*order, "id"], filters, self.default_order, args, path)
        return query, names, filters, order

    def _can_add(self) -> bool:
        return bool(self.form_parts) and current_access().may(self.entity_name, Verb.CREATE)

    def _empty(self, narrowed: bool, add_url: str | None) -> Empty:
        if narrowed:
            return Empty(_("没有符合条件的%(what)s。", what=one_of(self.model)), _("换个关键词，或去掉筛选条件。"))
        return Empty(_("还没有%(what)s。", what=one_of(self.model)), "", add_url)

    @expose("/lookup")
    @needs(Verb.READ)
    def lookup(self) -> Answer:
        """Type-ahead: the first rows that match, as JSON."""
        text = request.args.get("q", "").replace("\0", "").strip()[: listing.LONGEST_QUERY]
        rows = listing.newest(self.model, text, MOST_RESULTS + 1)
        results = [{"id": row.id, "text": str(row), "sub": self.lookup_sub(row)} for row in rows[:MOST_RESULTS]]
        return jsonify(results=results, more=len(rows) > MOST_RESULTS)

    def lookup_sub(self, row: Any) -> str:
        """The second line of a type-ahead result."""
        return ""

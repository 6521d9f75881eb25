"""The list of an entity, and the type-ahead over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import has_request_context, jsonify, render_template, request
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, inspect, or_

from app.core.access.context import current_access
from app.core.access.predicate import answered_for
from app.core.access.veil import concealed
from app.core.entity import registry
from app.core.errors import Invalid
from app.core.fab import bulk, denied, keeping, listing
from app.core.fab.cells import one_of, said
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import needs
from app.core.fab.keeping import Kept
from app.core.fab.naming import shown
from app.core.fab.relating import usable
from app.core.screen import BulkChoice, Empty, KeptFilter, ListScreen
from app.core.verbs import Verb

MOST_RESULTS = 20
ALL = "all"  # the argument that asks for a list without the filter it would open with


class ListScreens(Declaration):
    """`/` and `/lookup`."""

    @expose("/")
    @needs(Verb.READ)
    def list_page(self) -> Answer:
        """The list: saved filters, search, filters, order, page, acts on ticked rows."""
        kept = keeping.kept(self.model)
        query, names, filters, order = self.list_query(self._asked(kept), request.path, kept)
        rows, total = listing.list_rows(self.model, names, self.datamodel, query, filters)
        boxes, active = listing.filter_boxes(query, filters, rows)
        add_url = f"{self.route_base}/add" if self._can_add() else None
        screen = ListScreen(
            title=self.title, entity=self.entity_name, description=self.description,
            columns=listing.heads(query, names, order),
            rows=[listing.row_of(row, names, listing.LONGEST_CELL) for row in rows],
            filters=boxes, active_filters=active, query=query.text, add_url=add_url,
            add_label=_("新建%(what)s", what=one_of(self.model)), pager=listing.pager(query, total, len(rows)),
            keep=_hidden_inputs(query), empty=self._empty(bool(query.text or query.values), add_url),
            saved=self.saved_links(query, kept, filters), arguments=urlencode(query.arguments()),
            can_save=keeping.may_save(), can_share=keeping.may_share(), base_url=self.route_base,
            found=total if len(rows) < total <= bulk.MOST_FOUND else 0,
            bulk=[BulkChoice(act.name, said(act.label), act.kind) for act in self.acts()] if rows else [],
            editable=bool(self.form_parts) and current_access().may(self.entity_name, Verb.UPDATE),
            import_url=f"{self.route_base}/import" if self.form_parts and self._may(Verb.IMPORT) else None,
            export_url=self.export_url(query) if rows else None, links=self.list_links(),
        )  # fmt: skip
        return render_template("entity/list.html", screen=screen)

    def _asked(self, kept: Kept) -> Mapping[str, Any]:
        """The arguments of this request; without any, those of the filter that the person's list opens with."""
        opening = None if request.args else self._opening(kept)
        return request.args if opening is None else listing.parse_arguments(opening)

    def _opening(self, kept: Kept) -> str | None:
        """The arguments that the person's list opens with: of the filter chosen for that, else of a preset."""
        if kept.default is not None:
            return kept.default.arguments
        return next((one.arguments for one in self.presets if one.offered() and one.opens()), None)

    def list_query(
        self, args: Mapping[str, Any], path: str = "", kept: Kept | None = None
    ) -> tuple[listing.ListQuery, list[str], list[str], list[str]]:
        """What these list arguments ask for, and the columns (as the person chose them), filters and orders this person
        has: none hidden."""
        kept = kept if kept is not None else keeping.kept(self.model)
        offered = self.offered_columns()
        names = [name for name in kept.columns or () if name in offered] or shown(self.model, self.list_columns)
        filters = [name for name in shown(self.model, self.list_filters) if usable(self.model, name)]
        order = shown(self.model, self.order_columns)
        default = "-id" if concealed(self.model, self.default_order.removeprefix("-")) else self.default_order
        query = listing.ListQuery(self.model, [*order, "id"], filters, default, args, path)
        if has_request_context() and (asked := request.args.get("order")) and not query.ordered:
            denied.note("order", asked)
        query.bare = {ALL: 1} if self._opening(kept) is not None else {}
        return query, names, filters, order

    def offered_columns(self) -> list[str]:
        """The columns this person may choose from: those of the list, then the further ones declared."""
        further = self.extra_columns
        if further is None:
            mapper = inspect(self.model)
            facts = [name for _label, names in self.show_parts for name in names]
            further = [name for name in facts if name not in mapper.columns or not mapper.columns[name].foreign_keys]
        return shown(self.model, dict.fromkeys([*self.list_columns, *further]))

    def saved_links(self, query: listing.ListQuery, kept: Kept, filters: list[str]) -> list[KeptFilter]:
        """Declared and saved filters as links, the one in force marked; none when there is none."""
        now, found = query.arguments(), []
        for preset in self.presets:
            if preset.offered():
                own = self._replayed(query, filters, preset.arguments)
                found.append(KeptFilter(said(preset.label), own.url(), own.arguments() == now))
        for one in kept.filters:
            own = self._replayed(query, filters, one.arguments)
            found.append(KeptFilter(
                one.name, own.url(), own.arguments() == now, one.id, one.account_id is None,
                one.id == kept.default_id, keeping.removable(one),
            ))  # fmt: skip
        everything = f"{query.path}?{urlencode(query.bare)}" if query.bare else query.path
        return [KeptFilter(_("全部"), everything, not now), *found] if found else []

    def _replayed(self, query: listing.ListQuery, filters: list[str], arguments: str) -> listing.ListQuery:
        """The list as these arguments would ask for it."""
        order = [*shown(self.model, self.order_columns), "id"]
        args = listing.parse_arguments(arguments)
        own = listing.ListQuery(self.model, order, filters, self.default_order, args, query.path)
        own.bare = {ALL: 1}
        return own

    def acts(self) -> list[bulk.BulkAct]:
        """What this person may try on ticked rows."""
        return bulk.acts_of(self.model, self.entity_name, self.asks, self.bulk_acts)

    def list_links(self) -> list[tuple[Any, str, str]]:
        """Further pages about these rows, as label, address and icon."""
        return []

    def _can_add(self) -> bool:
        return bool(self.form_parts or self.own_form) and self._may(Verb.CREATE)

    def _may(self, verb: Verb) -> bool:
        return current_access().may(self.entity_name, verb)

    def _empty(self, narrowed: bool, add_url: str | None) -> Empty:
        if narrowed:
            return Empty(_("没有符合条件的%(what)s。", what=one_of(self.model)), _("换个关键词，或去掉筛选条件。"))
        return Empty(_("还没有%(what)s。", what=one_of(self.model)), "", add_url)

    @expose("/lookup")
    @needs(Verb.READ)
    def lookup(self) -> Answer:
        """Type-ahead: the first rows that match, as JSON; `for`: only those that a row of that entity may belong to."""
        text = request.args.get("q", "").replace("\0", "").strip()[: listing.LONGEST_QUERY]
        rows = listing.newest(self.model, text, MOST_RESULTS + 1, self.default_order, *self._may_own())
        results = [{"id": row.id, "text": str(row), "sub": self.lookup_sub(row)} for row in rows[:MOST_RESULTS]]
        return jsonify(results=results, more=len(rows) > MOST_RESULTS)

    def _may_own(self) -> list[ColumnElement[bool]]:
        """What is read without answering for it (another office took it over) would be refused on saving."""
        name = request.args.get("for", "")
        if not name:
            return []
        cls = registry().get(name)
        ends = inspect(cls).relationships if cls is not None else {}
        if cls is None or self.model not in [ends[one].mapper.class_ for one in cls.owner_names()]:
            raise Invalid(_("地址里的条件不对。"))
        asked = (
            answered_for(current_access(), self.model, cls.policy_name(), verb) for verb in (Verb.CREATE, Verb.UPDATE)
        )
        return [or_(*asked)]

    def lookup_sub(self, row: Any) -> str:
        """The second line of a type-ahead result."""
        return ""


def _hidden_inputs(query: listing.ListQuery) -> list[tuple[str, str]]:
    """What the filter form sends along: order and size; the argument for "no default" when everything is cleared."""
    found = [("order", query.ordered)] if query.ordered else []
    found += [("size", str(query.size))] if query.size != listing.SIZES[0] else []
    return found + [(name, str(value)) for name, value in query.bare.items()]

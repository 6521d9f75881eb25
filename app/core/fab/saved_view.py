"""Saved filters and chosen columns of a list."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _

from app.core.errors import Invalid
from app.core.fab import keeping, listing
from app.core.fab.cells import label_of
from app.core.fab.declaration import Answer, expose
from app.core.fab.gate import needs
from app.core.fab.list_view import ListScreens
from app.core.fab.naming import shown
from app.core.saved import SavedFilter
from app.core.verbs import Verb


class SavedScreens(ListScreens):
    """`/filters` and `/columns`."""

    @expose("/filters", methods=["GET", "POST"])
    @needs(Verb.READ)
    def saved_page(self) -> Answer:
        """The saved filters of this list; a post keeps the arguments it carries under a name."""
        if request.method == "GET":
            return self._saved_page("", [])
        query, *_rest = self.list_query(listing.parse_arguments(request.form.get("arguments", "")))
        arguments, name = urlencode(query.arguments()), request.form.get("name", "").strip()
        try:
            _require_kept_whole(arguments)
            key = keeping.save_filter(self.model, name, arguments, shared=request.form.get("shared") == "1")
            if request.form.get("default") == "1":
                keeping.set_default(self.model, key)
        except Invalid as error:
            return self._saved_page(arguments, [str(text) for text in error.fields.values()] or [str(error)]), 422
        flash(_("已保存筛选“%(name)s”。", name=name), "success")
        return redirect(f"{self.route_base}/?{arguments}")

    def _saved_page(self, arguments: str, errors: list[str]) -> str:
        kept = keeping.kept(self.model)
        args = listing.parse_arguments(arguments)
        query, _names, filters, _order = self.list_query(args, f"{self.route_base}/", kept)
        links = [one for one in self.saved_links(query, kept, filters) if one.key is not None]
        for link, one in zip(links, kept.filters, strict=True):
            link.text = self._words(one, filters)
        screen = {
            "title": _("常用筛选：%(what)s", what=self.title), "crumbs": [(self.title, f"{self.route_base}/")],
            "filters": links, "base_url": self.route_base, "arguments": arguments, "errors": errors,
            "name": request.form.get("name", "")[:200], "shared": request.form.get("shared") == "1",
            "default": request.form.get("default") == "1", "can_share": keeping.may_share(),
        }  # fmt: skip
        return render_template("entity/filters.html", screen=screen)

    def _words(self, one: SavedFilter, filters: list[str]) -> str:
        """What a saved filter asks for, in words."""
        args = listing.parse_arguments(one.arguments)
        query = listing.ListQuery(
            self.model, [*shown(self.model, self.order_columns), "id"], filters, self.default_order, args
        )
        _boxes, active = listing.filter_boxes(query, filters)
        found = [_("查找：%(text)s", text=query.text)] if query.text else []
        return "；".join([*found, *(chip.label for chip in active)])

    @expose("/filters/<int:saved>/delete", methods=["POST"])
    @needs(Verb.READ)
    def saved_delete(self, saved: int) -> Answer:
        """Delete a saved filter: one's own, or the office's by who may put them there."""
        keeping.remove_filter(self.model, saved)
        flash(_("已删除。"), "success")
        return redirect(f"{self.route_base}/filters")

    @expose("/filters/<int:saved>/default", methods=["POST"])
    @needs(Verb.READ)
    def saved_default(self, saved: int) -> Answer:
        """Open this list with a saved filter from now on; `off` in the form: not any more."""
        keeping.set_default(self.model, None if request.form.get("off") == "1" else saved)
        flash(_("已保存。"), "success")
        return redirect(f"{self.route_base}/filters")

    @expose("/columns", methods=["GET", "POST"])
    @needs(Verb.READ)
    def columns_page(self) -> Answer:
        """Which columns the list shows to this person, in which order; the address carries the list's arguments."""
        query, names, *_rest = self.list_query(request.args, f"{self.route_base}/")
        offered = self.offered_columns()
        if request.method == "GET":
            return self._columns_page([*names, *(name for name in offered if name not in names)], names, query)
        if request.form.get("reset") == "1":
            keeping.choose_columns(self.model, None)
        else:
            chosen = [name for name in _in_order(offered) if name in request.form.getlist("column")]
            if not chosen:
                return self._columns_page(_in_order(offered), [], query, [_("至少选一列。")]), 422
            keeping.choose_columns(self.model, chosen)
        flash(_("已保存。"), "success")
        return redirect(query.url())

    def _columns_page(
        self, names: list[str], ticked: list[str], query: listing.ListQuery, errors: list[str] | None = None
    ) -> str:
        screen = {
            "title": _("选择列：%(what)s", what=self.title), "crumbs": [(self.title, f"{self.route_base}/")],
            "columns": [(name, label_of(self.model, name), name in ticked) for name in names],
            "action": f"{self.route_base}/columns?{urlencode(query.arguments())}", "cancel_url": query.url(),
            "errors": errors or [],
        }  # fmt: skip
        return render_template("entity/columns.html", screen=screen)


def _require_kept_whole(arguments: str) -> None:
    """A filter that came back cut would show more than was asked for: refuse to keep it. Raises Invalid."""
    if urlencode(list(listing.parse_arguments(arguments).items(multi=True))) != arguments:
        raise Invalid(_("筛选条件太多，不能保存。"))


def _in_order(offered: list[str]) -> list[str]:
    """The columns by the places typed beside them; without one, or with nonsense, after those that have one."""

    def place(name: str) -> int:
        text = request.form.get(f"place-{name}", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 10_000

    return sorted(offered, key=place)

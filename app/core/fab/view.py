"""`EntityView`: an entity declared once becomes its screens. Our base over FAB's ModelView; every route is ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from flask import abort, flash, jsonify, redirect, render_template, request
from flask_appbuilder import BaseView, ModelView
from flask_appbuilder import expose as fab_expose
from flask_babel import gettext as _
from sqlalchemy import inspect, select
from werkzeug.wrappers import Response as BaseResponse

from app.core.access.context import current_access
from app.core.access.explain import explain
from app.core.access.fetch import fetch, may
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.fab import forming, listing, showing
from app.core.fab.cells import cell, label_of, one_of, register_route, said
from app.core.fab.converter import AppForm, AppModelConverter
from app.core.fab.filters import PerRequestFilters
from app.core.fab.forming import BoundForm, Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.saving import Refused, save
from app.core.screen import Badge, Clash, Empty, FormError, FormScreen, ListScreen, ShowScreen
from app.core.verbs import Verb
from app.core.workflow import Transition, lock, run
from app.core.writing import unit_of_work

MOST_RESULTS = 20
Answer = str | BaseResponse | tuple[str, int]
F = TypeVar("F", bound=Callable[..., Any])


def expose(url: str = "/", methods: Sequence[str] = ("GET",)) -> Callable[[F], F]:
    """FAB's `expose`, with types: the address of a method, below that of its view."""
    decorate: Callable[[F], F] = fab_expose(url, methods)
    return decorate


class Page(BaseView):
    """Base of screens that are not an entity's; each route still says what it needs."""

    entity_name = ""


class EntityView(PerRequestFilters, ModelView):
    """Screens of one entity, from its declaration.

    task: the navigation group and place; form_parts, show_parts: sections; children: related rows; asks: what a step
    needs, as a form class and its fields in order.
    """

    datamodel: AppInterface
    title: ClassVar[Any] = ""
    icon: ClassVar[str] = "list"
    task: ClassVar[tuple[str, int]] = ("", 0)
    description: ClassVar[Any] = ""
    list_filters: ClassVar[list[str]] = []
    default_order: ClassVar[str] = "-id"
    form_parts: ClassVar[list[Part]] = []
    show_parts: ClassVar[list[tuple[Any, list[str]]]] = []
    children: ClassVar[list[Children]] = []
    asks: ClassVar[dict[str, tuple[type[AppForm], list[str]]]] = {}
    include_route_methods: ClassVar[set[str]] = {"list_page", "show_page", "add_page", "edit_page", "delete_page",
                                                 "step_page", "lookup"}  # fmt: skip
    order_columns: list[str]
    label_columns: dict[str, Any]
    related_views: list[Any]
    _related_views: list[Any]

    def __init__(self) -> None:
        self.model: type[Entity] = self.datamodel.obj
        self.entity_name = self.model.policy_name()
        self.class_permission_name = self.entity_name
        register_route(self.model, self.route_base)
        super().__init__()

    def _init_properties(self) -> None:
        """What FAB would derive with relations and all; ours is declared."""
        self._base_filters = self.datamodel.get_filters()
        self._filters = self.datamodel.get_filters([])
        self.order_columns = list(self.order_columns or [n for n in self.list_columns if self._sortable(n)])
        self.label_columns, self.related_views, self._related_views = {}, [], []

    def _sortable(self, name: str) -> bool:
        target = inspect(self.model).columns.get(name)
        return target is not None and not target.info.get("secret")

    def _init_forms(self) -> None:
        names = [name for part in self.form_parts for name in part.columns]
        self.edit_form = self.add_form = AppModelConverter(self.datamodel).create_form(names)

    def _init_titles(self) -> None:
        """Titles are declared."""

    # -- list ---------------------------------------------------------------------------------------------------------

    @expose("/")
    @needs(Verb.READ)
    def list_page(self) -> Answer:
        """The list: search, filters, order, page."""
        hidden = current_access().hidden(self.entity_name)
        names = [name for name in self.list_columns if name not in hidden]
        filters = [name for name in self.list_filters if name not in hidden]
        order = [name for name in self.order_columns if name not in hidden]
        query = listing.ListQuery(self.model, [*order, "id"], filters, self.default_order)
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
        statement = select(self.model).order_by(self.model.id.desc()).limit(MOST_RESULTS + 1)
        if text:
            statement = statement.where(listing.search_clause(self.model, text))
        rows = list(current_session().scalars(statement).unique())
        results = [{"id": row.id, "text": str(row), "sub": self.lookup_sub(row)} for row in rows[:MOST_RESULTS]]
        return jsonify(results=results, more=len(rows) > MOST_RESULTS)

    def lookup_sub(self, row: Any) -> str:
        """The second line of a type-ahead result."""
        return ""

    # -- show ---------------------------------------------------------------------------------------------------------

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

    # -- add and edit -------------------------------------------------------------------------------------------------

    @expose("/add", methods=["GET", "POST"])
    @needs(Verb.CREATE)
    def add_page(self) -> Answer:
        """A new record."""
        if not self.form_parts:
            abort(404)
        if request.method == "GET":
            return self._form_page(self._bound(self.blank()), None)
        return self._save(None)

    def blank(self) -> Any:
        """The row a new form starts from; prefilled by lookups named in the address."""
        row = self.model()
        for name, one in self.add_form()._fields.items():
            if name in request.args and one.kind in {"lookup", "select"}:
                self._prefill(row, name, one, request.args[name])
            elif one.data is not None:
                setattr(row, name, one.data)
        return row

    def _prefill(self, row: Any, name: str, one: Any, text: str) -> None:
        try:
            setattr(row, name, one.parse(text.strip()))
        except ValueError as error:
            raise NotFound(_("没有这条记录，或者您无权查看。")) from error

    @expose("/<int:key>/edit", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def edit_page(self, key: int) -> Answer:
        """An existing record."""
        if not self.form_parts:
            abort(404)
        if request.method == "GET":
            row = fetch(self.model, key, Verb.UPDATE)
            return self._form_page(self._bound(row), row)
        return self._save(key)

    def _bound(self, row: Any) -> BoundForm:
        bound = BoundForm(self.edit_form, self.form_parts, row, self.model)
        bound.withheld = current_access().readonly(self.entity_name)
        return bound

    def _save(self, key: int | None) -> Answer:
        """Parse, check and write in one unit of work; whatever fails shows the form again as typed."""
        row: Any = None
        bound: BoundForm | None = None
        try:
            with unit_of_work(Verb.CREATE if key is None else Verb.UPDATE):
                row = self.model() if key is None else lock(fetch(self.model, key, Verb.UPDATE))
                bound = self._bound(row)
                _require_valid(bound)
                if key is not None:
                    _require_unchanged(row)
                with current_session().no_autoflush:
                    bound.populate(row)
                save(row, Verb.CREATE if key is None else Verb.UPDATE, accepted=frozenset(forming.accepted()))
                saved = row.id
        except (Invalid, Conflict) as error:
            if bound is None:
                raise
            return self._again(bound, key, error)
        flash(_("已保存。"), "success")
        return redirect(f"{self.route_base}/{saved}")

    def _again(self, bound: BoundForm, key: int | None, error: Invalid | Conflict) -> Answer:
        """The form again, with what was typed, what is wrong, and the other writer's values."""
        fields = error.fields if isinstance(error, Invalid) else {}
        loose = bound.add_errors(fields)
        if not fields and not any(bound.form.errors.values()) and not isinstance(error, Refused):
            loose.append(str(error))
        row = fetch(self.model, key) if key is not None else None
        clash = self._clash(bound, row, error) if isinstance(error, Conflict) and row is not None else None
        doubts = error.doubts if isinstance(error, Refused) else []
        page = self._form_page(bound, row, loose=[] if clash else loose, clash=clash, doubts=doubts)
        return page, error.status

    def _clash(self, bound: BoundForm, row: Any, error: Conflict) -> Clash | None:
        last = next(iter(showing.events(row)), None)
        differing = []
        for name, one in bound.form._fields.items():
            theirs = cell(row, name, link=False).text
            yours = (said if one.kind == "select" else str)(one.data) if one.data is not None else ""
            if one.data != getattr(row, name):
                differing.append({"label": label_of(self.model, name), "theirs": theirs, "yours": yours})
        return Clash(str(error), last.who if last else "", last.at if last else "", differing)

    def _form_page(
        self, bound: BoundForm, row: Any, *, loose: list[str] | None = None, clash: Clash | None = None,
        doubts: list[Any] | None = None,
    ) -> str:  # fmt: skip
        label = one_of(self.model)
        screen = FormScreen(
            title=_("修改%(what)s", what=label) if row is not None else _("新建%(what)s", what=label),
            action=request.path, sections=forming.sections(bound, {one.field: one.text for one in doubts or []}),
            submit_label=_("保存"),
            cancel_url=f"{self.route_base}/{row.id}" if row is not None else f"{self.route_base}/",
            errors=forming.summary(bound, loose or []), conflict=clash,
            version=str(row.version) if row is not None else "",
            warnings=forming.tick_boxes(doubts or [], bound),
        )  # fmt: skip
        return render_template("entity/form.html", screen=screen)

    # -- delete and steps ---------------------------------------------------------------------------------------------

    @expose("/<int:key>/delete", methods=["GET", "POST"])
    @needs(Verb.DELETE)
    def delete_page(self, key: int) -> Answer:
        """Delete a record that nothing refers to; history keeps it."""
        row = fetch(self.model, key, Verb.DELETE)
        if request.method == "GET":
            title = _("删除%(what)s：%(name)s", what=one_of(self.model), name=str(row))
            facts = [one for group in showing.facts(row, self.show_parts[:1]) for one in group.facts]
            screen = {"title": title, "action": request.path, "cancel_url": f"{self.route_base}/{key}",
                      "summary": facts}  # fmt: skip
            return render_template("entity/delete.html", screen=screen)
        with unit_of_work(Verb.DELETE):
            row = lock(fetch(self.model, key, Verb.DELETE))
            current_session().delete(row)
        flash(_("已删除。"), "success")
        return redirect(f"{self.route_base}/")

    @expose("/<int:key>/do/<name>", methods=["GET", "POST"])
    @needs(Verb.READ)
    def step_page(self, key: int, name: str) -> Answer:
        """Take one step of the workflow; asks first what the step needs."""
        row = fetch(self.model, key)
        if row.__workflow__ is None:
            raise NotFound(_("没有这一步操作。"))
        step = row.__workflow__.named(name)
        if not may(row, step.verb):
            raise Forbidden(_("您可以查看，但不能进行这项操作。"))
        form_class, columns = self.asks.get(name, (AppForm, []))
        form = form_class(formdata=request.form if request.method == "POST" else None, data=self.step_data(row, name))
        if request.method == "GET":
            return self._step_page(row, step, form, columns, [])
        return self._take(row, step, form, columns)

    def step_data(self, row: Any, name: str) -> dict[str, Any]:
        """What a step's form starts with."""
        return {}

    def _take(self, row: Any, step: Transition, form: Any, columns: list[str]) -> Answer:
        key = row.id
        try:
            with unit_of_work(step.verb, request.form.get("reason", "").strip()):
                _require_valid(form)
                inputs = {name: one.data for name, one in form._fields.items() if name in columns}
                run(row, step.name, reason=request.form.get("reason", ""), **inputs)
        except (Invalid, Conflict) as error:
            fields = error.fields if isinstance(error, Invalid) else {}
            for field_name in set(fields) & set(form._fields):
                form._fields[field_name].errors = [str(fields[field_name])]
            loose = [] if set(fields) & set(form._fields) or any(form.errors.values()) else [str(error)]
            return self._step_page(fetch(self.model, key), step, form, columns, loose), error.status
        flash(_("已%(what)s。", what=said(step.label)), "success")
        return redirect(f"{self.route_base}/{key}")

    def _step_page(self, row: Any, step: Transition, form: Any, columns: list[str], errors: list[str]) -> str:
        shown = [forming.screen_field(form._fields[name]) for name in columns]
        if step.reason:
            shown.append(forming.reason_field(request.form.get("reason", ""), step.kind == "danger"))
        facts = [one for group in showing.facts(row, self.show_parts[:1]) for one in group.facts]
        screen = {
            "title": _("%(what)s：%(value)s", what=said(step.label), value=str(row)), "text": said(step.confirm),
            "fields": shown, "submit_label": said(step.label), "kind": step.kind, "action": request.path,
            "cancel_url": f"{self.route_base}/{row.id}", "summary": facts,
            "errors": [FormError("", "", text) for text in errors],
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)


def _require_valid(form: Any) -> None:
    """Raise Invalid; what is wrong stands beside the form's fields."""
    if not form.validate():
        raise Invalid(_("有内容需要改正，尚未保存。"))


def _require_unchanged(row: Any) -> None:
    """Raise Conflict when the row was saved after the form in this request was opened."""
    if request.form.get("version") != str(row.version):
        raise Conflict(_("您打开之后，这条记录已被别人改过。请对照后再保存。"))

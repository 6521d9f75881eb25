"""Screens of roles: the matrix of entities and acts, made, copied, changed, compared, exported."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy import or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch, may
from app.core.access.problems import Shape, role_problems
from app.core.access.veil import concealed
from app.core.db import current_session
from app.core.errors import Conflict, Invalid, NotFound, Outdated
from app.core.fab import matrix, trail
from app.core.fab.cells import date_text, label_of, said, url_of
from app.core.fab.declaration import Answer, expose, seen_version
from app.core.fab.download import download
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.role_forms import sent_tables
from app.core.fab.shell import subjects
from app.core.fab.view import EntityView
from app.core.history import record
from app.core.office import AccessRole, Family, Posting, RoleOrigin
from app.core.role_screen import Holder, RoleScreen
from app.core.saving import save
from app.core.tables import XLSX_TYPE, write_book
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work
from app.services.role import ceiling
from app.views.role_book import holders_sheet, role_sheet
from app.views.role_compare import compared
from app.views.role_form import Draft, clash_of, form_page, heads, legend, rank_of, whole

MOST_HOLDERS = 50


class AccessRoleView(EntityView):
    """角色: built in, or the administrators' own; what each allows."""

    datamodel = AppInterface(AccessRole)
    route_base = "/roles"
    title = lazy_pgettext("list", "角色")
    icon = "shield"
    task = ("office", 6)
    list_columns = ["name", "family", "rank", "origin"]
    order_columns = ["name", "family", "rank"]
    list_filters = ["family", "rank", "origin"]
    default_order = "-rank"
    show_parts = [("", ["name", "family", "rank", "origin"])]
    own_form = True

    @expose("/<int:key>")
    @needs(Verb.READ)
    def show_page(self, key: int) -> Answer:
        """One role: its matrix, who holds it, what happened to it."""
        return render_template("role.html", screen=_screen(fetch(AccessRole, key)))

    @expose("/add", methods=["GET", "POST"])
    @needs(Verb.CREATE)
    def add_page(self) -> Answer:
        """A new role: empty for a family, or a copy (`from`) that is then changed."""
        source = _source()
        if source is None and request.values.get("family") not in set(Family):
            return render_template("entity/choose.html", screen=_beginnings())
        if request.method == "POST":
            return self._keep_role(None, source)
        shape = matrix.shape_of(source) if source is not None else Shape({}, family=request.args["family"])
        rank = min(shape.rank, ceiling() - 1)
        name = _("%(name)s（副本）", name=source) if source is not None else ""
        shape = Shape(shape.grants, shape.hidden, shape.readonly, shape.family, rank, custom=True)
        problems = role_problems(shape) if source is not None else []
        return form_page(Draft(None, source, name, str(rank), shape, problems))

    @expose("/<int:key>/edit", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def edit_page(self, key: int) -> Answer:
        """An own role's name, rank, ticks and columns."""
        role = fetch(AccessRole, key, Verb.UPDATE)
        if request.method == "POST":
            return self._keep_role(key, None)
        return form_page(Draft(role, None, role.name, str(role.rank), matrix.shape_of(role)))

    def _keep_role(self, key: int | None, source: AccessRole | None) -> Answer:
        """Parse, check and write in one unit of work; whatever fails shows the form again as ticked."""
        form = request.form
        tables, typed = sent_tables(form), (form.get("name", "").strip(), form.get("rank", ""))
        verb = Verb.CREATE if key is None else Verb.UPDATE
        copied = _("复制自“%(name)s”", name=source) if source is not None else ""
        try:
            with unit_of_work(verb, copied):
                role = lock(fetch(AccessRole, key, Verb.UPDATE)) if key else AccessRole(family=_family(source))
                if key:
                    _require_seen(role)
                with current_session().no_autoflush:
                    role.name, role.rank = typed[0], rank_of(typed[1])
                    role.grants, role.hidden, role.readonly = tables
                saved = save(role, verb).id
        except (Invalid, Conflict) as error:
            return _typed_again(key, source, typed, tables, error)
        flash(_("已保存。"), "success")
        return redirect(f"{self.route_base}/{saved}")

    @expose("/compare")
    @needs(Verb.READ)
    def compare_page(self) -> Answer:
        """Two roles beside each other, what differs first."""
        return render_template("role_compare.html", screen=compared())

    @expose("/<int:key>/book", methods=["POST"])
    @needs(Verb.EXPORT)
    def book(self, key: int) -> Answer:
        """One role as a workbook, with who holds it."""
        role = fetch(AccessRole, key, Verb.EXPORT)
        return _book([role], str(role))

    @expose("/book", methods=["POST"])
    @needs(Verb.EXPORT)
    def books(self) -> Answer:
        """Every role as a workbook: a sheet a role, and who holds what."""
        roles = current_session().scalars(select(AccessRole).order_by(AccessRole.rank.desc(), AccessRole.id))
        return _book(list(roles), _("角色和任职"))


def _require_seen(role: AccessRole) -> None:
    """Raise Conflict when the role was saved after the form in this request was opened."""
    if seen_version() != role.version:
        raise Outdated(_("您打开之后，这条记录已被别人改过。请对照后再保存。"))


def _typed_again(
    key: int | None, source: AccessRole | None, typed: tuple[str, str], tables: Any, error: Invalid | Conflict
) -> Answer:
    """The form as it was sent, with what is wrong beside each cell, or both versions."""
    role = fetch(AccessRole, key) if key else None
    grants, hidden, readonly = tables
    shape = Shape(grants, hidden, readonly, role.family if role else _family(source), whole(typed[1]), custom=True)
    draft = Draft(role, source, *typed, shape)
    if isinstance(error, Invalid):
        draft.problems, draft.errors = role_problems(shape), dict(error.fields)
    elif role is not None:
        draft.clash = clash_of(role, typed, shape, error)
    else:
        draft.errors = {"name": str(error)}
    return form_page(draft), error.status


def _screen(role: AccessRole) -> RoleScreen:
    history, older = trail.events(role)
    base = f"/roles/{role.id}"
    editable, access = may(role, Verb.UPDATE), current_access()
    copies, takes = access.may("AccessRole", Verb.CREATE), access.may("AccessRole", Verb.EXPORT)
    holders, others = _holders(role)
    facts = [(label_of(AccessRole, name), said(str(getattr(role, name)))) for name in ("family", "rank", "origin")
             if not concealed(AccessRole, name)]  # fmt: skip
    return RoleScreen(
        title=str(role), crumbs=[(AccessRoleView.title, "/roles/")], facts=facts, origin=said(role.origin),
        builtin=role.origin == RoleOrigin.BUILTIN, groups=matrix.matrix(matrix.shape_of(role), subjects()),
        heads=heads(), coverages=legend(role.family), holders=holders, others=others, history=history,
        history_url=f"{base}/history?before={older}" if older else None,
        urls={"edit": f"{base}/edit" if editable else None, "copy": f"/roles/add?from={role.id}" if copies else None,
              "book": f"{base}/book" if takes else None, "compare": f"/roles/compare?a={role.id}",
              "delete": f"{base}/delete" if may(role, Verb.DELETE) else None},
    )  # fmt: skip


def _holders(role: AccessRole) -> tuple[list[Holder], int]:
    """Who holds it today, of those one may see; how many there are beside the first."""
    day = clock.today()
    now = (Posting.role_id == role.id, Posting.date_from <= day, or_(Posting.date_to.is_(None), Posting.date_to >= day))
    rows = list(current_session().scalars(select(Posting).where(*now).order_by(Posting.office_id, Posting.id)).unique())
    found = [
        Holder(
            str(one.account or ""), url_of(one.account) if one.account else None, str(one.office),
            said(one.title or role.name), date_text(one.date_from), date_text(one.date_to) if one.date_to else "",
        )
        for one in rows[:MOST_HOLDERS]
    ]  # fmt: skip
    return found, max(len(rows) - MOST_HOLDERS, 0)


def _source() -> AccessRole | None:
    """The role that is copied. Raises NotFound for what is none."""
    told = request.values.get("from", "")
    if not told:
        return None
    return fetch(AccessRole, _key(told))


def _key(told: str) -> int:
    if not (told.isascii() and told.isdigit() and len(told) < 19):
        raise NotFound(_("没有这条记录，或者您无权查看。"))
    return int(told)


def _family(source: AccessRole | None) -> str:
    return source.family if source is not None else request.values["family"]


def _beginnings() -> dict[str, Any]:
    """What a new role begins as: a copy, or nothing of a family."""
    roles = current_session().scalars(select(AccessRole).order_by(AccessRole.rank.desc(), AccessRole.id))
    copies = [
        {"url": f"/roles/add?from={one.id}", "text": _("复制“%(name)s”", name=one),
         "sub": f"{said(one.family)} · {said(one.origin)}"}
        for one in roles
    ]  # fmt: skip
    blank = [
        {"url": f"/roles/add?family={one.value}", "text": _("空白角色：%(what)s", what=said(one.value)), "sub": ""}
        for one in Family
    ]
    return {"title": _("新建角色：从哪里开始"), "options": [*copies, *blank]}


def _book(roles: list[AccessRole], title: str) -> Answer:
    """The workbook, whole before it leaves, and who took it out."""
    out = BytesIO()
    sheets = [role_sheet(role, matrix.matrix(matrix.shape_of(role), subjects())) for role in roles]
    rows = write_book([*sheets, holders_sheet([role.id for role in roles])], out)
    facts: dict[str, Any] = {
        "entity": "AccessRole",
        "format": "xlsx",
        "filter": "、".join(role.name for role in roles),
        "rows": rows,
    }
    record(Verb.EXPORT, "导出", office_id=current_access().person.office_id, **facts)
    return download(out, XLSX_TYPE, f"{title}-{clock.local(clock.now()):%Y%m%d-%H%M}.xlsx")

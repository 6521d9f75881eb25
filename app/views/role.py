"""Screens of roles: the matrix of entities and acts, made, copied, changed, compared, exported."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file
from flask_babel import gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy import or_, select

from app.core import clock
from app.core.access import limits
from app.core.access.context import current_access
from app.core.access.fetch import fetch, may
from app.core.access.problems import Problem, Shape, role_problems
from app.core.db import current_session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.fab import matrix, trail
from app.core.fab.cells import date_text, said, url_of
from app.core.fab.declaration import Answer, expose, seen_version
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.role_forms import sent_tables
from app.core.fab.shell import subjects
from app.core.fab.view import EntityView
from app.core.history import record
from app.core.jobfile import attachment
from app.core.office import AccessRole, Family, Posting, RoleOrigin
from app.core.role_screen import CompareScreen, Holder, Line, RoleForm, RoleScreen
from app.core.saving import Refused, save
from app.core.screen import Clash, Field, FormError
from app.core.tables import XLSX_TYPE, write_book
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work
from app.services.role import ceiling
from app.views.role_book import holders_sheet, note, role_sheet

MOST_HOLDERS = 50


class AccessRoleView(EntityView):
    """角色: built in, or the administrators' own; what each allows."""

    datamodel = AppInterface(AccessRole)
    route_base = "/roles"
    title = lazy_pgettext("list", "角色")
    icon = "shield"
    task = ("office", 4)
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
            return self._write(None, source)
        shape = matrix.shape_of(source) if source is not None else Shape({}, family=request.args["family"])
        rank = min(shape.rank, ceiling() - 1)
        name = _("%(name)s（副本）", name=source) if source is not None else ""
        shape = Shape(shape.grants, shape.hidden, shape.readonly, shape.family, rank, custom=True)
        return _form(None, source, name, str(rank), shape, role_problems(shape) if source is not None else [])

    @expose("/<int:key>/edit", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def edit_page(self, key: int) -> Answer:
        """An own role's name, rank, ticks and columns."""
        role = fetch(AccessRole, key, Verb.UPDATE)
        if request.method == "POST":
            return self._write(key, None)
        return _form(role, None, role.name, str(role.rank), matrix.shape_of(role), [])

    def _write(self, key: int | None, source: AccessRole | None) -> Answer:
        """Parse, check and write in one unit of work; whatever fails shows the form again as ticked."""
        tables, name, rank = sent_tables(request.form), request.form.get("name", "").strip(), request.form.get("rank", "")
        copied = _("复制自“%(name)s”", name=source) if source is not None else ""
        try:
            with unit_of_work(Verb.CREATE if key is None else Verb.UPDATE, copied):
                role = lock(fetch(AccessRole, key, Verb.UPDATE)) if key else AccessRole(family=_family(source))
                if key and seen_version() != role.version:
                    raise Conflict(_("您打开之后，这条记录已被别人改过。请对照后再保存。"))
                with current_session().no_autoflush:
                    role.name, role.rank = name, _rank(rank)
                    role.grants, role.hidden, role.readonly = tables
                save(role, Verb.CREATE if key is None else Verb.UPDATE)
                saved = role.id
        except (Invalid, Conflict) as error:
            return self._again(key, source, (name, rank), tables, error)
        flash(_("已保存。"), "success")
        return redirect(f"{self.route_base}/{saved}")

    def _again(
        self, key: int | None, source: AccessRole | None, typed: tuple[str, str], tables: Any, error: Invalid | Conflict
    ) -> Answer:
        role = fetch(AccessRole, key) if key else None
        family = role.family if role else _family(source)
        shape = Shape(*tables, family, _whole(typed[1]), custom=True)
        errors = dict(error.fields) if isinstance(error, Invalid) else {}
        if not errors and isinstance(error, Conflict) and role is None:
            errors = {"name": str(error)}
        clash = _clash(role, typed, shape, error) if role is not None and isinstance(error, Conflict) else None
        problems = role_problems(shape) if isinstance(error, Refused) else []
        return _form(role, source, *typed, shape, problems, errors, clash), error.status

    @expose("/compare")
    @needs(Verb.READ)
    def compare_page(self) -> Answer:
        """Two roles beside each other, what differs first."""
        return render_template("role_compare.html", screen=_compared())

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


def _screen(role: AccessRole) -> RoleScreen:
    history, older = trail.events(role)
    base = f"/roles/{role.id}"
    editable, access = may(role, Verb.UPDATE), current_access()
    copies, takes = access.may("AccessRole", Verb.CREATE), access.may("AccessRole", Verb.EXPORT)
    holders, others = _holders(role)
    facts = [(_("账号类别"), said(role.family)), (_("级别"), str(role.rank)), (_("来源"), said(role.origin))]
    return RoleScreen(
        title=str(role), crumbs=[(AccessRoleView.title, "/roles/")], facts=facts, origin=said(role.origin),
        builtin=role.origin == RoleOrigin.BUILTIN, groups=matrix.matrix(matrix.shape_of(role), subjects()),
        heads=heads(), coverages=_legend(role.family), holders=holders, others=others, history=history,
        history_url=f"{base}/history?before={older}" if older else None,
        urls={"edit": f"{base}/edit" if editable else None, "copy": f"/roles/add?from={role.id}" if copies else None,
              "book": f"{base}/book" if takes else None, "compare": f"/roles/compare?a={role.id}",
              "delete": f"{base}/delete" if may(role, Verb.DELETE) else None},
    )  # fmt: skip


def heads() -> list[tuple[str, str]]:
    """The columns of the matrix."""
    return [(verb.value, said(trail.VERB_WORDS[verb])) for verb in limits.FIRST]


def _legend(family: str) -> list[tuple[str, str, str]]:
    """The coverages that roles of the family use: value, word, meaning."""
    used = {one for limit in limits.LIMITS[Family(family)].values() for one in limit.coverages}
    return [(one.value, said(word), said(text)) for one, (word, text) in matrix.COVERAGES.items() if one in used]


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


def _form(
    role: AccessRole | None, source: AccessRole | None, name: str, rank: str, shape: Shape, problems: list[Problem],
    errors: dict[str, Any] | None = None, clash: Clash | None = None,
) -> str:  # fmt: skip
    told = errors or {}
    top = ceiling() - 1
    fields = [
        Field("name", "name", _("名称"), value=name, required=True, maxlength=40, errors=_listed(told.get("name"))),
        Field("rank", "rank", _("级别"), "number", rank, required=True, errors=_listed(told.get("rank")),
              help=_("0 到 %(n)s：级别高的角色能授予级别低的；有些权限只有较高级别的角色才能有。", n=top)),
    ]  # fmt: skip
    groups = matrix.matrix(shape, subjects(), problems)
    title = _("修改角色：%(name)s", name=role) if role is not None else _("新建角色")
    screen = RoleForm(
        title=title, crumbs=[(AccessRoleView.title, "/roles/")] + ([(str(role), f"/roles/{role.id}")] if role else []),
        action=request.path, cancel_url=f"/roles/{role.id}" if role is not None else "/roles/", fields=fields,
        family=shape.family or "", version=str(role.version) if role is not None else "", groups=groups,
        heads=heads(), coverages=_legend(shape.family or ""), errors=_summary(fields, groups, problems, told),
        conflict=clash, source=str(source.id) if source is not None else "",
    )  # fmt: skip
    return render_template("role_form.html", screen=screen)


def _listed(text: Any) -> list[str]:
    return [str(text)] if text else []


def _summary(fields: list[Field], groups: list[Any], problems: list[Problem], told: dict[str, Any]) -> list[FormError]:
    """Every error with a link to its place."""
    found = [FormError(one.id, one.label, " ".join(one.errors)) for one in fields if one.errors]
    rows = {row.entity: row for group in groups for row in group.rows}
    for one in problems:
        row = rows.get(one.entity)
        label = f"{matrix.entity_word(one.entity)} · {_column_or_verb(one)}" if one.verb else matrix.entity_word(one.entity)
        place = f"c-{one.entity}-{one.verb}" if one.verb else f"m-{one.entity}"
        found.append(FormError(place if row else "", label, matrix.told(one)))
    rest = set(told) - {"name", "rank"} - {f"{one.entity}.{one.verb}" for one in problems}
    return found + [FormError("", name, str(told[name])) for name in sorted(rest)]


def _column_or_verb(problem: Problem) -> str:
    if problem.verb in matrix.COLUMN_WORDS:
        return said(matrix.COLUMN_WORDS[problem.verb])
    return matrix.verb_word(limits.registry().get(problem.entity), problem.verb)


def _clash(role: AccessRole, typed: tuple[str, str], mine: Shape, error: Conflict) -> Clash:
    """Both versions in words: what is stored now, what was ticked."""
    last = next(iter(trail.events(role, limit=1)[0]), None)
    now = matrix.shape_of(role)
    lines = [(_("名称"), role.name, typed[0]), (_("级别"), str(role.rank), typed[1])]
    lines = [line for line in lines if line[1] != line[2]]
    lines += [*matrix.changes(now.grants, mine.grants), *matrix.column_changes("hidden", now.hidden, mine.hidden)]
    lines += matrix.column_changes("readonly", now.readonly, mine.readonly)
    fields = [{"label": what, "theirs": theirs, "yours": yours} for what, theirs, yours in lines]
    return Clash(str(error), last.who if last else "", last.at if last else "", fields)


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


def _rank(typed: str) -> int | None:
    """None for what is no small whole number: the check says so beside the field."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else None


def _whole(typed: str) -> int:
    return _rank(typed) or 0


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


def _compared() -> CompareScreen:
    roles = {
        str(one.id): one
        for one in current_session().scalars(select(AccessRole).order_by(AccessRole.rank.desc(), AccessRole.id))
    }
    told = request.args.get("a", ""), request.args.get("b", "")
    for key in told:
        if key and key not in roles:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
    both = roles.get(told[0]), roles.get(told[1])
    lines = _lines(both[0], both[1]) if both[0] is not None and both[1] is not None else []
    return CompareScreen(
        title=_("比较两个角色"), crumbs=[(AccessRoleView.title, "/roles/")],
        choices=[(key, f"{role}（{said(role.family)}）") for key, role in roles.items()], one=told[0], other=told[1],
        names=(str(both[0] or ""), str(both[1] or "")), differing=[one for one in lines if not one.same],
        agreeing=[one for one in lines if one.same], asked=bool(lines),
    )  # fmt: skip


def _lines(one: AccessRole, other: AccessRole) -> list[Line]:
    """Every cell that either holds, in the order of the matrix."""
    left, right = (matrix.matrix(matrix.shape_of(role), subjects()) for role in (one, other))
    found = []
    for group, twin in zip(left, right, strict=True):
        for row, mate in zip(group.rows, twin.rows, strict=True):
            words = [*_words(row)], [*_words(mate)]
            for (label, mine), (_label, theirs) in zip(*words, strict=True):
                if mine != _("无") or theirs != _("无"):
                    found.append(Line(row.label, label, mine, theirs, mine == theirs))
    return found


def _words(row: matrix.MatrixRow) -> list[tuple[str, str]]:
    cells = [
        (cell.label, matrix.cells_word([[m.coverage, [v for v, _w, on in m.states if on] or None] for m in cell.marks]))
        for cell in (*row.cells, *row.steps)
    ]
    none = str(_("无"))
    hidden, readonly = (said(matrix.COLUMN_WORDS[what]) for what in ("hidden", "readonly"))
    return [*cells, (hidden, "、".join(row.hidden) or none), (readonly, "、".join(row.readonly) or none)]


def _book(roles: list[AccessRole], title: str) -> Answer:
    """The workbook, whole before it leaves, and who took it out."""
    out = BytesIO()
    sheets = [role_sheet(role, matrix.matrix(matrix.shape_of(role), subjects())) for role in roles]
    rows = write_book([*sheets, holders_sheet([role.id for role in roles])], out)
    facts = {"entity": "AccessRole", "format": "xlsx", "filter": "、".join(role.name for role in roles), "rows": rows}
    record(Verb.EXPORT, "导出", office_id=current_access().person.office_id, **facts)
    out.seek(0)
    answer = send_file(out, mimetype=XLSX_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = attachment(f"{title}-{clock.local(clock.now()):%Y%m%d-%H%M}.xlsx")
    return answer

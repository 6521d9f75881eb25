"""Screens of 比对: a file of another system, its columns, and the lines that are to be decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch, may
from app.core.access.masking import MOBILE, STARRED, covers
from app.core.access.veil import concealed
from app.core.attachment import Attachments
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.fab import fields as f
from app.core.fab import importing
from app.core.fab.bulk import bulk_act
from app.core.fab.cells import label_of, said
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, expose
from app.core.fab.forming import Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.trail import register_differ
from app.core.fab.view import EntityView
from app.core.importing.target import guess
from app.core.screen import Action, Badge, Cell, ChildTable, ColumnHead, Row
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import SiteKind
from app.data.reconciling import FIELDS, Stage
from app.models.enterprise import Enterprise, Site
from app.models.reconciliation import COUNTS, Reconciliation, ReconciliationLine
from app.services import export_rows, reconciliation
from app.services.firm_match import holder_of

WHAT = ["source", "extent", "as_of", "note"]
PROBLEM = (("row", _("行")), ("column", _("列")), ("label", _("项")), ("text", _("哪里不对")))


class ReconciliationView(EntityView):
    """比对: upload, say which column is what, compare; then the lines."""

    datamodel = AppInterface(Reconciliation)
    route_base = "/reconciliations"
    title = lazy_pgettext("list", "比对")
    icon = "check"
    task = ("firms", 11)
    description = _("上传食品安全风险防控平台、许可系统或登记注册系统导出的表格，与本系统逐户比对。")
    list_columns = ["source", "extent", "as_of", "total", "same", "different", "ours_only", "theirs_only", "state"]
    order_columns = ["source", "extent", "as_of", "state"]
    list_filters = ["source", "extent", "as_of", "state"]
    default_order = "-id"
    form_parts = [Part(_("比对"), WHAT, help=_("附上对方系统导出的表格，保存后对应列。"))]
    show_parts = [(_("比对"), [*WHAT, "state"]), (_("结果"), list(COUNTS))]
    attachments = Attachments(_("对方系统的文件"), _("Excel 工作簿（.xlsx）或 CSV，一次一个。"), 1)

    def blank(self) -> Any:
        """As of today, unless the address says otherwise."""
        row = super().blank()
        row.as_of = row.as_of or clock.today()
        return row

    def extra_actions(self, row: Any) -> list[Action]:
        """On to the columns, or to the lines."""
        base = f"{self.route_base}/{row.id}"
        if row.state == Stage.OPEN and may(row, Verb.UPDATE):
            return [Action(gettext("对应列并比对"), f"{base}/mapping", "primary"), *super().extra_actions(row)]
        lines = [Action(gettext("逐条处理"), f"/reconciliation-lines/?reconciliation={row.id}", "primary")]
        return [*(lines if row.state == Stage.DONE else []), *super().extra_actions(row)]

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> Any:
        """With the cells that could not be read."""
        screen = super().show_screen(row, revealed=revealed)
        if row.state == Stage.RUNNING:
            screen.notice = Badge(gettext("正在后台比对，完成后会有消息。"), "info")
        if row.problems:
            heads = [ColumnHead(name, said(label)) for name, label in PROBLEM]
            rows = [Row("", str(one["row"]), [Cell("text", said(one[name]) if name == "label" else str(one[name]))
                                              for name, _label in PROBLEM]) for one in row.problems]  # fmt: skip
            screen.children.append(ChildTable(gettext("有误、没有比对的行"), heads, rows))
        return screen

    @expose("/<int:key>/mapping", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def mapping_page(self, key: int) -> Answer:
        """Which column is what, as remembered of this source; then the comparing."""
        row = fetch(Reconciliation, key, Verb.UPDATE)
        page = f"{self.route_base}/{row.id}"
        if row.state != Stage.OPEN:
            return redirect(page)
        told = request.args if request.method == "GET" else request.form
        try:
            top, targets = importing.Top(*reconciliation.file_of(row)), export_rows.targets()
            sheet = told.get("sheet", "")
            place = top.choose(targets, sheet, "" if sheet != told.get("was", sheet) else told.get("row", ""))
        except (Invalid, Conflict) as error:
            flash(str(error), "danger")
            return redirect(page)
        headings = top.headings(*place)
        if request.method == "GET":
            kept = importing.remembered(_memory(row))
            chosen = guess(headings, list(targets.values()), kept.headings if kept else {})
            return self._columns(row, top, place, chosen)
        names = [request.form.get(f"c{n}", "") for n in range(len(headings))]
        mapping = [name if name in targets else "" for name in names]
        try:
            many = self._compare(row, place, headings, mapping)
        except (Invalid, Conflict) as error:
            return self._columns(fetch(Reconciliation, key), top, place, mapping, str(error)), error.status
        flash(gettext("正在后台比对，完成后会有消息。") if many else gettext("已比对。"), "info" if many else "success")
        return redirect(page)

    def _compare(self, row: Any, place: tuple[str, int], headings: list[str], mapping: list[str]) -> bool:
        importing.require_mapping(mapping, export_rows.targets())
        export_rows.require_keys(mapping)
        memory = _memory(row)
        with unit_of_work(Verb.UPDATE):
            importing.remember(memory, headings, mapping)
        return reconciliation.begin(fetch(Reconciliation, row.id), *place, mapping, f"{self.route_base}/{row.id}")

    def _columns(
        self, row: Any, top: importing.Top, place: tuple[str, int], chosen: list[str], error: str = ""
    ) -> str:  # fmt: skip
        base = f"{self.route_base}/{row.id}"
        screen = {
            "title": gettext("对应列：%(name)s", name=str(row)), "error": error, "action": f"{base}/mapping",
            "crumbs": [(self.title, f"{self.route_base}/"), (str(row), base)], "erase": None, "missing": [],
            "columns": top.columns(*place, chosen), "sheets": [title for title, rows in top.sheets.items() if rows],
            "sheet": place[0], "row": place[1], "rows": top.choices(place[0]), "submit_label": gettext("开始比对"),
            "fields": [(name, one.parser.label.text, False) for name, one in export_rows.targets().items()],
        }  # fmt: skip
        return render_template("entity/import_columns.html", screen=screen)


def _memory(row: Any) -> str:
    """Under which name the columns of a source are remembered."""
    return f"Reconciliation:{row.source}"


# -- lines ------------------------------------------------------------------------------------------------------------


class AdoptForm(AppForm):
    """Which of the differing fields are taken; the form offers only those of the line."""

    taken = f.Several(_("采纳哪些项"), choices=lambda: [(name, gettext(text)) for name, text in FIELDS.items()])

    def __init__(self, formdata: Any = None, data: Any = None, **options: Any) -> None:
        super().__init__(formdata=formdata, data=data, **options)
        offered = [(name, gettext(FIELDS[name])) for name in (data or {}).get("taken", ()) if name in FIELDS]
        self.taken.choices = lambda: offered


class CreateForm(AppForm):
    """What a new firm's place is, where the licence does not say."""

    kind = f.Choice(_("主体类型"), choices=lambda: [(str(one), gettext(one)) for one in SiteKind],
                    description=_("许可证编号看得出的按编号，其余按这一种。"))  # fmt: skip
    accept = f.Tick(_("已核对，不是本系统已有的主体"))


class ChooseForm(AppForm):
    """Which firm of ours a row is."""

    enterprise = f.Lookup(_("主体"), model=Enterprise, nullable=False)


def _adopt_all(row: Any, _reason: str) -> None:
    run(row, "adopt")


def _create(row: Any, _reason: str, *, kind: str | None, accept: bool) -> None:
    run(row, "create", kind=kind, accept=accept)


class ReconciliationLineView(EntityView):
    """比对结果: one by one field beside field, or many at once."""

    datamodel = AppInterface(ReconciliationLine)
    route_base = "/reconciliation-lines"
    title = lazy_pgettext("list", "比对结果")
    icon = "list"
    task = ("firms", 12)
    description = _("两边不同的主体，逐条或勾选后成批处理。")
    list_columns = ["name", "code", "kind", "change", "difference", "source", "as_of", "state"]
    order_columns = ["name", "kind", "as_of", "state"]
    list_filters = ["state", "kind", "change", "source", "as_of", "reconciliation", "enterprise"]
    default_order = "-id"
    show_parts = [
        (_("比对结果"), ["name", "code", "kind", "change", "difference", "source", "as_of", "matched"]),
        (_("本系统"), ["enterprise", "site", "reconciliation"]),
        (_("处理"), ["resolver", "resolved_at", "why"]),
    ]
    asks = {
        "adopt": (AdoptForm, ["taken"]),
        "create": (CreateForm, ["kind", "accept"]),
        "choose": (ChooseForm, ["enterprise"]),
    }
    bulk_acts = [
        bulk_act("adopt-all", _("采纳对方"), Verb.UPDATE, _adopt_all, confirm=_("不同的项都改成对方的内容。")),
        bulk_act("create-all", _("新增"), Verb.UPDATE, _create, asks=(CreateForm, ["kind", "accept"]),
                 confirm=_("按对方的内容新建主体和经营场所，其余内容以后补充。")),
    ]  # fmt: skip

    def step_data(self, row: Any, name: str) -> dict[str, Any]:
        """All that differs is ticked at first."""
        return {"taken": row.differing} if name == "adopt" else {}

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> Any:
        """With both sides, field by field, and the firms that it could be."""
        screen = super().show_screen(row, revealed=revealed)
        screen.flat = True
        screen.children = [_sides(row), *([_candidates(row)] if row.candidates else [])]
        return screen


def _sides(row: Any) -> ChildTable:
    """What both said when they were compared."""
    heads = [ColumnHead("field", gettext("项")), ColumnHead("ours", gettext("本系统（比对时）")),
             ColumnHead("theirs", gettext("对方"))]  # fmt: skip
    rows = []
    for name, text in FIELDS.items():
        if not {name} & {*row.theirs, *row.ours} or _hidden(row, name):
            continue
        ours, theirs = (_part(row, name, one.get(name, "")) for one in (row.ours, row.theirs))
        tone = "warning" if name in row.differing else "neutral"
        kind = "state" if name in row.differing else "text"
        cells = [Cell("text", gettext(text)), Cell("text", ours or "—"), Cell(kind, theirs or "—", tone=tone)]
        rows.append(Row("", gettext(text), cells))
    return ChildTable(gettext("两边的内容"), heads, rows)


def _hidden(row: Any, name: str) -> bool:
    holder = "site" if holder_of(name, row.source, row.site) == "site" else "enterprise"
    return concealed(type(row).__mapper__.relationships[holder].mapper.class_, name)


def _part(row: Any, name: str, text: str) -> str:
    """A telephone is whole to who covers the firm only."""
    whole = name != "phone" or covers(current_access(), row)
    if name == "platform_account":
        return said(text) if text else ""
    return text if whole else MOBILE.sub(STARRED, text)


@register_differ(Reconciliation, "problems")
def _problems_differ(old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    """How many; which they are stands on the page."""
    yield label_of(Reconciliation, "problems"), str(len(old or ())), str(len(new or ()))


def _texts_differ(old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    """Field by field, without what is shown in part or hidden on the firm or the site."""
    before, after = old or {}, new or {}
    for name, text in FIELDS.items():
        if name == "phone" or concealed(Enterprise, name) or concealed(Site, name):
            continue
        if before.get(name, "") != after.get(name, ""):
            yield gettext(text), before.get(name, ""), after.get(name, "")


for _side in ("theirs", "ours"):
    register_differ(ReconciliationLine, _side)(_texts_differ)


def _candidates(row: Any) -> ChildTable:
    """The firms that the row could be, as far as the person reads them."""
    names = [name for name in ("name", "code", "address", "state") if not concealed(Enterprise, name)]
    some = select(Enterprise).where(Enterprise.id.in_(row.candidates)).order_by(Enterprise.id)
    found = current_session().scalars(some)
    rows = [Row(f"/enterprises/{one.id}", str(one), [Cell("text", str(getattr(one, name) or "—")) for name in names])
            for one in found.unique()]  # fmt: skip
    heads = [ColumnHead(name, label_of(Enterprise, name)) for name in names]
    return ChildTable(gettext("可能是这些主体"), heads, rows)

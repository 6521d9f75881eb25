"""制度档案: the papers of a firm, and the firms that lack some."""

from __future__ import annotations

from flask import render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core.access.context import current_access
from app.core.access.veil import concealed
from app.core.attachment import Attachments
from app.core.errors import Forbidden, Invalid
from app.core.fab.cells import said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.forming import Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.screen import Cell
from app.core.tables import TableColumn
from app.core.verbs import Verb
from app.data.people import PolicyKind
from app.models.enterprise import Enterprise
from app.models.policy_document import PolicyDocument
from app.services.policy_document import Lacking, Wanted, lacking, size
from app.views.report_page import MOST_ROWS, SIZE, Choice, ReportScreen, office, office_choice, page_number, workbook

PAPER = ["enterprise", "kind", "state", "made_on", "note"]
BASE = "/policy-gaps/"


class PolicyDocumentView(EntityView):
    """制度档案: each paper once a firm, with a photo."""

    datamodel = AppInterface(PolicyDocument)
    route_base = "/policy-documents"
    title = lazy_pgettext("list", "制度档案")
    icon = "folder"
    task = ("people", 8)
    list_columns = ["kind", "enterprise", "state", "made_on", "note"]
    order_columns = ["kind", "state", "made_on"]
    list_filters = ["state", "kind", "made_on", "enterprise"]
    form_parts = [Part(_("文件"), PAPER)]
    show_parts = [(_("文件"), PAPER)]
    attachments = Attachments(_("文件照片"))


class PolicyGapView(Page):
    """/policy-gaps/: which firms lack which papers."""

    route_base = "/policy-gaps"
    default_view = "report"
    title = lazy_pgettext("list", "制度缺项")
    icon = "folder"
    task = ("people", 9)
    entity_name = "PolicyDocument"

    @expose("/")
    @needs(Verb.READ)
    def report(self) -> Answer:
        """A page of the firms."""
        wanted, page = _wanted(), page_number()
        options = [("", gettext("任一份")), *((kind.value, said(kind)) for kind in PolicyKind)]
        screen = ReportScreen(
            title=gettext("制度缺项"), subtitle=gettext("没有登记或登记为“无”的制度文件"), base=BASE, heads=_heads(),
            rows=[_cells(one) for one in lacking(wanted, (page - 1) * SIZE, SIZE)], total=size(wanted), page=page,
            choices=[Choice("kind", gettext("缺哪一份"), wanted.kind, options), *office_choice(wanted.office_id)],
            empty=gettext("没有缺项的单位。"), may_export=current_access().may("PolicyDocument", Verb.EXPORT),
        )  # fmt: skip
        return render_template("report.html", screen=screen)

    @expose("/export", methods=["POST"])
    @needs(Verb.EXPORT)
    def export(self) -> Answer:
        """The same list as a workbook."""
        rows = [[one.name, one.office, len(one.kinds), "、".join(said(kind) for kind in one.kinds)]
                for one in lacking(_wanted(), 0, MOST_ROWS)]  # fmt: skip
        columns = [TableColumn(label, kind) for label, kind in
                   zip(_heads(), ("text", "text", "number", "text"), strict=True)]  # fmt: skip
        return workbook(gettext("制度缺项"), gettext("没有登记或登记为“无”的制度文件"), columns, rows)


def _wanted() -> Wanted:
    """What the address asks for. Raises Invalid; Forbidden to whom a column it is made of is hidden."""
    hidden = any(concealed(PolicyDocument, name) for name in ("kind", "state", "enterprise"))
    if hidden or concealed(Enterprise, "name") or not current_access().may("Enterprise", Verb.READ):
        raise Forbidden(gettext("您可以查看，但不能进行这项操作。"))
    kind = request.args.get("kind", "")
    if kind and kind not in set(PolicyKind):
        raise Invalid(gettext("地址里的条件不对。"))
    return Wanted(office(), kind)


def _heads() -> list[str]:
    return [gettext("单位名称"), gettext("监管所"), gettext("缺几份"), gettext("缺哪些")]


def _cells(one: Lacking) -> list[Cell]:
    return [Cell("link", one.name, url=f"/enterprises/{one.id}"), Cell("text", one.office),
            Cell("number", str(len(one.kinds)), tone="danger"),
            Cell("text", "、".join(said(kind) for kind in one.kinds))]  # fmt: skip

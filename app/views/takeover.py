"""接管向导 of a station, its cases done on paper, and the filter over firms of which too little is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import or_, select

from app.core import clock
from app.core.access.context import Unit, current_access
from app.core.access.veil import concealed
from app.core.attachment import Attachments
from app.core.db import current_session
from app.core.deleting import erase
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.fab.cells import date_text, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.filtering import OneOf, Values
from app.core.fab.forming import Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.preset import Preset
from app.core.fab.relating import register_filter
from app.core.fab.view import EntityView
from app.core.importing.naming import Naming
from app.core.office import Account, OfficeKind
from app.core.verbs import Verb
from app.data.takeover import PriorState, TakeoverPart
from app.models.care import Caretaker
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment
from app.models.takeover import PriorCase, TakeoverStep
from app.services.takeover import Progress, call_done, gap_names, incomplete, progress, unmanned, without_scan
from app.views.care import NOBODY

ANY, UNMANNED = "any", "people"
LONGEST_NOTE = 200
DONE = ["site", "kind", "number", "done_on", "officers", "content"]
FOLLOWED = ["deadline", "account", "rechecked_on", "outcome"]
BASE, CASES = "/takeover", "/prior-cases/"
MADE_OF = (
    (TakeoverStep, ("part", "note", "office_id")),
    (PriorCase, ("kind", "state", "done_on", "account", "office_id")),
    (Appointment, ("enterprise", "date_from", "date_to")),
    (Caretaker, ("site", "role", "date_from", "date_to")),
)


# -- firms of which too little is known -------------------------------------------------------------------------------


class ByGap(OneOf):
    """Firms that lack something: anything, one thing, anybody in office."""

    def choices(self) -> list[tuple[str, str]]:
        """任一项, then each."""
        words = {"code": gettext("缺代码"), "legal_person": gettext("缺负责人"), "phone": gettext("缺电话"),
                 "address": gettext("缺住所"), "sites": gettext("没有经营场所")}  # fmt: skip
        found = [(ANY, gettext("任一项")), *((name, words[name]) for name in gap_names())]
        return (
            [*found, (UNMANNED, gettext("没有在任人员"))] if current_access().may("Appointment", Verb.READ) else found
        )

    def clauses(self, values: Values) -> list[Any]:
        """Any of the ticked."""
        chosen = values.get(self.name, [])
        lacking = [incomplete()] if ANY in chosen else [incomplete(one) for one in chosen if one != UNMANNED]
        found = [*lacking, unmanned()] if UNMANNED in chosen else lacking
        return [or_(*found)] if found else []


register_filter(Enterprise, "gaps", ByGap)
INCOMPLETE = Preset(_("待完善"), f"gaps={ANY}", lambda: current_access().may("Enterprise", Verb.EXPORT))


# -- cases done on paper ----------------------------------------------------------------------------------------------


class ByScan(OneOf):
    """Cases without a file."""

    def choices(self) -> list[tuple[str, str]]:
        """缺."""
        return [(NOBODY, gettext("缺扫描件"))]

    def clauses(self, values: Values) -> list[Any]:
        """That one."""
        return [without_scan()] if values.get(self.name) else []


register_filter(PriorCase, "scans", ByScan)


class PriorCaseView(EntityView):
    """接管前案卷: what was done on paper, with number and scan, and its re-check."""

    datamodel = AppInterface(PriorCase)
    route_base = "/prior-cases"
    title = lazy_pgettext("list", "接管前案卷")
    icon = "folder"
    task = ("care", 7)
    description = _("启用本系统以前用纸质文书办理的检查和责令改正，登记文号并附扫描件，供查阅和复查。")
    list_columns = ["site", "kind", "number", "done_on", "deadline", "account", "scans", "state"]
    order_columns = ["done_on", "deadline", "kind", "state"]
    list_filters = ["state", "kind", "done_on", "deadline", "scans", "account", "site"]
    presets = [
        Preset(_("待复查"), f"state={PriorState.WAITING}", lambda: True),
        Preset(_("缺扫描件"), f"scans={NOBODY}", lambda: True),
    ]
    default_order = "-done_on"
    form_parts = [
        Part(_("案卷"), DONE),
        Part(_("复查"), FOLLOWED, help=_("通知书和定了改正期限的检查要复查；复查后填日期和结果。")),
    ]
    show_parts = [(_("案卷"), [*DONE, "state"]), (_("复查"), [*FOLLOWED, "handler"])]
    attachments = Attachments(_("扫描件"))
    naming = Naming(keys=(("site", "kind", "number"), ("site", "kind", "done_on")))
    import_names = {"number": ("通知书文号", "编号"), "done_on": ("日期", "检查日期", "发文日期"), "content": ("问题",)}


# -- the guide --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Guide:
    """What a part is about, where what is lacking is listed and where it is brought in; entity decides who may."""

    help: Any
    entity: str
    lacking: str
    bring: str


GUIDES = {
    TakeoverPart.FIRMS: Guide(_("导入或登记辖区里的主体和经营场所；只有名称和地址的也可以先登记，以后补齐。"),
                              "Enterprise", f"/enterprises/?gaps={ANY}", "/enterprises/import"),
    TakeoverPart.PEOPLE: Guide(_("登记每个主体的主要负责人、食品安全总监和食品安全员。"),
                               "Appointment", f"/enterprises/?gaps={UNMANNED}", "/appointments/import"),
    TakeoverPart.CARE: Guide(_("给每个经营场所指定主管的监管人员。"),
                             "Caretaker", f"/sites/?care={NOBODY}", "/caretakers/import"),
    TakeoverPart.INSPECTIONS: Guide(_("登记今年用纸质文书做过的检查，附扫描件。"),
                                    "PriorCase", f"{CASES}?kind=检查&scans={NOBODY}", f"{CASES}import"),
    TakeoverPart.NOTICES: Guide(_("登记今年发出的纸质责令改正通知书，填文号，附扫描件。"),
                                "PriorCase", f"{CASES}?kind=责令改正通知书&scans={NOBODY}", f"{CASES}import"),
    TakeoverPart.RECHECKS: Guide(_("还没有复查的案件，逐件确定由谁承办复查。"),
                                 "PriorCase", f"{CASES}?state={PriorState.WAITING}", f"{CASES}add"),
}  # fmt: skip


class TakeoverView(Page):
    """/takeover/: how far each station is; /takeover/<office>: its guide."""

    route_base = BASE
    default_view = "stations"
    title = lazy_pgettext("list", "接管向导")
    icon = "list"
    task = ("care", 6)
    entity_name = "TakeoverStep"

    @expose("/")
    @needs(Verb.READ)
    def stations(self) -> Answer:
        """One line a station; who has but one sees its guide."""
        units = _stations()
        if len(units) == 1:
            return redirect(f"{BASE}/{units[0].id}")
        found = progress([unit.id for unit in units])
        parts = [said(part) for part in TakeoverPart]
        return render_template("takeover_stations.html", title=self.title, parts=parts,
                               lines=[(unit, found[unit.id]) for unit in units], base=BASE)  # fmt: skip

    @expose("/<int:office>")
    @needs(Verb.READ)
    def guide(self, office: int) -> Answer:
        """The parts of one station, in their order."""
        return self._guide(_station(office))

    @expose("/<int:office>/done", methods=["POST"])
    @needs(Verb.CREATE)
    def done(self, office: int) -> Answer:
        """Call a part done; what is wrong is said beside it."""
        unit, part = _station(office), _part()
        note = " ".join(request.form.get("note", "").replace("\0", "").split())
        if len(note) > LONGEST_NOTE:
            return self._guide(unit, part, gettext("最多 %(n)s 个字。", n=LONGEST_NOTE), note)
        try:
            call_done(unit.id, part, note)
        except Invalid as error:
            return self._guide(unit, part, str(error), note)
        return redirect(f"{BASE}/{unit.id}#{part.name.lower()}")

    @expose("/<int:office>/again", methods=["POST"])
    @needs(Verb.DELETE)
    def again(self, office: int) -> Answer:
        """A part is not done after all."""
        unit, part = _station(office), _part()
        step = current_session().scalar(
            select(TakeoverStep).where(TakeoverStep.office_id == unit.id, TakeoverStep.part == part)
        )
        if step is not None:
            erase(TakeoverStep, step.id)
        return redirect(f"{BASE}/{unit.id}#{part.name.lower()}")

    def _guide(self, unit: Unit, wrong: TakeoverPart | None = None, error: str = "", note: str = "") -> Answer:
        access = current_access()
        found = progress([unit.id])[unit.id]
        page = render_template(
            "takeover.html", title=self.title, unit=unit, base=f"{BASE}/{unit.id}", lines=[_line(one) for one in found],
            wrong=wrong, error=error, note=note, longest=LONGEST_NOTE, today=clock.today(),
            may_do=access.may("TakeoverStep", Verb.CREATE), may_undo=access.may("TakeoverStep", Verb.DELETE),
            crumbs_of=[(self.title, f"{BASE}/")] if len(_stations()) > 1 else [],
        )  # fmt: skip
        return (page, 422) if error else page


def _line(one: Progress) -> dict[str, Any]:
    """A part as the page shows it."""
    guide, access = GUIDES[one.part], current_access()
    may_bring = access.may(guide.entity, Verb.IMPORT if guide.bring.endswith("import") else Verb.CREATE)
    return {
        "part": one.part, "key": one.part.name.lower(), "label": said(one.part), "help": guide.help, "total": one.total,
        "open": one.open, "lacking_url": guide.lacking if access.may(guide.entity, Verb.READ) else "",
        "bring_url": guide.bring if may_bring else "", "step": one.step, "by": _name(one.step),
        "day": date_text(clock.local(one.step.made_at).date()) if one.step is not None else "",
    }  # fmt: skip


def _name(step: TakeoverStep | None) -> str:
    """Who called it done."""
    maker = select(Account.name).where(Account.id == (step.made_by_id if step is not None else None))
    return current_session().scalar(maker) or ""


def _stations() -> list[Unit]:
    """The stations whose progress the person reads. Raises Forbidden to whom what it is made of is hidden."""
    access = current_access()
    if any(concealed(model, name) for model, names in MADE_OF for name in names):
        raise Forbidden(gettext("您可以查看，但不能进行这项操作。"))
    reached = {unit for held in access.postings if held.grants.get("TakeoverStep", {}).get(Verb.READ.value)
               for unit in access.subtree(_top(held))}  # fmt: skip
    found = (access.offices[key] for key in reached)
    return sorted((unit for unit in found if unit.kind == OfficeKind.STATION), key=lambda unit: unit.path)


def _top(held: Any) -> int:
    """The office below which a posting reads: its own, or for a section the bureau it belongs to."""
    unit = current_access().offices[held.office_id]
    return unit.id if unit.kind == OfficeKind.STATION or unit.parent_id is None else unit.parent_id


def _station(key: int) -> Unit:
    found = next((unit for unit in _stations() if unit.id == key), None)
    if found is None:
        raise NotFound(gettext("没有这条记录，或者您无权查看。"))
    return found


def _part() -> TakeoverPart:
    name = request.form.get("part", "")
    if name not in set(TakeoverPart):
        abort(400)
    return TakeoverPart(name)

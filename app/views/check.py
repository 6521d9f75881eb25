"""Screens of daily records: a form made from the edition of the day, for a thumb."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch, may
from app.core.access.veil import withheld
from app.core.checklist_screen import Ask, CheckChoice, CheckItem
from app.core.db import current_session
from app.core.errors import Forbidden, NotFound
from app.core.fab import fields
from app.core.fab.checklist import Checklist, answered
from app.core.fab.declaration import Answer, expose
from app.core.fab.forming import BoundForm, Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.screen import Action, ChildTable, Field, ShowScreen
from app.core.verbs import Verb
from app.data.enums import CheckState, ItemResult
from app.models.check import DailyCheck, RiskItem, RiskList
from app.models.enterprise import Site
from app.services.check import by_firm, signers
from app.services.risk_list import daily_items, list_in_force

WHO = ["site", "check_date", "person"]
REST = ["reported_to", "late_reason", "corrects", "device_date"]
CHOICES = (
    CheckChoice(ItemResult.MET, "success"),
    CheckChoice(ItemResult.NOT_MET, "danger", (
        Ask("note", _("存在的问题")), Ask("measure", _("防范措施、处置结果")),
        Ask("responsible", _("责任部门及责任人"), 60),
    )),
    CheckChoice(ItemResult.NOT_APPLICABLE, "neutral", (Ask("reason", _("不适用的理由")),)),
)  # fmt: skip
FEW = 20  # sites to choose from as a list; more are found by typing


class DailyCheckView(EntityView):
    """日检查记录: one a site and day, no problem found is a record too."""

    datamodel = AppInterface(DailyCheck)
    route_base = "/daily-checks"
    title = lazy_pgettext("list", "日检查记录")
    icon = "ok"
    task = ("checks", 1)
    list_columns = ["unit", "check_date", "summary", "state", "marks", "person"]
    order_columns = ["unit", "check_date", "state"]
    list_filters = ["state", "check_date", "zero_risk", "late", "transcribed"]
    default_order = "-check_date"
    form_fields = {
        "answers": Checklist(_("检查项目"), choices=CHOICES),
        "device_date": fields.DeviceDay(_("设备日期")),
    }
    form_parts = [
        Part(_("检查"), WHO),
        Part("", ["answers"]),
        Part(_("上报和说明"), REST),
    ]
    then = ("submit", _("提交"), _("存草稿"))
    show_parts = [
        (_("检查"), [*WHO, "post", "risk_list", "summary", "zero_risk", "reported_to", "reported_at"]),
        (_("提交"), ["submitted_at", "late", "late_reason", "transcribed", "corrects", "device_date"]),
    ]
    children = [Children("problems", ["code", "result", "note", "measure", "responsible"])]

    @expose("/add", methods=["GET", "POST"])
    @needs(Verb.CREATE)
    def add_page(self) -> Answer:
        """First which site, unless the address says or there is but one."""
        if request.method == "POST" or request.args.get("site") or request.args.get("corrects"):
            return super().add_page()
        if "site" in withheld(self.model):  # which sites have a record today would say it
            raise Forbidden(gettext("您的角色不能填写经营场所。"))
        sites = list(current_session().scalars(select(Site).order_by(Site.id).limit(FEW + 1)).unique())
        if len(sites) == 1:
            return self._form_page(self._bound(self._for(sites[0])), None)
        return render_template("entity/choose.html", screen=self._choice(sites))

    def _choice(self, sites: list[Site]) -> dict[str, Any]:
        today = clock.today()
        done = {row.site_id for row in current_session().scalars(
            select(DailyCheck).where(DailyCheck.check_date == today, DailyCheck.state == CheckState.SUBMITTED,
                                     DailyCheck.site_id.in_([site.id for site in sites]))
        )}  # fmt: skip
        options = [
            {"text": str(site), "sub": site.address, "url": f"{self.route_base}/add?site={site.id}",
             "state": gettext("今天已提交") if site.id in done else ""}
            for site in sites
        ]  # fmt: skip
        typed = Field("site", "site", gettext("经营场所"), "lookup", required=True, lookup_url="/sites/lookup",
                      help=gettext("输入名称、拼音首字母查找。"))  # fmt: skip
        return {"title": gettext("检查哪个场所"), "action": f"{self.route_base}/add", "field": typed,
                "options": options if len(sites) <= FEW else [], "cancel_url": f"{self.route_base}/"}  # fmt: skip

    def blank(self) -> Any:
        """Today at the site that the address names, or what a record to be put right says."""
        if key := request.args.get("corrects", ""):
            return self._correcting(fetch(DailyCheck, _key(key)))
        return self._for(fetch(Site, _key(request.args.get("site", ""))))

    def _for(self, site: Site) -> DailyCheck:
        able = list(signers(site, clock.today()))
        own = [person for person in able if person.account_id == current_access().person.id]
        with current_session().no_autoflush:
            return DailyCheck(site=site, check_date=clock.today(), person=next(iter(own or able), None))

    @staticmethod
    def _correcting(old: DailyCheck) -> DailyCheck:
        with current_session().no_autoflush:
            made = DailyCheck(site=old.site, check_date=old.check_date, person=old.person, corrects=old,
                              reported_to=old.reported_to)  # fmt: skip
            made.answers = old.answers
        return made

    def prepare(self, bound: BoundForm) -> None:
        """The day's items, the people who may sign; site and day stand once a record is begun."""
        form, row = bound.form, bound.row
        site, day = form.site.data, form.check_date.data
        corrects = form.corrects.data
        stored: RiskList | None = row.risk_list if isinstance(row, DailyCheck) and row.risk_list is not None else None
        form.site.readonly = True
        form.corrects.kind = "lookup" if corrects is not None else "hidden"
        form.corrects.readonly = True
        form.check_date.readonly = stored is not None or corrects is not None
        if site is None or not isinstance(day, date):
            return
        edition = stored or (corrects.risk_list if corrects is not None else list_in_force(site, day))
        form.answers.items = [_item(one) for one in daily_items(edition)] if edition is not None else []
        form.person.offered = list(signers(site, day))

    def extra_actions(self, row: Any) -> list[Action]:
        """A submitted record is put right by another one."""
        able = row.state == CheckState.SUBMITTED and current_access().may("DailyCheck", Verb.CREATE)
        if not able or row.transcribed == by_firm() or not may(row, Verb.READ):
            return []
        return [Action(gettext("更正"), f"{self.route_base}/add?corrects={row.id}")]

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With every item and its result."""
        screen = super().show_screen(row, revealed=revealed)
        screen.children.append(_results(row))
        return screen


def _key(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(gettext("没有这条记录，或者您无权查看。"))
    return int(text)


def _item(one: RiskItem) -> CheckItem:
    """What the form shows of an item: an unconfirmed basis says so."""
    basis = one.basis if one.basis_confirmed or not one.basis else gettext("%(basis)s（未核对）", basis=one.basis)
    told = "。".join(part for part in (one.why, gettext("依据：%(basis)s", basis=basis) if basis else "") if part)
    return CheckItem(one.code, one.text, told, gettext("重点") if one.key_item else "")


def _results(row: DailyCheck) -> ChildTable:
    """Every daily item of the edition with its result; the bare codes where the person may not read the edition."""
    edition: RiskList | None = row.risk_list
    told = [(one.code, one.text) for one in daily_items(edition)] if edition else [(one, "") for one in row.results]
    items = [CheckItem(code, text, choice=row.results.get(code, "")) for code, text in told]
    return answered(gettext("检查项目"), gettext("检查项目"), items, CHOICES)

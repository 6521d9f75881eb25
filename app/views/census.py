"""Screens of 摸底: rounds, the stations' returns, the lines that they judge; the bureau's page of figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core import clock
from app.core.access.fetch import may
from app.core.fab import fields
from app.core.fab.bulk import bulk_act
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.forming import Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.preset import Preset
from app.core.fab.view import EntityView
from app.core.screen import Action
from app.core.verbs import Verb
from app.core.workflow import run
from app.data.census import LineState
from app.models.census import CensusLine, CensusReturn, CensusRound
from app.services.census import STATE_OF
from app.services.transfer import propose
from app.views.census_figures import give, progress
from app.views.transfer import ASKED, ProposalForm

ROUND = ["name", "as_of", "due", "note"]


class CensusRoundView(EntityView):
    """摸底: rounds, made and opened by the bureau."""

    datamodel = AppInterface(CensusRound)
    route_base = "/census-rounds"
    title = lazy_pgettext("list", "摸底")
    icon = "target"
    task = ("firms", 7)
    nav_verb = Verb.CREATE  # a station works in its own return
    description = _("开始后每个监管所有一份清单，逐户核实后上报。")
    list_columns = ["name", "as_of", "due", "progress", "state"]
    order_columns = ["as_of", "due", "state"]
    list_filters = ["state", "as_of", "due"]
    form_parts = [Part(_("摸底"), ROUND)]
    show_parts = [(_("摸底"), [*ROUND, "progress", "opened_at", "ready_at", "ended_at"])]

    def blank(self) -> Any:
        """As of today, two weeks for it."""
        row = super().blank()
        row.as_of, row.due = row.as_of or clock.today(), row.due or clock.today() + timedelta(days=14)
        return row

    def extra_actions(self, row: Any) -> list[Action]:
        """The figures."""
        return [Action(gettext("看进度"), f"/census/?round={row.id}")] if row.opened_at is not None else []


class HandInForm(AppForm):
    """What 上报 asks."""

    looked = fields.Tick(_("疑似重复的都看过了，确实都不是重复的"))


class CensusReturnView(EntityView):
    """摸底表: one a station and round."""

    datamodel = AppInterface(CensusReturn)
    route_base = "/census-returns"
    title = lazy_pgettext("list", "摸底表")
    icon = "clipboard"
    task = ("firms", 8)
    list_columns = ["name", "progress", "term", "handed_at", "state"]
    order_columns = ["name", "handed_at", "state"]
    list_filters = ["state", "round", "office", "handed_at"]
    show_parts = [
        (_("摸底表"), ["round", "office", "progress", "term"]),
        (_("上报和答复"), ["handed_by", "handed_at", "answered_by", "answered_at"]),
    ]
    asks = {"hand_in": (HandInForm, ["looked"])}

    def extra_actions(self, row: Any) -> list[Action]:
        """To the lines, those that wait first; to what looks like one."""
        left = row.waiting
        state = f"&state={LineState.OPEN}" if left else ""
        label = gettext("核实清单（待核 %(n)s）", n=left) if left else gettext("看清单")
        return [
            Action(label, f"/census-lines/?sheet={row.id}{state}", "primary" if left else "plain"),
            Action(gettext("疑似重复"), f"/duplicates/?of=Site&census={row.round_id}"),
        ]


def _whys() -> list[tuple[str, str]]:
    return [(why.value, gettext("%(why)s（登记为%(state)s）", why=gettext(why.value), state=gettext(state.value)))
            for why, state in STATE_OF.items()]  # fmt: skip


class RetireForm(AppForm):
    """What 退出 asks."""

    why = fields.Choice(_("退出原因"), choices=_whys, nullable=False)


def _retire(row: Any, reason: str, *, why: str | None) -> None:
    run(row, "retire", reason=reason, why=why)


def _give_away(row: Any, reason: str, *, office: str | None, day: Any) -> None:
    propose(row.site_id, int(office) if office else None, day, reason=reason)


FLOW = CensusLine.__workflow__
LINE_ACTS = [
    bulk_act("retire", _("退出"), Verb.END, _retire, reason=True, kind="danger", asks=(RetireForm, ["why"]),
             confirm=FLOW.named("retire").confirm if FLOW else ""),
    bulk_act("transfer", _("不属本所：提出移交"), Verb.READ, _give_away, reason=True, takes=("Site", Verb.TRANSFER),
             asks=(ProposalForm, ASKED), confirm=_("对方接收以前仍由本所核实。")),
]  # fmt: skip


class CensusLineView(EntityView):
    """摸底清单: one line a site; confirmed one by one or many at once."""

    datamodel = AppInterface(CensusLine)
    route_base = "/census-lines"
    title = lazy_pgettext("list", "摸底清单")
    icon = "list"
    task = ("firms", 9)
    nav_verb = Verb.CONFIRM
    description = _("勾选后一次确认，或对筛选出的全部确认。新开的场所照常登记，自动列为新增。")
    list_columns = ["name", "firm", "kind", "scale", "lines", "state"]
    extra_columns = ["why", "reason", "decided_at", "made_at"]
    order_columns = ["name", "state"]
    list_filters = ["state", "sheet", "kind", "scale", "lines", "why"]
    presets = [Preset(_("待核"), f"state={LineState.OPEN}", lambda: True)]
    bulk_acts = LINE_ACTS
    default_order = "-made_at"
    show_parts = [
        (_("场所"), ["name", "firm", "site", "kind", "scale", "lines"]),
        (_("核实"), ["sheet", "why", "reason", "decided_by", "decided_at"]),
    ]
    asks = {"retire": (RetireForm, ["why"])}

    def extra_actions(self, row: Any) -> list[Action]:
        """Where a double and what is another station's are settled."""
        double = Action(gettext("重复的：去合并"), f"/duplicates/?of=Site&census={row.round_id}")
        if row.site is None or not may(row.site, Verb.TRANSFER):
            return [double]
        return [double, Action(gettext("不属本所：提出移交"), f"/sites/{row.site.id}/transfer")]


class CensusView(Page):
    """/census/: figures of a round by station, kind, size, line."""

    route_base = "/census"
    default_view = "figures"
    title = lazy_pgettext("list", "摸底进度")
    icon = "chart"
    task = ("firms", 10)
    entity_name = "CensusLine"

    @expose("/")
    @needs(Verb.READ)
    def figures(self) -> Answer:
        """One table."""
        return render_template("report.html", screen=progress(request.args.get("by", "")))

    @expose("/export", methods=["POST"])
    @needs(Verb.EXPORT)
    def export(self) -> Answer:
        """The same as a workbook."""
        return give(request.args.get("by", ""))

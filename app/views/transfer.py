"""Screens of 场所移交: proposing it on a site's page or for many, the hand-over list, accepting or returning it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from flask import flash, redirect, render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core import clock
from app.core.access.fetch import fetch, may
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.fab import fields, forming, showing
from app.core.fab.bulk import bulk_act
from app.core.fab.cells import label_of, said
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, expose, require_valid
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.screen import Action, Cell, ChildTable, ColumnHead, FormError, Row
from app.core.verbs import Verb
from app.models.enterprise import Site
from app.models.transfer import SiteTransfer, SiteTransferLine
from app.services.transfer import foreseen, propose, stations

ASKED = ["office", "day"]


def _stations() -> Iterable[tuple[str, str]]:
    return [(str(one.id), one.name) for one in stations()]


class ProposalForm(AppForm):
    """To which station, from which day on."""

    office = fields.Choice(_("移交给"), choices=_stations, nullable=False)
    day = fields.Day(
        _("移交日期"), nullable=False, default=clock.today,
        description=_("从这一天起由对方负责；对方接收以后才会移交。"),
    )  # fmt: skip


def _propose(row: Any, reason: str, *, office: str | None, day: date | None) -> None:
    propose(row.id, int(office) if office else None, day, reason=reason)


TRANSFER_ACTS = [
    bulk_act("transfer", _("提出移交"), Verb.TRANSFER, _propose, reason=True, asks=(ProposalForm, ASKED),
             confirm=_("对方接收之前，什么都不会移动。")),
]  # fmt: skip


def transfer_actions(row: Any) -> list[Action]:
    """The button on a site's page, for who may give it away."""
    return [Action(gettext("提出移交"), f"/sites/{row.id}/transfer", "plain")] if may(row, Verb.TRANSFER) else []


class TransferScreens:
    """`/<key>/transfer` of a site."""

    route_base: str
    title: ClassVar[Any]
    show_parts: ClassVar[list[tuple[Any, list[str]]]]

    @expose("/<int:key>/transfer", methods=["GET", "POST"])
    @needs(Verb.TRANSFER)
    def transfer_page(self, key: int) -> Answer:
        """Propose to give the site to another station."""
        row = fetch(Site, key, Verb.TRANSFER)
        form = ProposalForm(formdata=request.form if request.method == "POST" else None, data={})
        if request.method == "GET":
            return self._proposal(row, form, [])
        reason = request.form.get("reason", "").replace("\0", "").strip()
        try:
            require_valid(form)
            made = propose(key, int(form.office.data), form.day.data, reason=reason)
        except (Invalid, Conflict) as error:
            current_session().rollback()
            told = dict(error.fields) if isinstance(error, Invalid) else {}
            for name in set(told) & set(form._fields):
                form._fields[name].errors = [str(told[name])]
            loose = [] if told or any(form.errors.values()) else [str(error)]
            return self._proposal(fetch(Site, key), form, loose, str(told.get("reason", ""))), error.status
        flash(gettext("已提出移交，等待对方接收。"), "success")
        return redirect(f"/site-transfers/{made.id}")

    def _proposal(self, row: Any, form: Any, errors: list[str], why: str = "") -> str:
        reason = forming.reason_field(request.form.get("reason", ""), danger=False)
        reason.errors = [why] if why else []
        asked = [forming.screen_field(form._fields[name]) for name in ASKED]
        wrong = [FormError(one.id, one.label, text) for one in (*asked, reason) for text in one.errors]
        screen = {
            "title": gettext("提出移交：%(name)s", name=str(row)), "fields": [*asked, reason],
            "text": gettext(
                "对方接收之前，什么都不会移动。接收后，场所连同记录、未了结的事项归对方；本机构建立的记录仍可查看。"
            ),
            "submit_label": gettext("提出移交"), "kind": "primary", "action": request.path, "version": row.version,
            "cancel_url": f"{self.route_base}/{row.id}", "children": [], "edit_url": None,
            "crumbs": [(self.title, f"{self.route_base}/"), (str(row), f"{self.route_base}/{row.id}")],
            "summary": [one for group in showing.facts(row, self.show_parts[:1]) for one in group.facts],
            "errors": [*(FormError("", "", text) for text in errors), *wrong],
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)


class SiteTransferView(EntityView):
    """场所移交: from which station to which, what goes along, whether accepted."""

    datamodel = AppInterface(SiteTransfer)
    route_base = "/site-transfers"
    title = lazy_pgettext("list", "场所移交")
    icon = "send"
    task = ("care", 3)
    description = _("在经营场所的页面上，或在列表里勾选后提出；接收的一方在这里接收或退回。")
    list_columns = ["name", "firm", "giver", "office", "day", "account", "progress", "state"]
    order_columns = ["day", "state"]
    list_filters = ["state", "giver", "office", "day"]
    show_parts = [
        (_("移交"), ["name", "firm", "address", "site", "giver", "office", "day", "reason", "account"]),
        (_("答复"), ["answerer", "answered_at", "moved_on", "progress"]),
    ]

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> Any:
        """With the hand-over list: what moved, or what would move now."""
        screen = super().show_screen(row, revealed=revealed)
        label = _("移交清单") if row.moved_on is not None else _("移交清单（现在的情况）")
        found = row.items if row.moved_on is not None else foreseen(row) if row.pending else []
        screen.children = [_list(label, found)]
        return screen


def _list(label: Any, found: Iterable[SiteTransferLine]) -> ChildTable:
    names = ("kind", "total", "open_rows")
    rows = [
        Row("", said(one.kind), [Cell("text", said(one.kind)), *(Cell("number", str(getattr(one, name)))
                                                               for name in names[1:])])
        for one in found
    ]  # fmt: skip
    heads = [ColumnHead(name, label_of(SiteTransferLine, name)) for name in names]
    return ChildTable(said(label), heads, rows, empty_text=gettext("没有要移交的。"))

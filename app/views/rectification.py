"""Screens of notices: draft, review, signing, service; the preview of the paper."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.attachment import Attachments
from app.core.db import current_session
from app.core.errors import Forbidden, NotFound
from app.core.fab.converter import AppForm, field_of
from app.core.fab.declaration import Answer, expose
from app.core.fab.forming import Part, RowsOf
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.office import Account
from app.core.pdf.pool import render_in_pool
from app.core.screen import Action, ShowScreen, Step
from app.core.verbs import Verb
from app.data.enums import NoticeState as S
from app.models.inspection import Inspection
from app.models.rectification import Delegation, Delivery, Notice
from app.services.rectification import draft_context, draft_from

SERVE_FIELDS = ["method", "date", "place", "receiver", "relation", "witness", "server", "co_server", "remark"]
LINE = (S.DRAFT, S.IN_REVIEW, S.TO_SIGN, S.SIGNED, S.DELIVERED)


class ServeForm(AppForm):
    """What 登记送达 asks."""


for _name in SERVE_FIELDS:
    setattr(ServeForm, _name, field_of(Delivery, _name))


class NoticeView(EntityView):
    """责令改正通知书."""

    datamodel = AppInterface(Notice)
    route_base = "/notices"
    title = lazy_pgettext("list", "责令改正通知书")
    icon = "file"
    task = ("rectification", 1)
    list_columns = ["number", "party", "site", "deadline", "drafter", "signed_at", "state"]
    order_columns = ["number", "deadline", "signed_at", "state"]
    list_filters = ["state", "site", "drafter", "deadline", "signed_at", "immediate"]
    default_order = "-made_at"
    form_parts = [
        Part(_("对谁"), ["site", "inspection", "party"]),
        Part(_("违法行为"), ["conduct"]),
        Part(_("引用条款"), [], [RowsOf("citations", ["purpose", "citation"], _("加一条"),
                                        _("至少一条“违反”、一条“依据”；只能选已核对原文的现行条款。"))]),
        Part(_("责令改正"), ["immediate", "deadline"],
             [RowsOf("corrections", ["fact", "demand", "deadline"], _("加一项"),
                     _("写不下时，打印时自动列入附件《责令改正事项清单》。"))]),
        Part(_("其他"), ["consequence", "contact_person", "contact_phone"]),
    ]  # fmt: skip
    show_parts = [
        (_("通知书"), ["number", "party", "site", "inspection", "conduct", "immediate", "deadline", "consequence",
                     "contact_person", "contact_phone"]),
        (_("经办"), ["drafter", "handler", "reviewer", "reviewed_at", "signer", "signed_at", "delegation",
                   "served_on"]),
    ]  # fmt: skip
    children = [
        Children("corrections", ["fact", "demand", "deadline"]),
        Children("citations", ["purpose", "citation"]),
        Children("deliveries", ["method", "date", "place", "receiver", "server", "co_server"]),
    ]
    attachments = Attachments(_("证据材料"), _("提交审核以后不能再加、再删。"))
    asks = {"serve": (ServeForm, SERVE_FIELDS)}

    def blank(self) -> Any:
        """From an inspection when the address names one, its findings as demands."""
        key = request.args.get("inspection", "")
        if not key:
            return super().blank()
        if not key.isascii() or not key.isdigit():
            raise NotFound(gettext("没有这条记录，或者您无权查看。"))
        return draft_from(fetch(Inspection, int(key)))

    def extra_actions(self, row: Any) -> list[Action]:
        """Before signing, the paper as it would print."""
        before = row.state in {S.DRAFT, S.IN_REVIEW, S.TO_SIGN}
        return [Action(gettext("预览文书"), f"/notices/{row.id}/preview.pdf")] if before else []

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With the line of steps above."""
        screen = super().show_screen(row, revealed=revealed)
        screen.steps = steps(row)
        return screen

    def step_data(self, row: Any, name: str) -> dict[str, Any]:
        """Service: today, at the firm, by the two inspectors."""
        if name != "serve":
            return {}
        visit = row.inspection
        data = {"date": clock.today(), "place": row.site.address, "server": None, "co_server": None}
        if visit is not None:
            data |= {"server": visit.inspector, "co_server": visit.co_inspector}
        return data

    @expose("/<int:key>/preview.pdf")
    @needs(Verb.READ)
    def preview(self, key: int) -> Answer:
        """The draft as it would print, 草稿 across it; nothing is stored, and no transaction is held meanwhile."""
        if current_access().hidden(self.entity_name):  # a paper is shown whole, else not at all
            raise Forbidden(gettext("您可以查看，但不能进行这项操作。"))
        row = fetch(Notice, key)
        if row.signed_at is not None:
            raise NotFound(gettext("已签发的通知书请看文书原件。"))
        context = draft_context(row)
        current_session().rollback()
        answer = Response(render_in_pool("notice", context, draft=True), mimetype="application/pdf")
        answer.headers["Content-Disposition"] = "inline"
        return answer


def steps(row: Notice) -> list[Step]:
    """Where the notice stands between draft and service, and who took each step."""
    if row.state == S.VOID:
        return [Step(gettext("作废"), "now")]
    place = LINE.index(S(row.state)) if row.state in LINE else len(LINE)
    people: dict[S, tuple[Account | None, Any]] = {
        S.DRAFT: (row.drafter, row.made_at),
        S.IN_REVIEW: (row.reviewer, row.reviewed_at),
        S.TO_SIGN: (row.signer, row.signed_at),
    }
    labels = (_("起草"), _("审核"), _("签发"), _("送达"))
    found = []
    for number, (state, label) in enumerate(zip(LINE, labels, strict=False)):
        who, at = people.get(state, (None, row.served_on))
        done = number < place
        day = f"{clock.local(at):%m-%d}" if done and hasattr(at, "hour") else (f"{at:%m-%d}" if done and at else "")
        found.append(
            Step(label, "done" if done else "now" if number == place else "todo", str(who) if done and who else "", day)
        )
    return found


class DelegationView(EntityView):
    """授权签发."""

    datamodel = AppInterface(Delegation)
    route_base = "/delegations"
    title = lazy_pgettext("list", "授权签发")
    icon = "key"
    task = ("rectification", 2)
    list_columns = ["document", "account", "kinds", "date_from", "date_to"]
    list_filters = ["account", "date_from", "date_to"]
    form_parts = [Part(_("授权"), ["document", "account", "kinds", "date_from", "date_to"])]
    show_parts = [(_("授权"), ["document", "account", "kinds", "date_from", "date_to"])]

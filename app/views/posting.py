"""Screens of postings: who holds which role where, since when, until when; ending one, and handing its work over."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch, may
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.fab import forming, showing
from app.core.fab.cells import date_text
from app.core.fab.converter import AppForm, field_of
from app.core.fab.declaration import Answer, expose, seen_version
from app.core.fab.forming import BoundForm, Part
from app.core.fab.gate import needs
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.handover import Handover
from app.core.office import AccessRole, Leaving, Posting
from app.core.proposal import PostingProposal, ProposalState
from app.core.screen import Action, Badge, FormError
from app.core.successors import led_offices
from app.core.verbs import Verb
from app.services.granting import may_confirm, require_may_end, takes_two, why_not
from app.services.handover import Ended, can_hand_over, end_posting, hand_over, left_to, outcome_text
from app.views import handover_page

END_FIELDS = ["end_kind", "date_to"]
WAYS_OUT = (Leaving.LEAVES, Leaving.TRANSFERRED, Leaving.REVOKED)


class EndForm(AppForm):
    """What ending a posting asks beside the reason."""


for _name in END_FIELDS:
    setattr(EndForm, _name, field_of(Posting, _name))


class PostingView(EntityView):
    """任职."""

    datamodel = AppInterface(Posting)
    route_base = "/postings"
    title = lazy_pgettext("list", "任职")
    icon = "badge"
    task = ("office", 3)
    list_columns = ["account", "role", "office", "lines", "title", "date_from", "date_to", "standing"]
    order_columns = ["date_from", "date_to"]
    list_filters = ["office", "role", "account", "lines", "date_from", "date_to", "end_kind"]
    form_parts = [Part(_("任职"), ["account", "role", "office", "lines", "title", "date_from", "date_to"])]
    show_parts = [
        (_("任职"), ["account", "role", "office", "lines", "title", "date_from", "date_to", "days_left", "standing"]),
        (_("结束"), ["end_kind", "end_reason", "ended_at"]),
    ]

    def blank(self) -> Any:
        """From today on."""
        row = super().blank()
        row.date_from = row.date_from or clock.today()
        return row

    def prepare(self, bound: BoundForm) -> None:
        """Only roles that this person alone may give, and on a stored posting the one it has."""
        field, row = bound.field("role"), bound.row
        if field is None:
            return
        now = getattr(row, "role_id", None)
        offered = [
            (str(role.id), str(role))
            for role in current_session().scalars(_roles())
            if role.id == now or why_not(current_access(), role, None, None) is None
        ]
        field.choices = lambda: offered

    def extra_actions(self, row: Any) -> list[Action]:
        """Ending it, for who administers; handing its work over, for who leads the office."""
        found, base = [], f"/postings/{row.id}"
        if row.holds(clock.today()) and may(row, Verb.END) and _may_end(row):
            found.append(Action(gettext("结束任职"), f"{base}/end", "danger"))
        if can_hand_over(row):
            found.append(Action(gettext("移交工作"), f"{base}/handover"))
        return found

    @expose("/<int:key>/end", methods=["GET", "POST"])
    @needs(Verb.END)
    def end_page(self, key: int) -> Answer:
        """End a posting at once or on a day to come; what is left waits for the chief, or goes to him (撤销)."""
        row = fetch(Posting, key, Verb.END)
        require_may_end(current_access(), row)
        form = EndForm(formdata=request.form if request.method == "POST" else None, data={})
        form._fields["end_kind"].choices = lambda: [(one.value, one.value) for one in WAYS_OUT]
        form._fields["date_to"].description = gettext("最后一天；留空就是立即结束，他的下一次操作就没有权限。")
        if request.method == "GET":
            return self._end_form(row, form, [])
        try:
            ended = self._end(key, form)
        except (Invalid, Conflict) as error:
            fields = error.fields if isinstance(error, Invalid) else {}
            for name in set(fields) & set(form._fields):
                form._fields[name].errors = [str(fields[name])]
            loose = [str(text) for name, text in fields.items() if name not in form._fields] or (
                [] if fields or any(form.errors.values()) else [str(error)]
            )
            current_session().rollback()
            return self._end_form(fetch(Posting, key), form, loose), error.status
        flash(_told(ended), "success")
        return redirect(f"/offices/{row.office_id}")

    def _end(self, key: int, form: Any) -> Ended:
        if not form.validate():
            raise Invalid(gettext("有内容需要改正，尚未保存。"))
        kind = form._fields["end_kind"].data
        if not kind:
            raise Invalid(gettext("有内容需要改正，尚未保存。"), {"end_kind": gettext("请填写。")})
        return end_posting(key, Leaving(kind), _reason(), form._fields["date_to"].data, seen_version())

    def _end_form(self, row: Any, form: Any, errors: list[str]) -> str:
        fields = [forming.screen_field(form._fields[name]) for name in END_FIELDS]
        fields[0].required = True
        reason = forming.reason_field(request.form.get("reason", ""), danger=False)
        screen = {
            "title": gettext("结束任职：%(name)s", name=str(row)), "fields": [*fields, reason],
            "text": gettext("离任、调动：名下未了的工作列入“待移交”。撤销：立即结束，工作当场全部转给所长。"),
            "submit_label": gettext("结束任职"), "kind": "danger", "action": request.path, "version": row.version,
            "cancel_url": f"/postings/{row.id}", "crumbs": self._crumbs(row),
            "summary": [one for group in showing.facts(row, self.show_parts[:1]) for one in group.facts],
            "children": [], "errors": [FormError("", "", text) for text in errors], "edit_url": None,
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)

    @expose("/<int:key>/handover", methods=["GET", "POST"])
    @needs(Verb.READ)
    def handover_page(self, key: int) -> Answer:
        """What hangs on the holder here, by kind; all or chosen rows go to named successors in one act."""
        row = fetch(Posting, key)
        left = left_to(row)
        if request.method == "GET":
            return handover_page.render(row, left, self._crumbs(row), {}, [])
        try:
            made = hand_over(key, handover_page.parcels(request.form), reason=_reason())
        except (Invalid, Conflict) as error:
            current_session().rollback()
            fields = dict(error.fields) if isinstance(error, Invalid) else {}
            loose = [] if fields else [str(error)]
            page = handover_page.render(fetch(Posting, key), left, self._crumbs(row), fields, loose)
            return page, error.status
        flash(outcome_text(made), "success" if not sum(one.kept for one in made) else "warning")
        return redirect(f"/handovers/{made[0].id}" if len(made) == 1 else f"/offices/{row.office_id}#rows-3")


def _reason() -> str:
    """What was typed as the reason; PostgreSQL keeps no NUL."""
    return request.form.get("reason", "").replace("\0", "")


def _roles() -> Any:
    return select(AccessRole).order_by(AccessRole.rank.desc(), AccessRole.id)


def _may_end(row: Posting) -> bool:
    try:
        require_may_end(current_access(), row)
    except (Forbidden, Conflict):
        return False
    return True


def _told(ended: Ended) -> str:
    """What the page says after a posting ended, or will."""
    if ended.last_day is not None:
        text = str(gettext("任职将于 %(day)s 结束，在此之前照常有效。", day=date_text(ended.last_day)))
        return text + (str(gettext("现有 %(n)s 件工作要移交。", n=ended.open_rows)) if ended.open_rows else "")
    if not ended.open_rows:
        return str(gettext("任职已结束，没有要移交的工作。"))
    if ended.moved:
        return str(gettext("任职已撤销，%(n)s 件工作已转给 %(who)s。", n=ended.open_rows, who=ended.chief))
    if ended.chief:
        return str(gettext("任职已结束，%(n)s 件工作等待 %(who)s 移交。", n=ended.open_rows, who=ended.chief))
    return str(gettext("任职已结束，有 %(n)s 件工作待移交，但上级机构也没有负责人，请先任命。", n=ended.open_rows))


class PostingProposalView(EntityView):
    """任命提议: what two administrators do."""

    datamodel = AppInterface(PostingProposal)
    route_base = "/posting-proposals"
    title = lazy_pgettext("list", "任命提议")
    icon = "key"
    task = ("office", 4)
    list_columns = ["account", "role", "office", "proposer", "made_at", "due", "state"]
    order_columns = ["made_at", "state"]
    list_filters = ["state", "office", "role"]
    form_parts = [Part(_("任命"), ["account", "role", "office", "title", "date_from", "date_to", "grounds"])]
    show_parts = [
        (_("任命"), ["account", "role", "office", "title", "date_from", "date_to", "grounds"]),
        (_("办理"), ["proposer", "made_at", "expires_on", "due", "answerer", "answered_at"]),
    ]

    def blank(self) -> Any:
        """From today on."""
        row = super().blank()
        row.date_from = row.date_from or clock.today()
        return row

    def prepare(self, bound: BoundForm) -> None:
        """Only roles that take two."""
        field = bound.field("role")
        if field is None:
            return
        offered = [(str(role.id), str(role)) for role in current_session().scalars(_roles()) if takes_two(role)]
        field.choices = lambda: offered

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> Any:
        """With who can confirm an open one; where nobody can, with what to do."""
        screen = super().show_screen(row, revealed=revealed)
        if row.state == ProposalState.OPEN and row.expires_on >= clock.today():
            screen.notice = _who_confirms(row)
        return screen


def _who_confirms(row: PostingProposal) -> Badge:
    names = gettext("、").join(account.name for account in may_confirm(row))
    if names:
        told = gettext("等另一名系统管理员确认，提议人和被任命的人不能确认。现在可以确认的：%(who)s。", who=names)
        return Badge(told, "info")
    told = gettext(
        "现在没有别的系统管理员，谁也不能确认。请管理服务器的人在服务器上运行“%(command)s”，任命第二名系统管理员，再由他确认。",
        command=f"shouze posting add <{gettext('登录名')}> --office <{gettext('机构代码')}> --role sysadmin",
    )
    return Badge(told, "warning")


class HandoverView(EntityView):
    """工作交接: from whom to whom, how many rows, whether accepted."""

    datamodel = AppInterface(Handover)
    route_base = "/handovers"
    title = lazy_pgettext("list", "工作交接")
    icon = "send"
    task = ("office", 5)
    list_columns = ["giver", "account", "office", "kind", "date", "total", "kept", "state"]
    order_columns = ["date", "total", "state"]
    list_filters = ["state", "kind", "office", "giver", "account", "date"]
    show_parts = [
        (_("交接"), ["office", "giver", "account", "supervisor", "kind", "date", "reason", "total", "kept"]),
        (_("答复"), ["answered_at"]),
    ]

    def extra_actions(self, row: Any) -> list[Action]:
        """What was handed to oneself can go on to others, by who leads."""
        mine = row.account_id == current_access().person.id
        posting = handover_page.own_posting(row) if mine and row.office_id in led_offices(current_access()) else None
        return [Action(gettext("再移交"), f"/postings/{posting}/handover")] if posting else []

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> Any:
        """With the rows by name, as far as the person may read each."""
        screen = super().show_screen(row, revealed=revealed)
        screen.children = handover_page.lines(row)
        return screen

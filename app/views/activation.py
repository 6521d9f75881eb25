"""激活卡: whom of the firms' people the station still has to get onto their telephones; accounts and cards in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.predicate import predicate
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.fab import denied
from app.core.fab.bulk import keys_of
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.download import download
from app.core.fab.gate import needs
from app.core.fab.listing import LONGEST_QUERY
from app.core.office import Family
from app.core.verbs import Verb
from app.data.enums import Activation
from app.models.personnel import Person
from app.services import activation
from app.services.activation import Outcome, Post, Wanted, masked_mobile

LIST = "/activation/"
A_PAGE = 100
NONE, WAITING, ACTIVE = "none", "waiting", "active"
STATES = {NONE: "", WAITING: Activation.WAITING, ACTIVE: Activation.ACTIVE}
MOST_NAMED = 20


@dataclass(frozen=True)
class Line:
    """A person with their posts, as the page shows them."""

    key: int
    name: str
    mobile: str
    posts: list[tuple[str, str]]


class ActivationView(Page):
    """`/activation/`."""

    route_base = "/activation"
    default_view = "overview"
    entity_name = "Person"

    @expose("/")
    @needs(Verb.ACTIVATE)
    def overview(self) -> Answer:
        """Those without an account, those with a card still to use, those who are in; by office and firm."""
        state, wanted = _asked()
        posts = activation.find(wanted)
        keys = list(dict.fromkeys(post.person_id for post in posts))
        page = _page_number(len(keys))
        shown = keys[page * A_PAGE : (page + 1) * A_PAGE]
        args = {name: value for name, value in request.args.items() if name != "page" and value}
        more = f"{LIST}?{urlencode({**args, 'page': page + 2})}" if (page + 1) * A_PAGE < len(keys) else None
        return render_template(
            "activation.html", state=state, states=_tabs(state), lines=_lines(shown, posts), total=len(keys),
            offices=_offices(), wanted=wanted, more=more, no_accounts=state == NONE,
            since=wanted.since.isoformat() if wanted.since else "",
        )  # fmt: skip

    @expose("/accounts", methods=["POST"])
    @needs(Verb.ACTIVATE)
    def accounts(self) -> Answer:
        """Accounts for the ticked people; who can't have one is named."""
        keys = _ticked()
        outcome = activation.open_accounts(keys) if keys else Outcome()
        if outcome.made:
            flash(_("已开通 %(n)s 个账号。接着打印激活卡。", n=outcome.made), "success")
        elif keys:
            flash(_("没有开通账号。"), "warning")
        if outcome.had:
            flash(_("有 %(n)s 人已经有账号，没有再开。", n=outcome.had), "info")
        _tell_unknown(outcome.unknown)
        _tell(outcome)
        return redirect(f"{LIST}?state={WAITING if outcome.made else NONE}")

    @expose("/cards", methods=["POST"])
    @needs(Verb.ACTIVATE)
    def cards(self) -> Answer:
        """First what printing means, then the sheet. New codes each time: nobody can read an old one again."""
        keys = _ticked()
        if not keys:
            return redirect(LIST)
        if request.form.get("sure") != "1":
            mine = select(Person).where(Person.id.in_(keys), predicate(current_access(), Person, Verb.ACTIVATE))
            rows = {row.id: row.name for row in current_session().scalars(mine).unique()}
            missing = len(keys) - len(rows)
            if not rows:
                _tell_unknown(missing)
                return redirect(LIST)
            if missing:
                denied.note("Person", f"{missing} 条")
            return render_template("activation_sure.html", keys=list(rows), names=rows, missing=missing)
        try:
            content, outcome = activation.print_cards(keys)
        except (Invalid, Conflict) as error:
            flash(str(error), "danger")
            return redirect(LIST)
        _tell(outcome)
        return sheet(content)


def sheet(content: bytes) -> Response:
    """A PDF of cards: to be opened or kept by the person who printed it, by no cache."""
    return download(BytesIO(content), "application/pdf", f"激活卡-{clock.today():%Y%m%d}.pdf")


def _asked() -> tuple[str, Wanted]:
    """What the address asks for; nonsense asks for nothing in particular."""
    args = request.args
    state = args.get("state", WAITING)
    state = state if state in STATES else WAITING
    office = args.get("office", "")
    number = int(office) if office.isascii() and office.isdigit() and len(office) < 10 else None
    firm = args.get("firm", "").replace("\0", "").strip()[:LONGEST_QUERY]
    try:
        since = date.fromisoformat(args.get("since", ""))
    except ValueError:
        since = None
    return state, Wanted(STATES[state], number, firm, since)


def _page_number(total: int) -> int:
    """Of the page, from 0, no further than there is something."""
    told = request.args.get("page", "1")
    number = int(told) - 1 if told.isascii() and told.isdigit() and len(told) < 8 else 0
    return max(0, min(number, (total - 1) // A_PAGE))


def _tabs(state: str) -> list[tuple[Any, str, bool]]:
    words = {NONE: _("没有账号"), WAITING: _("未激活"), ACTIVE: _("已激活")}
    kept = {name: value for name, value in request.args.items() if name in {"office", "firm", "since"} and value}
    return [(words[one], f"{LIST}?{urlencode({'state': one, **kept})}", one == state) for one in STATES]


def _offices() -> list[tuple[int, str]]:
    """The offices whose people the person in context may activate."""
    access = current_access()
    assert access.person.family != Family.FIRM
    able = [held for held in access.postings if Verb.ACTIVATE.value in held.grants.get("Person", {})]
    keys = frozenset[int]().union(*(access.subtree(held.office_id) for held in able))
    return sorted((key, access.offices[key].name) for key in keys)


def _lines(keys: list[int], posts: list[Post]) -> list[Line]:
    people = {one.id: one for one in current_session().scalars(select(Person).where(Person.id.in_(keys))).unique()}
    held: dict[int, list[tuple[str, str]]] = {}
    for post in posts:
        held.setdefault(post.person_id, []).append((post.firm, str(_(post.role))))
    return [Line(key, people[key].name, _mobile(people[key]), held[key]) for key in keys if key in people]


def _mobile(person: Person) -> str:
    return masked_mobile(person.mobile) if person.mobile else ""


def _ticked() -> list[int]:
    """The ticked people; none, and the page says so."""
    told = request.form.getlist("page" if request.form.get("whole") == "1" else "ids")
    if not told:
        flash(_("没有勾选任何人。"), "warning")
    return keys_of(told) if told else []


def _tell_unknown(count: int) -> None:
    """How many of the sent numbers are nobody whom the person may activate: never which, or whether they exist."""
    if count:
        denied.note("Person", f"{count} 条")
        flash(_("有 %(n)s 条没有找到，或您无权办理，没有办理。", n=count), "warning")


def _tell(outcome: Outcome) -> None:
    """Name who was left out, and why."""
    for name, why in outcome.problems[:MOST_NAMED]:
        flash(_("%(name)s：%(why)s", name=name, why=why), "warning")
    if (rest := len(outcome.problems) - MOST_NAMED) > 0:
        flash(_("另有 %(n)s 人没有办成。", n=rest), "warning")

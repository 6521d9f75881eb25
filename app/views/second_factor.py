"""动态口令: set up with a QR code, changed, given up; recovery codes shown once, to be printed."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

import segno
from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.db import unscoped
from app.core.errors import Forbidden
from app.core.fab.cells import datetime_text
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import held_back, signed_in
from app.core.fab.signin import refused, safe_target, visitor
from app.core.office import Account, Family
from app.core.passwords import LONGEST
from app.core.signin import second_factor
from app.core.signin.entering import check_again
from app.core.signin.throttle import TooManyTries
from app.core.verbs import Verb
from app.core.writing import unit_of_work

BORDER = 4  # modules of quiet around a QR code
FRESH = timedelta(minutes=10)  # so lately signed in, nobody is asked for the password again


class SecondFactorView(Page):
    """One's own second factor."""

    route_base = "/second-factor"
    default_view = "overview"

    @expose("/")
    @signed_in
    def overview(self) -> Answer:
        """What there is, and what can be done."""
        return _page()

    @expose("/start", methods=["POST"])
    @signed_in
    def start(self) -> Answer:
        """A new secret to photograph; what is in force stays so until a code of the new one was typed."""
        if (answer := _unproved()) is not None:
            return answer
        with unscoped("second factor", quiet=True), unit_of_work(Verb.UPDATE, "准备动态口令"):
            second_factor.propose(_me())
        return redirect(url_for("SecondFactorView.overview"))

    @expose("/confirm", methods=["POST"])
    @signed_in
    def confirm(self) -> Answer:
        """The first code of the new secret puts it in force; ten recovery codes are shown once."""
        sitting = current_access().person.sitting
        with unscoped("second factor", quiet=True) as own, unit_of_work(Verb.UPDATE, "启用动态口令"):
            account, typed = own.get_one(Account, _me()), request.form.get("code", "")
            codes = second_factor.adopt(account, typed, sitting.id if sitting else None)
        return _codes(codes) if codes else _page(wrong=_("动态口令不对，请看手机上现在的六位数字。"))

    @expose("/codes", methods=["POST"])
    @signed_in
    def codes(self) -> Answer:
        """Ten new recovery codes; the old ones are void."""
        if (answer := _unproved()) is not None:
            return answer
        with unscoped("second factor", quiet=True) as own, unit_of_work(Verb.UPDATE, "生成恢复码"):
            account = own.get_one(Account, _me())
            codes = second_factor.renew_codes(account) if second_factor.state_of(account.id).since else []
        return _codes(codes) if codes else redirect(url_for("SecondFactorView.overview"))

    @expose("/remove", methods=["POST"])
    @signed_in
    def remove(self) -> Answer:
        """Give it up; system administrators can't."""
        person = current_access().person
        if person.family == Family.SYSTEM:
            raise Forbidden(_("系统管理员必须使用动态口令。"))
        if (answer := _unproved()) is not None:
            return answer
        with unscoped("second factor", quiet=True) as own, unit_of_work(Verb.UPDATE, "停用动态口令"):
            keep = person.sitting.id if person.sitting else None
            second_factor.remove(own.get_one(Account, person.id), "停用动态口令", keep)
        flash(_("动态口令已停用。"), "success")
        return redirect(url_for("SecondFactorView.overview"))


def _me() -> int:
    return current_access().person.id


def _fresh() -> bool:
    sitting = current_access().person.sitting
    return sitting is not None and clock.now() - sitting.opened_at < FRESH


def _unproved() -> Answer | None:
    """The answer to somebody who has not shown lately that they are themselves; None: go on."""
    if _fresh():
        return None
    try:
        if check_again(_me(), request.form.get("password", "")[:LONGEST], visitor()):
            return None
        return _page(error=_("密码不对。"))
    except TooManyTries as refusal:
        return _page(error=str(refusal), status=refused(refusal))


def _page(*, error: Any = "", wrong: Any = "", status: int = 0) -> Answer:
    access = current_access()
    with unscoped("second factor", quiet=True):
        state, secret = second_factor.state_of(access.person.id), second_factor.pending_of(access.person.id)
    page = render_template(
        "second_factor.html", since=datetime_text(state.since) if state.since else "", left=state.left,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) if secret else "",
        qr=_qr(second_factor.address_of(secret, access.person.username)) if secret else None,
        must=access.person.family == Family.SYSTEM, first=bool(held_back(access)), ask=not _fresh(),
        error=error, wrong=wrong,
    )  # fmt: skip
    return page, status or (422 if error or wrong else 200)


def _qr(text: str) -> dict[str, Any]:
    """A code as the template draws it, inside the page and without a style: its size, and one path of dark runs."""
    code = segno.make(text, error="m", micro=False)
    path = ""
    for y, row in enumerate(code.matrix_iter(border=BORDER)):
        for dark, run in groupby(enumerate(row), key=lambda one: one[1]):
            cells = [x for x, _dark in run]
            path += f"M{cells[0]} {y}h{len(cells)}v1h-{len(cells)}z" if dark else ""
    return {"size": code.symbol_size(border=BORDER)[0], "path": path}


def _codes(codes: list[str]) -> Answer:
    person = current_access().person
    on = safe_target(session.pop("after", None))
    return render_template("recovery_codes.html", codes=codes, username=person.username, next=on)

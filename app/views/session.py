"""我的登录: where one is signed in, and was lately; end one, end all others."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session, unscoped
from app.core.fab.cells import datetime_text, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import signed_in
from app.core.signin.model import Ending, SignInSession
from app.core.signin.sessions import KEPT, end_sessions
from app.core.verbs import Verb
from app.core.writing import unit_of_work

SHOWN = 50


class SessionView(Page):
    """One's own sign-ins; everybody else's are not there."""

    route_base = "/sessions"
    default_view = "sessions"

    @expose("/")
    @signed_in
    def sessions(self) -> Answer:
        """Open ones first, then those that ended lately."""
        asked = select(SignInSession).order_by(SignInSession.ended_at.is_not(None), SignInSession.id.desc())
        lines = [_line(row) for row in current_session().scalars(asked.limit(SHOWN))]
        lines.sort(key=lambda line: not line["here"])
        others = any(line["open"] and not line["here"] for line in lines)
        return render_template("sessions.html", sessions=lines, others=others, days=KEPT.days)

    @expose("/<key>/end", methods=["POST"])
    @signed_in
    def end(self, key: str) -> Answer:
        """End one; this one is signing out."""
        row = fetch(SignInSession, key)
        here = row.id == _here()
        with unscoped("end a sign-in"), unit_of_work(Verb.END, "结束登录"):
            end_sessions(row.account_id, Ending.BY_OWNER, only=row.id)
        if here:
            session.clear()
            return redirect(url_for("SignInView.login"))
        flash(_("已结束：%(what)s", what=row.agent or row.address), "success")
        return redirect(self.route_base + "/")

    @expose("/end-others", methods=["POST"])
    @signed_in
    def end_others(self) -> Answer:
        """End all but this one."""
        with unscoped("end other sign-ins"), unit_of_work(Verb.END, "结束登录"):
            count = end_sessions(current_access().person.id, Ending.BY_OWNER, keep=_here())
        flash(_("已结束其他 %(n)s 处登录。", n=count), "success")
        return redirect(self.route_base + "/")


def _here() -> int:
    sitting = current_access().person.sitting
    return sitting.id if sitting else 0


def _line(row: SignInSession) -> dict[str, Any]:
    return {
        "agent": row.agent or _("未知设备"), "address": row.address, "kind": said(row.kind),
        "opened": datetime_text(row.made_at), "seen": datetime_text(row.seen_at), "open": row.ended_at is None,
        "here": row.id == _here(), "ending": said(row.ending) if row.ending else "",
        "ended": datetime_text(row.ended_at) if row.ended_at else "",
        "end_url": f"/sessions/{row.public_id}/end",
    }  # fmt: skip

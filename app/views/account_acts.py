"""Buttons of an account's page: what an administrator does about somebody's sign-in, each with a reason."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _

from app.core.access.fetch import fetch, may
from app.core.errors import Conflict, Forbidden
from app.core.fab import forming
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import needs
from app.core.office import Account
from app.core.screen import Action, FormError
from app.core.verbs import Verb
from app.services.account import end_all_sessions, refusal, reset_password, reset_second_factor

LONGEST_REASON = 200


class SignInActs(Declaration):
    """`/<key>/reset-password`, `/<key>/reset-second-factor`, `/<key>/end-sessions`."""

    def extra_actions(self, row: Any) -> list[Any]:
        """For whoever may do it to this account."""
        if not may(row, Verb.UPDATE) or refusal(row):
            return []
        base = f"{self.route_base}/{row.id}"
        return [
            Action(_("重设密码"), f"{base}/reset-password"),
            Action(_("重设动态口令"), f"{base}/reset-second-factor"),
            Action(_("结束全部登录"), f"{base}/end-sessions"),
        ]

    @expose("/<int:key>/reset-password", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def reset_password_page(self, key: int) -> Answer:
        """A one-time password, shown once."""
        text = _("生成一个一次性密码，本人登录后必须修改。他现在的登录全部结束。")
        row, reason, page = self._with_reason(key, _("重设密码"), text)
        if page is not None:
            return page
        password = reset_password(key, reason)
        return render_template("once.html", account=row, password=password, back=f"{self.route_base}/{key}")

    @expose("/<int:key>/reset-second-factor", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def reset_second_factor_page(self, key: int) -> Answer:
        """The telephone is lost, and the recovery codes too."""
        text = _("手机和恢复码都没有了，才需要重设。请先核实是本人。他现在的登录全部结束。")
        row, reason, page = self._with_reason(key, _("重设动态口令"), text)
        if page is None:
            try:
                reset_second_factor(key, reason)
            except Conflict as error:
                return self._ask_reason(row, _("重设动态口令"), text, str(error)), error.status
            flash(_("动态口令已重设，本人可以只用密码登录。"), "success")
        return page or redirect(f"{self.route_base}/{key}")

    @expose("/<int:key>/end-sessions", methods=["GET", "POST"])
    @needs(Verb.UPDATE)
    def end_sessions_page(self, key: int) -> Answer:
        """Out everywhere, at once."""
        _row, reason, page = self._with_reason(key, _("结束全部登录"), _("他在各处的登录马上结束；密码不变。"))
        if page is None:
            flash(_("已结束 %(n)s 处登录。", n=end_all_sessions(key, reason)), "success")
        return page or redirect(f"{self.route_base}/{key}")

    def _with_reason(self, key: int, title: str, text: str) -> tuple[Account, str, Answer | None]:
        """The account, the reason, and the page that asks while there is none. Raises Forbidden, NotFound."""
        row = fetch(Account, key, Verb.UPDATE)
        if why := refusal(row):
            raise Forbidden(why)
        reason = request.form.get("reason", "").strip().replace("\0", "")[:LONGEST_REASON]
        if request.method == "GET":
            return row, "", self._ask_reason(row, title, text)
        if not reason:
            return row, "", (self._ask_reason(row, title, text, _("请写明理由。")), 422)
        return row, reason, None

    def _ask_reason(self, row: Account, title: str, text: str, wrong: str = "") -> str:
        screen = {
            "title": _("%(what)s：%(value)s", what=title, value=str(row)), "text": text, "submit_label": title,
            "fields": [forming.reason_field(request.form.get("reason", "")[:LONGEST_REASON], False)],
            "kind": "danger", "action": request.path, "cancel_url": f"{self.route_base}/{row.id}",
            "errors": [FormError("reason", str(_("理由")), wrong)] if wrong else [],
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)

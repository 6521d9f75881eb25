"""Buttons of a person's page: what the station does about their telephone, each with a reason and a new card."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext as _

from app.core.access.context import current_access
from app.core.access.fetch import fetch, may
from app.core.errors import Conflict, Invalid
from app.core.fab import forming
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import needs
from app.core.pdf.errors import PdfError
from app.core.screen import Action, FormError
from app.core.verbs import Verb
from app.models.personnel import Person
from app.services.activation import Reset, print_cards
from app.views.activation import LIST, sheet

LONGEST_REASON = 200


class PhoneActs(Declaration):
    """`/people/<key>/reset-pin`, `/people/<key>/end-phone`."""

    def list_links(self) -> list[tuple[Any, str, str]]:
        """The page of those who are not activated."""
        return [(_("激活卡"), LIST, "phone")] if current_access().may(self.entity_name, Verb.ACTIVATE) else []

    def extra_actions(self, row: Any) -> list[Any]:
        """For whoever opens this person's account; without an account there is nothing to reset."""
        if row.account_id is None or not may(row, Verb.ACTIVATE):
            return []
        base = f"{self.route_base}/{row.id}"
        return [Action(_("重设 PIN"), f"{base}/reset-pin"), Action(_("停用手机"), f"{base}/end-phone")]

    @expose("/<int:key>/reset-pin", methods=["GET", "POST"])
    @needs(Verb.ACTIVATE)
    def reset_pin_page(self, key: int) -> Answer:
        """The PIN is forgotten or known to others."""
        text = _("他的 PIN 作废，记住的手机和现在的登录马上结束，并打印一张新的激活卡。请先核实是本人。")
        return self._reset(key, _("重设 PIN"), text, pin=True)

    @expose("/<int:key>/end-phone", methods=["GET", "POST"])
    @needs(Verb.ACTIVATE)
    def end_phone_page(self, key: int) -> Answer:
        """The telephone is lost, locked or given away; the PIN stays, and is asked for beside the new card."""
        text = _("记住的手机和现在的登录马上结束，PIN 不变，并打印一张新的激活卡；激活时要输入手机号和原来的 PIN。")
        return self._reset(key, _("停用手机"), text, pin=False)

    def _reset(self, key: int, title: str, text: str, *, pin: bool) -> Answer:
        row = fetch(Person, key, Verb.ACTIVATE)
        reason = request.form.get("reason", "").strip().replace("\0", "")[:LONGEST_REASON]
        if request.method == "GET":
            return self._ask(row, title, text, "")
        if not reason:
            return self._ask(row, title, text, _("请写明理由。")), 422
        try:
            content, _outcome = print_cards([row.id], Reset(reason, pin))
        except (Invalid, Conflict) as error:
            return self._ask(fetch(Person, key), title, text, str(error)), error.status
        except PdfError:
            return self._ask(fetch(Person, key), title, text, _("激活卡打印不出来，什么也没有改变。")), 422
        return sheet(content)

    def _ask(self, row: Person, title: str, text: str, wrong: str) -> str:
        screen = {
            "title": _("%(what)s：%(value)s", what=title, value=str(row)), "text": text,
            "submit_label": _("%(what)s，打印激活卡", what=title), "kind": "danger", "action": request.path,
            "fields": [forming.reason_field(request.form.get("reason", "")[:LONGEST_REASON], False)],
            "cancel_url": f"{self.route_base}/{row.id}",
            "errors": [FormError("reason", str(_("理由")), wrong)] if wrong else [],
        }  # fmt: skip
        return render_template("entity/transition.html", screen=screen)

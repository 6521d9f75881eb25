"""On the telephone of a firm's person: the card that begins it, and the PIN that opens it from then on."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core.db import unscoped
from app.core.errors import Conflict, Invalid, ShouzeError
from app.core.fab import phone as cookies
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import public
from app.core.fab.signin import asked_target, refused, safe_target, seat, visitor, why_here
from app.core.signin import phone, phone_entering
from app.core.signin.model import EntryKind
from app.core.signin.phone_entering import Refused, WrongCode
from app.core.signin.second_factor import bare
from app.core.signin.throttle import TooManyTries
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.services import activation

LONGEST = 60
OWN = "own"  # a PIN and a mobile that the account has already


class ActivateView(Page):
    """`/activate/<code>`: open to whoever holds a card."""

    route_base = "/activate"
    default_view = "type_code"

    @expose("/", methods=["GET", "POST"])
    @public
    def type_code(self) -> Answer:
        """For who can't scan: type the code of the card."""
        typed = request.form.get("code", "")[:LONGEST].strip().replace("/", "").replace("\0", "")
        if request.method == "POST" and bare(typed):
            return redirect(url_for("ActivateView.activate", code=bare(typed)))
        return render_template("activate_code.html", error="")

    @expose("/<code>", methods=["GET", "POST"])
    @public
    def activate(self, code: str) -> Answer:
        """Whose card it is, what is kept of them and why; a PIN, and this telephone is theirs."""
        if request.method == "POST":
            return self._take(code)
        try:
            return _card(code)
        except (WrongCode, TooManyTries) as error:
            return _no_card(error)

    @staticmethod
    def _take(code: str) -> Answer:
        form = request.form
        mobile = form.get("mobile", "")[:LONGEST] if form.get("with") == OWN else None
        wrong = {} if mobile is not None else _problems(form)
        try:
            if wrong:
                return _card(code, wrong), 422
            entered = activation.activate(code[:LONGEST], form.get("pin", "")[:LONGEST], mobile, visitor())
        except (WrongCode, TooManyTries) as error:
            return _no_card(error)
        except (Refused, Conflict, Invalid) as error:
            fields = error.fields if isinstance(error, Invalid) else {}
            return _after(code, {name: str(text) for name, text in fields.items()} or {"": str(error)}, error)
        seat(entered.key, entered.family, EntryKind.PHONE)
        return cookies.give(redirect(url_for("HomeView.home")), entered.secret)


def _problems(form: Any) -> dict[str, str]:
    """What is wrong before any code is looked at."""
    wrong = {}
    if form.get("agree") != "1":
        wrong["agree"] = _("请先阅读并同意个人信息处理告知。")
    if form.get("pin", "") != form.get("repeat", ""):
        wrong["repeat"] = _("两次输入的不一样。")
    return wrong


def _card(code: str, wrong: dict[str, str] | None = None) -> str:
    """The page of a card that still opens something. Raises WrongCode, TooManyTries."""
    found, _known, has_pin = phone_entering.look(code[:LONGEST], visitor())
    return render_template("activate.html", who=activation.greeting(found.account_id), has_pin=has_pin,
                           wrong=wrong or {}, version=activation.CONSENT, own=OWN,
                           agreed=request.form.get("agree") == "1")  # fmt: skip


def _after(code: str, wrong: dict[str, str], error: ShouzeError) -> Answer:
    try:
        return _card(code, wrong), error.status
    except (WrongCode, TooManyTries) as other:
        return _no_card(other)


def _no_card(error: WrongCode | TooManyTries) -> Answer:
    status = refused(error) if isinstance(error, TooManyTries) else error.status
    return render_template("activate_code.html", error=str(error)), status


class PhoneView(Page):
    """`/phone/`: open with the PIN; only for a browser that is remembered."""

    route_base = "/phone"
    default_view = "open_page"

    @expose("/", methods=["GET", "POST"])
    @public
    def open_page(self) -> Answer:
        """The PIN, and on to where one wanted."""
        target = asked_target()
        found = cookies.remembered()
        if found is None:
            why = "phone" if cookies.secret_of() else None
            gone = redirect(url_for("SignInView.login", next=target or None, why=why))
            return cookies.take_away(gone) if cookies.secret_of() else gone
        error, status = "", 200
        if request.method == "POST":
            try:
                key, known = phone_entering.open_by_pin(found, request.form.get("pin", "")[:20], visitor())
            except Refused as refusal:
                error, status = str(refusal), refusal.status
                found = cookies.remembered() or found
            else:
                seat(key, known.family, EntryKind.PHONE)
                return cookies.give(redirect(safe_target(target)), cookies.secret_of())
        told = "" if error else why_here(request.args.get("why", ""))
        page = render_template("phone.html", who=activation.greeting(found.account_id), error=error, told=told,
                               next=target, locked=found.locked)  # fmt: skip
        return page, status

    @expose("/forget", methods=["POST"])
    @public
    def forget(self) -> Answer:
        """This browser is no remembered telephone any more; a new card makes it one again."""
        if (found := cookies.remembered()) is not None:
            with unscoped("forget a telephone", quiet=True), unit_of_work(Verb.END, "不再记住手机"):
                phone.forget_phones(found.account_id, found.id)
        return cookies.take_away(redirect(url_for("SignInView.login")))

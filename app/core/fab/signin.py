"""Signing in and out in one step or two, changing one's password, choosing the language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from app.core import clock
from app.core.db import unscoped
from app.core.errors import Invalid, ShouzeError
from app.core.fab import denied
from app.core.fab.builder import LOCALES
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import LONGEST_TARGET, opens, public, signed_in
from app.core.fab.phone import forgotten, phone_door
from app.core.office import Account
from app.core.passwords import LONGEST, hashed, weakness
from app.core.signin import entering, throttle
from app.core.signin.allowance import allowance
from app.core.signin.entering import Known, Visitor, WrongCredentials
from app.core.signin.model import Ending, EntryKind
from app.core.signin.sessions import end_sessions
from app.core.signin.throttle import TooManyTries, Try
from app.core.verbs import Verb
from app.core.writing import unit_of_work


@dataclass
class Input:
    """An input of the sign-in pages."""

    id: str
    name: str
    label: Any
    value: str = ""
    errors: list[str] = field(default_factory=list)
    help: Any = ""
    required: bool = True
    autocomplete: str = "off"


@dataclass
class Credentials:
    """The sign-in form."""

    username: Input
    password: Input


class ForgedTarget(ShouzeError):
    """The request asks to be sent on to another site."""


def safe_target(target: str | None) -> str:
    """A page of this site to go on to, else the home page: never another host, never what only takes forms."""
    if target and len(target) <= LONGEST_TARGET and is_own(target) and opens(urlsplit(target).path):
        return target
    return url_for("HomeView.home")


def is_own(target: str) -> bool:
    """Whether an address can only be one of this site: a path, with nothing that some browser reads as a host."""
    if any(ord(char) < 32 or char in "\\\x7f" for char in target):
        return False
    return target.startswith("/") and not target.startswith("//")


def asked_target() -> str:
    """Where the request asks to go on to. Raises ForgedTarget for what leads elsewhere; that is logged."""
    target = request.values.get("next", "")[: LONGEST_TARGET + 1]
    if target and not is_own(target):
        denied.note("next", target)
        raise ForgedTarget(_("地址里要转去的不是本系统的页面，没有转去。"))
    return target


def visitor() -> Visitor:
    """Where this request comes from (behind trusted proxies only what they say), and what its cookie names."""
    return Visitor(throttle.written(request.remote_addr), request.user_agent.string, str(session.get("_user_id", "")))


def refused(error: TooManyTries | WrongCredentials) -> int:
    """The status of an answer that refuses; a wait is told to programs too."""
    if isinstance(error, TooManyTries):
        g.retry_after = error.seconds
    return error.status


class SignInView(Page):
    """The way in and out."""

    route_base = ""
    default_view = "login"

    @expose("/login/", methods=["GET", "POST"])
    @public
    def login(self) -> Answer:
        """Sign in with name and password; who has a second factor goes on to its page."""
        target = asked_target()
        typed = request.form.get("username", "").replace("\0", "").strip()[:60]  # PostgreSQL refuses a NUL
        if request.method == "GET" and (door := phone_door(target)):
            return redirect(door)
        why = request.args.get("why", "")
        if request.method == "GET" and forgotten():
            why = "phone"
        error, status = "", 200
        if request.method == "POST":
            try:
                found = entering.check_password(typed, request.form.get("password", "")[: LONGEST + 1], visitor())
                return redirect(_after_password(*found, target))
            except (TooManyTries, WrongCredentials) as refusal:
                error, status = str(refusal), refused(refusal)
        form = Credentials(
            Input("username", "username", _("登录名"), typed, autocomplete="username"),
            Input("password", "password", _("密码"), autocomplete="current-password"),
        )
        page = render_template("login.html", form=form, error=error, told="" if error else why_here(why), next=target,
                               card_url=url_for("ActivateView.type_code"))  # fmt: skip
        return page, status

    @expose("/login/code", methods=["GET", "POST"])
    @public
    def code(self) -> Answer:
        """The second step: a code of the telephone, or a recovery code."""
        half = session.get("half") or {}
        known = _halfway_in(half)
        if known is None:
            session.pop("half", None)
            return redirect(url_for("SignInView.login", why="half", next=half.get("target") or None))
        error, status = "", 200
        if request.method == "POST":
            try:
                tried = entering.check_code(known, request.form.get("code", ""), visitor())
                return redirect(enter(known.id, half["target"], tried=tried))
            except (TooManyTries, WrongCredentials) as refusal:
                error, status = str(refusal), refused(refusal)
        return render_template("code.html", error=error), status

    @expose("/logout/", methods=["POST"])
    @signed_in
    def logout(self) -> Answer:
        """Sign out: every session of the account ends."""
        with unscoped("sign out"), unit_of_work(Verb.END, "退出登录"):
            end_sessions(g.access.person.id, Ending.SIGNED_OUT)
        session.clear()
        return redirect(url_for("SignInView.login"))

    @expose("/password/", methods=["GET", "POST"])
    @signed_in
    def password(self) -> Answer:
        """Change one's own password; the first sign-in asks for it."""
        inputs = [
            Input("old", "old", _("现在的密码"), autocomplete="current-password"),
            Input("new", "new", _("新密码"), help=_("至少 10 位，不用常见的密码。"), autocomplete="new-password"),
            Input("repeat", "repeat", _("再输一遍新密码"), autocomplete="new-password"),
        ]
        error, status = "", 200
        if request.method == "POST":
            try:
                after = safe_target(session.get("after"))
                change_password(*(request.form.get(one.name, "")[: LONGEST + 1] for one in inputs))
                flash(_("密码已修改，其他地方的登录都已结束。"), "success")
                return redirect(after)
            except Invalid as wrong:
                status = wrong.status
                for one in inputs:
                    one.errors = [str(wrong.fields[one.name])] if one.name in wrong.fields else []
            except TooManyTries as refusal:
                error, status = str(refusal), refused(refusal)
        form = {one.name: one for one in inputs}
        page = render_template("password.html", form=form, first=g.access.person.must_change_password, error=error)
        return page, status

    @expose("/language/<code>")
    @public
    def language(self, code: str) -> Answer:
        """Choose the language of the screens."""
        target = asked_target()
        if code in LOCALES:
            session["locale"] = code
        return redirect(safe_target(target))


def why_here(code: str) -> str:
    """Why somebody is asked to sign in (again), in words; the code is one of ours or says nothing."""
    words = {
        "unsent": _("登录已失效，刚才的内容没有提交。重新登录后会回到那一页，存在这台设备上的草稿可以恢复。"),
        "idle": _("太长时间没有操作，已自动退出。请重新登录，会回到刚才那一页。"),
        "over": _("这次登录已经结束。请重新登录，会回到刚才那一页。"),
        "half": _("输入动态口令的时间已过，请重新登录。"),
        "phone": _(
            "这部手机不再登记在您的账号上：监管所重设了手机或 PIN，或者太久没有打开。"
            "请找监管所要一张新的激活卡，再用它登录。"
        ),
        "again": _("登录页打开太久了，请再登录一次。"),
    }
    return str(words.get(code, ""))


def _after_password(known: Known, tried: Try, target: str) -> str:
    """Where to go with the right password: on, or to the second step. Half signed in opens nothing."""
    if not entering.needs_code(known.id):
        return enter(known.id, target, tried=tried)
    with unscoped("sign in", quiet=True), unit_of_work(Verb.READ, ""):
        throttle.halfway(tried)
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    session["half"] = {"account": known.id, "mark": known.mark, "since": clock.now().timestamp(),
                       "target": safe_target(target)}  # fmt: skip
    return url_for("SignInView.code")


def _halfway_in(half: dict[str, Any]) -> Known | None:
    """Who is half signed in by this cookie: minutes ago, with the password that still holds."""
    if not half or not entering.remaining(half["since"]):
        return None
    with unscoped("second step", quiet=True):
        known = entering.known_as(Account.id == half["account"])
    return known if known is not None and known.mark == half["mark"] else None


def enter(
    account_id: int, target: str | None, kind: EntryKind = EntryKind.PASSWORD, *, tried: Try | None = None
) -> str:
    """Begin a session and say where to go; what an earlier one left in the cookie is dropped, except the language."""
    key, account = entering.let_in(account_id, kind, visitor(), tried)
    seat(key, account.family, kind)
    return url_for("SignInView.password") if account.first else safe_target(target)


def seat(key: str, family: str, kind: EntryKind) -> None:
    """Put an opened session into the cookie in place of whatever it held, except the language."""
    locale = session.get("locale")
    session.clear()
    session.permanent = allowance(family, kind).kept
    session["_user_id"] = key
    if locale:
        session["locale"] = locale


def change_password(old: str, new: str, repeat: str) -> None:
    """Change the password of the person in context; every other session ends. Raises Invalid, TooManyTries."""
    person = g.access.person
    if not entering.check_again(person.id, old[:LONGEST], visitor()):
        raise Invalid("", {"old": _("现在的密码不对。")})
    if new != repeat:
        raise Invalid("", {"repeat": _("两次输入的不一样。")})
    if new == old:
        raise Invalid("", {"new": _("新密码不能和现在的一样。")})
    if why := weakness(new, person.username, person.name):
        raise Invalid("", {"new": why})
    sealed = hashed(new)  # outside the transaction: it takes a tenth of a second
    with unscoped("change password", quiet=True) as own, unit_of_work(Verb.UPDATE, "修改密码"):
        account = own.get_one(Account, person.id)
        account.password, account.must_change_password = sealed, False  # ends every session: core.signin.sessions
    enter(person.id, None)

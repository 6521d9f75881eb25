"""Signing in and out, changing one's password, choosing the language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from sqlalchemy import select

from app.core import clock
from app.core.access import context
from app.core.db import unscoped
from app.core.errors import Invalid
from app.core.fab.builder import LOCALES
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import public, signed_in
from app.core.history import record
from app.core.office import Account
from app.core.passwords import hashed, matches, weakness
from app.core.verbs import Verb
from app.core.writing import unit_of_work

LONGEST_PASSWORD = 200


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


def safe_target(target: str | None) -> str:
    """A path of this site to go on to, else the home page. Never another host."""
    home = url_for("HomeView.home")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc or any(ord(char) < 32 for char in target) else target


class SignInView(Page):
    """The way in and out."""

    route_base = ""
    default_view = "login"

    @expose("/login/", methods=["GET", "POST"])
    @public
    def login(self) -> Answer:
        """Sign in with name and password."""
        target = request.values.get("next")
        typed = request.form.get("username", "").replace("\0", "").strip()[:60]  # PostgreSQL refuses a NUL
        error = ""
        if request.method == "POST":
            account_id, error = authenticate(typed, request.form.get("password", "")[:LONGEST_PASSWORD])
            if account_id is not None:
                return redirect(enter(account_id, target))
        form = Credentials(
            Input("username", "username", _("登录名"), typed, autocomplete="username"),
            Input("password", "password", _("密码"), autocomplete="current-password"),
        )
        page = render_template("login.html", form=form, error=error, next=target or "")
        return (page, 401) if error else page

    @expose("/logout/", methods=["POST"])
    @signed_in
    def logout(self) -> Answer:
        """Sign out: every session of the account ends."""
        person = g.access.person
        with unscoped("sign out") as own, unit_of_work(Verb.UPDATE, "退出登录"):
            raise_epoch(own.get_one(Account, person.id))
        record(Verb.END, "退出登录", office_id=person.office_id)
        logout_user()
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
        if request.method == "POST":
            try:
                change_password(*(request.form.get(one.name, "")[:LONGEST_PASSWORD] for one in inputs))
                flash(_("密码已修改。"), "success")
                return redirect(url_for("HomeView.home"))
            except Invalid as error:
                for one in inputs:
                    one.errors = [str(error.fields[one.name])] if one.name in error.fields else []
        form = {one.name: one for one in inputs}
        return render_template("password.html", form=form, first=g.access.person.must_change_password)

    @expose("/language/<code>")
    @public
    def language(self, code: str) -> Answer:
        """Choose the language of the screens."""
        if code in LOCALES:
            session["locale"] = code
        return redirect(safe_target(request.args.get("next")))


def authenticate(username: str, password: str) -> tuple[int | None, str]:
    """(account key, "") or (None, message). Unknown names cost the same hash work."""
    with unscoped("sign in", quiet=True) as own:
        found = own.execute(select(Account).where(Account.username == username)).scalar_one_or_none()
        stored = found.password if found is not None and found.active else ""
        account_id, office_id = (found.id, found.office_id) if found is not None else (None, 0)
    if not matches(stored, password):
        record(Verb.READ, "登录失败", office_id=office_id, username=username)
        return None, str(_("登录名或密码不对。"))
    return account_id, ""


def enter(account_id: int, target: str | None) -> str:
    """Begin a session; what an earlier one left in the cookie is dropped, except the language."""
    locale = session.get("locale")
    session.clear()
    session.permanent = True
    if locale:
        session["locale"] = locale
    g.access = context.load(account_id)
    assert g.access is not None
    with unscoped("sign in") as own, unit_of_work(Verb.UPDATE, "登录"):  # history says who: known by now
        account = own.get_one(Account, account_id)
        account.last_login = clock.now()
    login_user(g.access.person)
    return url_for("SignInView.password") if g.access.person.must_change_password else safe_target(target)


def raise_epoch(account: Account) -> None:
    """End every session of the account: their cookies carry the old number."""
    account.session_epoch += 1


def change_password(old: str, new: str, repeat: str) -> None:
    """Change the password of the person in context; other sessions end. Raises Invalid."""
    person = g.access.person
    with unscoped("change password", quiet=True) as own:
        stored = own.get_one(Account, person.id).password
        if not matches(stored, old):
            raise Invalid("", {"old": _("现在的密码不对。")})
        if new != repeat:
            raise Invalid("", {"repeat": _("两次输入的不一样。")})
        if new == old:
            raise Invalid("", {"new": _("新密码不能和现在的一样。")})
        if why := weakness(new, person.username):
            raise Invalid("", {"new": why})
        sealed = hashed(new)  # outside the transaction: it takes a tenth of a second
        with unit_of_work(Verb.UPDATE, "修改密码"):
            account = own.get_one(Account, person.id)
            account.password, account.must_change_password = sealed, False
            raise_epoch(account)
    enter(person.id, None)


def limit(app_limiter: Any) -> None:
    """Slow down guessing: per address, on top of the equal cost of every try."""
    view = current_app.view_functions["SignInView.login"]
    current_app.view_functions["SignInView.login"] = app_limiter.limit("30 per minute", methods=["POST"])(view)

"""The cookie of a remembered telephone, and the PIN that is asked for anew before a signature."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from app.core.access.context import current_access, has_access_context
from app.core.db import db, unscoped
from app.core.errors import ShouzeError
from app.core.fab.gate import API, in_api
from app.core.office import Family
from app.core.signin import phone, phone_entering
from app.core.signin.model import EntryKind
from app.core.signin.phone import Remembered
from app.core.workflow import before_steps

FIELD = "signing-pin"  # of the page that asks before a signature
LEFT_OUT = {FIELD, "csrf_token"}


class PinNeeded(ShouzeError):
    """Nothing was done: the person signs with the PIN first."""

    status = 403


def cookie_name() -> str:
    """Under https no other host of the domain can set it."""
    return "__Host-phone" if current_app.config["SESSION_COOKIE_SECURE"] else "shouze-phone"


def give(answer: BaseResponse, secret: str) -> BaseResponse:
    """An answer that leaves the telephone's secret with the browser."""
    answer.set_cookie(
        cookie_name(), secret, max_age=int(phone.kept().total_seconds()), path="/", httponly=True, samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )  # fmt: skip
    return answer


def take_away(answer: BaseResponse) -> BaseResponse:
    """An answer after which the browser is no remembered telephone."""
    answer.delete_cookie(cookie_name(), path="/", httponly=True, samesite="Lax",
                         secure=current_app.config["SESSION_COOKIE_SECURE"])  # fmt: skip
    return answer


def secret_of() -> str:
    """What the browser sent; nothing when it can be none."""
    told = request.cookies.get(cookie_name(), "")
    return told if 0 < len(told) <= 100 else ""


def remembered() -> Remembered | None:
    """The telephone that this request comes from, read anew."""
    if not (secret := secret_of()):
        return None
    with unscoped("which telephone", quiet=True):
        return phone.recall(secret)


def phone_door(target: str) -> str:
    """Where to type the PIN, for who comes by a remembered telephone; "" for everybody else."""
    if request.args.get("by") == "password" or remembered() is None:
        return ""
    return url_for("PhoneView.open_page", next=target or None)


def forgotten() -> bool:
    """Whether the browser was a remembered telephone and is none any more: reset by the station, or too long ago."""
    return bool(secret_of()) and remembered() is None


def by_phone() -> bool:
    """Whether the person in context is of a firm and signs by PIN (a demonstration's passwords need none)."""
    if not has_access_context() or current_access().person.family != Family.FIRM:
        return False
    sitting = current_access().person.sitting
    return sitting is not None and sitting.kind != EntryKind.PASSWORD


def ask_pin() -> None:
    """Before each step of a workflow. Raises PinNeeded."""
    if by_phone():
        found = remembered()
        if found is None or found.account_id != current_access().person.id or not found.proved:
            raise PinNeeded(_("提交前请再输入一次 PIN。"))


def install(app: Flask) -> None:
    """Take the PIN that comes with a request before its view runs; ask for it where one is missing."""
    before_steps(ask_pin)
    app.before_request(take_pin)
    app.register_error_handler(PinNeeded, on_pin_needed)


def take_pin() -> Any:
    """A PIN sent along with a form: right, and the form goes on as it was; wrong, and it is asked for again."""
    if request.method != "POST" or request.path.startswith(f"{API}/") or FIELD not in request.form:
        return None
    if not current_user.is_authenticated or not by_phone():
        return None
    found = remembered()
    if found is None or found.account_id != g.access.person.id:
        return _page(_("这部手机没有登记在您的账号上，请重新登录。"), 403)
    told = phone_entering.prove(found, request.form[FIELD][:20], g.access.person.username)
    return None if not told else _page(told, 403)


def on_pin_needed(error: PinNeeded) -> Any:
    """The page that asks, holding what was being sent; JSON to programs."""
    db.session.rollback()
    if in_api() or request.accept_mimetypes.best == "application/json":
        return jsonify(error=str(error), fields={}, doubts=[]), error.status
    return _page("", error.status)


def _page(wrong: str, status: int) -> Any:
    kept = [(name, value) for name, value in request.form.items(multi=True) if name not in LEFT_OUT]
    action = request.full_path.rstrip("?")
    return render_template("signing_pin.html", kept=kept, action=action, field=FIELD, wrong=wrong), status

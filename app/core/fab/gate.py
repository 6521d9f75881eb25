"""What a route needs before it runs. A route that says nothing is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_babel import lazy_gettext as _
from flask_login import current_user

from app.core.errors import Forbidden
from app.core.verbs import Verb

F = TypeVar("F", bound=Callable[..., Any])
PUBLIC = "public"
SIGNED_IN = "signed in"
API = "/api/v1"


def public(function: F) -> F:
    """Open to everybody."""
    function.gate = PUBLIC  # type: ignore[attr-defined]
    return function


def signed_in(function: F) -> F:
    """Open to whoever is signed in; the function itself touches only what the session's predicates show."""
    function.gate = SIGNED_IN  # type: ignore[attr-defined]
    return function


def needs(verb: Verb) -> Callable[[F], F]:
    """Open to whom some posting gives `verb` on the view's entity; each row is judged by itself afterwards."""

    def mark(function: F) -> F:
        function.gate = verb  # type: ignore[attr-defined]
        return function

    return mark


def gate_of(function: Any) -> Any:
    """What a view function needs, or None: closed."""
    return getattr(function, "gate", None)


def in_api() -> bool:
    """Whether the request is a program's: every answer is JSON then, refusals too."""
    return request.path.startswith(f"{API}/") and request.path != f"{API}/"


def install(app: Flask) -> None:
    """Check every request before its view runs; default is closed."""
    app.before_request(check)


def check() -> Any:
    """The gate. Anonymous visitors go to sign-in, the others get 403."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    function: Any = current_app.view_functions[request.endpoint]
    gate = gate_of(function)
    if gate == PUBLIC:
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    if current_user.must_change_password and request.endpoint not in {"SignInView.password", "SignInView.logout"}:
        if in_api():
            raise Forbidden(_("请先在网页上修改首次登录的密码。"))
        return redirect(url_for("SignInView.password"))
    if gate == SIGNED_IN:
        return None
    if not isinstance(gate, Verb):
        raise Forbidden(_("这个地址没有开放。"))
    entity = function.__self__.entity_name
    if not g.access.may(entity, gate):
        raise Forbidden(_("您的角色没有这项权限。"))
    return None


def _to_sign_in() -> Response:
    if request.method != "GET" or in_api() or request.accept_mimetypes.best == "application/json":
        abort(401)
    session.pop("next", None)
    target = request.full_path.rstrip("?") if request.path != "/" else None
    found: Response = redirect(url_for("SignInView.login", next=target))  # type: ignore[assignment]
    return found

"""What a route needs before it runs. A route that says nothing is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.core.access.context import Access
from app.core.errors import Forbidden
from app.core.signin.entering import must_enrol
from app.core.signin.model import Ending
from app.core.verbs import Verb

F = TypeVar("F", bound=Callable[..., Any])
PUBLIC = "public"
SIGNED_IN = "signed in"
API = "/api/v1"
FIRST = {  # what a person who is held back may open beside the page that holds them
    "SignInView.password": frozenset({"SignInView.password"}),
    "SecondFactorView.overview": frozenset({
        "SignInView.password", "SecondFactorView.overview", "SecondFactorView.start", "SecondFactorView.confirm",
    }),
}  # fmt: skip
LONGEST_TARGET = 1_000  # of a page to come back to: it travels in a cookie, and browsers drop large ones
ALWAYS = frozenset({"SignInView.logout"})


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
    if (first := held_back(g.access)) and request.endpoint not in ALWAYS | FIRST[first]:
        if in_api():
            raise Forbidden(_("请先在网页上修改首次登录的密码，或设置动态口令。"))
        if request.method == "GET" and request.path != "/" and len(request.full_path) <= LONGEST_TARGET:
            session["after"] = request.full_path.rstrip("?")
        return redirect(url_for(first))
    if gate == SIGNED_IN:
        return None
    if not isinstance(gate, Verb):
        raise Forbidden(_("这个地址没有开放。"))
    entity = function.__self__.entity_name
    if not g.access.may(entity, gate):
        raise Forbidden(_("您的角色没有这项权限。"))
    return None


def held_back(access: Access) -> str:
    """The page that a person must finish before any other opens, or ""."""
    known = g.get("held_back")  # of this request only: what is compiled outlives it, what holds back may end any time
    if known is None or known[0] is not access:
        needed = must_enrol(access.person.family, access.figures)
        first = "SecondFactorView.overview" if needed else ""
        known = g.held_back = (access, "SignInView.password" if access.person.must_change_password else first)
    return str(known[1])


def _to_sign_in() -> Response:
    """To the sign-in page and back here afterwards; what was being sent is told to be unsent, never lost in silence."""
    if for_programs():
        abort(401)
    return to_sign_in()


def for_programs() -> bool:
    """Whether the answer goes to a program: the API, a script of ours, a POST that expects no page."""
    asked = request.accept_mimetypes
    sending = request.method not in {"GET", "HEAD"}
    return in_api() or asked.best == "application/json" or (sending and "text/html" not in asked.values())


def to_sign_in() -> Response:
    """The redirect to sign-in, with the page to come back to and why."""
    sending = request.method not in {"GET", "HEAD"}
    if not sending:
        target = request.full_path.rstrip("?") if request.path != "/" else None
        over: Ending | None = g.get("signed_out")
        why = None if over is None else "idle" if over is Ending.IDLE else "over"
    else:
        target, why = _form_page(), "unsent"
    found: Response = redirect(url_for("SignInView.login", next=target, why=why), 303 if sending else 302)  # type: ignore[assignment]
    return found


def _form_page() -> str | None:
    """The page whose form was sent: the browser says it; else the address itself; only what can be opened."""
    came = urlsplit(request.referrer or "")
    if came.netloc == request.host and opens(came.path):
        return f"{came.path}?{came.query}" if came.query else came.path
    return request.path if opens(request.path) else None


def opens(path: str) -> bool:
    """Whether an address is a page of ours that a browser may ask for."""
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return path.startswith("/") and not path.startswith("//")

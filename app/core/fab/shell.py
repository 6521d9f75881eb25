"""The shell around every page: navigation by task, what templates may use, headers, error pages, static files."""

from __future__ import annotations

import gzip
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    get_flashed_messages,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.globals import request_ctx
from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError, generate_csrf
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.exceptions import HTTPException, SecurityError

from app.core import clock
from app.core.db import db
from app.core.errors import NoContext, Outdated, ShouzeError, Taken
from app.core.fab import denied, packing, phone
from app.core.fab.cells import said
from app.core.fab.gate import for_programs, held_back, in_api, to_sign_in
from app.core.fab.view import EntityView
from app.core.jobs import JOBS_URL
from app.core.message import MOST_COUNTED, UNREAD
from app.core.pdf.errors import ContextError, PdfError
from app.core.signin.throttle import TooManyTries
from app.core.verbs import Verb

log = logging.getLogger(__name__)
REFUSED = {400, 403, 404, 405}  # of what was asked for, not of what was typed
STATIC = Path(__file__).resolve().parents[2] / "static"
UNASKED = {"/favicon.ico", "/apple-touch-icon.png", "/robots.txt"}  # asked for by browsers, not by people
MOST_NAVS = 500  # of some 10 KB: a screen each, for each set of screens that some role opens, in two languages
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True)
class NavItem:
    """A line of the navigation."""

    label: str
    url: str
    icon: str
    active: bool = False
    count: int = 0


@dataclass(frozen=True)
class NavGroup:
    """A task and its screens."""

    label: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True)
class Asset:
    """A static file, plain and compressed, under a name that changes with its content."""

    body: bytes
    packed: bytes
    digest: str
    mimetype: str


class Shell:
    """One application's navigation and assets."""

    def __init__(self, groups: dict[str, Any]) -> None:
        self.groups = groups  # group key → label, in order
        self.views: list[EntityView] = []
        self.pages: list[Any] = []  # screens that are no entity's and stand in the navigation
        self.lines: dict[str, list[tuple[str, list[tuple[str, Verb, NavItem]]]]] = {}  # by language: group, its lines
        self.assets = {path.name: _asset(path) for path in sorted(STATIC.iterdir()) if path.suffix in TYPES}
        self.demo = False
        self.bureau = ""

    def nav(self) -> tuple[NavGroup, ...]:
        """What this person can open, by task. No SQL: the gate only."""
        language, may, path = str(get_locale()), g.access.may, request.path
        if language not in self.lines:
            self.lines[language] = self._all_lines()
        home = NavItem(_("今天要办"), url_for("HomeView.home"), "home", path == "/")
        found = [NavGroup(_("今天"), (home,))]
        for label, lines in self.lines[language]:
            items = tuple(
                replace(line, active=True) if path.startswith(line.url) else line
                for entity, verb, line in lines
                if may(entity, verb)
            )
            if items:
                found.append(NavGroup(label, items))
        return tuple(found)

    def _all_lines(self) -> list[tuple[str, list[tuple[str, Verb, NavItem]]]]:
        """Every screen of the application in the language of this request, nobody's in particular."""
        found = []
        for key, label in self.groups.items():
            known: list[Any] = [*self.views, *self.pages]
            views = sorted((view for view in known if view.task[0] == key), key=lambda view: view.task[1])
            lines = [
                (one.entity_name, one.nav_verb, NavItem(_(str(one.title)), f"{one.route_base}/", one.icon))
                for one in views
            ]
            found.append((_(str(label)), lines))
        return found

    def asset_url(self, name: str) -> str:
        """Where a static file is, under its present digest."""
        return f"/assets/{self.assets[name].digest}/{name}"


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:12], TYPES[path.suffix])


def install(app: Flask, groups: dict[str, Any]) -> Shell:
    """Put the shell round an application."""
    shell = Shell(groups)
    app.extensions["shouze_shell"] = shell
    app.jinja_env.globals.update(kept_macros(app, shell.asset_url))
    app.add_url_rule("/assets/<digest>/<name>", "static_asset", serve_asset)
    serve_asset.gate = "public"  # type: ignore[attr-defined]
    app.context_processor(context)
    app.after_request(denied.log_noted)
    app.after_request(packing.pack)
    app.after_request(headers)
    app.register_error_handler(ShouzeError, on_refusal)
    app.register_error_handler(PdfError, on_paper)
    app.register_error_handler(ObjectDeletedError, lambda _error: error_page(404))
    app.register_error_handler(CSRFError, on_stale_form)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_bug)
    return shell


def the_shell() -> Shell:
    """The running application's shell."""
    shell = current_app.extensions["shouze_shell"]
    assert isinstance(shell, Shell)
    return shell


def subjects() -> list[tuple[str, list[str]]]:
    """The entities by subject, in the order of the navigation, whoever may open them."""
    shell = the_shell()
    views = sorted(shell.views, key=lambda view: view.task[1])
    groups = shell.groups.items()
    return [(said(label), [view.entity_name for view in views if view.task[0] == key]) for key, label in groups]


def kept_macros(app: Flask, asset: Callable[[str], str]) -> dict[str, Callable[..., str]]:
    """What templates call again and again with the same values, drawn once for each: icons, the navigation."""
    icon = cache(_macros(app, "icon", asset=asset).icon)
    nav = _macros(app, "nav", icon=icon)
    return {"icon": icon, "nav_side": lru_cache(MOST_NAVS)(nav.side), "nav_thumb": lru_cache(MOST_NAVS)(nav.thumb)}


def _macros(app: Flask, name: str, **known: Any) -> Any:
    return app.jinja_env.get_template(f"macros/{name}.html").make_module(known)


def serve_asset(digest: str, name: str) -> Response:
    """A static file, compressed when the browser takes it; never changes under its name, so kept for a year."""
    asset = the_shell().assets.get(name)
    if asset is None:
        abort(404)
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    answer = Response(asset.packed if packed else asset.body, mimetype=asset.mimetype)
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    fresh = digest == asset.digest
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return answer


def csp_nonce() -> str:
    """This response's script nonce."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def context() -> dict[str, Any]:
    """What every template may use."""
    shell = the_shell()
    lang = "en" if str(get_locale()) == "en" else "zh-CN"
    other = "zh" if lang == "en" else "en"
    access = g.get("access") if current_user and current_user.is_authenticated else None
    usable = access is not None and not held_back(access)
    return {
        "asset": shell.asset_url,
        "csp_nonce": csp_nonce,
        "csrf_token": generate_csrf,
        "lang": lang,
        "switch_lang_url": url_for("SignInView.language", code=other, next=request.full_path.rstrip("?")),
        "nav": shell.nav() if usable else (),
        "bell": _bell(access) if usable else None,
        "printed_at": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}",
        "me": _me(access) if access is not None else None,
        "search_url": url_for("HomeView.search"),
        "query": request.args.get("q", "")[:100] if request.endpoint == "HomeView.search" else "",
        "flashes": get_flashed_messages(with_categories=True),
        "demo": shell.demo,
        "product": _("守责"),
        "bureau": shell.bureau,
        "home_url": url_for("HomeView.home"),
        "login_url": url_for("SignInView.login"),
    }


def _bell(access: Any) -> dict[str, Any]:
    count = access.figures[UNREAD]
    return {"count": count, "text": f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count), "url": "/messages/"}


def _me(access: Any) -> dict[str, str]:
    chief = access.chief_posting
    return {
        "key": str(access.person.id),
        "name": access.person.name,
        "username": access.person.username,
        "post": said(chief.title) if chief else _("没有在任的任职"),
        "office": access.offices[chief.office_id].name if chief else "",
        "signout_url": url_for("SignInView.logout"),
        "password_url": "" if phone.by_phone() else url_for("SignInView.password"),
        "sessions_url": url_for("SessionView.sessions"),
        "second_factor_url": "" if phone.by_phone() else url_for("SecondFactorView.overview"),
        "jobs_url": JOBS_URL,
        "abilities_url": f"/accounts/{access.person.id}/abilities",
    }


def headers(response: Response) -> Response:
    """Security headers on every response; pages are never kept by a cache."""
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'self'; script-src 'self'{nonce}; style-src 'self'; img-src 'self' data:; object-src 'self'; "
        "frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "geolocation=(), microphone=(), payment=(), usb=()"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def on_refusal(error: ShouzeError) -> Any:
    """Our own refusals, in their own words; denied tries of a signed-in person are logged apart from the act."""
    db.session.rollback()
    if isinstance(error, NoContext):
        return error_page(401)
    if isinstance(error, TooManyTries):
        g.retry_after = error.seconds
    elif error.status in REFUSED:
        denied.log_refusal(error.status, error)
    return error_page(error.status, str(error) if error.status != 404 else "", _heading(error))


def _heading(error: ShouzeError) -> Any:
    """What a refusal is called beside its code: somebody wrote first, or acted first; else as its code says."""
    if isinstance(error, Taken):
        return _("已经处理过了")
    return _("已被别人改过") if isinstance(error, Outdated) else ""


def on_paper(error: PdfError) -> Any:
    """A paper that can't be printed as it stands (a missing element, a character no font has): say which."""
    db.session.rollback()
    told = " ".join(str(text) for text in error.fields.values()) if isinstance(error, ContextError) else str(error)
    return error_page(422, told)


def on_stale_form(_error: CSRFError) -> Any:
    """A form without its token, with another's, or older than the session; nothing was done."""
    db.session.rollback()
    if request.endpoint in {"SignInView.login", "SignInView.code"}:
        return redirect(url_for("SignInView.login", why="again", next=request.form.get("next") or None), 303)
    if request.endpoint in {"ActivateView.type_code", "ActivateView.activate", "PhoneView.open_page"}:
        return redirect(request.full_path.rstrip("?"), 303)  # the same page, anew
    if not current_user.is_authenticated and not for_programs():
        return to_sign_in()
    denied.log_refusal(400, lazy_gettext("表单的校验码（CSRF）没有、不对或已过期"))
    return error_page(400, _("这一页打开太久了，请返回刷新后再提交。"))


def on_http(error: HTTPException) -> Any:
    """Werkzeug's refusals as our pages; redirects pass."""
    if error.code is None or error.code < 400:
        return error
    if error.code in REFUSED and request.path not in UNASKED:
        denied.log_refusal(error.code, foreign_host(error))
    return error_page(error.code)


def foreign_host(error: HTTPException) -> Any:
    """What is wrong with the request's Host, in words for the log; nothing when it is ours."""
    if not isinstance(error, SecurityError):
        return ""
    return lazy_gettext("主机名不是本系统的：%(host)s", host=str(request.environ.get("HTTP_HOST", ""))[:100])


def on_bug(error: Exception) -> Any:
    """A bug: logged with its trace, shown without."""
    log.error("unhandled", exc_info=error)
    db.session.rollback()
    return error_page(500)


def error_page(code: int, text: str = "", title: Any = "") -> Any:
    """The page of an error, under its code's heading or one of its own; JSON to those who ask for it."""
    heading, fallback, hints = _words(code)
    heading = title or heading
    if getattr(request_ctx, "url_adapter", None) is None:  # a Host that is not ours: no address can be written
        return Response(f"{code} {heading}", code, mimetype="text/plain")
    if in_api() or request.accept_mimetypes.best == "application/json":
        return jsonify(error=text or str(heading), fields={}, doubts=[]), code
    back = None if code == 401 else (request.referrer if _own(request.referrer) else "/")
    try:
        page = render_template(
            "error.html", code=code, heading=heading, text=text or fallback, hints=hints, back_url=back
        )
    except Exception:
        log.exception("the error page failed")
        return Response(f"{code} {heading}", code, mimetype="text/plain")
    return page, code


def _own(referrer: str | None) -> bool:
    return bool(referrer) and str(referrer).startswith(request.host_url)


def _words(code: int) -> tuple[Any, Any, list[Any]]:
    table: dict[int, tuple[Any, Any, list[Any]]] = {
        400: (_("这个请求不完整"), _("地址或表单里有看不懂的内容。"), [_("请返回上一页，刷新后再试。")]),
        401: (_("请先登录"), _("您还没有登录，或登录已失效。"), [_("登录后会回到这里。")]),
        403: (_("没有权限"), _("您的任职不能进行这项操作。"), [_("需要时请联系本单位的系统管理员。")]),
        404: (_("没有找到"), _("没有这一页，或者您无权查看。"), [_("请检查地址，或用上面的查找。")]),
        405: (_("不能这样打开"), _("这个地址只接受提交，不能直接打开。"), [_("请返回上一页。")]),
        409: (_("现在不能这样做"), _("这条记录刚刚有变化。"), [_("请返回，看过现在的内容再试。")]),
        415: (_("内容类型不对"), _("这个地址只接受 JSON。"), []),
        413: (_("文件太大"), _("上传的内容超过了限制。"), [_("请把文件变小或分开上传。")]),
        422: (_("内容需要改正"), _("有内容不符合要求。"), [_("请返回改正后再试。")]),
        429: (_("操作太频繁"), _("请稍等一会儿再试。"), []),
        500: (
            _("系统出了问题"),
            _("刚才的操作没有完成，数据没有改变。"),
            [_("请稍后再试；一直这样，请告诉系统管理员。")],
        ),
    }
    if code in table:
        return table[code]
    return table[500] if code >= 500 else table[400]

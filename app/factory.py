"""`build(settings)`: the application, assembled in stages; touches no table, so it starts in a blink."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_babel import lazy_gettext as _
from flask_wtf import CSRFProtect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import Settings
from app.core import anchors, crypto, retention
from app.core.access import families, guard, team  # noqa: F401 - they listen on the session
from app.core.db import db, migrate
from app.core.errors import ConfigurationError
from app.core.fab import builder, gate, phone, shell
from app.core.fab.routing import LateRule

ROOT = Path(__file__).resolve().parent.parent
IDLE = range(5, 481)  # minutes
CARD, PHONE = range(1, 91), range(7, 366)  # days
GROUPS = {
    "firms": _("主体和台账"),
    "checks": _("自查"),
    "inspection": _("检查"),
    "rectification": _("责令改正"),
    "people": _("人员和任命"),
    "care": _("分片监管"),
    "office": _("机构和权限"),
    "settings": _("设定"),
    "audit": _("审计"),
}


def build(settings: Settings | None = None) -> Flask:
    """A new application. Raises ConfigurationError when it could not do its work."""
    settings = settings or _told()
    with _uncollected():
        return _build(settings)


def _told() -> Settings:
    """The settings of the environment. Raises ConfigurationError, in one line, for one that can't be read."""
    try:
        return Settings()
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def require_readable(settings: Settings) -> None:
    """Raise ConfigurationError for a setting that nothing could be done with; an address may hold a password, so that
    it is not repeated."""
    for name, address in (("DATABASE_URL", settings.url), ("DATABASE_OWNER_URL", settings.owner_url)):
        try:
            make_url(address)
        except (ArgumentError, ValueError) as error:
            raise ConfigurationError(f"SHOUZE_{name} is no address of a database") from error
    if not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", settings.base_url):
        raise ConfigurationError("SHOUZE_BASE_URL must be an address that begins with http:// or https://")
    if settings.redis_url and not re.match(r"(rediss?|unix)://", settings.redis_url):
        raise ConfigurationError("SHOUZE_REDIS_URL must begin with redis://, rediss:// or unix://")


def made_ready(settings: Settings) -> tuple[str, bytes]:
    """The keys of the data directory, which is made. Raises ConfigurationError naming what can't be written or read."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return settings.secret(), settings.data_key()
    except (OSError, ValueError) as error:
        told = "SHOUZE_DATA_DIR or SHOUZE_DATA_KEY_FILE"
        raise ConfigurationError(f"{told} can't be used: {error}") from error


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector, which walks again and again through what is made here to stay."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _build(settings: Settings) -> Flask:
    app = Flask("app", static_folder=None, template_folder="templates")
    app.url_rule_class = LateRule
    configure(app, settings)
    CSRFProtect(app)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "app" / "migrations"))
    with app.app_context():
        fab = builder.install(app)
        shell.install(app, GROUPS)
        gate.install(app)
        phone.install(app)
        register(fab)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Flask's settings from ours. Raises ConfigurationError."""
    if settings.idle_minutes not in IDLE:
        raise ConfigurationError(f"SHOUZE_IDLE_MINUTES must be {IDLE.start} to {IDLE.stop - 1}")
    retention.require_lawful(settings.history_days)
    if settings.activation_days not in CARD or settings.phone_days not in PHONE:
        raise ConfigurationError("SHOUZE_ACTIVATION_DAYS must be 1 to 90, SHOUZE_PHONE_DAYS 7 to 365")
    require_readable(settings)
    secret, data_key = made_ready(settings)
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=secret,
        SQLALCHEMY_DATABASE_URI=settings.url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.url),
        MAX_CONTENT_LENGTH=settings.upload_max_mb * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=5_000,
        SESSION_COOKIE_NAME="__Host-shouze" if secure else "shouze",  # the prefix: no other host can set it
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(days=400),  # of the cookie; how long a sign-in holds is its row's to say
        SESSION_PROTECTION=None,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=True,
        RATELIMIT_ENABLED=not settings.testing,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
        TESTING=settings.testing,
        PASSWORD_METHOD="pbkdf2:sha256:1" if settings.testing else "scrypt",
        PASSWORD_DUMMY=_DUMMY_TEST if settings.testing else _DUMMY,
    )
    app.extensions["shouze_settings"] = settings
    app.extensions["shouze_keyring"] = crypto.Keyring(data_key)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    if not settings.testing:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _engine_options(url: str) -> dict[str, object]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 15}}
    return {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 8}


# what an unknown name's password is compared with, so that it costs the same work as a known one
_DUMMY = (
    "scrypt:32768:8:1$cXJ5dG1wc2FsdHN0$"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
)
_DUMMY_TEST = "pbkdf2:sha256:1$saltsaltsalt$0000000000000000000000000000000000000000000000000000000000000000"


def register(fab: builder.Builder) -> None:
    """Models, services, views: imported here, so that importing `app` costs nothing."""
    from app import services, views
    from app.core.fab.contradictions import require_consistent
    from app.models.roles import ROLES

    services.load()
    anchors.install()
    views.register(fab)
    require_consistent(shell.the_shell().views, {role.code: role.table() for role in ROLES})

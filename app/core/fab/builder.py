"""FAB set up our way: no security screens, no permission rows, no SQL at start, one fresh builder an application."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, has_request_context, request, session
from flask_appbuilder import AppBuilder
from flask_appbuilder.menu import Menu
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_babel import get_babel
from flask_login import current_user

from app.core.access.context import Person
from app.core.db import db
from app.core.fab import wording
from app.core.signin.sessions import resume
from app.core.verbs import Verb

LOCALES = ("zh", "en")
BACKGROUND = "X-Background"  # a page that asks by itself; such a request keeps nobody signed in


class AppSecurityManager(SecurityManager):
    """Answers FAB's questions from the postings in force; FAB's own role tables stay empty."""

    def register_views(self) -> None:
        """None of FAB's security screens: signing in is ours (signin.py), roles are AccessRole."""

    def create_db(self) -> None:
        """Schema is Alembic's, base data `app sync`'s."""

    def load_user(self, pk: str) -> Person | None:
        """Flask-Login's loader: "account.secret" of a session. Reads the whole access of the request once."""
        g.access, g.signed_out = resume(str(pk), background=BACKGROUND in request.headers)
        return g.access.person if g.access else None

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """FAB's gate: "can_read" on an entity, from the postings."""
        if not current_user.is_authenticated or g.get("access") is None:
            return False
        verb = permission_name.removeprefix("can_")
        return verb in set(Verb) and bool(g.access.may(view_name, Verb(verb)))

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing is public through FAB."""
        return False

    def add_permissions_view(self, base_permissions: Any, view_menu: str) -> None:
        """FAB's permission table stays empty."""

    def add_permissions_menu(self, view_menu_name: str) -> None:
        """FAB's permission table stays empty."""


def get_locale() -> str:
    """zh or en: the session's choice, else the browser's, else Chinese; no cookie is set for asking."""
    if not has_request_context():
        return "zh"
    chosen = session.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    return request.accept_languages.best_match(LOCALES, default="zh") or "zh"


class AppMenu(Menu):
    """FAB's menu is not used (navigation is by task, shell.py); its name list doubles at each category, so cut it."""

    def get_flat_name_list(self, menu: Any = None, result: Any = None) -> list[str]:
        """Names, once each."""
        found: list[str] = []
        for item in menu or self.menu:
            found += [item.name, *(child.name for child in item.childs)]
        return found


class Builder(AppBuilder):
    """AppBuilder without its index, utility, security, OpenAPI and menu views."""

    def _add_admin_views(self) -> None:
        self._indexview = None
        self.sm.auth_view = None
        self.sm.user_view = None

    def _add_global_static(self) -> None:
        """FAB's Bootstrap and jQuery are never served."""


def install(app: Flask) -> Builder:
    """A builder for this application; call inside an application context."""
    app.config.update(
        FAB_UPDATE_PERMS=False,
        FAB_CREATE_DB=False,
        FAB_ADD_MENU_API=False,
        FAB_ALLOW_GET_UNSAFE_MUTATIONS=False,
        FAB_SECURITY_SIGNALS_ENABLED=False,
        LANGUAGES={"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}},
        BABEL_DEFAULT_LOCALE="zh",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
    )
    builder = Builder(update_perms=False, security_manager_class=AppSecurityManager, menu=AppMenu())
    builder.init_app(app, db.session)
    get_babel(app).locale_selector = get_locale
    wording.install(app)
    return builder

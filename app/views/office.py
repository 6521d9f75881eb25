"""Screens of offices, accounts, postings and areas."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import may
from app.core.db import current_session
from app.core.fab.ability_view import AbilityScreens, may_look_into
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children, child_table
from app.core.fab.view import EntityView
from app.core.office import Account, Family, Office, Posting
from app.core.proposal import PostingProposal
from app.core.screen import Action, Badge, ShowScreen
from app.core.verbs import Verb
from app.models.area import Area
from app.services.account import refusal
from app.services.granting import ceiling
from app.views import office_page
from app.views.account_acts import SignInActs

HELD = ["role", "office", "title", "lines", "date_from", "date_to", "standing"]


class OfficeView(EntityView):
    """机构: the tree of the bureau."""

    datamodel = AppInterface(Office)
    route_base = "/offices"
    title = lazy_pgettext("list", "机构")
    icon = "building"
    task = ("office", 1)
    list_columns = ["name", "kind", "parent", "lines", "confirmed"]
    order_columns = ["name", "kind"]
    list_filters = ["kind", "lines", "confirmed"]
    default_order = "id"
    form_parts = [Part(_("机构"), ["code", "name", "short_name", "kind", "parent", "lines", "confirmed", "active_from",
                                 "active_to"])]  # fmt: skip
    show_parts = [(_("机构"), ["code", "name", "short_name", "kind", "parent", "lines", "confirmed", "active_from",
                             "active_to"])]  # fmt: skip

    def extra_actions(self, row: Any) -> list[Action]:
        """Appointing somebody here."""
        return office_page.actions(row)

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With who is what here, what waits to be handed over, and the offices below."""
        screen = super().show_screen(row, revealed=revealed)
        screen.children = office_page.tables(row)
        return screen


class AccountView(SignInActs, AbilityScreens, EntityView):
    """账号."""

    datamodel = AppInterface(Account)
    route_base = "/accounts"
    title = lazy_pgettext("list", "账号")
    icon = "people"
    task = ("office", 2)
    list_columns = ["name", "username", "family", "office", "certificate_no", "active"]
    order_columns = ["name", "username", "family"]
    list_filters = ["family", "office", "active", "certificate_no", "platform_account"]
    extra_columns = ["platform_account", "platform_since"]
    form_parts = [Part(_("账号"), ["username", "name", "family", "office", "phone", "active"]),
                  Part(_("执法证"), ["certificate_no", "certificate_until"]),
                  Part(_("风控平台"), ["platform_account", "platform_since"])]  # fmt: skip
    show_parts = [(_("账号"), ["username", "name", "family", "office", "phone", "active", "last_login"]),
                  (_("执法证"), ["certificate_no", "certificate_until"]),
                  (_("风控平台"), ["platform_account", "platform_since"])]  # fmt: skip

    def extra_actions(self, row: Any) -> list[Any]:
        """What the account may do, for those who answer for it."""
        abilities = [Action(_("能做什么"), f"/accounts/{row.id}/abilities")] if may_look_into(row.id) else []
        return [*([] if _posted(row) else _appointing(row)), *abilities, *super().extra_actions(row)]

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With what the account is where, and, to who administers it, what a new one still lacks."""
        screen = super().show_screen(row, revealed=revealed)
        if current_access().may(Posting.__name__, Verb.READ):
            screen.children.append(child_table(row, Children("", HELD, of=(Posting, "account_id"))))
        if row.family != Family.FIRM and row.active and may(row, Verb.UPDATE) and (told := _lacking(row)):
            screen.notice = Badge(told, "info")
        return screen

    def lookup_sub(self, row: Any) -> str:
        """The office tells people of one name apart."""
        return str(row.office)


def _posted(account: Account) -> bool:
    """Whether the account holds a posting, or will, as far as the person may see."""
    day = clock.today()
    live = Posting.in_force(day) | ((Posting.date_from > day) & Posting.ended_at.is_(None))
    asked = select(Posting.id).where(Posting.account_id == account.id, live).limit(1)
    return current_session().scalar(asked) is not None


def _appointing(account: Account) -> list[Action]:
    """Where the person in context appoints an account of this family; nothing for who does not."""
    access = current_access()
    if not account.active or account.person_key == access.person.person_key or account.family == Family.FIRM:
        return []
    found = []
    if account.family != Family.AUDIT and ceiling(access, account.office_id):
        found.append(Action(_("任命"), f"/postings/add?account={account.id}", "primary"))
    if account.family != Family.BUSINESS and access.may(PostingProposal.__name__, Verb.CREATE):
        found.append(Action(_("任命提议"), f"/posting-proposals/add?account={account.id}"))
    return found


def _lacking(account: Account) -> str:
    """What has to be done before a new account is of use."""
    found = []
    if account.last_login is None and not refusal(account):
        found.append(
            gettext("这个账号还没有登录过：用“重设密码”得到第一个密码，当面交给本人，第一次登录时换成自己的。")
        )
    if not _posted(account):
        found.append(gettext("还没有任职，登录以后什么也不能做，请任命。"))
    return " ".join(found)


class AreaView(EntityView):
    """区域."""

    datamodel = AppInterface(Area)
    route_base = "/areas"
    title = lazy_pgettext("list", "区域")
    icon = "map"
    task = ("office", 8)
    list_columns = ["name", "code", "kind", "aliases"]
    list_filters = ["kind"]
    default_order = "code"
    form_parts = [Part(_("区域"), ["code", "name", "kind", "aliases", "parent"])]
    show_parts = [(_("区域"), ["code", "name", "kind", "aliases", "parent"])]

"""Screens of offices, accounts, postings and areas."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.ability_view import AbilityScreens, may_look_into
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.office import Account, Office, Posting
from app.core.screen import Action
from app.models.area import Area
from app.views.account_acts import SignInActs


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


class AccountView(SignInActs, AbilityScreens, EntityView):
    """账号."""

    datamodel = AppInterface(Account)
    route_base = "/accounts"
    title = lazy_pgettext("list", "账号")
    icon = "people"
    task = ("office", 2)
    list_columns = ["name", "username", "family", "office", "certificate_no", "active"]
    order_columns = ["name", "username", "family"]
    list_filters = ["family", "office", "active", "certificate_no"]
    form_parts = [Part(_("账号"), ["username", "name", "family", "office", "phone", "active"]),
                  Part(_("执法证"), ["certificate_no", "certificate_until"])]  # fmt: skip
    show_parts = [(_("账号"), ["username", "name", "family", "office", "phone", "active", "last_login"]),
                  (_("执法证"), ["certificate_no", "certificate_until"])]  # fmt: skip

    def extra_actions(self, row: Any) -> list[Any]:
        """What the account may do, for those who answer for it."""
        return [Action(_("能做什么"), f"/accounts/{row.id}/abilities")] if may_look_into(row.id) else []

    def lookup_sub(self, row: Any) -> str:
        """The office tells people of one name apart."""
        return str(row.office)


class PostingView(EntityView):
    """任职: who holds which role where, since when, until when."""

    datamodel = AppInterface(Posting)
    route_base = "/postings"
    title = lazy_pgettext("list", "任职")
    icon = "badge"
    task = ("office", 3)
    list_columns = ["account", "role", "office", "lines", "title", "date_from", "date_to"]
    order_columns = ["date_from", "date_to"]
    list_filters = ["office", "role", "account", "lines", "date_from", "date_to"]
    form_parts = [Part(_("任职"), ["account", "role", "office", "lines", "title", "date_from", "date_to"])]
    show_parts = [(_("任职"), ["account", "role", "office", "lines", "title", "date_from", "date_to"])]


class AreaView(EntityView):
    """区域."""

    datamodel = AppInterface(Area)
    route_base = "/areas"
    title = lazy_pgettext("list", "区域")
    icon = "map"
    task = ("office", 5)
    list_columns = ["name", "code", "kind", "aliases"]
    list_filters = ["kind"]
    default_order = "code"
    form_parts = [Part(_("区域"), ["code", "name", "kind", "aliases", "parent"])]
    show_parts = [(_("区域"), ["code", "name", "kind", "aliases", "parent"])]

"""Screens of offices, accounts, postings and areas."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.ability_view import AbilityScreens, may_look_into
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.office import Account, Office
from app.core.screen import Action, ShowScreen
from app.models.area import Area
from app.views import office_page
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
    list_filters = ["family", "office", "active", "certificate_no"]
    form_parts = [Part(_("账号"), ["username", "name", "family", "office", "phone", "active"]),
                  Part(_("执法证"), ["certificate_no", "certificate_until"])]  # fmt: skip
    show_parts = [(_("账号"), ["username", "name", "family", "office", "phone", "active", "last_login"]),
                  (_("执法证"), ["certificate_no", "certificate_until"])]  # fmt: skip

    def extra_actions(self, row: Any) -> list[Any]:
        """What the account may do, for those who answer for it."""
        abilities = [Action(_("能做什么"), f"/accounts/{row.id}/abilities")] if may_look_into(row.id) else []
        return [*abilities, *super().extra_actions(row)]

    def lookup_sub(self, row: Any) -> str:
        """The office tells people of one name apart."""
        return str(row.office)


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

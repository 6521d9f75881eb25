"""Screens of licences and closures."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core import clock
from app.core.fab import fields
from app.core.fab.converter import AppForm
from app.core.fab.forming import BoundForm, Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.data.enums import ClosureKind
from app.models.licence import Closure, Licence
from app.services.check import by_firm

LICENCE = ["site", "enterprise", "kind", "number", "scope"]
TERM = ["issuer", "issued", "valid_to"]


class LicenceView(EntityView):
    """证照: what runs out when."""

    datamodel = AppInterface(Licence)
    route_base = "/licences"
    title = lazy_pgettext("list", "证照")
    icon = "stamp"
    task = ("firms", 4)
    description = _("按有效期排序，九十天内到期的有提醒。")
    list_columns = ["number", "site", "kind", "valid_to", "expiry", "state", "enterprise"]
    order_columns = ["number", "kind", "issued", "valid_to", "state"]
    list_filters = ["state", "kind", "valid_to"]
    default_order = "valid_to"
    form_parts = [Part(_("证照"), LICENCE), Part(_("期限"), TERM)]
    show_parts = [(_("证照"), [*LICENCE, "expiry"]), (_("期限"), TERM)]


class ReopenForm(AppForm):
    """What 恢复营业 asks."""

    date_to = fields.Day(_("最后一个停业日"), nullable=False)


class ClosureView(EntityView):
    """停业: declared by the firm or the station, confirmed by the station."""

    datamodel = AppInterface(Closure)
    route_base = "/closures"
    title = lazy_pgettext("list", "停业申报")
    icon = "clock"
    task = ("firms", 5)
    list_columns = ["site", "kind", "date_from", "date_to", "declared", "state"]
    order_columns = ["kind", "date_from", "date_to", "state"]
    list_filters = ["state", "kind", "date_from"]
    default_order = "-date_from"
    form_parts = [Part(_("停业"), ["site", "kind", "date_from", "date_to", "reason"])]
    show_parts = [(_("停业"), ["site", "kind", "date_from", "date_to", "reason", "declared"])]
    asks = {"reopen": (ReopenForm, ["date_to"])}

    def prepare(self, bound: BoundForm) -> None:
        """A firm is not offered what only the authority orders."""
        if by_firm():
            offered = [(str(one.value), one.value) for one in ClosureKind if one is not ClosureKind.ORDERED_SHUT]
            bound.form.kind.choices = lambda: offered

    def step_data(self, row: Any, name: str) -> dict[str, Any]:
        """Business goes on today unless said otherwise."""
        return {"date_to": clock.today()} if name == "reopen" else {}

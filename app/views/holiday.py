"""Screens of public holidays and worked weekends."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.models.holiday import Holiday


class HolidayView(EntityView):
    """节假日: entered each year when the State Council has announced them."""

    datamodel = AppInterface(Holiday)
    route_base = "/holidays"
    title = lazy_pgettext("list", "节假日")
    icon = "calendar"
    task = ("settings", 4)
    description = _("国务院办公厅公布后，每年由办公室录入；只录工作日放假和周末上班的日子。")
    list_columns = ["date", "name", "kind", "region"]
    order_columns = ["date", "name", "kind"]
    list_filters = ["kind", "date"]
    default_order = "-date"
    form_parts = [Part(_("节假日"), ["date", "name", "kind", "region"])]
    show_parts = [(_("节假日"), ["date", "name", "kind", "region"])]

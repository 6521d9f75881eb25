"""From a Delivery to the 送达回证 it prints."""

from __future__ import annotations

from typing import Any

from app.core import clock
from app.models import setting
from app.models.rectification import Delivery

from . import METHODS


def context_of(delivery: Delivery, settings: dict[str, str], *, demo: bool) -> dict[str, Any]:
    """A DeliveryContext; signatures and their dates stay blank for handwriting."""
    notice = delivery.notice
    method = next((one for one in METHODS if one.startswith(delivery.method)), None)
    return {
        "bureau": settings[setting.BUREAU],
        "mongolian_title": settings.get(setting.MONGOLIAN) or None,
        "party": notice.party,
        "papers": [{"name": "责令改正通知书", "number": notice.number}],
        "time": delivery.date.isoformat(),
        "place": delivery.place,
        "method": method,
        "receiver": delivery.receiver,
        "relation": delivery.relation or None,
        "witness": delivery.witness or None,
        "officers": [
            {"name": one.name, "code": one.certificate_no or ""} for one in (delivery.server, delivery.co_server)
        ],
        "remark": delivery.remark or None,
        "made": clock.today().isoformat(),
        "demo": demo,
    }

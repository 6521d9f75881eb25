"""Screens of risk lists: an edition in force is read, a new one is made from it."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.errors import NotFound
from app.core.fab import fields
from app.core.fab.converter import AppForm
from app.core.fab.forming import Part, RowsOf
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.screen import Action
from app.core.verbs import Verb
from app.data.enums import RiskListState
from app.models.check import RiskList
from app.services.risk_list import next_edition

HEAD = ["title", "line", "site_kind", "enterprise", "site", "base"]
MAKERS = ["compiler", "reviewer", "approver"]
POINT = ["code", "text", "why", "basis", "basis_confirmed", "key_item", "frequency", "dropped", "drop_reason"]


class InForceForm(AppForm):
    """What 生效 asks."""

    valid_from = fields.Day(_("生效日期"), nullable=False)


class RiskListView(EntityView):
    """风险管控清单: templates of the three lines, and firms' own."""

    datamodel = AppInterface(RiskList)
    route_base = "/risk-lists"
    title = lazy_pgettext("list", "风险管控清单")
    icon = "layers"
    task = ("checks", 2)
    description = _("日检查按当天有效的清单进行：场所自己的优先，其次主体的，再次模板。")
    list_columns = ["title", "edition", "line", "site", "valid_from", "valid_to", "state"]
    order_columns = ["title", "edition", "line", "valid_from", "valid_to", "state"]
    list_filters = ["state", "line", "template", "valid_from"]
    form_parts = [
        Part(_("清单"), HEAD),
        Part(_("责任"), MAKERS),
        Part(_("风险点"), [], [RowsOf("points", POINT, _("加一个风险点"))]),
    ]
    show_parts = [
        (_("清单"), [*HEAD, "edition", "template", "valid_from", "valid_to"]),
        (_("责任"), MAKERS),
    ]
    children = [Children("points", ["text", "code", "frequency", "key_item", "basis", "basis_confirmed",
                                    "drop_reason"])]  # fmt: skip
    asks = {"put_in_force": (InForceForm, ["valid_from"])}

    def blank(self) -> Any:
        """A copy of the edition that the address names."""
        key = request.args.get("base", "")
        if not key:
            return super().blank()
        if not key.isascii() or not key.isdigit() or len(key) > 18:
            raise NotFound(gettext("没有这条记录，或者您无权查看。"))
        return next_edition(fetch(RiskList, int(key)))

    def step_data(self, row: Any, name: str) -> dict[str, Any]:
        """In force from today unless said otherwise."""
        return {"valid_from": clock.today()} if name == "put_in_force" else {}

    def extra_actions(self, row: Any) -> list[Action]:
        """From an edition that was in force, the next; from a template, a firm's own."""
        if row.state == RiskListState.DRAFT or not current_access().may("RiskList", Verb.CREATE):
            return []
        return [Action(gettext("由此制定新版"), f"{self.route_base}/add?base={row.id}")]

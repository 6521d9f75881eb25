"""Screens of who must have a 食品安全总监: rules, yardsticks, what was decided, what a person said otherwise."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.forming import Part, RowsOf
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.models.director import DirectorDecision, DirectorOverride, DirectorRule, SizeYardstick

RULE = ["edition", "name", "condition", "at_least", "more_than", "both"]
SOURCE = ["basis", "note", "valid_from", "valid_to", "confirmed"]
FIGURES = ["trade", "staff", "revenue", "floor_area", "seats", "every"]
USE = ["used", "basis", "valid_from", "valid_to", "confirmed"]
OTHERWISE = ["site", "must", "reason", "document", "date_from", "date_to"]


class DirectorDecisionView(EntityView):
    """What was decided of each site, and what changed when."""

    datamodel = AppInterface(DirectorDecision)
    route_base = "/director-decisions"
    title = lazy_pgettext("list", "总监配备判定")
    icon = "scale"
    task = ("people", 10)
    description = _("按规则和场所的规模数字自动判定；规则、数字一变就重新判定，这里看得到变了什么。")
    list_columns = ["site", "verdict", "rule", "words", "missing", "cause", "date_from", "date_to"]
    order_columns = ["date_from"]
    list_filters = ["must", "cause", "date_from", "date_to", "site"]
    default_order = "-date_from"
    show_parts = [(_("判定"), ["site", "verdict", "rule", "words", "missing", "cause", "date_from", "date_to"])]


class DirectorOverrideView(EntityView):
    """人工认定: with a reason, until it is revoked."""

    datamodel = AppInterface(DirectorOverride)
    route_base = "/director-overrides"
    title = lazy_pgettext("list", "总监配备人工认定")
    icon = "flag"
    task = ("people", 11)
    list_columns = ["site", "must", "reason", "document", "date_from", "date_to", "state"]
    order_columns = ["date_from", "state"]
    list_filters = ["state", "must", "date_from", "site"]
    default_order = "-date_from"
    form_parts = [Part(_("认定"), OTHERWISE)]
    show_parts = [(_("认定"), OTHERWISE)]


class DirectorRuleView(EntityView):
    """总监配备规则: dated rows with their source."""

    datamodel = AppInterface(DirectorRule)
    route_base = "/director-rules"
    title = lazy_pgettext("list", "总监配备规则")
    icon = "book"
    task = ("settings", 5)
    description = _("改一条或加一条后，全部场所会在后台重新判定。")
    list_columns = ["name", "edition", "condition", "at_least", "both", "valid_from", "valid_to", "confirmed"]
    order_columns = ["edition", "valid_from"]
    list_filters = ["edition", "condition", "valid_from", "valid_to", "confirmed"]
    default_order = "-valid_from"
    form_parts = [
        Part(_("规则"), RULE),
        Part(_("主体类型"), [], [RowsOf("kinds", ["kind"], _("加一类主体"))]),
        Part(_("出处"), SOURCE),
    ]
    show_parts = [(_("规则"), RULE), (_("出处"), SOURCE)]


class SizeYardstickView(EntityView):
    """大中型标准: the law names none, so the bureau confirms them."""

    datamodel = AppInterface(SizeYardstick)
    route_base = "/size-yardsticks"
    title = lazy_pgettext("list", "大中型标准")
    icon = "chart"
    task = ("settings", 6)
    description = _("规定没有写明什么是大中型；采用哪一套由本局确认。")
    list_columns = ["trade", "staff", "revenue", "floor_area", "seats", "every", "used", "valid_from", "confirmed"]
    order_columns = ["trade", "valid_from"]
    list_filters = ["trade", "used", "confirmed", "valid_from", "valid_to"]
    default_order = "trade"
    form_parts = [Part(_("标准"), FIGURES), Part(_("出处"), USE)]
    show_parts = [(_("标准"), FIGURES), (_("出处"), USE)]

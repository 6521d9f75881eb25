"""Screens of trainings and examinations."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.models.training import Exam, Training

TRAINED = ["enterprise", "person", "date", "hours", "topic"]
HOW = ["kind", "provider", "evidence"]
EXAMINED = ["enterprise", "person", "date", "role", "score", "retake_of"]


class TrainingView(EntityView):
    """培训: who was taught what, for how long."""

    datamodel = AppInterface(Training)
    route_base = "/trainings"
    title = lazy_pgettext("list", "培训")
    icon = "book"
    task = ("people", 5)
    list_columns = ["person", "topic", "date", "hours", "kind", "enterprise"]
    order_columns = ["date", "hours", "kind"]
    list_filters = ["kind", "date"]
    default_order = "-date"
    form_parts = [Part(_("培训"), TRAINED), Part(_("方式"), HOW)]
    show_parts = [(_("培训"), TRAINED), (_("方式"), HOW)]


class ExamView(EntityView):
    """考核: the result follows from the score and the bureau's pass mark."""

    datamodel = AppInterface(Exam)
    route_base = "/exams"
    title = lazy_pgettext("list", "考核")
    icon = "badge"
    task = ("people", 6)
    list_columns = ["person", "date", "role", "attempt", "score", "result", "enterprise"]
    order_columns = ["date", "role", "score", "result"]
    list_filters = ["result", "role", "date"]
    default_order = "-date"
    form_parts = [Part(_("考核"), EXAMINED, help=_("结果按本局确认的合格线得出；缺考的不填得分。"))]
    show_parts = [(_("考核"), [*EXAMINED, "attempt", "pass_mark", "result"])]

"""Screens of 落实自查表: the points answered on a phone, judged by the station."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request
from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app import data
from app.core import clock
from app.core.access.veil import concealed
from app.core.checklist_screen import Ask, CheckChoice, CheckItem
from app.core.fab.checklist import Checklist, answered
from app.core.fab.forming import BoundForm, Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.screen import ShowScreen
from app.data.people import Occasion, PointAnswer
from app.models.enterprise import Enterprise
from app.models.self_assessment import EDITION, WORDS_OF, SelfAssessment
from app.services.self_facts import known_facts

WHAT = ["enterprise", "occasion", "year"]
CHOICES = (
    CheckChoice(PointAnswer.DONE, "success"),
    CheckChoice(PointAnswer.NOT_DONE, "danger", (Ask("plan", _("怎么改、什么时候完成")),)),
    CheckChoice(PointAnswer.NOT_APPLICABLE, "neutral", (Ask("reason", _("不适用的理由")),)),
)


class SelfAssessmentView(EntityView):
    """落实自查表: sixteen points, once a firm, occasion and year."""

    datamodel = AppInterface(SelfAssessment)
    route_base = "/self-assessments"
    title = lazy_pgettext("list", "落实自查表")
    icon = "ok"
    task = ("people", 12)
    description = _("主体入网时和每年由单位对照 16 项自己核对，监管所确认或退回。")
    list_columns = ["unit", "occasion", "year", "summary", "submitted_at", "state"]
    order_columns = ["unit", "occasion", "year", "not_done", "submitted_at", "state"]
    list_filters = ["state", "occasion", "year", "not_done", "submitted_at", "enterprise"]
    extra_columns = ["not_done", "decided_at"]
    default_order = "-id"
    form_fields = {"answers": Checklist(_("自查项目"), choices=CHOICES)}
    form_parts = [Part(_("自查"), WHAT), Part("", ["answers"])]
    then = ("submit", _("提交"), _("存草稿"))
    show_parts = [
        (_("自查"), [*WHAT, "summary", "differs"]),
        (_("提交和核对"), ["submitted_at", "decided_at", "edition"]),
    ]

    def blank(self) -> Any:
        """This year's, of the occasion and year that the address names."""
        row, year = super().blank(), request.args.get("year", "")
        row.year = int(year) if year.isascii() and year.isdigit() and len(year) == 4 else clock.today().year
        row.occasion = row.occasion or Occasion.YEARLY
        return row

    def prepare(self, bound: BoundForm) -> None:
        """The points of its edition; whose it is stands once it is begun."""
        form, row = bound.form, bound.row
        stored = row if isinstance(row, SelfAssessment) and row.id is not None else None
        for name in WHAT:
            if name in form._fields:
                form._fields[name].readonly = stored is not None
        form.answers.items = [
            CheckItem(one.code, one.text, _told(one), help_label=gettext("看什么"))
            for one in data.self_points(stored.edition if stored else EDITION)
        ]
        if stored and stored.differs and not concealed(SelfAssessment, "differs"):
            form.answers.description = gettext("监管所退回：%(why)s", why=stored.differs)

    def _form_page(self, bound: BoundForm, row: Any, **more: Any) -> str:
        """With what the system knows beside the points: read when the form is shown, not while it is written."""
        firm = bound.form.enterprise.data if "enterprise" in bound.form._fields else None
        facts = known_facts(firm) if isinstance(firm, Enterprise) else {}
        for item in bound.form.answers.items if "answers" in bound.form._fields else ():
            item.note = _fact(facts.get(item.code))
        return super()._form_page(bound, row, **more)

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With every point, its answer and what was written beside it."""
        screen = super().show_screen(row, revealed=revealed)
        if not any(concealed(SelfAssessment, name) for name in ("results", "notes", "edition")):
            screen.children.append(answered(gettext("自查项目"), gettext("自查项目"), _points(row), CHOICES))
        return screen


def _told(one: data.SelfPoint) -> str:
    """What is looked at; the source only where one was found."""
    return f"{one.hint}{gettext('依据：%(basis)s。', basis=one.basis)}" if one.basis else one.hint


def _fact(text: str | None) -> str:
    return gettext("系统记录：%(what)s", what=text) if text else ""


def _points(row: SelfAssessment) -> Iterator[CheckItem]:
    given = row.answers
    for one in data.self_points(row.edition):
        mine = given.get(one.code, {})
        words = [mine[name] for name in WORDS_OF.values() if mine.get(name)]
        yield CheckItem(one.code, one.text, choice=mine.get("choice", ""), note="".join(words))

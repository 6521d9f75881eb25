"""Screens of the firms' people and their appointments."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.attachment import Attachments
from app.core.codes import check_mobile, normalise
from app.core.db import current_session
from app.core.fab.cells import label_of
from app.core.fab.forming import Part, RowsOf
from app.core.fab.interface import AppInterface
from app.core.fab.listing import row_of
from app.core.fab.naming import shown
from app.core.fab.showing import MOST_CHILDREN, Children
from app.core.fab.view import EntityView
from app.core.importing.naming import Naming
from app.core.screen import Action, ChildTable, ColumnHead, ShowScreen
from app.core.verbs import Verb
from app.models.personnel import Appointment, Ban, Person
from app.models.training import Exam, Training
from app.views.firm_papers import POST_PAPERS, AppointmentPapers, letter_actions
from app.views.phone_acts import PhoneActs


class PersonView(PhoneActs, EntityView):
    """人员: once each, whatever number of firms they serve."""

    datamodel = AppInterface(Person)
    route_base = "/people"
    title = lazy_pgettext("list", "企业人员")
    icon = "people"
    task = ("people", 1)
    list_columns = ["name", "mobile", "activation", "made_at"]
    order_columns = ["name", "made_at"]
    list_filters = ["activation", "made_at"]
    form_parts = [Part(_("人员"), ["name", "mobile", "id_card"])]
    show_parts = [(_("人员"), ["name", "mobile", "id_card", "activation", "ban"])]
    children = [Children("appointments", ["enterprise", "role", "full_time", "date_from", "date_to"], add="person"),
                Children("", ["date", "topic", "hours", "kind"], add="person", of=(Training, "person_id")),
                Children("", ["date", "role", "score", "result"], add="person", of=(Exam, "person_id")),
                Children("", ["kind", "date_from", "date_to", "decision", "standing"], add="person",
                         of=(Ban, "person_id"))]  # fmt: skip
    naming = Naming(
        keys=(("id_card",), ("name", "mobile"), ("name",)),
        found_by=("id_card", "mobile", "name"),
        canonical={"id_card": normalise, "mobile": lambda text: check_mobile(text).value},
    )
    import_names = {
        "mobile": ("电话", "手机号", "手机号码", "联系电话"),
        "id_card": ("身份证", "身份证号码", "证件号码"),
    }

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """Without an empty list of bans for who reads none: it would say that there are none."""
        screen = super().show_screen(row, revealed=revealed)
        if not current_access().may(Ban.__name__, Verb.READ):
            screen.children.pop()
        return screen


POST = ["person", "enterprise", "site", "role", "full_time", "date_from", "date_to", "document"]
OTHER_POSTS = ["enterprise", "role", "employment", "date_from", "date_to", "alert"]


class AppointmentView(AppointmentPapers, EntityView):
    """任职: who is 主要负责人, 食品安全总监 or 食品安全员 where."""

    datamodel = AppInterface(Appointment)
    route_base = "/appointments"
    title = lazy_pgettext("list", "企业任职")
    icon = "badge"
    task = ("people", 2)
    list_columns = ["person", "role", "enterprise", "site", "employment", "date_from", "date_to", "alert"]
    order_columns = ["role", "date_from", "date_to"]
    list_filters = ["role", "enterprise", "full_time", "date_from", "date_to"]
    form_parts = [
        Part(_("任职"), POST),
        Part(_("能力"), [], [RowsOf("abilities", ["ability", "evidence"], _("加一项能力"))],
             help=_("食品安全总监、食品安全员填写；看能力，不看学历。")),
    ]  # fmt: skip
    show_parts = [(_("任职"), [*POST[:4], "employment", *POST[5:], "alert"])]
    children = [Children("abilities", ["ability", "evidence"])]
    naming = Naming(keys=(("person", "enterprise", "role", "date_from"),))
    import_names = {
        "person": ("姓名", "身份证号"),
        "enterprise": ("单位名称", "企业名称", "统一社会信用代码"),
        "site": ("场所", "门店"),
        "role": ("职务", "任职岗位"),
        "date_from": ("任职日期", "任命日期", "起始日期"),
        "date_to": ("终止日期", "离任日期"),
        "document": ("任命书", "任命文件号"),
    }
    attachments = Attachments(_("任命文件和证明"))
    bulk_acts = POST_PAPERS

    def extra_actions(self, row: Any) -> list[Action]:
        """Its 任命书."""
        return [*letter_actions(row), *super().extra_actions(row)]

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """With the other posts of the person that may be read."""
        screen = super().show_screen(row, revealed=revealed)
        screen.children.append(_other_posts(row))
        return screen


def _other_posts(row: Appointment) -> ChildTable:
    """Only what the reader reaches: posts at firms of another office are neither shown nor counted."""
    columns = shown(Appointment, OTHER_POSTS)
    others = select(Appointment).where(Appointment.person_id == row.person_id, Appointment.id != row.id)
    found = current_session().scalars(others.order_by(Appointment.id.desc()).limit(MOST_CHILDREN)).unique()
    heads = [ColumnHead(name, label_of(Appointment, name)) for name in columns]
    return ChildTable(gettext("这个人的其他任职"), heads, [row_of(one, columns) for one in found],
                      empty_text=gettext("您能查看的范围内没有其他任职。"))  # fmt: skip

"""Screens of the firms' people and their appointments."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.attachment import Attachments
from app.core.codes import check_mobile, normalise
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.importing.naming import Naming
from app.models.personnel import Appointment, Person
from app.models.training import Exam, Training
from app.views.phone_acts import PhoneActs


class PersonView(PhoneActs, EntityView):
    """人员: once each, whatever number of firms they serve."""

    datamodel = AppInterface(Person)
    route_base = "/people"
    title = lazy_pgettext("list", "企业人员")
    icon = "people"
    task = ("firms", 3)
    list_columns = ["name", "mobile", "activation", "made_at"]
    order_columns = ["name", "made_at"]
    list_filters = ["activation", "made_at"]
    form_parts = [Part(_("人员"), ["name", "mobile", "id_card"])]
    show_parts = [(_("人员"), ["name", "mobile", "id_card", "activation"])]
    children = [Children("appointments", ["enterprise", "role", "full_time", "date_from", "date_to"], add="person"),
                Children("", ["date", "topic", "hours", "kind"], add="person", of=(Training, "person_id")),
                Children("", ["date", "role", "score", "result"], add="person", of=(Exam, "person_id"))]  # fmt: skip
    naming = Naming(
        keys=(("id_card",), ("name", "mobile"), ("name",)),
        found_by=("id_card", "mobile", "name"),
        canonical={"id_card": normalise, "mobile": lambda text: check_mobile(text).value},
    )
    import_names = {
        "mobile": ("电话", "手机号", "手机号码", "联系电话"),
        "id_card": ("身份证", "身份证号码", "证件号码"),
    }


class AppointmentView(EntityView):
    """任职: who is 主要负责人, 食品安全总监 or 食品安全员 where."""

    datamodel = AppInterface(Appointment)
    route_base = "/appointments"
    title = lazy_pgettext("list", "企业任职")
    icon = "badge"
    task = ("firms", 4)
    list_columns = ["person", "role", "enterprise", "site", "full_time", "date_from", "date_to"]
    order_columns = ["role", "date_from", "date_to"]
    list_filters = ["role", "enterprise", "full_time", "date_from", "date_to"]
    form_parts = [
        Part(_("任职"), ["person", "enterprise", "site", "role", "full_time", "date_from", "date_to", "document"])
    ]
    show_parts = [
        (_("任职"), ["person", "enterprise", "site", "role", "full_time", "date_from", "date_to", "document"])
    ]
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

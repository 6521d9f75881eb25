"""一企一档 from a firm's page and for many firms of the list: for which days, which parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from io import BytesIO
from typing import Any

from flask import render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.core import clock
from app.core.access.fetch import fetch, may
from app.core.fab import fields, forming
from app.core.fab.bulk import one_file
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.download import download
from app.core.fab.gate import needs
from app.core.history import record
from app.core.screen import Action, FormError
from app.core.verbs import Verb
from app.models.enterprise import Enterprise
from app.services import firm_file, firm_file_print
from app.services.firm_file import Period
from app.views.printing import MOST_FIRMS, PDF, files_later

ASKED = ["date_from", "date_to", "parts"]
AT_ONCE = 600  # lines of a file that one waits for; a longer one is a job


def _offered() -> Iterable[tuple[str, str]]:
    return [(one.key, str(one.label)) for one in firm_file.parts()]


def _all() -> list[str]:
    return [key for key, _label in _offered()]


def _new_year() -> date:
    return clock.today().replace(month=1, day=1)


class FileForm(AppForm):
    """The days and the parts of a file."""

    date_from = fields.Day(_("自"), nullable=False, default=_new_year)
    date_to = fields.Day(_("至"), nullable=False, default=clock.today)
    parts = fields.Several(_("包括哪些内容"), choices=_offered, default=_all, nullable=False)

    def validate(self, extra_validators: Any = None) -> bool:
        """Days in their order, not too many of them."""
        if not super().validate(extra_validators):
            return False
        problem = Period(self.date_from.data, self.date_to.data).problem()
        if problem:
            self.date_to.errors = [problem]
        return not problem


class FileScreens:
    """`/enterprises/<key>/file` asks, `/enterprises/<key>/file.pdf` answers."""

    @expose("/<int:key>/file")
    @needs(Verb.PRINT)
    def file_page(self, key: int) -> Answer:
        """The form: this year, everything."""
        return _page(fetch(Enterprise, key, Verb.PRINT), FileForm(formdata=None, data={}))

    @expose("/<int:key>/file.pdf")
    @needs(Verb.PRINT)
    def file_paper(self, key: int) -> Answer:
        """The file; one that takes longer than a person waits comes as a job."""
        firm = fetch(Enterprise, key, Verb.PRINT)
        form = FileForm(formdata=request.args, data={})
        if not form.validate():
            return _page(firm, form), 422
        period, parts = Period(form.date_from.data, form.date_to.data), form.parts.data
        found = firm_file_print.read(firm, period, parts)
        if found.size > AT_ONCE:
            return files_later([firm.id], date_from=period.first, date_to=period.last, parts=parts)
        about, office_id, name = firm, firm.made_office_id, found.firm
        content = firm_file_print.paper(found)
        record(Verb.PRINT, firm_file_print.told(period), office_id=office_id, about=about, name=name)
        days = f"{period.first:%Y%m%d}-{period.last:%Y%m%d}"
        return download(BytesIO(content), PDF, f"一企一档-{name}-{days}.pdf")


def _page(firm: Enterprise, form: FileForm) -> str:
    base = f"/enterprises/{firm.id}"
    shown = [forming.screen_field(form._fields[name]) for name in ASKED]
    errors = [FormError(one.name, one.label, text) for one in shown for text in one.errors]
    return render_template(
        "entity/firm_file.html", title=gettext("打印一企一档：%(name)s", name=str(firm)), action=f"{base}/file.pdf",
        fields=shown, errors=errors, cancel_url=base, crumbs_of=[(gettext("主体"), "/enterprises/"), (str(firm), base)],
    )  # fmt: skip


def file_action(firm: Enterprise) -> list[Action]:
    """The button on a firm's page."""
    url = f"/enterprises/{firm.id}/file"
    return [Action(gettext("打印一企一档"), url, "plain")] if may(firm, Verb.PRINT) else []


def on_pages(*views: type[Declaration]) -> None:
    """What the pages of a firm and of its sites show of further entities joins the file."""
    firm_file.joined((one.of, one.columns, one.label) for view in views for one in view.children if one.of is not None)


FILE_ACTS = [
    one_file(
        "firm_file", _("打印一企一档"), files_later, asks=(FileForm, ASKED), most=MOST_FIRMS,
        confirm=_("一次最多 %(n)s 户。每户另起一页、单独编页码，合成一个带书签的 PDF；在后台生成，完成后会通知您。",
                  n=MOST_FIRMS),
    ),
]  # fmt: skip

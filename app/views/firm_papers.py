"""The firm's own papers from its page and from an appointment's: 任命书, 职责, 守则, 岗位责任表, 公示牌."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from app.core import clock
from app.core.access.fetch import fetch, may
from app.core.fab.bulk import BulkAct, one_file
from app.core.fab.declaration import Answer, expose
from app.core.fab.download import download
from app.core.fab.gate import needs
from app.core.history import record
from app.core.pdf.pool import render_in_pool
from app.core.screen import Action, Cell, Fact
from app.core.verbs import Verb
from app.data.enums import AppointmentRole
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment
from app.reports.firm_paper import TITLES
from app.services import firm_papers
from app.views.printing import MOST_FIRMS, NAMED, papers_later


class FirmPapers:
    """`/enterprises/<key>/…`: four papers of a firm."""

    @expose("/<int:key>/director-duties")
    @needs(Verb.PRINT)
    def director_duties(self, key: int) -> Answer:
        """《食品安全总监职责》."""
        firm = fetch(Enterprise, key, Verb.PRINT)
        return _printed(firm, firm_papers.duties(firm, AppointmentRole.DIRECTOR))

    @expose("/<int:key>/officer-rules")
    @needs(Verb.PRINT)
    def officer_rules(self, key: int) -> Answer:
        """《食品安全员守则》."""
        firm = fetch(Enterprise, key, Verb.PRINT)
        return _printed(firm, firm_papers.duties(firm, AppointmentRole.OFFICER))

    @expose("/<int:key>/posts")
    @needs(Verb.PRINT)
    def posts_table(self, key: int) -> Answer:
        """岗位责任表."""
        firm = fetch(Enterprise, key, Verb.PRINT)
        return _printed(firm, firm_papers.posts(firm))

    @expose("/<int:key>/board")
    @needs(Verb.PRINT)
    def notice_board(self, key: int) -> Answer:
        """公示牌."""
        firm = fetch(Enterprise, key, Verb.PRINT)
        return _printed(firm, firm_papers.board(firm))


class AppointmentPapers:
    """`/appointments/<key>/letter`."""

    @expose("/<int:key>/letter")
    @needs(Verb.PRINT)
    def letter(self, key: int) -> Answer:
        """任命书."""
        post = fetch(Appointment, key, Verb.PRINT)
        return _printed(post, firm_papers.letter(post))


def _many(kind: str) -> BulkAct:
    """The paper for the ticked rows, as one PDF."""
    return one_file(
        f"print_{kind}", lazy_gettext("打印%(what)s", what=NAMED[kind]), papers_later(kind),
        confirm=lazy_gettext("合成一个 PDF，在后台生成，完成后会通知您；不能打印的会逐条说明原因。"),
        hinders=partial(firm_papers.hindered, kind), most=MOST_FIRMS,
    )  # fmt: skip


FIRM_PAPERS = [_many(kind) for kind in firm_papers.OF_A_FIRM]
POST_PAPERS = [_many(kind) for kind in firm_papers.OF_A_POST]


def paper_links(firm: Enterprise, *, named: bool) -> list[Fact]:
    """A line for each paper: buttons would fill a phone's foot. named: those with names too, see `tells_posts`."""
    papers = [("director", "director-duties"), ("officer", "officer-rules")]
    if named:
        papers += [("posts", "posts"), ("board", "board")]
    return [Fact(NAMED[kind], Cell("link", _("打印（PDF）"), url=f"/enterprises/{firm.id}/{last}"))
            for kind, last in papers]  # fmt: skip


def letter_actions(post: Appointment) -> list[Action]:
    """The button on an appointment's page."""
    able = may(post, Verb.PRINT) and firm_papers.tells_letter() and post.alert is None
    return [Action(_("打印任命书"), f"/appointments/{post.id}/letter")] if able else []


def _printed(row: Any, context: dict[str, Any]) -> Answer:
    """The paper; that it was printed stands in the row's history."""
    title = TITLES[context["kind"]]
    content = render_in_pool("firm_paper", context)
    record(Verb.PRINT, f"打印{title}", office_id=row.made_office_id, about=row, name=context["firm"])
    return download(BytesIO(content), "application/pdf", f"{title}-{context['firm']}-{clock.today():%Y%m%d}.pdf")

"""What becomes of 摸底 lines when a site ends, goes to another station, or becomes one with another.

A site has one line a round, so that it is counted once whatever happens to it; what was handed in stays where it was
counted, and a round that has ended is touched by nothing.
"""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import current_session
from app.core.verbs import Verb
from app.core.writing import perform
from app.data.census import GoneWhy, LineState, RoundState, SheetState
from app.models.census import SEALED, CensusLine, CensusReturn, CensusRound
from app.models.enterprise import Site


def _running(site_id: int) -> Any:
    """The lines of a site in rounds that go on, with their returns locked against a hand-in at the same time."""
    return (
        select(CensusLine, CensusReturn).join(CensusReturn, CensusLine.sheet_id == CensusReturn.id)
        .join(CensusRound, CensusLine.round_id == CensusRound.id)
        .where(CensusLine.site_id == site_id, CensusRound.state == RoundState.OPEN).order_by(CensusLine.id)
        .with_for_update(of=CensusReturn)
    )  # fmt: skip


def retire_line(line: CensusLine, why: GoneWhy, reason: str) -> None:
    """The line says why its site is counted no more."""
    line.state, line.why, line.reason, line.decided_at = LineState.GONE, why, reason[:500], clock.now()


def site_ended(site: Site) -> None:
    """A site that ends while its station still counts leaves the list; written as a part of saving the site."""
    reason = str(_("场所登记为“%(state)s”。", state=_(site.state)))
    with current_session().no_autoflush:
        found = current_session().execute(_running(site.id)).unique().all()
    for line, sheet in found:
        if sheet.state not in SEALED and line.state != LineState.GONE:
            retire_line(line, GoneWhy.CLOSED, reason)
            perform(line, Verb.UPDATE, site)


def site_merged(gone: Site, kept: Site) -> None:
    """The site that goes is counted with the one that stays, in a list that was handed in as well (unscoped)."""
    for line, _sheet in current_session().execute(_running(gone.id)).unique().all():
        if line.state != LineState.GONE:
            retire_line(line, GoneWhy.DUPLICATE, str(_("已并入“%(name)s”。", name=str(kept))))


def site_moved(session: Session, site_id: int, office_id: int) -> None:
    """The line goes over to be judged anew by who answers now, where both returns are open (unscoped).

    Where one is handed in, the site stays counted where it was: what was handed in does not change, and what was not
    yet decided upon counts as confirmed, since the other station has accepted the site.
    """
    for line, sheet in session.execute(_running(site_id)).unique().all():
        theirs = session.scalar(
            select(CensusReturn).where(CensusReturn.round_id == line.round_id, CensusReturn.office_id == office_id)
            .with_for_update()
        )  # fmt: skip
        if sheet.state not in SEALED and theirs is not None and theirs.state not in SEALED:
            line.sheet_id, line.office_id = theirs.id, office_id
            if line.state == LineState.CONFIRMED:
                line.state, line.reason = LineState.OPEN, str(_("从“%(name)s”移交来。", name=sheet.name))[:500]
        elif line.state == LineState.OPEN:
            line.state, line.decided_at = LineState.CONFIRMED, clock.now()
            line.reason = str(_("已移交，由接收的监管所核实。"))


def open_sheets(office_id: int) -> list[tuple[int, int]]:
    """(return, round) of an office that a site which is entered now is counted in.

    On the connection: whoever enters a site need read no returns; locked, so that a hand-in waits.
    """
    sheets, rounds = CensusReturn.__table__, CensusRound.__table__
    going = rounds.c.state == RoundState.OPEN
    mine = (sheets.c.office_id == office_id, sheets.c.state.in_([SheetState.OPEN, SheetState.RETURNED]))
    asked = select(sheets.c.id, sheets.c.round_id).join(rounds, sheets.c.round_id == rounds.c.id)
    asked = asked.where(going, *mine).order_by(sheets.c.id).with_for_update(read=True, of=sheets)
    return [(int(sheet), int(of)) for sheet, of in current_session().connection().execute(asked)]

"""Who works on a row is put to it: an Assignment for those from another office, and for all while it is sealed.

Kept by the flush that writes the row, so that no screen, import or command can forget it. The row's own history tells
who was named; an assignment only lets them in, and ends with the work, at the latest after `Team.days`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, event, insert, inspect, or_, select, update
from sqlalchemy.orm import InstanceState, Session

from app.core import clock
from app.core.access.seal import is_sealed
from app.core.db import AppSession
from app.core.entity import Entity, Team
from app.core.office import Account, Assignment

TABLE: Any = inspect(Assignment).local_table


@event.listens_for(AppSession, "after_flush")
def _keep_teams(session: Session, _context: Any) -> None:
    for row in (*session.new, *session.dirty):
        team = row.__team__ if isinstance(row, Entity) else None
        if team is not None and (row in session.new or _touched(row, team)):
            _keep(session, row, team)


def _touched(row: Entity, team: Team) -> bool:
    state: InstanceState[Entity] = inspect(row)
    seal = (row.__seal__.flag,) if row.__seal__ else ()
    names = (*team.columns, *seal, row.state_column())
    return any(state.attrs[name].history.has_changes() for name in names)


def _keep(session: Session, row: Any, team: Team) -> None:
    mine = (TABLE.c.entity == row.policy_name()) & (TABLE.c.row_id == row.id)
    in_force = mine & or_(TABLE.c.date_to.is_(None), TABLE.c.date_to >= clock.today())
    if getattr(row, row.state_column()) in team.ended:
        session.connection().execute(update(TABLE).where(in_force).values(date_to=clock.today()))
        return
    members = {key for name in team.columns if (key := getattr(row, name)) is not None}
    if gone := _before(row, team) - members:
        leaving = in_force & TABLE.c.account_id.in_(gone)
        session.connection().execute(delete(TABLE).where(leaving, TABLE.c.date_from >= clock.today()))
        session.connection().execute(update(TABLE).where(leaving).values(date_to=clock.today() - timedelta(1)))
    known = set(session.connection().scalars(select(TABLE.c.account_id).where(in_force)))
    wanted = [key for key in sorted(_to_put(session, row, members)) if key not in known]
    if wanted:
        session.connection().execute(insert(TABLE), [_assignment(row, team, key) for key in wanted])


def _before(row: Any, team: Team) -> set[int]:
    state: InstanceState[Any] = inspect(row)
    return {key for name in team.columns for key in state.attrs[name].history.deleted or () if key is not None}


def _to_put(session: Session, row: Any, members: set[int]) -> set[int]:
    """All of them while the row is sealed; else those whose own office does not answer for it."""
    if is_sealed(row):
        return members
    away = select(Account.id).where(Account.id.in_(members), Account.office_id != row.office_id)
    return set(session.connection().scalars(away))


def _assignment(row: Any, team: Team, account_id: int) -> dict[str, Any]:
    today = clock.today()
    return {
        "account_id": account_id, "entity": row.policy_name(), "row_id": row.id, "version": 1,
        "enterprise_id": row.enterprise_id, "site_id": row.site_id, "date_from": today,
        "date_to": today + timedelta(team.days),
    }  # fmt: skip

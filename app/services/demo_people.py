"""Demo data of firms' people: papers of a firm, a report that is being written, a ban that has run out."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from app.core import clock
from app.core.access.context import acting
from app.core.db import current_session
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.data.enums import AppointmentRole
from app.data.people import BanKind, ChangeKind, PolicyKind, PolicyState
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, Ban
from app.models.policy_document import PolicyDocument
from app.models.staff_change import StaffChange

FIRST, LAST = date(2015, 3, 2), date(2020, 3, 2)


def make_people(chief: int, firm: int, made: dict[str, int]) -> None:
    """Write them as the chief of a station and as somebody of a firm there; adds to how many were made."""
    with acting(chief):
        post = current_session().scalars(select(Appointment).order_by(Appointment.id.desc())).unique().first()
        if post is not None:
            save(
                Ban(
                    person=post.person,
                    kind=BanKind.FIVE_YEARS,
                    basis="食品安全法第一百三十五条第一款",
                    decision="演示罚〔2015〕3号",
                    date_from=FIRST,
                    date_to=LAST,
                ),
                Verb.CREATE,
                accepted=EVERYTHING,
            )
            save(
                PolicyDocument(
                    enterprise=post.enterprise, kind=PolicyKind.RISKS, state=PolicyState.SIGNED, made_on=clock.today()
                ),
                Verb.CREATE,
            )
            made["bans"] = made["papers"] = 1
    with acting(firm):
        own = current_session().scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        post = current_session().scalars(select(Appointment).order_by(Appointment.id)).unique().first()
        if own is not None and post is not None:
            save(PolicyDocument(enterprise=own, kind=PolicyKind.OFFICER, state=PolicyState.NONE), Verb.CREATE)
            save(
                StaffChange(
                    enterprise=post.enterprise,
                    kind=ChangeKind.APPOINT,
                    role=AppointmentRole.OFFICER,
                    person=post.person,
                    date_from=clock.today(),
                ),
                Verb.CREATE,
            )
            made["changes"] = 1

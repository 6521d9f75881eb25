"""People and their appointments; which firms a person reaches by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.audience import register_people_reader
from app.core.access.context import Firms, register_firm_reader
from app.core.codes import check_id_card, check_mobile
from app.core.crypto import digest
from app.core.pinyin import search_key
from app.core.saving import Check, on_save
from app.data.enums import AppointmentRole
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person


@on_save(Person)
def check_person(person: Person, check: Check) -> None:
    """ID card (real date, age 16 to 100, check digit) and mobile; fills their digests and the search key."""
    if person.id_card:
        verdict = check_id_card(person.id_card, clock.today())
        person.id_card = verdict.value
        for text in verdict.errors:
            check.error("id_card", text)
    if person.mobile:
        mobile = check_mobile(person.mobile)
        person.mobile = mobile.value
        for text in mobile.errors:
            check.error("mobile", text)
    person.id_card_digest = digest(person.id_card, "person.id_card") if person.id_card else None
    person.mobile_digest = digest(person.mobile, "person.mobile") if person.mobile else None
    person.search_text = search_key(person.name or "")


@on_save(Appointment)
def check_appointment(one: Appointment, check: Check) -> None:
    """Dates in order; the site is the firm's."""
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于任职起。"))
    if one.site is not None and one.enterprise is not None and one.site.enterprise_id != one.enterprise.id:
        check.error("site", _("这个场所不属于所选主体。"))
    told: set[str] = set()
    for number, one_of in enumerate(one.abilities, 1):
        if one_of.ability in told:
            check.error(f"abilities.{number}.ability", _("这一项已经填过。"))
        told.add(one_of.ability)


@register_firm_reader
def firms_of(session: Session, account_id: int, day: date) -> Firms:
    """Where the account's person holds an appointment in force on a day, and what is read along with that.

    One statement. Stores name their headquarters and canteens the place they are in by its code: the station that
    answers for the store says so, and neither needs to read the other's records.
    """
    mine = (
        select(Appointment.enterprise_id, Appointment.site_id, Appointment.role)
        .join(Person, Appointment.person_id == Person.id)
        .where(
            Person.account_id == account_id,
            Appointment.in_force(day),
        )
        .cte("mine")
    )
    whole = select(mine.c.enterprise_id).where(mine.c.site_id.is_(None))
    codes = select(Enterprise.code).where(Enterprise.id.in_(whole), Enterprise.code.is_not(None))
    own = select(literal("").label("along"), mine.c.enterprise_id, mine.c.site_id, mine.c.role)
    stores = select(literal("store"), Enterprise.id, null(), literal("")).where(Enterprise.head_code.in_(codes))
    canteens = select(literal("site"), Site.enterprise_id, Site.id, literal("")).where(Site.host_code.in_(codes))
    rows = session.execute(union_all(own, stores, canteens)).all()
    held = [row for row in rows if not row.along]
    duties = {duty.value: _firms([row for row in held if row.role == duty]) for duty in AppointmentRole}
    along = _firms([row for row in rows if row.along])
    return replace(_firms(held), along=along if along.parents else None, duties=duties)


def _firms(rows: Sequence[Any]) -> Firms:
    whole = frozenset(row.enterprise_id for row in rows if row.site_id is None)
    sites = frozenset(row.site_id for row in rows if row.site_id is not None)
    return Firms(whole, sites, frozenset(row.enterprise_id for row in rows))


def _read_along_by(row: Any, firm: int) -> Any:
    """The headquarters of a record's firm, and the place its site is in."""
    site = row.id if isinstance(row, Site) else getattr(row, "site_id", None)
    codes = [select(Enterprise.head_code).where(Enterprise.id == firm)]
    codes += [select(Site.host_code).where(Site.id == site)] if site is not None else []
    return select(Enterprise.id).where(or_(*(Enterprise.code.in_(one) for one in codes)))


@register_people_reader
def people_of(session: Session, row: Any, day: date) -> list[int]:
    """The accounts of those who hold an appointment in force at the firm (or the site) a record is about."""
    firm = row.id if isinstance(row, Enterprise) else getattr(row, "enterprise_id", None)
    mine = Appointment.enterprise_id == firm
    if isinstance(row, Person):
        mine = Appointment.enterprise_id.in_(select(Appointment.enterprise_id).where(Appointment.person_id == row.id))
    elif firm is None:
        return []
    else:
        mine |= Appointment.enterprise_id.in_(_read_along_by(row, firm))
    found = session.scalars(
        select(Person.account_id)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(mine, Appointment.in_force(day), Person.account_id.is_not(None))
        .distinct()
        .order_by(Person.account_id)
    )
    return [key for key in found if key is not None]

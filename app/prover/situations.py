"""Situations between rows of one bureau: who is put to what, who reads along, who signs for another, what changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.entity import Entity, registry
from app.core.office import AccessRole, Assignment, Office, Posting
from app.core.types import public_id
from app.models.enterprise import Enterprise, Site
from app.models.rectification import Delegation
from app.prover.making import Place

if TYPE_CHECKING:
    from app.prover.bureau import Bureau

DELEGATE = "role-assistant"  # signs for the other station


def situate(house: Bureau, session: Session, whole: list[type[Entity]], places: dict[str, Place]) -> None:
    """All of them. The bureau's rows are there, each of one place."""
    _second(house, session)
    _assign(house, session)
    _teams(house, whole, places)
    _delegate(house, places["b-catering"].office_id)
    _mix_families(house, session)


def _second(house: Bureau, session: Session) -> None:
    """Who sees less at one station and all at the other; who sees less, and all there by a second posting."""
    since = clock.today() - timedelta(days=365)
    for username, code, place in (("narrow-b", "inspector", "b-catering"), ("wide-a", "chief", "a-catering")):
        role = session.scalars(select(AccessRole.id).where(AccessRole.code == code)).one()
        office = next(one.office_id for one in house.where if one.name == place)
        session.add(Posting(account_id=house.accounts[username], office_id=office, role_id=role, date_from=since))
    session.flush()


def rewrite(house: Bureau, session: Session) -> None:
    """One act upon rows of several owners: history tells old and new words, of hidden columns and of parts."""
    hidden = session.scalars(select(AccessRole.hidden).where(AccessRole.code == "prover_narrow")).one()
    for (cls, name), key in list(house.made.firsts.items()):
        if not cls.__history__ or name not in {"a-catering", "moved"}:
            continue
        row: Any = session.get_one(cls, key)
        values = {prop.key: getattr(row, prop.key) for prop in inspect(cls).column_attrs}
        told = [one for one, value in values.items() if isinstance(value, str) and value in house.made.words]
        for column in told[:1] if cls.__part_of__ else sorted(set(told) & set(hidden.get(cls.__name__, ()))):
            house.made.rename(row, column)
    _along(house, session)


def _assign(house: Bureau, session: Session) -> None:
    """An inspector put to one row of the other station, of each entity that somebody may be put to."""
    inspector = session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one()
    for name, verbs in inspector.grants.items():
        cells = verbs.get("read", ())
        cls = registry()[name]
        if any(cell[0] == "assigned" for cell in cells) and not getattr(cls, "__firm_key__", ""):
            row: Any = session.get(cls, house.made.firsts[cls, "b-sales"])
            session.add(
                Assignment(account_id=house.accounts["yuan-a"], entity=name, row_id=row.id, site_id=row.site_id,
                           enterprise_id=row.enterprise_id, date_from=clock.today())
            )  # fmt: skip
    session.flush()


def _teams(house: Bureau, whole: list[type[Entity]], places: dict[str, Place]) -> None:
    """Rows that name an inspector of the other station, open and sealed; and a sealed one of the own station."""
    for cls in (one for one in whole if one.__team__ is not None):
        assert cls.__team__ is not None
        first, seal = cls.__team__.columns[0], cls.__seal__
        member = {first: house.accounts["yuan-a"]}
        closed = {} if seal is None else {seal.flag: True, seal.approver: house.accounts["suo-a"]}
        for name in ("b-catering", "a-catering"):
            for values in (member, member | closed):
                house.note(house.made.make(cls, places[name], **values), places[name])


def _along(house: Bureau, session: Session) -> None:
    """A store of firm-a's firm and a canteen in it, both under the other station: firm-a reads along."""
    session.flush()
    code = session.get_one(Enterprise, house.made.firsts[Enterprise, "a-catering"]).code
    for cls, name in ((Enterprise, "head_code"), (Site, "host_code")):
        row = session.get_one(cls, house.made.firsts[cls, "b-sales" if cls is Enterprise else "b-catering"])
        setattr(row, name, code)
    session.flush()


def _delegate(house: Bureau, office_id: int) -> None:
    """Somebody who is nobody at the other station signs for it from a day to a day."""
    values = {"office_id": office_id, "account_id": house.accounts[DELEGATE]}
    house.note(house.made.make(Delegation, house.where[0], **values), Place(DELEGATE, 0, 0, 0))


def _mix_families(house: Bureau, session: Session) -> None:
    """A posting of another family in the database all the same: it counts for nothing."""
    role = session.scalars(select(AccessRole).where(AccessRole.code == "sysadmin")).one()
    top = session.scalars(select(Office.id).where(Office.parent_id.is_(None))).first()
    values = {"account_id": house.accounts["neiqin-a"], "office_id": top, "role_id": role.id, "lines": 0,
              "title": "", "date_from": date(2020, 1, 1), "public_id": public_id(), "version": 1}  # fmt: skip
    session.connection().execute(insert(inspect(Posting).local_table), values)

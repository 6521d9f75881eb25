"""Putting ledger rows into the register: firms, sites, people and appointments, found again rather than doubled.

The same row again changes nothing. A firm is found by its code, one without a code by name and address; a site by its
licence, else by its address; a person by ID card, else by mobile and name, else by name within the firm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.crypto import digest
from app.core.db import current_session
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import SiteKind, SiteState
from app.models.area import Area
from app.models.enterprise import GONE, Enterprise, Site
from app.models.personnel import Appointment, Person
from app.services.ledger_row import LedgerPerson, LedgerRow
from app.services.sync import LINES

CHUNK = 400  # keys asked for in one statement


@dataclass
class Outcome:
    """How many rows of each entity were made, changed, or found as they are."""

    made: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    same: dict[str, int] = field(default_factory=dict)

    def note(self, row: Any, what: str) -> None:
        """Count one row under made, changed or same."""
        table: dict[str, int] = getattr(self, what)
        table[type(row).__name__] = table.get(type(row).__name__, 0) + 1


class Register:
    """One run over ledger rows for one office; with `write` false it only counts what would happen."""

    def __init__(self, office_id: int, *, write: bool, since: date | None = None) -> None:
        self.office_id, self.write, self.since = office_id, write, since or clock.today()
        self.outcome = Outcome()
        self.firms: dict[str, Enterprise] = {}
        self.sites: dict[tuple[int, str], Site] = {}
        self.people: dict[str, Person] = {}
        self.posts: dict[tuple[int, int, str], Appointment] = {}
        self.areas = {area.code: area for area in current_session().scalars(select(Area))}

    def take(self, rows: Iterable[LedgerRow]) -> Outcome:
        """Take every row in, in one transaction."""
        rows = list(rows)
        self._find_stored(rows)
        if not self.write:
            for row in rows:
                self._row(row)
            return self.outcome
        with unit_of_work(Verb.IMPORT, "台账导入"):
            for row in rows:
                self._row(row)
        return self.outcome

    # -- what is there ------------------------------------------------------------------------------------------------

    def _find_stored(self, rows: list[LedgerRow]) -> None:
        """Read what the rows may meet, a few hundred keys a statement."""
        self._find_firms(rows)
        ids = [firm.id for firm in self.firms.values()]
        for site in self._in(Site, Site.enterprise_id, ids):
            self._keep_site(site)
        for post in self._in(Appointment, Appointment.enterprise_id, ids):
            if post.date_to is None or post.date_to >= self.since:
                self.posts[post.enterprise_id, post.person_id, post.role] = post
        self._find_people(rows)

    def _find_firms(self, rows: list[LedgerRow]) -> None:
        for firm in self._in(Enterprise, Enterprise.code, [row.code for row in rows if row.code]):
            if firm.state not in GONE:
                self.firms[firm.code or ""] = firm
        for firm in self._in(Enterprise, Enterprise.name, [row.name for row in rows if not row.code]):
            if firm.office_id == self.office_id and not firm.code:
                self.firms[_nameless(firm.name, firm.address)] = firm

    def _find_people(self, rows: list[LedgerRow]) -> None:
        """Those the appointments name, and those with an ID card or mobile of the rows."""
        named = self._in(Person, Person.id, [post.person_id for post in self.posts.values()])
        cards = [digest(one.id_card, "person.id_card") for row in rows for one in row.people if one.id_card]
        mobiles = [digest(one.phone, "person.mobile") for row in rows for one in row.people if one.phone]
        known = [
            *named,
            *self._in(Person, Person.id_card_digest, cards),
            *self._in(Person, Person.mobile_digest, mobiles),
        ]
        for person in known:
            self._keep_person(person)
        by_id = {person.id: person for person in named}
        for enterprise_id, person_id, _role in self.posts:
            if person_id in by_id:
                self.people[f"at:{enterprise_id}:{by_id[person_id].name}"] = by_id[person_id]

    @staticmethod
    def _in(model: Any, column: Any, keys: list[Any]) -> list[Any]:
        found: list[Any] = []
        unique = list(dict.fromkeys(key for key in keys if key))
        for start in range(0, len(unique), CHUNK):
            statement = select(model).where(column.in_(unique[start : start + CHUNK]))
            found += current_session().scalars(statement).unique()
        return found

    def _keep_site(self, site: Site) -> None:
        for key in (f"no:{site.licence_no}" if site.licence_no else "", f"at:{site.address}"):
            if key:
                self.sites.setdefault((_key(site.enterprise_id, site.enterprise), key), site)

    def _keep_person(self, person: Person) -> None:
        if person.id_card_digest:
            self.people[f"card:{person.id_card_digest}"] = person
        if person.mobile_digest:
            self.people[f"mobile:{person.mobile_digest}:{person.name}"] = person

    # -- one row ------------------------------------------------------------------------------------------------------

    def _row(self, row: LedgerRow) -> None:
        firm = self._firm(row)
        site = self._site(row, firm)
        for one in row.people:
            self._post(one, firm, site)

    def _firm(self, row: LedgerRow) -> Enterprise:
        key = row.code or _nameless(row.name, row.address)
        values = {"name": row.name, "org_form": row.org_form, "legal_person": row.legal_person, "phone": row.phone,
                  "address": row.address}  # fmt: skip
        firm = self.firms.get(key)
        if firm is None:
            firm = Enterprise(code=row.code or None, office_id=self.office_id, state=SiteState.OPEN)
            self.firms[key] = firm
            self._set(firm, values, new=True)
        elif len(row.rows) <= 1 or firm.id:
            self._set(firm, {name: value for name, value in values.items() if name != "address"}, new=False)
        return firm

    def _site(self, row: LedgerRow, firm: Enterprise) -> Site:
        owner = _key(firm.id, firm)
        site = self.sites.get((owner, f"no:{row.licence_no}")) if row.licence_no else None
        site = site or self.sites.get((owner, f"at:{row.address}"))
        values = {
            "name": row.name, "address": row.address, "kind": row.site_kind or _kind_for(row), "lines": bits(row.lines),
            "licence_no": row.licence_no, "licence_kind": row.licence_kind, "licence_until": row.valid_to,
            "risk_grade": row.risk, "state": row.state or SiteState.OPEN, "area": self.areas.get(row.area_code),
            **{FIGURES[name]: figure for name, figure in row.counts.items()},
        }  # fmt: skip
        new = site is None
        if site is None:
            site = Site(enterprise=firm, office_id=self.office_id)
        self._set(site, values, new=new)
        if new:
            self._keep_site(site)
        return site

    def _post(self, one: LedgerPerson, firm: Enterprise, site: Site) -> None:
        person = self._person(one, firm)
        key = (_key(firm.id, firm), _key(person.id, person), str(one.role))
        post = self.posts.get(key)
        if post is not None:
            self.outcome.note(post, "same")
            return
        post = Appointment(
            person=person, enterprise=firm, role=str(one.role), full_time=bool(one.full_time), date_from=self.since
        )
        self.posts[key] = post
        self._set(post, {}, new=True)

    def _person(self, one: LedgerPerson, firm: Enterprise) -> Person:
        card = f"card:{digest(one.id_card, 'person.id_card')}" if one.id_card else ""
        mobile = f"mobile:{digest(one.phone, 'person.mobile')}:{one.name}" if one.phone else ""
        here = f"at:{_key(firm.id, firm)}:{one.name}"
        person = next((self.people[key] for key in (card, mobile, here) if key and key in self.people), None)
        if person is not None:
            self._set(
                person, {"id_card": person.id_card or one.id_card, "mobile": person.mobile or one.phone}, new=False
            )
        else:
            person = Person(office_id=self.office_id)
            self._set(person, {"name": one.name, "id_card": one.id_card, "mobile": one.phone}, new=True)
        for key in (card, mobile, here):
            if key:
                self.people[key] = person
        return person

    def _set(self, row: Any, values: dict[str, Any], *, new: bool) -> None:
        """Put values on a row where they say something; save it when that changed anything."""
        changes = {
            name: value for name, value in values.items() if value not in ("", None) and getattr(row, name) != value
        }
        if not new and not changes:
            self.outcome.note(row, "same")
            return
        self.outcome.note(row, "made" if new else "changed")
        if self.write or new:
            for name, value in changes.items():
                setattr(row, name, value)
        if self.write:
            save(row, Verb.IMPORT, accepted=EVERYTHING)


FIGURES = {"employees": "staff", "floor_area": "floor_area", "seats": "seats", "diners": "meals", "revenue": "revenue"}
"""A ledger's scale figures by the columns of Site."""


def _nameless(name: str, address: str) -> str:
    return f"{name}\n{address}"


def _key(stored: int | None, row: Any) -> int:
    """A key for a row that may not be stored yet: its own, else a negative one of the object."""
    return stored or -id(row)


def bits(names: Iterable[str]) -> int:
    """Line names as bits."""
    return sum(int(LINES[name]) for name in dict.fromkeys(names))


def _kind_for(row: LedgerRow) -> str:
    """What a place is when the ledger does not say: a caterer in catering, a producer in production, else a shop."""
    kinds = {"餐饮服务": SiteKind.SMALL_CATERER, "食品生产": SiteKind.WORKSHOP}
    return str(next((kinds[name] for name in row.lines if name in kinds), SiteKind.GROCERY))

"""Which firm or site of ours a row of another system's export is, and in which fields the two differ.

Everything is asked under the person's own predicate, and only what an office of the person answers for is compared: a
row about a firm that one may not read is one that only the other system has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from app.core.access.context import current_access
from app.core.access.predicate import answered_for
from app.core.codes import normalise
from app.core.db import current_session
from app.core.likeness import address_key, name_key
from app.core.verbs import Verb
from app.data.enums import LicenceState
from app.data.reconciling import FIELDS, Change, Matched, Source
from app.models.enterprise import GONE, Enterprise, Site
from app.models.licence import Licence
from app.models.reconciliation import ReconciliationLine
from app.services.export_rows import Theirs

CHUNK = 400  # rows that are looked up together


@dataclass(slots=True)
class Found:
    """What a row is of ours; `candidates` when it could be several, or one that says otherwise who it is."""

    firm: Enterprise | None = None
    site: Site | None = None
    how: Matched | None = None
    candidates: list[int] = field(default_factory=list)
    new_licence: bool = False  # the firm is ours, the place that this licence is for is not


def answered(model: Any) -> Any:
    """The firms, or sites, whose lines the person may make: an office of theirs answers for them now."""
    return answered_for(current_access(), model, ReconciliationLine.__name__, Verb.CREATE)


class Known:
    """What is ours of some rows of the file, read in a handful of statements however many rows there are."""

    def __init__(self, rows: Sequence[Theirs]) -> None:
        said = [row.values for row in rows]
        codes = _given(said, "code")
        names = {name_key(one["name"]) for one in said if one.get("name")} - {""}
        numbers = _given(said, "licence_no")
        held = select(Licence.site_id).where(Licence.number.in_(numbers), Licence.state == LicenceState.VALID)
        about = or_(Site.licence_no.in_(numbers), Site.id.in_(held), Site.name_key.in_(names))
        met = self._all(Site, about, answered(Site))
        firms = or_(Enterprise.code.in_(codes), Enterprise.name_key.in_(names))
        lent = Enterprise.id.in_(select(Site.enterprise_id).where(answered(Site)))
        own = self._all(Enterprise, firms, or_(answered(Enterprise), lent))
        missing = {one.enterprise_id for one in met} - {one.id for one in own}
        self.firms = {one.id: one for one in [*own, *self._all(Enterprise, Enterprise.id.in_(missing))]}
        self.sites = defaultdict[int, list[Site]](list)
        for site in self._all(Site, Site.enterprise_id.in_(self.firms), answered(Site)):
            self.sites[site.enterprise_id].append(site)
        own_ids = select(Enterprise.id).where(Enterprise.id.in_(self.firms), answered(Enterprise))
        self.own = set(current_session().scalars(own_ids))
        self.by_code = {one.code: one for one in self.firms.values() if one.code}
        self.by_licence = defaultdict[str, list[Site]](list)
        self.papers = {(one.site_id, one.number): one for one in papers_of(_given(said, "licence_no"))}
        self.by_name = defaultdict[str, set[int]](set)
        for firm in self.firms.values():
            self.by_name[firm.name_key or ""].add(firm.id)
            for site in self.sites[firm.id]:
                for number in {site.licence_no or "", *(no for key, no in self.papers if key == site.id)}:
                    self.by_licence[number].append(site)
                self.by_name[site.name_key or ""].add(firm.id)

    @staticmethod
    def _all(model: Any, *criteria: Any) -> list[Any]:
        some = select(model).where(*criteria, model.state.not_in(GONE)).order_by(model.id)
        return list(current_session().scalars(some).unique())

    def match(self, row: Theirs, source: str) -> Found:
        """By code, then by licence, then by name and address."""
        said = row.values
        firm = self.by_code.get(said.get("code"))
        if firm is not None:
            return self._place(Found(firm, how=Matched.CODE), row, source)
        held = self.by_licence.get(said.get("licence_no") or "-", [])
        if len(held) == 1:
            return Found(self.firms[held[0].enterprise_id], held[0], Matched.LICENCE)
        alike = [self.firms[key] for key in sorted(self._alike(said))]
        if len(alike) == 1 and not (said.get("code") and alike[0].code):
            return self._place(Found(alike[0], how=Matched.NAME), row, source)
        return Found(candidates=[one.id for one in alike] or [one.enterprise_id for one in held])

    def _alike(self, said: dict[str, str]) -> set[int]:
        """Firms of this name at this address: their own, or that of one of their sites."""
        place = address_key(said.get("address", ""))
        named = self.by_name.get(name_key(said.get("name", "")) or "-", set())
        return {
            key for key in named
            if place and place in {self.firms[key].address_key, *(one.address_key for one in self.sites[key])}
        }  # fmt: skip

    def _place(self, found: Found, row: Theirs, source: str) -> Found:
        """The site of the firm: by licence, by address, else the only one; none when the licence is for a new place."""
        assert found.firm is not None
        sites, said = self.sites[found.firm.id], row.values
        number, place = said.get("licence_no"), address_key(said.get("address", ""))
        here = [one for one in sites if number and one in self.by_licence[number]]
        here = here or [one for one in sites if place and one.address_key == place]
        if not here and len(sites) == 1:
            same_paper = not (number and sites[0].licence_no) or row.change in {Change.CHANGED, Change.RENEWED}
            here = sites if same_paper or source != Source.LICENSING else []
        found.site = here[0] if len(here) == 1 else None
        if found.site is None and found.firm.id not in self.own:  # another office's firm, of which this one has a place
            return Found(candidates=[found.firm.id])
        found.new_licence = bool(number and sites and found.site is None and source == Source.LICENSING)
        return found


def _given(said: list[dict[str, str]], name: str) -> list[str]:
    return sorted({one[name] for one in said if one.get(name)})


def holder_of(name: str, source: str, site: Site | None) -> str:
    """Which of the two has a field: "site" or "firm". An address is the registered one only where registration says."""
    if name in {"licence_no", "licence_until"}:
        return "site"
    return "site" if name == "address" and site is not None and source != Source.REGISTRATION else "firm"


def papers_of(numbers: list[str], site_id: int | None = None) -> list[Licence]:
    """The valid licences with these numbers, of one site or of any."""
    some = select(Licence).where(Licence.number.in_(numbers), Licence.state == LicenceState.VALID)
    some = some if site_id is None else some.where(Licence.site_id == site_id)
    return list(current_session().scalars(some.order_by(Licence.id)).unique())


def ours_of(firm: Enterprise, site: Site | None, source: str, paper: Licence | None = None) -> dict[str, str]:
    """Our side of the fields, as texts; what a firm without the site can't say is left out. `paper`: the licence that
    is meant, where the site has several."""
    found = {}
    for name in FIELDS:
        holder: Any = site if holder_of(name, source, site) == "site" else firm
        if holder is not None and hasattr(holder, name):
            value = getattr(holder, name)
            found[name] = "" if value is None else str(value)
    if paper is not None:
        found["licence_no"], found["licence_until"] = paper.number, str(paper.valid_to or "")
    return found


def differences(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    """The fields that the other system fills in and that say something else here."""
    return [name for name in FIELDS if name in theirs and name in ours
            and _bare(name, theirs[name]) != _bare(name, ours[name])]  # fmt: skip


def _bare(name: str, text: str) -> str:
    """What is compared of a value: width, spaces and the ways of writing an address or a telephone make none differ."""
    if name == "address":
        return address_key(text)
    if name == "phone":
        return "".join(char for char in normalise(text) if char.isdecimal())
    return normalise(text)

"""What is done about a line of a comparison: theirs taken, ours kept, a firm made, a licence or a firm ended.

Each act is one unit of work judged by the person's rights on the very row of ours, upon the version that was compared.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.saving import EVERYTHING, NONE, Refused, save
from app.core.verbs import Verb
from app.core.workflow import handles, lock, run
from app.core.writing import current_unit
from app.data.enums import LINE_OF, LicenceKind, SiteKind, SiteState
from app.data.reconciling import Matched, Source
from app.models.enterprise import GONE, Enterprise, Site
from app.models.licence import Licence
from app.models.lines import BITS
from app.models.reconciliation import ReconciliationLine
from app.services.firm_match import holder_of, papers_of
from app.services.reconciliation import compare_line

L = ReconciliationLine
LICENCES = {"SC": LicenceKind.PRODUCTION, "JY": LicenceKind.OPERATION, "YB": LicenceKind.PREPACKED_FILING}
KINDS = {"JY1": SiteKind.SELLER, "JY2": SiteKind.CATERER, "SC1": SiteKind.PRODUCER,
         "SC2": SiteKind.ADDITIVE_PRODUCER}  # fmt: skip
OF_FIRM = ("name", "code", "address", "legal_person", "phone", "platform_account")


def _decided(line: L) -> None:
    unit = current_unit()
    line.resolver_id, line.resolved_at = current_access().person.id, clock.now()
    line.why = (unit.reason if unit else "")[:500]


@handles(L, "keep")
def keep(line: L, **_inputs: Any) -> None:
    """Ours stays as it is."""
    _decided(line)


@handles(L, "ignore")
def ignore(line: L, **_inputs: Any) -> None:
    """Neither side changes; the reason stays."""
    _decided(line)


# -- theirs taken -----------------------------------------------------------------------------------------------------


@handles(L, "adopt")
def adopt(line: L, taken: list[str] | None = None, **_inputs: Any) -> None:
    """The chosen fields (None: all that differ) of firm, site and licence become what the other system says."""
    names = [one for one in line.differing if taken is None or one in taken]
    if not names:
        raise Invalid(_("请至少选一项。"), {"taken": _("请至少选一项。")})
    values = {name: line.theirs[name] for name in names}
    firm, site = _ours(line)
    of_site = {name for name in names if holder_of(name, line.source, site) == "site"}
    _take(firm, {name: value for name, value in values.items() if name not in of_site})
    if site is not None and "address" in of_site:
        _take(site, {"address": values["address"]})
    if site is not None and of_site - {"address"}:
        _renew(line, site, values)
    _decided(line)


def _ours(line: L) -> tuple[Enterprise, Site | None]:
    """Firm and site under a lock, as they were compared. Raises Conflict when either has changed since."""
    assert line.enterprise_id is not None
    firm = lock(fetch(Enterprise, line.enterprise_id))
    site = lock(fetch(Site, line.site_id)) if line.site_id else None
    if line.seen != [firm.version, site.version if site is not None else 0]:
        raise Conflict(_("比对之后“%(name)s”有过修改，请先重新比对这一行。", name=firm.name))
    return firm, site


def _take(row: Any, values: dict[str, str]) -> None:
    """Put texts on a firm or a site whose likeness to others is no question: it was matched."""
    if not values:
        return
    for name, value in values.items():
        setattr(row, name, value)
    if "platform_account" in values:
        row.platform_since = None
    _save(row, Verb.UPDATE, frozenset({"accept-name"}))


def _renew(line: L, site: Site, values: dict[str, str]) -> None:
    """A number or an end of validity: of the site's licence where there is one, which the site then shows."""
    number, day = values.get("licence_no"), values.get("licence_until")
    until = date.fromisoformat(day) if day else None
    old = _licence(line, site)
    if old is None:
        site.licence_no, site.licence_until = number or site.licence_no, until or site.licence_until
        _save(site, Verb.UPDATE, EVERYTHING)
    elif number:
        run(old, "replace")
        new = Licence(site=site, kind=old.kind, number=number, issuer=old.issuer, scope=old.scope)
        new.valid_to = until or old.valid_to
        _save(new, Verb.CREATE, EVERYTHING)
    else:
        old.valid_to = until
        _save(old, Verb.UPDATE, EVERYTHING)


def _licence(line: L, site: Site) -> Licence | None:
    """The valid licence that the line is about, else the one that the site shows, under a lock."""
    for number in (line.theirs.get("licence_no"), site.licence_no):
        if number and (found := papers_of([number], site.id)):
            licence: Licence = lock(found[-1])
            return licence
    return None


def _again(line: L, firm: Enterprise, site: Site | None) -> None:
    number = line.theirs.get("licence_no")
    papers = papers_of([number], site.id) if number and site is not None else []
    compare_line(line, firm, site, papers[-1] if papers else None)


def _save(row: Any, verb: Verb, accepted: frozenset[str]) -> None:
    """Save; what stands in the way is said in full, for there is no field of a form to say it beside."""
    try:
        save(row, verb, accepted=accepted)
    except Refused as error:
        told = [*error.fields.values(), *(one.text for one in error.doubts)]
        raise Invalid(" ".join(str(text) for text in told) or str(error)) from error


# -- a firm that is new -----------------------------------------------------------------------------------------------


@handles(L, "create")
def create(line: L, kind: str | None = None, accept: bool = False, **_inputs: Any) -> None:
    """A firm with a site, or a site of the firm that we have, from what the other system says; the rest follows later.

    `kind` counts where the licence does not tell it; `accept`: it was looked at, and is none of those it looks like.
    """
    said = line.theirs
    word = KINDS.get(said.get("licence_no", "")[:3]) or (SiteKind(kind) if kind else None)
    if word is None:
        raise Invalid(_("文件里看不出主体类型，请选择。"), {"kind": _("请选择主体类型。")})
    if not said.get("name") and line.enterprise is None:
        raise Invalid(_("文件里没有名称，不能新增。"))
    accepted = frozenset({"accept-name", "accept-code", "accept-licence_no"}) if accept else NONE
    firm = line.enterprise or _new_firm(line, accepted)
    site = Site(enterprise=firm, name=said.get("name") or firm.name, address=said.get("address", ""), kind=word,
                lines=BITS[LINE_OF[word]], state=SiteState.OPEN, office_id=line.office_id)  # fmt: skip
    if number := said.get("licence_no"):
        until = said.get("licence_until")
        site.licence_no, site.licence_until = number, date.fromisoformat(until) if until else None
        site.licence_kind = LICENCES.get(number[:2], LicenceKind.OTHER)
    _save(site, Verb.CREATE, accepted | {"accept-licence_no"} if number and number[:2] not in LICENCES else accepted)
    line.enterprise, line.site = firm, site
    _decided(line)


def _new_firm(line: L, accepted: frozenset[str]) -> Enterprise:
    firm = Enterprise(office_id=line.office_id, state=SiteState.OPEN)
    for name in OF_FIRM:
        if line.theirs.get(name):
            setattr(firm, name, line.theirs[name])
    _save(firm, Verb.CREATE, accepted)
    return firm


# -- a firm or licence that has ended ---------------------------------------------------------------------------------


@handles(L, "end")
def end(line: L, **_inputs: Any) -> None:
    """In the licensing system a licence ends, by its own step; elsewhere the firm, with its sites."""
    firm, site = _ours(line)
    unit = current_unit()
    licence = _licence(line, site) if site is not None and line.source == Source.LICENSING else None
    if licence is not None:
        run(licence, "cancel", reason=unit.reason if unit else "")
    elif site is not None and line.source == Source.LICENSING:
        _end(site)
    else:
        living = select(Site).where(Site.enterprise_id == firm.id, Site.state.not_in(GONE)).order_by(Site.id)
        for one in current_session().scalars(living).unique().all():
            _end(lock(one))
        _end(firm)
    _decided(line)


def _end(row: Any) -> None:
    row.state = SiteState.DEREGISTERED
    _save(row, Verb.UPDATE, EVERYTHING)


# -- looked at again --------------------------------------------------------------------------------------------------


@handles(L, "choose")
def choose(line: L, enterprise: Enterprise | None = None, **_inputs: Any) -> None:
    """A person says which firm of ours the row is; its only site goes along."""
    if enterprise is None:
        raise Invalid(_("请选择主体。"), {"enterprise": _("请选择主体。")})
    living = select(Site).where(Site.enterprise_id == enterprise.id, Site.state.not_in(GONE)).limit(2)
    sites = current_session().scalars(living).unique().all()
    line.enterprise, line.site = enterprise, sites[0] if len(sites) == 1 else None
    line.matched, line.candidates = Matched.CHOSEN, []
    _again(line, enterprise, line.site)


@handles(L, "again")
def again(line: L, **_inputs: Any) -> None:
    """What both say now."""
    assert line.enterprise is not None
    _again(line, line.enterprise, line.site)

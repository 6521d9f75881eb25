"""疑似重复: firms and sites that look like one, side by side with why; merged, or said to be two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.access.predicate import predicate
from app.core.access.veil import concealed
from app.core.db import current_session
from app.core.errors import Forbidden, Invalid
from app.core.fab.cells import many_of, said, url_of
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import needs
from app.core.verbs import Verb
from app.models.census import CensusRound
from app.models.enterprise import Enterprise, Site
from app.services.census_figures import within
from app.services.likeness import MOST, Pair, pairs
from app.views.report_page import number

SIZE = 50
MODELS: dict[str, type[Enterprise | Site]] = {"Enterprise": Enterprise, "Site": Site}
CHUNK = 400


@dataclass(frozen=True)
class Side:
    """One of two rows, as the page shows it."""

    text: str
    url: str
    facts: list[str]
    state: str


@dataclass(frozen=True)
class Line:
    """Two rows and what the person may do with them."""

    sides: tuple[Side, Side]
    reasons: tuple[str, ...]
    merge_url: str
    distinct_url: str
    note: str


class DuplicatesView(Page):
    """/duplicates/: of firms or of sites. For those who work with the lists of firms, not for a firm's own people."""

    route_base = "/duplicates"
    default_view = "duplicates"
    title = lazy_gettext("疑似重复")
    icon = "layers"
    task = ("firms", 6)
    entity_name = "Enterprise"
    nav_verb = Verb.EXPORT

    @expose("/")
    @needs(Verb.READ)
    def duplicates(self) -> Answer:
        """A page of pairs, the newest first."""
        if not current_access().may(self.entity_name, self.nav_verb):
            raise Forbidden(_("您可以查看，但不能进行这项操作。"))
        model = MODELS.get(request.args.get("of", "Enterprise"))
        if model is None:
            raise Invalid(_("地址里的条件不对。"))
        dismissed = request.args.get("dismissed") == "1"
        census = _census()
        found = pairs(model, dismissed=dismissed, within=within(census.id)[model] if census else None)
        pages = max(1, -(-len(found) // SIZE))
        page = min(_page(), pages)
        shown = found[(page - 1) * SIZE : page * SIZE]
        return render_template(
            "duplicates.html", title=self.title, of=model.__name__, dismissed=dismissed, page=page, pages=pages,
            total=len(found), most=MOST, lines=_lines(model, shown), url=_url, census=census,
            tabs=[(name, many_of(one), _url(of=name)) for name, one in MODELS.items()],
        )  # fmt: skip


def _page() -> int:
    typed = request.args.get("page", "1")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 7):
        raise Invalid(_("地址里的条件不对。"))
    return max(1, int(typed))


def _census() -> CensusRound | None:
    """The round that the pairs are looked for in. Raises NotFound, Forbidden."""
    key = number("census")
    if not key:
        return None
    access = current_access()
    if not all(access.may(one, Verb.READ) for one in ("CensusRound", "CensusLine")):
        raise Forbidden(_("您可以查看，但不能进行这项操作。"))
    return fetch(CensusRound, key)


def _url(**words: Any) -> str:
    words = words | ({"census": number("census")} if request.args.get("census") else {})
    kept = "&".join(f"{name}={value}" for name, value in words.items() if value)
    return f"/duplicates/?{kept}" if kept else "/duplicates/"


def _lines(model: Any, found: list[Pair]) -> list[Line]:
    mine = _changeable(model, sorted({row.id for pair in found for row in (pair.first, pair.second)}))
    base = "/enterprises" if model is Enterprise else "/sites"
    return [_line(pair, base, mine) for pair in found]


def _line(pair: Pair, base: str, mine: set[int]) -> Line:
    one, other = pair.first, pair.second
    both, note = {one.id, other.id} <= mine, ""
    if isinstance(one, Site) and one.enterprise_id != other.enterprise_id:
        both, note = False, _("属于不同主体，请先合并主体。")
    elif not both and one.office_id != other.office_id:
        note = _("归不同监管所，移交到同一个所后再合并。")
    return Line(
        (_side(one), _side(other)), pair.reasons, f"{base}/{one.id}/merge/{other.id}" if both else "",
        f"{base}/{one.id}/distinct/{other.id}", note,
    )  # fmt: skip


def _side(row: Any) -> Side:
    unit = current_access().offices.get(row.office_id)
    told = [row.enterprise.name] if isinstance(row, Site) and row.enterprise is not None else []
    names = ("code", "legal_person", "address") if isinstance(row, Enterprise) else ("licence_no", "address")
    told += [getattr(row, name) or "" for name in names if not concealed(type(row), name)]
    told.append(unit.name if unit is not None else "")
    state = "" if concealed(type(row), "state") else said(row.state)
    return Side(str(row), url_of(row) or "", [one for one in told if one], state)


def _changeable(model: Any, keys: list[int]) -> set[int]:
    """Which of these rows the person may change: one statement some hundred."""
    found, may_change = set[int](), predicate(current_access(), model, Verb.UPDATE)
    for start in range(0, len(keys), CHUNK):
        some = (model.id.in_(keys[start : start + CHUNK]), may_change)
        found |= set(current_session().scalars(select(model.id).where(*some)))
    return found

"""一企一档: what is read about a firm for a period, part by part, as the person in context reads it.

A part is a few lists, each an entity with the columns that its screens show: hidden columns, sealed rows and rows of
others are absent, numbers are shown in part, by the same cells. A list costs one statement, one more for what stands
below its rows and one for each value that is read in a batch, however many rows it has. What a firm's or a site's page
shows and no part here names joins the file by itself (`joined`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Date, func, inspect, or_, select
from sqlalchemy.orm import selectinload

from app.core import clock
from app.core.access.context import current_access
from app.core.access.veil import concealed
from app.core.batched import load_batch
from app.core.db import current_session
from app.core.document import IssuedDocument
from app.core.entity import Entity
from app.core.fab.cells import cell, label_of, many_of
from app.core.fab.naming import loading, shown
from app.core.screen import Cell
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.models.care import Caretaker
from app.models.check import DailyCheck
from app.models.director import DirectorDecision, DirectorOverride
from app.models.enterprise import Enterprise
from app.models.grading import RiskGrading, SiteNote
from app.models.inspection import Inspection
from app.models.licence import Closure, Licence
from app.models.personnel import Appointment, Ban
from app.models.policy_document import PolicyDocument
from app.models.rectification import Delivery, Notice
from app.models.staff_change import StaffChange
from app.models.training import Exam, Training
from app.services.check_gaps import gaps

MOST_ROWS = 2_000  # of a list; what is more is counted and told
MOST_BELOW, TEXT = 60, 1_200  # texts below a row, and characters of each
LONGEST = 100  # characters of a cell; what is longer stands below its row
LONGEST_PERIOD = 5  # years


@dataclass(frozen=True)
class Period:
    """From a day to a day, both in it."""

    first: date
    last: date

    def problem(self) -> str:
        """What is wrong with it; "" when nothing is."""
        if self.first > self.last:
            return str(_("起始日期不能晚于截止日期。"))
        if self.last > _years_later(self.first):
            return str(_("最多打印 %(n)s 年。", n=LONGEST_PERIOD))
        return ""


def _years_later(day: date) -> date:
    """The last day of the longest period from a day on."""
    year = min(day.year + LONGEST_PERIOD, date.max.year)
    return day.replace(year=year, day=min(day.day, 28)) if day.month == 2 else day.replace(year=year)


@dataclass(frozen=True)
class Listing:
    """Rows of an entity about a firm.

    when: a day that lies in the period, or a first and a last day (none: still) that overlap it; (): as it stands.
    instead: the instant that counts while `when` is empty. below: a relationship whose rows stand below each, and their
    columns. about: which rows are the firm's, else those whose enterprise it is.
    """

    model: type[Entity]
    columns: tuple[str, ...]
    when: tuple[str, ...] = ()
    instead: str = ""
    below: tuple[str, tuple[str, ...]] | None = None
    about: Callable[[Enterprise, Period], Any] | None = None
    label: Any = ""

    def readable(self) -> bool:
        """Whether the person reads any such rows; papers go with what they are about."""
        model = self.model
        return model.__about__ is not None or current_access().may(model.policy_name(), Verb.READ)


@dataclass(frozen=True)
class Part:
    """A part of the file; the one without lists is the firm and its sites. then: lists that follow from its rows."""

    key: str
    label: Any
    listings: tuple[Listing, ...] = ()
    then: Callable[[Enterprise, Period], list[Listed]] | None = None

    def readable(self) -> bool:
        """Whether something of it is for the person."""
        return not self.listings or any(one.readable() for one in self.listings)


@dataclass
class Listed:
    """A list as it prints: cells of each row and the texts below it; what is said at its end."""

    label: str
    heads: list[str]
    rows: list[tuple[list[str], list[str]]] = field(default_factory=list)
    note: str = ""
    silent: bool = False  # the note says that there is nothing


def _holders(firm: Enterprise, period: Period) -> Any:
    """Bans of the people who held a post in the period."""
    held = select(Appointment.person_id).where(
        Appointment.enterprise_id == firm.id, *_within(Listing(Appointment, (), ("date_from", "date_to")), period)
    )
    return Ban.person_id.in_(held)


def _days_without(firm: Enterprise, period: Period) -> list[Listed]:
    """The days without a daily record, for who reads all of them."""
    found = gaps(firm, period.first, period.last)
    if found is None:
        return []
    note = _("自场所登记之日起计算；经确认的停业已扣除，休息日没有扣除。") if found else _("期间内每天都有记录。")
    listed = Listed(_("没有提交日检查记录的日期"), [_("经营场所"), _("天数"), _("日期")], note=note, silent=not found)
    listed.rows = [_row_of([one.site, str(one.count), one.days], listed.heads) for one in found]
    return [listed]


SPAN = ("date_from", "date_to")
BASICS = "basics"
PARTS = (
    Part(BASICS, lazy_gettext("基本情况")),
    Part("licences", lazy_gettext("许可证照"), (
        Listing(Licence, ("kind", "number", "site", "issuer", "issued", "valid_to", "scope", "expiry", "state"),
                ("issued", "valid_to")),
    )),
    Part("people", lazy_gettext("人员"), (
        Listing(Appointment, ("person", "role", "site", "employment", *SPAN, "document", "alert"), SPAN,
                below=("abilities", ("ability", "evidence"))),
        Listing(Ban, ("person", "kind", *SPAN, "decision", "standing"), about=_holders),
    )),
    Part("director", lazy_gettext("总监配备认定"), (
        Listing(DirectorDecision, ("site", "verdict", "rule", "words", "missing", "cause", *SPAN), SPAN),
        Listing(DirectorOverride, ("site", "must", "reason", "document", *SPAN, "state"), SPAN),
    )),
    Part("care", lazy_gettext("监管责任人"), (Listing(Caretaker, ("site", "role", "account", *SPAN), SPAN),)),
    Part("policies", lazy_gettext("制度档案"), (Listing(PolicyDocument, ("kind", "state", "made_on", "note")),)),
    Part("training", lazy_gettext("培训考核"), (
        Listing(Training, ("date", "person", "topic", "hours", "kind", "provider"), ("date",)),
        Listing(Exam, ("date", "person", "role", "attempt", "score", "result"), ("date",)),
    )),
    Part("checks", lazy_gettext("日管控"), (
        Listing(DailyCheck, ("check_date", "site", "person", "summary", "marks", "state"), ("check_date",),
                below=("problems", ("code", "result", "note", "measure", "responsible"))),
    ), _days_without),
    Part("inspections", lazy_gettext("监督检查"), (
        Listing(Inspection, ("date", "site", "kind", "selection", "inspector", "co_inspector", "result", "state",
                             "summary"), ("date",), below=("findings", ("fact", "demand", "key_item"))),
    )),
    Part("notices", lazy_gettext("责令改正"), (
        Listing(Notice, ("number", "site", "signed_at", "deadline", "served_on", "state"), ("signed_at",), "made_at",
                below=("corrections", ("fact", "demand", "deadline"))),
        Listing(Delivery, ("date", "notice", "method", "place", "receiver"), ("date",)),
    )),
    Part("closures", lazy_gettext("停业"), (Listing(Closure, ("site", "kind", *SPAN, "reason", "state"), SPAN),)),
    Part("changes", lazy_gettext("人员变动"), (
        Listing(StaffChange, ("date_from", "name", "kind", "role", "predecessor", "reported_at", "decided_at", "state"),
                ("reported_at",), "made_at"),
    )),
    Part("grades", lazy_gettext("风险分级"), (
        Listing(RiskGrading, ("date_from", "site", "line", "grade", "score", "year", "basis"), ("date_from", "")),
    )),
    Part("notes", lazy_gettext("监管备注"), (Listing(SiteNote, ("date", "site", "kind", "text"), ("date",)),)),
    Part("documents", lazy_gettext("附：已签发文书"), (
        Listing(IssuedDocument, ("title", "number", "issued_at", "state", "sha256"), ("issued_at",)),
    )),
)  # fmt: skip
_joined: list[Part] = []


def joined(shown_on_pages: Iterable[tuple[tuple[type[Entity], str], list[str], Any]]) -> None:
    """Take what the pages of firms and sites show of further entities into the file: (entity, key column), columns,
    label."""
    named = {one.model for part in (*PARTS, *_joined) for one in part.listings}
    for (model, key), columns, label in shown_on_pages:
        if model not in named:
            named.add(model)
            _joined.append(_part_of(model, key, columns, label))


def _part_of(model: type[Entity], key: str, columns: list[str], label: Any) -> Part:
    about = None
    if "enterprise_id" not in inspect(model).columns:
        about = lambda firm, _period: getattr(model, key) == firm.id  # noqa: E731 - one line
    days = [name for name, one in inspect(model).columns.items() if isinstance(one.type, Date)]
    when = SPAN if set(SPAN) <= set(days) else tuple(days[:1])
    listing = Listing(model, tuple(columns), when, "made_at" if len(when) == 1 else "", about=about)
    return Part(model.__name__, label or lazy_gettext(str(model.__label__)), (listing,))


def parts() -> list[Part]:
    """The parts of which the person in context reads something."""
    return [one for one in (*PARTS[:-1], *_joined, PARTS[-1]) if one.readable()]


def gather(part: Part, firm: Enterprise, period: Period) -> list[Listed]:
    """The lists of a part for a firm and a period."""
    found = [_listed(one, firm, period) for one in part.listings if one.readable()]
    return [*found, *(part.then(firm, period) if part.then is not None else [])]


def _listed(listing: Listing, firm: Enterprise, period: Period) -> Listed:
    columns = shown(listing.model, listing.columns)
    made = Listed(str(listing.label) or many_of(listing.model), [label_of(listing.model, one) for one in columns])
    if any(concealed(listing.model, one) for one in (*listing.when, listing.instead) if one):
        made.note, made.silent = _("您看不到这类记录的日期，没有列入。"), True  # which rows there are would say it
        return made
    rows, more = _rows(listing, firm, period, columns)
    made.rows = [_row(one, columns, listing) for one in rows]
    if more:
        made.note = _("只列出前 %(n)s 条，另有 %(m)s 条没有列出，请缩短期间分次打印。", n=len(rows), m=more)
    return made


def _rows(listing: Listing, firm: Enterprise, period: Period, columns: list[str]) -> tuple[list[Any], int]:
    """The first rows in the order of their days, and how many more there are."""
    model: Any = listing.model
    own = listing.about(firm, period) if listing.about is not None else model.enterprise_id == firm.id
    criteria = (own, *_within(listing, period))
    below = [selectinload(getattr(model, listing.below[0]))] if listing.below else []
    order = [_day(listing)] if listing.when else []
    asked = select(model).where(*criteria).order_by(*order, model.id).limit(MOST_ROWS + 1)
    found = list(current_session().scalars(asked.options(*loading(model, columns), *below)).unique())
    load_batch(found, columns)
    if len(found) <= MOST_ROWS:
        return found, 0
    every = current_session().scalar(select(func.count(model.id)).where(*criteria)) or 0
    return found[:MOST_ROWS], every - MOST_ROWS


def _day(listing: Listing) -> Any:
    first = getattr(listing.model, listing.when[0])
    return func.coalesce(first, getattr(listing.model, listing.instead)) if listing.instead else first


def _within(listing: Listing, period: Period) -> Iterator[Any]:
    """What lies in the period, or overlaps it."""
    if not listing.when:
        return
    day: Any = _day(listing)
    instants = isinstance(getattr(listing.model, listing.when[0]).type, UtcDateTime)
    first: Any = clock.start_of(period.first) if instants else period.first
    after: Any = clock.start_of(period.last + timedelta(days=1)) if instants else period.last + timedelta(days=1)
    if len(listing.when) == 1:
        yield day >= first
        yield day < after
        return
    yield or_(day.is_(None), day < after)
    if listing.when[1]:
        end: Any = getattr(listing.model, listing.when[1])
        yield or_(end.is_(None), end >= first)


# -- one row ----------------------------------------------------------------------------------------------------------


def _row(row: Any, columns: list[str], listing: Listing) -> tuple[list[str], list[str]]:
    """Its cells, and what stands below them: long values under their heads, then the rows of its own."""
    texts = [text_of(cell(row, name, link=False)) for name in columns]
    cells, below = _row_of(texts, [label_of(type(row), name) for name in columns])
    if listing.below is not None:
        below += _below(getattr(row, listing.below[0]), listing.below[1])
    if len(below) > MOST_BELOW:
        below = [*below[:MOST_BELOW], _("另有 %(n)s 段没有列出。", n=len(below) - MOST_BELOW)]
    return cells, below


def _row_of(texts: list[str], heads: list[str]) -> tuple[list[str], list[str]]:
    """What is too long for a cell stands below the row under its head."""
    long = [(head, text) for head, text in zip(heads, texts, strict=True) if len(text) > LONGEST]
    below = [one for head, text in long for one in _pieces(_("%(what)s：%(value)s", what=head, value=text))]
    return [text if len(text) <= LONGEST else _("见下") for text in texts], below


def _below(rows: Iterable[Any], names: tuple[str, ...]) -> list[str]:
    found = []
    for number, one in enumerate(rows, 1):
        told = [(label_of(type(one), name), cell(one, name, link=False)) for name in shown(type(one), names)]
        texts = [_("%(what)s：%(value)s", what=label, value=text_of(value).rstrip("。；")) for label, value in told
                 if _says(value)]  # fmt: skip
        found += _pieces(f"{number}. " + "；".join(texts) + "。")
    return found


def _says(value: Cell) -> bool:
    return bool(value.text) and not (value.kind == "flag" and value.tone == "neutral")


def _pieces(text: str) -> list[str]:
    return [text[start : start + TEXT] for start in range(0, len(text), TEXT)]


def text_of(value: Cell) -> str:
    """A cell as paper has it: days in figures, on one line."""
    if value.kind == "date" and value.title:
        return value.title[:16].replace("T", " ")
    return " ".join(str(value.text).split())

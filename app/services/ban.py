"""Bans: what is checked when one is entered, and that a banned person is appointed nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core.access.context import current_access, has_access_context
from app.core.db import unscoped
from app.core.pinyin import search_key
from app.core.saving import Check, on_save
from app.core.workflow import handles
from app.core.writing import current_unit
from app.data.people import BanKind, BanState
from app.models.personnel import BANNED, Appointment, Ban, Person, until_text

MEMO = "bans"
FAR = date.max


@dataclass(frozen=True)
class Span:
    """A ban as a refusal needs it."""

    person_id: int
    card: str | None
    date_from: date
    date_to: date | None

    def meets(self, person_id: int | None, card: str | None, first: date, last: date | None) -> bool:
        """Whether it is about this natural person and shares a day with the span."""
        same = self.person_id == person_id or (self.card is not None and self.card == card)
        return same and self.date_from <= (last or FAR) and first <= (self.date_to or FAR)


def spans() -> list[Span]:
    """Every ban that was not set aside, whoever entered it: read once a unit of work."""
    unit = current_unit()
    if unit is not None and MEMO in unit.memo:
        known: list[Span] = unit.memo[MEMO]
        return known
    with unscoped("who is banned", quiet=True) as session:
        rows = session.execute(
            select(Ban.person_id, Person.id_card_digest, Ban.date_from, Ban.date_to)
            .join(Person, Ban.person_id == Person.id).where(Ban.state == BanState.IN_FORCE)
        )  # fmt: skip
        found = [Span(*row) for row in rows]
    if unit is not None:
        unit.memo[MEMO] = found
    return found


def refusal(person_id: int | None, card: str | None, first: date, last: date | None) -> str:
    """Why the person of this key or identity card (digest) may hold no post over the span, or ""."""
    met = [one for one in spans() if one.meets(person_id, card, first, last)]
    if not met:
        return ""
    longest = max(met, key=lambda one: one.date_to or FAR)
    return str(_("这个人%(until)s，不能任职（食品安全法第一百三十五条）。", until=until_text(longest.date_to)))


@on_save(Appointment)
def check_banned(one: Appointment, check: Check) -> None:
    """A banned person gets no post and no longer one; that a post he holds is ended is no offence."""
    if one.person is None or not one.date_from or not _reaches_further(one):
        return
    if why := refusal(one.person.id, one.person.id_card_digest, one.date_from, one.date_to):
        check.error("person", why)


def _reaches_further(one: Appointment) -> bool:
    """Whether the save gives more than stood: a new post, another person, firm, duty, or more days."""
    if one.id is None:
        return True
    state: Any = inspect(one)
    told = ("person", "person_id", "enterprise", "enterprise_id", "role", "date_from")
    if any(state.attrs[name].history.has_changes() for name in told):
        return True
    before = state.attrs["date_to"].history.deleted
    return bool(before) and before[0] is not None and (one.date_to is None or one.date_to > before[0])


@on_save(Ban)
def check_ban(one: Ban, check: Check) -> None:
    """A last day for five years, none for life; of somebody without an identity card it is known here only."""
    if one.person is not None:
        one.search_text = search_key(one.person.name)
        if not one.person.id_card:
            check.doubt("person", _("这个人没有登记身份证号：换一处登记就查不出来。"))
    if one.kind == BanKind.LIFE and one.date_to:
        check.error("date_to", _("终身禁止的不填。"))
    if one.kind == BanKind.FIVE_YEARS and one.date_from:
        one.date_to = one.date_to or _five_years(one.date_from)
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于禁止起。"))
    forget()


def _five_years(day: date) -> date:
    """The day five years on: the day it begins does not count, so this one is the last."""
    try:
        return day.replace(year=day.year + 5)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 5, day=28)


@handles(Ban, "revoke")
def revoke(_one: Ban, **_inputs: Any) -> None:
    """Its holder may be appointed again."""
    forget()


def forget() -> None:
    """What was read of bans before is no longer so."""
    if (unit := current_unit()) is not None:
        unit.memo.pop(MEMO, None)
    if has_access_context():
        current_access().asked.pop(BANNED, None)

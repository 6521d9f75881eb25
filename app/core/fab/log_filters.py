"""Filters of the log: by person, by record, by address, by text; each fast over a million entries."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core.db import current_session
from app.core.fab import trail
from app.core.fab.cells import said
from app.core.fab.filtering import Filter, Values, contains
from app.core.fab.relating import Related, ShortList, register_filter
from app.core.fab.searching import register_search
from app.core.history_entry import HistoryEntry, entity_words
from app.core.screen import FilterBox

FEW, COMMON = 1_000, 20_000  # entries with a text
RECORD = re.compile(r"\s*(\S.*?)[\s#第-]*([0-9]{1,18})[\s号条]*", re.DOTALL)


class OfPerson(Related):
    """What one account did. Key and row are criteria of their own, so that the key's index gives the order as well."""

    def clauses(self, values: Values) -> list[Any]:
        """Entries of these people, whom the reader may see."""
        keys = [int(one) for one in values.get(self.name, ())]
        return [self.key.in_(keys), self.attribute.has()] if keys else []


class OfOffice(ShortList):
    """The chain of an office, or of several."""

    def clauses(self, values: Values) -> list[Any]:
        """Entries of these offices; which of them the reader may see, the session adds."""
        keys = [int(one) for one in values.get(self.name, ())]
        return [self.key.in_(keys)] if keys else []


class OfRecord(Filter):
    """All entries about one record, also those that are about others too: "责令改正通知书 7"."""

    def understood(self, given: list[str]) -> list[str]:
        """Entity and number in their one spelling, "Notice 7"."""
        for text in given[:1]:
            told = RECORD.fullmatch(text)
            found = _entity(told[1]) if told else None
            if told and found:
                return [f"{found} {int(told[2])}"]
        return []

    def clauses(self, values: Values) -> list[Any]:
        """By the indexes of both tables."""
        return [trail.about(*_parts(one)) for one in values.get(self.name, ())]

    def box(self, values: Values, rows: Any = ()) -> FilterBox:
        """The input, with the entity's word."""
        box = super().box(values, rows)
        if box.value:
            entity, key = _parts(box.value)
            box.value = f"{said(entity_words().get(entity, entity))} {key}"
        return box


def _parts(value: str) -> tuple[str, int]:
    entity, _blank, key = value.rpartition(" ")
    return entity, int(key)


def _entity(text: str) -> str | None:
    """The class that somebody means by its name, or by what it is called."""
    words = entity_words()
    named = {word: name for name, chinese in words.items() for word in (name, chinese, said(chinese))}
    return named.get(text.strip())


class Exactly(Filter):
    """One value, whole."""

    def clauses(self, values: Values) -> list[Any]:
        """Equal."""
        return [self.attribute == one for one in values.get(self.name, ())]


def in_text(text: str) -> Any:
    """The criterion that a summary contains a text, once it is known whether many do.

    The column's own index is read through first, past the rows themselves: rare texts are their keys from then on; with
    common ones a page is soon full whichever way the rows are met, so that each is compared.
    """
    columns = inspect(HistoryEntry).local_table.alias().c
    keys = select(columns.id).where(contains(columns.summary, text))
    found = current_session().connection().scalars(keys.limit(COMMON)).all()
    if len(found) <= FEW:
        return HistoryEntry.id.in_(found)
    return HistoryEntry.id.in_(keys) if len(found) < COMMON else contains(HistoryEntry.summary, text)


def install() -> None:
    """Put them in place of what the columns' types would give."""
    register_search(HistoryEntry, in_text)
    for name, kind in (("actor", OfPerson), ("office", OfOffice), ("row_id", OfRecord), ("address", Exactly)):
        register_filter(HistoryEntry, name, kind)


def record_label(entity: str, row_id: int | None) -> str:
    """责令改正通知书 7; nothing for an entry about no record."""
    if not entity:
        return ""
    word = said(entity_words().get(entity, entity))
    return str(_("%(what)s %(n)s", what=word, n=row_id)) if row_id else word


install()

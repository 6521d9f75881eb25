"""A form field for a list of items that each get one of a few choices, some of which ask for words.

Posted as `<name>-<code>` (the choice) and `<name>-<code>-<ask>` (the words); its value is a dictionary of dictionaries,
{code: {"choice": …, ask: …}}. Which items there are depends on the row: the view puts them on the field (`prepare`).
What must be answered is the service's to say; its errors come back as `<name>.<code>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from app.core.checklist_screen import CheckChoice, CheckItem
from app.core.fab.cells import said
from app.core.fab.fields import Plain
from app.core.screen import Cell, ChildTable, ColumnHead, Row

MOST_ANSWERS = 300
LONGEST_CODE = 20
ALL = "all"  # `<name>--all=<choice>`: fill what is open, and show the form again


@dataclass
class ItemPart:
    """One item as the error summary links to it."""

    label: Any
    errors: list[str] = field(default_factory=list)


@dataclass
class ItemLabel:
    """As WTForms keeps a label."""

    text: str


class Checklist(Plain):
    """Items with choices. `choices` in the order of the buttons, the usual one first."""

    kind = "checklist"

    def __init__(self, label: Any = None, *, choices: tuple[CheckChoice, ...], **options: Any) -> None:
        self.choices = choices
        self.items: list[CheckItem] = []
        self.parts: dict[str, ItemPart] = {}
        super().__init__(label, **options)

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """From the row, or from all that was posted under the name."""
        super().process(None, *args, **kwargs)
        self.data = dict(self.data or {})
        if formdata:
            try:
                self.data = self._posted(formdata)
            except ValueError as error:
                self.process_errors.append(str(error))

    def _posted(self, formdata: Any) -> dict[str, dict[str, str]]:
        shape = re.compile(rf"{re.escape(self.name)}-([^-]{{1,{LONGEST_CODE}}})(?:-([a-z]{{1,20}}))?")
        asked = {ask.name for choice in self.choices for ask in choice.asks}
        found: dict[str, dict[str, str]] = {}
        for key in formdata:
            shaped = shape.fullmatch(key)
            if shaped and (shaped[2] is None or shaped[2] in asked):
                found.setdefault(shaped[1], {})[shaped[2] or "choice"] = formdata.get(key).strip()
        if len(found) > MOST_ANSWERS:
            raise ValueError(_("最多 %(n)s 行。", n=MOST_ANSWERS))
        known = {choice.value for choice in self.choices} | {""}
        if any(one.get("choice", "") not in known for one in found.values()):
            raise ValueError(_("不在可选范围内。"))
        return found

    def fill(self, value: str) -> None:
        """Give every open item one choice; what is answered stays."""
        if value in {choice.value for choice in self.choices}:
            for item in self.items:
                one = self.data.setdefault(item.code, {})
                one["choice"] = one.get("choice") or value

    def part(self, code: str) -> ItemPart:
        """Where an item's errors are kept."""
        return self.parts.setdefault(code, ItemPart(ItemLabel(code)))

    def settled(self, value: Any) -> dict[str, dict[str, str]]:
        """What a value says: chosen items, each with the words that its choice asks for, none of them empty."""
        asked = {choice.value: {"choice", *(ask.name for ask in choice.asks)} for choice in self.choices}
        return {
            code: {name: word for name, word in one.items() if word and name in asked[one["choice"]]}
            for code, one in (value or {}).items() if one.get("choice") in asked
        }  # fmt: skip

    def told(self, value: Any, other: Any) -> str:
        """One of two versions in words: how many of each choice, then each item on which the two differ."""
        mine, theirs = self.settled(value), self.settled(other)
        labels = {item.code: item.text for item in self.items}
        lines = [self.format(value)]
        for code in [code for code in labels if mine.get(code) != theirs.get(code)]:
            one = mine.get(code, {})
            words = "；".join(word for name, word in one.items() if name != "choice")
            lines.append(
                f"{labels[code]}：{said(one['choice']) if one else _('未填写')}{f'（{words}）' if words else ''}"
            )
        return "\n".join(line for line in lines if line)

    def format(self, value: Any) -> str:
        """How many of each."""
        given = [one.get("choice") for one in (value or {}).values()]
        return " · ".join(f"{said(one.value)} {given.count(one.value)}" for one in self.choices if one.value in given)

    def boxes(self) -> list[CheckItem]:
        """The items as the template shows them: with what was chosen and written, and what is wrong."""
        for item in self.items:
            one = self.data.get(item.code, {})
            item.choice, item.words = one.get("choice", ""), one
            item.errors = self.parts[item.code].errors if item.code in self.parts else []
        return self.items

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """Open items may wait: the service says when they may not."""


def answered(label: str, asked: str, items: Iterable[CheckItem], choices: tuple[CheckChoice, ...]) -> ChildTable:
    """A record's items with what was answered, and the words beside an answer where some have any.

    `asked`: what the column of the items is called.
    """
    shown = list(items)
    tones, worded = {one.value: one.tone for one in choices}, any(one.note for one in shown)
    heads = [("code", _("项目编号")), ("text", asked), ("result", _("结果"))] + [("note", _("说明"))] * worded
    rows = [
        Row("", one.code, [
            Cell("code", one.code), Cell("text", one.text),
            Cell("flag", said(one.choice), tone=tones.get(one.choice, "neutral")) if one.choice else Cell(),
            *([Cell("text", one.note)] if worded else []),
        ])
        for one in shown
    ]  # fmt: skip
    return ChildTable(label, [ColumnHead(*head) for head in heads], rows, empty_text=_("还没有选择结果。"))

"""Form fields for typed columns, replacing those of FAB that break on JSON, booleans, enums, dates and relations.

A field only parses; what a value must be is checked where every save passes (`core.saving`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import Field as WtField
from wtforms import ValidationError

from app.core import clock
from app.core.access.masking import masked
from app.core.codes import INVISIBLE, login_name
from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab import denied
from app.core.importing.naming import named

LARGEST_KEY = 2**63 - 1


class Plain(WtField):
    """Text as typed, without the spaces around it. Nothing typed is `empty`: None, or a needed column's default."""

    kind = "text"

    def __init__(self, label: Any = None, *, nullable: bool = True, empty: Any = None, **options: Any) -> None:
        self.empty: Any = empty
        self.meta_info: dict[str, Any] = options.pop("meta_info", {})
        self.nullable = nullable
        self.readonly = False
        self.typed: str | None = None
        super().__init__(label, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse what came in; an unreadable value is an error beside the field, and stays as typed."""
        self.typed = self.tidy(str(valuelist[0])) if valuelist else ""
        self.data = self.parse(self.typed.strip())

    def tidy(self, text: str) -> str:
        """Typed text on one line, without characters nobody sees (they come along with pasting)."""
        return " ".join(text.translate(INVISIBLE).split())

    def parse(self, text: str) -> Any:
        """The value of a stripped text. Raises ValueError with the message."""
        return text or self.empty

    def shown(self) -> str:
        """What the input shows: as typed, else the value."""
        return self.typed if self.typed is not None else self.format(self.data)

    def format(self, value: Any) -> str:
        """A value as the input shows it."""
        return "" if value is None else str(value)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """A missing value where one is needed is said here, so that nothing else has to run."""
        if not self.nullable and self.data in (None, "") and not self.process_errors:
            raise ValidationError(_("请填写。"))


class Long(Plain):
    """Text of several lines."""

    kind = "textarea"

    def tidy(self, text: str) -> str:
        """Line ends as one character, a tab as a space: browsers send CR LF, papers have no tabs."""
        lines = text.translate(INVISIBLE).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
        return "\n".join(line.rstrip() for line in lines)


class Code(Plain):
    """A code: stripped and upper-case."""

    def parse(self, text: str) -> Any:
        """Upper-case without inner spaces."""
        return super().parse("".join(text.split()).upper())


class Login(Plain):
    """A name to sign in by: small letters without spaces."""

    def parse(self, text: str) -> Any:
        """As it is stored."""
        return super().parse(login_name(text))


class Sealed(Code):
    """A code that nobody is shown whole: the stored one stays unless another is typed; a hyphen empties it."""

    def parse(self, text: str) -> Any:
        """What was typed, the stored value for nothing, nothing for a hyphen."""
        if text in {"-", "－"}:
            return None
        return super().parse(text) if text else self.object_data

    def format(self, value: Any) -> str:
        """Never the stored value."""
        return ""

    def hint(self) -> str:
        """What stands in the empty input: the stored value in part."""
        return masked(str(self.object_data)) if self.object_data else ""


class Tel(Plain):
    """A telephone number."""

    kind = "tel"


class Whole(Plain):
    """A whole number of 64 bits."""

    kind = "number"

    def parse(self, text: str) -> Any:
        """An integer."""
        if not text:
            return self.empty
        try:
            number = int(text)
        except ValueError:
            raise ValueError(_("请填写整数。")) from None
        if abs(number) > LARGEST_KEY:
            raise ValueError(_("数字太大。"))
        return number


class Number(Plain):
    """A decimal number."""

    kind = "number"

    def parse(self, text: str) -> Any:
        """A finite decimal."""
        if not text:
            return self.empty
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError(_("请填写数字。")) from None
        if not number.is_finite():
            raise ValueError(_("请填写数字。"))
        return number


class Day(Plain):
    """A date, as the native input sends it."""

    kind = "date"

    def parse(self, text: str) -> Any:
        """An ISO date."""
        if not text:
            return self.empty
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(_("请按 年-月-日 填写日期，例如 2026-11-23。")) from None


class Moment(Plain):
    """An instant, typed and shown as the clock in Shanghai has it."""

    kind = "datetime"

    def parse(self, text: str) -> Any:
        """An ISO date and time without a zone."""
        if not text:
            return self.empty
        try:
            typed = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(_("请按 年-月-日 时:分 填写，例如 2026-11-23 09:30。")) from None
        if typed.tzinfo is not None:
            raise ValueError(_("请按 年-月-日 时:分 填写，例如 2026-11-23 09:30。"))
        return typed.replace(tzinfo=clock.SHANGHAI).astimezone(UTC)

    def format(self, value: Any) -> str:
        """Local time to the minute."""
        return "" if value is None else clock.local(value).strftime("%Y-%m-%dT%H:%M")


class Json(Plain):
    """A value kept as JSON, typed as JSON text."""

    kind = "textarea"

    def tidy(self, text: str) -> str:
        """As typed."""
        return text

    def parse(self, text: str) -> Any:
        """The value; what is no JSON is an error beside the field."""
        if not text:
            return self.empty
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise ValueError(_("不是有效的 JSON。")) from None

    def format(self, value: Any) -> str:
        """JSON text, Chinese as it is."""
        return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")  # NaN and Infinity: Python reads them, PostgreSQL and browsers do not


class DeviceDay(Day):
    """The date a device claims, put in by the script unseen; it decides nothing, so a bad one is no error."""

    kind = "device"

    def parse(self, text: str) -> date | None:
        """An ISO date, or none."""
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None


class Tick(Plain):
    """A checkbox; unticked is False, never "missing"."""

    kind = "checkbox"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Any value but the usual words for no is yes."""
        self.typed = None
        self.data = bool(valuelist) and valuelist[0].lower() not in {"", "0", "false", "off"}

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """Both values are fine."""


class Choice(Plain):
    """One of fixed choices; starts blank, and an unknown value is an error, not a crash."""

    kind = "select"

    def __init__(self, label: Any = None, *, choices: Callable[[], Iterable[tuple[str, Any]]], **options: Any) -> None:
        self.choices = choices
        super().__init__(label, **options)

    def parse(self, text: str) -> Any:
        """A listed value."""
        if text and text not in {str(value) for value, _label in self.choices()}:
            raise ValueError(_("不在可选范围内。"))
        return super().parse(text)


class Bits(Plain):
    """A set of choices kept as bits of one integer."""

    kind = "checks"

    def __init__(self, label: Any = None, *, choices: Callable[[], Iterable[tuple[str, Any]]], **options: Any) -> None:
        self.choices = choices
        super().__init__(label, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        """The sum of the listed bits."""
        self.typed = None
        known = {str(value) for value, _label in self.choices()}
        if any(value not in known for value in valuelist):
            raise ValueError(_("不在可选范围内。"))
        self.data = sum({int(value) for value in valuelist})

    def values(self) -> list[str]:
        """The ticked bits."""
        return [str(value) for value, _label in self.choices() if (self.data or 0) & int(value)]

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """None ticked where one is needed."""
        if not self.nullable and not self.data and not self.process_errors:
            raise ValidationError(_("请至少选一项。"))


class Several(Bits):
    """Several of fixed choices, kept as the list of their values."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """The listed values, once each."""
        self.typed = None
        known = {str(value) for value, _label in self.choices()}
        if any(value not in known for value in valuelist):
            raise ValueError(_("不在可选范围内。"))
        self.data = list(dict.fromkeys(valuelist))

    def values(self) -> list[str]:
        """The ticked values."""
        return [str(one) for one in self.data or ()]


class Lookup(Plain):
    """A row of another entity, found by typing; only rows the person may read are accepted."""

    kind = "lookup"

    def __init__(self, label: Any = None, *, model: type[Entity], **options: Any) -> None:
        self.model = model
        self.words: str | None = None  # what stood in the visible input
        self.offered: list[Entity] = []  # when few rows will do, the view offers them and nothing is typed
        super().__init__(label, **options)

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Where the script does not run, what is typed decides: the one row of just that name, or an error."""
        super().process(formdata, *args, **kwargs)
        self.words = None
        if not formdata or f"{self.name}__text" not in formdata or self.process_errors:
            return
        self.words = self.tidy(str(formdata.get(f"{self.name}__text")))
        if self.words != (" ".join(str(self.data).split()) if self.data is not None else ""):
            self._resolve(self.words)

    def _resolve(self, words: str) -> None:
        rows = named(self.model, words) if words else []
        self.data, self.typed = (rows[0], str(rows[0].id)) if len(rows) == 1 else (self.empty, "")
        if len(rows) > 1:
            self.process_errors.append(_("叫这个名字的不止一条，请改填代码或编号。"))
        elif words and not rows:
            self.process_errors.append(_("请从列表中选择。"))

    def parse(self, text: str) -> Any:
        """The row with that key, under the person's predicate."""
        if not text:
            return self.empty
        row = None
        if text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_KEY:
            row = current_session().scalars(select(self.model).where(self.model.id == int(text))).unique().one_or_none()
        if row is None:
            denied.note(self.model.__name__, text)
            raise ValueError(_("请从列表中选择。"))
        return row

    def format(self, value: Any) -> str:
        """The key."""
        return "" if value is None else str(value.id)

    def text(self) -> str:
        """What the visible input shows."""
        return self.words or "" if self.data is None else str(self.data)


class Pick(Lookup):
    """A row of a short reference list, shown whole."""

    kind = "select"

    def choices(self) -> list[tuple[str, str]]:
        """Every row one may read."""
        return [
            (str(row.id), str(row)) for row in current_session().scalars(select(self.model).order_by(self.model.id))
        ]

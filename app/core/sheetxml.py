"""The two large parts of a workbook, shared strings and sheets, read by expat as they stream in.

openpyxl reads them too, through Python code that takes ten times as long once defusedxml stands in between. The defence
is the same here: a document type or an entity ends the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from xml.parsers import expat

from openpyxl.utils.datetime import from_excel

_CHUNK = 1 << 16
_MOST_ROWS = 1_048_576
_REFERENCE = re.compile(r"([A-Z]{1,3})\d+", re.ASCII)


class ForbiddenXml(ValueError):
    """A document type or an entity where there can be none."""


def _refuse(*_declared: Any) -> None:
    raise ForbiddenXml


def _parser(start: Callable[..., Any], end: Callable[..., Any], text: Callable[..., Any]) -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    return parser


class _Strings:
    """Collects the text of each <si>, its runs joined, phonetic guides left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.text: list[str] = []
        self.inside = self.phonetic = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "t":
            self.inside = not self.phonetic
        elif name == "si":
            self.text = []
        elif name == "rPh":
            self.phonetic = True

    def end(self, name: str) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "t":
            self.inside = False
        elif name == "si":
            self.found.append("".join(self.text))
        elif name == "rPh":
            self.phonetic = False

    def data(self, text: str) -> None:
        if self.inside:
            self.text.append(text)


def read_strings(stream: IO[bytes]) -> list[str]:
    """All shared strings, in order. Raises ValueError or expat's error when the XML is broken."""
    strings = _Strings()
    parser = _parser(strings.start, strings.end, strings.data)
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
    return strings.found


class _Rows:
    """Collects the rows of a sheet; formulas are passed over, their stored results are not."""

    def __init__(self, convert: Callable[[str, str, str], Any], columns: int) -> None:
        self.convert, self.columns = convert, columns
        self.done: list[tuple[int, tuple[Any, ...]]] = []
        self.values: list[Any] = []
        self.text: list[str] = []
        self.number = self.column = 0
        self.kind = self.style = ""
        self.inside = self.phonetic = False
        self.letters: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            reference = attributes.get("r")
            self.column = self._column(reference) if reference else self.column + 1
            self.text = []
        elif name in ("v", "t"):
            self.inside = not self.phonetic
        elif name == "row":
            number = int(attributes.get("r", self.number + 1))
            if not self.number < number <= _MOST_ROWS:
                raise ValueError(f"row {number} after row {self.number}")
            self.number, self.column, self.values = number, 0, []
        elif name == "rPh":
            self.phonetic = True

    def end(self, name: str) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name in ("v", "t"):
            self.inside = False
        elif name == "c":
            if self.text and self.column <= self.columns:
                self.values += [None] * (self.column - len(self.values))
                self.values[self.column - 1] = self.convert(self.kind, self.style, "".join(self.text))
        elif name == "row":
            self.done.append((self.number, tuple(self.values)))
        elif name == "rPh":
            self.phonetic = False

    def data(self, text: str) -> None:
        if self.inside:
            self.text.append(text)

    def _column(self, reference: str) -> int:
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise ValueError(f"not a cell: {reference[:20]}")
        letters = found[1]
        number = self.letters.get(letters)
        if number is None:
            number = 0
            for letter in letters:
                number = number * 26 + ord(letter) - 64
            self.letters[letters] = number
        return number


def read_rows(
    stream: IO[bytes], strings: Sequence[str], date_styles: Collection[int], epoch: datetime, columns: int
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Row numbers and values, rows that the file leaves out left out, values beyond `columns` not kept.

    Numbers come as int or float, cells in a date format as datetime, time or timedelta; a number that no date format
    can show as "#VALUE!". Raises ValueError, IndexError or expat's error when the sheet is broken.
    """
    dates = {str(style) for style in date_styles}

    def convert(kind: str, style: str, text: str) -> Any:
        if kind == "s":
            return strings[int(text)]
        if kind == "n":
            number = int(text) if text.lstrip("-").isdigit() else float(text)
            return _moment(number, epoch) if style in dates else number
        if kind == "b":
            return text.strip() == "1"
        return datetime.fromisoformat(text) if kind == "d" else text

    rows = _Rows(convert, columns)
    parser = _parser(rows.start, rows.end, rows.data)
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
        yield from rows.done
        rows.done.clear()
    parser.Parse(b"", True)
    yield from rows.done


def _moment(number: float, epoch: datetime) -> Any:
    try:
        return from_excel(number, epoch)
    except (OverflowError, ValueError):
        return "#VALUE!"

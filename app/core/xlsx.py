"""Reading workbooks that strangers upload. What stands in their cells is read by `core.cells`.

`open_workbook` takes the file into memory (at most `Limits.file_bytes`), proves it harmless before any parser sees it,
and gives its visible sheets row by row. Nothing is unpacked to disk. Every refusal is an `XlsxError` whose message
tells the person what to do about the file.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import openpyxl
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from flask_babel import lazy_gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.constants import SHARED_STRINGS

from app.core.errors import Invalid
from app.core.sheetxml import read_rows, read_strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if not openpyxl.DEFUSEDXML:
    raise RuntimeError("openpyxl parses uploads without defusedxml: unset OPENPYXL_DEFUSEDXML")
# What it cannot keep when saving (validations, headers) does not matter to a reader.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")

Source = str | Path | IO[bytes]

_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_CHUNK = 1 << 20
_OVERLAP = 256
_ROW_BYTES = 8 << 20
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]{0,80}?ref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_ROW = re.compile(rb"<(?:\w+:)?(?:row|sheetData)\b")
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, ParseError, ExpatError, DefusedXmlException, InvalidFileException,
    KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip


class XlsxError(Invalid):
    """The file cannot be taken; the message says why and what to do."""

    text: Any = _("文件无法读取")

    def __init__(self, message: Any = None) -> None:
        super().__init__(self.text if message is None else message)


class NotXlsx(XlsxError):
    text = _("这不是 Excel 工作簿（.xlsx），只改扩展名不行，请用 Excel 或 WPS 打开后另存为 .xlsx")


class OldFormat(XlsxError):
    text = _("这是旧格式的 Excel 文件，请打开后另存为 .xlsx")


class Encrypted(XlsxError):
    text = _("文件加了密码，请取消密码后重新上传")


class HasMacros(XlsxError):
    text = _("文件带有宏，请另存为不带宏的 .xlsx")


class TooLarge(XlsxError):
    text = _("文件过大，请拆分后分次上传")


class ZipBomb(XlsxError):
    text = _("文件解压后的体积异常，不予读取")


class ExternalContent(XlsxError):
    text = _("文件引用了外部工作簿或外部内容，请先断开链接（数据—编辑链接）再上传")


class Damaged(XlsxError):
    text = _("文件已损坏，请用 Excel 或 WPS 打开后重新保存")


class TooManyRows(XlsxError):
    text = _("行数超过上限，请拆分后分次上传")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's file is read. A member is large, and its ratio judged, from `ratio_from` bytes on."""

    file_bytes: int = 20 << 20
    unpacked_bytes: int = 200 << 20
    ratio: int = 100
    ratio_from: int = 10 << 20
    entries: int = 2000
    sheets: int = 50
    rows: int = 50_000
    columns: int = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as a message names it."""

    sheet: str
    row: int
    column_letter: str
    value: Any


@dataclass(frozen=True, slots=True)
class Row:
    """A row with something in it; `values` are as stored, merged ranges filled."""

    sheet: str
    number: int
    values: tuple[Any, ...]

    def cell(self, index: int) -> Cell:
        """The cell at a 0-based column."""
        return Cell(self.sheet, self.number, get_column_letter(index + 1), self.values[index])


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, 1-based and inclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(slots=True)
class Sheet:
    """A visible sheet. `rows()` reads it once more each time."""

    title: str
    date1904: bool
    _read: Callable[[], Iterator[tuple[int, tuple[Any, ...]]]] = field(repr=False)
    _merges: tuple[Merge, ...] = field(repr=False)
    _limits: Limits = field(repr=False)

    def rows(self) -> Iterator[Row]:
        """Rows from the top, blank ones left out.

        Raises TooManyRows past `Limits.rows` rows with content, Damaged when the XML breaks. Columns beyond
        `Limits.columns` are not read.
        """
        by_top: dict[int, list[Merge]] = {}
        for merge in self._merges:
            by_top.setdefault(merge.top, []).append(merge)
        active: list[tuple[Merge, Any]] = []
        count = 0
        for number, values in self._checked():
            active = [pair for pair in active if pair[0].bottom >= number]
            for merge in by_top.get(number, ()):
                if merge.left <= len(values):
                    active.append((merge, values[merge.left - 1]))
            if values.count(None) + values.count("") == len(values):
                continue
            count += 1
            if count > self._limits.rows:
                raise TooManyRows
            yield Row(self.title, number, self._filled(values, active) if active else values)

    def _checked(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        try:
            yield from self._read()
        except _BROKEN as broken:
            raise Damaged from broken

    def _filled(self, values: tuple[Any, ...], merges: list[tuple[Merge, Any]]) -> tuple[Any, ...]:
        cells = list(values)
        for merge, value in merges:
            right = min(merge.right, self._limits.columns)
            cells += [None] * (right - len(cells))
            cells[merge.left - 1 : right] = [value] * (right - merge.left + 1)
        return tuple(cells)


@contextmanager
def open_workbook(source: Source, limits: Limits | None = None) -> Iterator[list[Sheet]]:
    """The visible sheets of an uploaded workbook, usable until the block ends.

    `source` is a path or a binary stream, which is read from where it stands and left open. Raises an `XlsxError`.
    """
    limits = limits or Limits()
    data = read_bytes(source, limits)
    merges = inspect(data, limits)
    try:
        reader = ExcelReader(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = _sheets(reader, merges, limits)
    except _BROKEN as broken:
        raise Damaged from broken
    with closing(reader.archive):
        if len(sheets) > limits.sheets:
            raise TooLarge(_("工作表超过 %(most)d 个", most=limits.sheets))
        yield sheets


def _sheets(reader: Any, merges: dict[str, tuple[Merge, ...]], limits: Limits) -> list[Sheet]:
    """openpyxl finds the sheets and the styles that mean dates; the large parts are read by `core.sheetxml`."""
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    part = reader.package.find(SHARED_STRINGS)
    strings: list[str] = []
    if part is not None:
        with reader.archive.open(part.PartName[1:]) as stream:
            strings = read_strings(stream)
    mac = reader.wb.epoch == MAC_EPOCH
    dates = set(reader.wb._date_formats) - set(reader.wb._timedelta_formats)  # noqa: SLF001 - its only name

    def sheet(title: str, path: str) -> Sheet:
        def read() -> Iterator[tuple[int, tuple[Any, ...]]]:
            with reader.archive.open(path) as stream:
                yield from read_rows(stream, strings, dates, reader.wb.epoch, limits.columns)

        return Sheet(title, mac, read, merges.get(path, ()), limits)

    found = [(sheet, rel) for sheet, rel in reader.parser.find_sheets() if rel.Type.endswith("/worksheet")]
    if not found:
        raise Damaged
    return [sheet(entry.name, rel.target) for entry, rel in found if entry.state == "visible"]


def read_bytes(source: Source, limits: Limits) -> bytes:
    """The whole file, or TooLarge without having read more than the limit."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as stream:
            return read_bytes(stream, limits)
    data = source.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        most = limits.file_bytes >> 20
        raise TooLarge(_("文件超过 %(most)d MB，请拆分后分次上传", most=most))
    return data


def inspect(data: bytes, limits: Limits) -> dict[str, tuple[Merge, ...]]:
    """Prove a file harmless, or raise the `XlsxError` that fits; gives the merged ranges by worksheet part.

    Every member is inflated once, counted against what it declares, and thrown away.
    """
    _check_signature(data)
    _check_directory(data, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, limits)
            _check_content_types(archive)
            return {member.filename: _scan(archive, member) for member in members if not member.is_dir()}
    except XlsxError:
        raise
    except _BROKEN as broken:
        raise Damaged from broken


def _check_signature(data: bytes) -> None:
    if data.startswith(_OLE):
        raise Encrypted if _ENCRYPTED_STREAM in data else OldFormat
    if data[:2] in (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00"):
        raise OldFormat  # BIFF without a container, Excel 2 to 4
    if not data.startswith(b"PK\x03\x04"):
        raise NotXlsx


def _check_directory(data: bytes, limits: Limits) -> None:
    """Look at the end record itself: `zipfile` would build an object for each of a million entries first."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        raise Damaged
    entries = int.from_bytes(data[end + 10 : end + 12], "little")
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    if entries > limits.entries or size > limits.entries * 512 or data[end - 20 : end - 16] == b"PK\x06\x07":
        raise ZipBomb


def _check_members(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    names = {member.filename for member in members}
    if len(names) != len(members):
        raise Damaged  # two parsers would read two different workbooks
    if any(member.flag_bits & 1 for member in members):
        raise Encrypted
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise Damaged
    if sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise ZipBomb
    large = (member for member in members if member.file_size >= limits.ratio_from)
    if any(member.file_size > limits.ratio * max(1, member.compress_size) for member in large):
        raise ZipBomb
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise HasMacros
    if any(name.lower().startswith("xl/externallinks/") for name in names):
        raise ExternalContent


def _check_content_types(archive: zipfile.ZipFile) -> None:
    try:
        with archive.open("[Content_Types].xml") as stream:
            root = fromstring(stream.read(_CHUNK), forbid_dtd=True)
    except KeyError:
        raise NotXlsx from None
    types = {str(element.get("ContentType", "")) for element in root}
    if any("sheet.binary" in name for name in types):
        raise OldFormat
    if any("macroEnabled" in name or "vbaProject" in name for name in types):
        raise HasMacros
    if _MAIN not in types:
        raise NotXlsx


def _scan(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[Merge, ...]:
    """Inflate one member: its checksum and size must hold, it must not declare entities, its rows must be of a size
    that a parser can hold. `zipfile` stops at the declared size and compares the checksum, so a lie is an error.
    """
    name = member.filename.lower()
    is_xml, is_sheet = name.endswith((".xml", ".rels", ".vml")), name.startswith("xl/worksheets/")
    merges: dict[Merge, None] = {}
    tail, since_row = b"", 0
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            if is_xml and not tail and chunk.startswith(_UTF16):
                raise Damaged  # nothing writes it, and it would hide a DOCTYPE from the next line
            window = tail + chunk
            if is_xml and _DOCTYPE.search(window):
                raise ExternalContent
            if is_sheet:
                merges.update(dict.fromkeys(_merges(window)))
                since_row = 0 if _ROW.search(window) else since_row + len(chunk)
                if since_row > _ROW_BYTES:
                    raise ZipBomb
            tail = window[-_OVERLAP:]
    return tuple(merges)


def _merges(window: bytes) -> Iterator[Merge]:
    for left, top, right, bottom in _MERGE.findall(window):
        columns = column_index_from_string(left.decode()), column_index_from_string(right.decode())
        yield Merge(columns[0], int(top), columns[1], int(bottom))

"""What an uploaded file is: found in its bytes, never believed from its name; and what it may be called.

Kept are pictures (JPEG, PNG, WebP), PDF, XLSX, DOCX and plain text. Whatever could run in somebody's browser or office
program is refused: HTML and SVG under any name, macros and ActiveX, encrypted or bursting archives.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO

from flask_babel import gettext as _

from app.core.errors import Invalid

LONGEST_NAME = 120
MOST_MEMBERS = 5_000  # files inside an office document
LARGEST_UNPACKED = 300 * 1024 * 1024
LARGEST_CONTENTS_LIST = 1024 * 1024  # bytes of [Content_Types].xml
MARKUP = ("<!doctype", "<html", "<svg", "<?xml", "<script", "<body", "<iframe")


@dataclass(frozen=True)
class Kind:
    """A type that is kept; `extensions[0]` is what a name gets when it lies."""

    mime: str
    extensions: tuple[str, ...]
    family: str  # image, pdf, office, text
    picture: str = ""  # Pillow's name of the format


JPEG = Kind("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), "image", "JPEG")
PNG = Kind("image/png", (".png",), "image", "PNG")
WEBP = Kind("image/webp", (".webp",), "image", "WEBP")
PDF = Kind("application/pdf", (".pdf",), "pdf")
XLSX = Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (".xlsx",), "office")
DOCX = Kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",), "office")
TEXT = Kind("text/plain", (".txt", ".csv"), "text")
KINDS = {kind.mime: kind for kind in (JPEG, PNG, WEBP, PDF, XLSX, DOCX, TEXT)}
ACCEPT = ".jpg,.jpeg,.png,.webp,.pdf,.xlsx,.docx,.txt,.csv"  # what the file dialogue offers; no check by itself
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif"}


def kind_of(content: bytes, name: str) -> Kind:
    """The type of these bytes. Raises Invalid with what is wrong, in words for the person who chose the file."""
    if not content:
        raise Invalid(_("这个文件是空的。"))
    if content[:3] == b"\xff\xd8\xff":
        return JPEG
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS:
        raise Invalid(
            _("这是 HEIC 照片，多数电脑打不开。请在手机相机设置里改用 JPG（“兼容性最佳”），或转成 JPG 再传。")
        )
    if content[:5] == b"%PDF-":
        return _pdf(content)
    if content[:4] == b"PK\x03\x04":
        return _office(content)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Invalid(_("旧格式（xls、doc）可能带宏，请另存为 xlsx 或 docx 再传。"))
    return _text(content, name)


def _pdf(content: bytes) -> Kind:
    if b"%%EOF" not in content[-2048:]:
        raise Invalid(_("这份 PDF 不完整，可能没有下载完。"))
    return PDF


def _office(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            names = {one.filename for one in members}
            kind = XLSX if "xl/workbook.xml" in names else DOCX if "word/document.xml" in names else None
            if kind is None or "[Content_Types].xml" not in names:
                raise Invalid(_("不收压缩包；请把里面的文件分别上传。"))
            if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > LARGEST_UNPACKED:
                raise Invalid(_("这个文件展开后太大。"))
            listed = archive.open("[Content_Types].xml").read(LARGEST_CONTENTS_LIST)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Invalid(_("这个文件打不开：不完整，或设了密码。")) from error
    active = any(re.search(r"vbaProject|/activeX/|/embeddings/.*\.bin$", name, re.IGNORECASE) for name in names)
    if active or b"macroenabled" in listed.lower() or b"vbaproject" in listed.lower():
        raise Invalid(_("这个文件带宏或嵌入的程序，不能上传。请另存为不带宏的 xlsx 或 docx。"))
    return kind


def _text(content: bytes, name: str) -> Kind:
    """Plain text is known by what it is not; it is kept under a name of text only."""
    refusal = Invalid(_("不收这种文件。可以上传 JPG、PNG、WebP 图片，PDF，XLSX，DOCX，TXT。"))
    if extension(name) not in TEXT.extensions:
        raise refusal
    text = decoded(content)
    if text is None or any(unicodedata.category(char) == "Cc" and char not in "\r\n\t\f" for char in text):
        raise refusal
    if text.lstrip("\ufeff \t\r\n").lower().startswith(MARKUP):
        raise refusal
    return TEXT


def decoded(content: bytes) -> str | None:
    """Text in UTF-8 or, as Chinese Windows writes it, GB 18030."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def extension(name: str) -> str:
    """ ".jpg" of "照片.JPG"; "" when what follows the dot is no extension."""
    found = re.search(r"\.[A-Za-z0-9]{1,5}$", name)
    return found[0].lower() if found else ""


def clean_name(name: str, kind: Kind) -> str:
    """The name as kept: no path, nothing invisible, the extension its content has, at most LONGEST_NAME characters."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(
        char for char in base if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    stem = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", seen)).strip(" .")
    given = extension(stem)
    if given:
        stem = stem[: -len(given)].rstrip(" .")
    ending = given if given in kind.extensions else kind.extensions[0]
    return (stem[: LONGEST_NAME - len(ending)].rstrip(" .") or _("附件")) + ending

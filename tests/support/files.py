"""Files to upload: honest ones and liars."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

from PIL import Image


def jpeg(width: int = 640, height: int = 480, *, place: bool = True) -> bytes:
    """A photograph as a telephone takes it: with the maker's name and where it was taken."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    told = Image.Exif()
    if place:
        told[0x010F] = "PhoneMaker"
        told.get_ifd(0x8825).update({1: "N", 2: (42.0, 50.0, 44.0), 3: "E", 4: (120.0, 40.0, 1.0)})
    out = BytesIO()
    picture.save(out, "JPEG", exif=told, quality=88)
    return out.getvalue()


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> bytes:
    """A plain picture of some format and mode."""
    out = BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def huge_png(side: int = 20_000) -> bytes:
    """A valid PNG of side × side grey pixels in a few kilobytes."""
    packer = zlib.compressobj(9)
    line = b"\0" + b"\0" * (side // 8)
    data = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def office(*, word: bool = False, extra: dict[str, bytes] | None = None, types: bytes = b"<Types/>") -> bytes:
    """The bones of an XLSX or DOCX, with further members. The same bytes at any time: cases are named by them, and two
    processes that collect a moment apart must name them alike."""
    main = "word/document.xml" if word else "xl/workbook.xml"
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in {"[Content_Types].xml": types, main: b"<x/>", **(extra or {})}.items():
            member = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, body)
    return out.getvalue()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
GIF_JS = b"GIF89a/*\x00\x00*/=1;alert(1)//;"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64

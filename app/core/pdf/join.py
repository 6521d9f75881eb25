"""One PDF from pieces: a list of thousands of rows takes a gigabyte in one, and a tenth of that in pieces."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import IO, Any

from pypdf import PdfReader, PdfWriter

from .pool import render_in_pool


def join(pieces: Iterable[bytes], title: str, *, upright: bool = False) -> bytes:
    """The pages of all pieces in order, each with its number and how many there are at the foot; bookmarks stay."""
    writer = PdfWriter()
    for piece in pieces:
        writer.append(BytesIO(piece))
    feet = render_in_pool("numbers", {"pages": len(writer.pages), "upright": upright}, timeout=120)
    for page, foot in zip(writer.pages, PdfReader(BytesIO(feet)).pages, strict=True):
        page.merge_page(foot)
        page.compress_content_streams()  # merging unpacks them
    writer.add_metadata({"/Title": title})
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def starts(pieces: Sequence[bytes]) -> tuple[dict[str, int], int]:
    """The page, counted from 0 over all pieces, on which each bookmark stands; how many pages there are."""
    found: dict[str, int] = {}
    pages = 0
    for piece in pieces:
        reader = PdfReader(BytesIO(piece))
        for mark in reader.outline:
            one: Any = mark
            if not isinstance(one, list):
                found[str(one.title)] = pages + (reader.get_destination_page_number(one) or 0)
        pages += len(reader.pages)
    return found, pages


def bind(files: Iterable[tuple[str, bytes]], title: str, out: IO[bytes]) -> int:
    """Put whole files after one another, each as it is, under a bookmark of its name. Returns how many pages."""
    writer = PdfWriter()
    for name, content in files:
        writer.append(BytesIO(content), outline_item=name)
    writer.add_metadata({"/Title": title})
    writer.write(out)
    return len(writer.pages)

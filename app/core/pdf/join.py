"""One PDF from pieces: a list of thousands of rows takes a gigabyte in one, and a tenth of that in pieces."""

from collections.abc import Iterable
from io import BytesIO

from pypdf import PdfReader, PdfWriter

from .pool import render_in_pool


def join(pieces: Iterable[bytes], title: str) -> bytes:
    """The pages of all pieces in order, each with its number and how many there are at the foot."""
    writer = PdfWriter()
    for piece in pieces:
        writer.append(BytesIO(piece), import_outline=False)
    feet = render_in_pool("numbers", {"pages": len(writer.pages)}, timeout=120)
    for page, foot in zip(writer.pages, PdfReader(BytesIO(feet)).pages, strict=True):
        page.merge_page(foot)
        page.compress_content_streams()  # merging unpacks them
    writer.add_metadata({"/Title": title})
    out = BytesIO()
    writer.write(out)
    return out.getvalue()

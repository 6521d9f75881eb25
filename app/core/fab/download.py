"""A file that was made for the person who asked: named, whole, kept by no cache."""

from __future__ import annotations

from os import SEEK_END
from typing import IO

from flask import Response, send_file

from app.core.jobfile import attachment


def download(out: IO[bytes], mimetype: str, name: str) -> Response:
    """The answer that carries what `out` holds, from its beginning; it closes `out` when it is sent."""
    size = out.seek(0, SEEK_END)
    out.seek(0)
    answer = send_file(out, mimetype=mimetype)
    answer.content_length = size
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = attachment(name)
    return answer

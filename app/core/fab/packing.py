"""Pages and JSON leave compressed when the browser takes it.

Compression tells by a length whether a guessed text equals a secret on the same page (BREACH). Here a foreign site
can't ask for our pages with the reader's cookie (SameSite=Lax), but for opening them in a window; against that each
answer is longer by a random number of bytes, in a field of the gzip header that browsers skip.
"""

from __future__ import annotations

import gzip
import secrets
from io import BytesIO

from flask import Response, request

KINDS = {"text/html", "application/json", "text/plain", "text/csv", "application/xml"}
SMALLEST = 500  # bytes; below that it is not worth it
LEVEL = 5
MOST_NOISE = 100  # bytes


def pack(response: Response) -> Response:
    """The response, compressed where that is of use; what streams, or is packed already, stays as it is."""
    if response.mimetype not in KINDS:
        return response
    response.vary.add("Accept-Encoding")
    able = request.accept_encodings["gzip"] > 0 and request.method != "HEAD"
    plain = response.is_sequence and not response.direct_passthrough and "Content-Encoding" not in response.headers
    if not (able and plain) or response.status_code in {204, 206, 304}:
        return response
    body = response.get_data()
    if len(body) >= SMALLEST:
        response.set_data(packed(body))
        response.headers["Content-Encoding"] = "gzip"
    return response


def packed(body: bytes) -> bytes:
    """Compressed, and longer by a random number of bytes."""
    out, noise = BytesIO(), secrets.token_hex(MOST_NOISE // 2)[: secrets.randbelow(MOST_NOISE) + 1]
    with gzip.GzipFile(noise, "wb", LEVEL, out, mtime=0) as file:
        file.write(body)
    return out.getvalue()

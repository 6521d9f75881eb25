"""QR codes of papers."""

import base64
import io

import segno


def qr(url: str) -> str:
    """The address as a 1-bit PNG data address; the mask is fixed, since choosing the best costs more than the page."""
    stream = io.BytesIO()
    segno.make(url, error="m", micro=False, mask=3, boost_error=False).save(stream, kind="png", scale=1, border=2)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()

"""Pictures: measured before they are decoded, decoded to see that they are whole, copied without what they tell.

The original keeps its EXIF and is never touched. The two copies, for screens and for people outside the bureau, are
drawn anew: no place, no device, no time goes with them, and nothing that was hidden behind the picture.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from flask_babel import gettext as _
from PIL import Image, ImageFile, ImageOps

from app.core.errors import Invalid
from app.core.filetype import Kind

MOST_PIXELS = 64_000_000  # 192 MB decoded, one at a time; the largest telephones take 50 million
LONGEST_SIDE = 16_000
SCREEN, THUMB = 1600, 320  # pixels of the longer side
_one_at_a_time = threading.Semaphore(1)


@dataclass(frozen=True)
class Picture:
    """What is kept of a picture beside its bytes: its size in pixels as taken, and the two copies (JPEG)."""

    width: int
    height: int
    screen: bytes
    thumb: bytes


def look_at(content: bytes, kind: Kind) -> Picture:
    """Measure, decode and copy. Raises Invalid when it is too large, cut short, or not what its head says."""
    broken = _("这张图片打不开：不完整，或已损坏。")
    try:
        with _one_at_a_time, _strictly(), Image.open(BytesIO(content), formats=[kind.picture]) as picture:
            width, height = picture.size
            _require_size(width, height)
            if isinstance(picture, ImageFile.ImageFile):
                picture.draft("RGB", (SCREEN, SCREEN))  # a JPEG is decoded at an eighth, a quarter or a half
            picture.load()
            return _copied(picture, width, height)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid(_too_large()) from error
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, ArithmeticError) as error:
        raise Invalid(broken) from error


@contextmanager
def _strictly() -> Iterator[None]:
    """A picture that is cut short is an error: importing WeasyPrint makes Pillow lenient for the whole process."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _require_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise Invalid(_too_large(width, height))


def _too_large(width: int = 0, height: int = 0) -> str:
    size = f"（{width} × {height}）" if width else ""
    most = MOST_PIXELS // 10_000
    return str(_("图片太大%(size)s：最多 %(n)s 万像素，最长边 %(side)s。", size=size, n=most, side=LONGEST_SIDE))


def _copied(picture: Image.Image, width: int, height: int) -> Picture:
    upright = ImageOps.exif_transpose(picture)
    if upright.width * upright.height and (upright.width > upright.height) != (picture.width > picture.height):
        width, height = height, width
    screen = _flat(upright, SCREEN)
    return Picture(width, height, _jpeg(screen, 82), _jpeg(_flat(screen, THUMB), 78))


def _flat(picture: Image.Image, side: int) -> Image.Image:
    """At most `side` pixels long, without transparency, and with none of the original's `info`."""
    copy = picture.copy()
    copy.thumbnail((side, side))
    if copy.mode in {"RGBA", "LA", "PA"} or "transparency" in copy.info:
        layer = copy.convert("RGBA")
        paper = Image.new("RGB", copy.size, "white")
        paper.paste(layer, mask=layer.getchannel("A"))
        return paper
    bare = Image.new("RGB", copy.size)
    bare.paste(copy.convert("RGB"))
    return bare


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True, progressive=False)
    return out.getvalue()

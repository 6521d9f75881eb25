"""Words across each page (草稿, 演示 无效) as outlines: as text they would tear up what is copied from it."""

from dataclasses import dataclass

from .fonts import font_set

EM = 1000
"""Units to the em of the drawing."""


@dataclass(frozen=True)
class Mark:
    """A word, the SVG path that draws it on a base line at y = 0, and its width in units of a thousandth em."""

    word: str
    path: str
    width: int


def mark(word: str) -> Mark:
    """Draw a word in 黑体. KeyError: the face lacks a character."""
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.ttLib import TTFont

    fonts = font_set()
    with TTFont(next(fonts.path.glob(f"*/{fonts.families['hei'][0]}.ttf")), lazy=True) as font:
        glyphs, names = font.getGlyphSet(), font.getBestCmap()
        scale, across, parts = EM / font["head"].unitsPerEm, 0.0, []
        for character in word:
            glyph, pen = glyphs[names[ord(character)]], SVGPathPen(glyphs)
            glyph.draw(TransformPen(pen, (scale, 0, 0, -scale, across, 0)))
            parts.append(pen.getCommands())
            across += glyph.width * scale
    return Mark(word, "".join(parts), round(across))

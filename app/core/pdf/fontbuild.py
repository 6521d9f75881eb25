"""Builds the font set: `python -m app.core.pdf.fontbuild [--retry]`, called by `script/fonts`.

Why each step: outlines become quadratic (smaller, CIDFontType2 everywhere); all faces get equal vertical metrics (one
borrowed character would else push its line off the 22-line grid); frequent characters come first and in a tier of
their own (the renderer keeps glyph ids and copies whole files); no layout tables, no hints.
"""

import fcntl
import json
import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

from .errors import NotReady
from .fonts import BUILDER_VERSION, cache_home, font_set, pointer
from .fontsource import Source, fandol_folder, licence_texts, sources
from .text import FORBIDDEN

ASCENT, DESCENT = 0.88, 0.12
"""Shares of the em, the same in every file."""
CURVE_ERROR = 0.002
"""How far a quadratic outline may stray from the original, in em."""
EPOCH = 3_900_000_000
"""`head.created` in seconds since 1904: a constant, so that equal sources give equal files."""
PROCESSES = 2
STALE_SECONDS = 86_400


def tiers(covered: set[int]) -> list[list[int]]:
    """Split the characters of a font by frequency: symbols + GB2312 level 1; rest of GB2312 and GBK; all others."""
    first = [*_symbols(), *_plane("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))]
    second = [*_plane("gb2312", range(0xD8, 0xF8), range(0xA1, 0xFF))]
    second += _plane("gbk", range(0x81, 0xFF), range(0x40, 0xFF))
    left, split = {point for point in covered if unicodedata.category(chr(point)) not in FORBIDDEN}, []
    for wanted in (first, second, sorted(covered)):
        split.append([point for point in dict.fromkeys(wanted) if point in left])
        left.difference_update(split[-1])
    return split


def _symbols() -> Iterator[int]:
    """Latin, punctuation, numbers, units, kana, full-width forms, and the symbol rows of GB2312."""
    blocks = (
        (0x20, 0x7F),
        (0xA0, 0x100),
        (0x2000, 0x2070),
        (0x2100, 0x2600),
        (0x3000, 0x3100),
        (0x3200, 0x3400),
        (0xFF00, 0xFFF0),
    )
    for start, end in blocks:
        yield from range(start, end)
    yield from _plane("gb2312", range(0xA1, 0xAA), range(0xA1, 0xFF))


def _plane(codec: str, rows: Iterable[int], cells: Iterable[int]) -> Iterator[int]:
    """Code points of a two-byte character set in its own order, which is by frequency for GB2312 level 1."""
    columns = list(cells)
    for row in rows:
        for cell in columns:
            text = bytes((row, cell)).decode(codec, "ignore")
            if len(text) == 1:
                yield ord(text)


def build_tier(source: Source, points: list[int], family: str, target: Path) -> list[int]:
    """Write one TrueType file with `points` of `source`, in that order; returns those that really have an outline.

    Some fonts map a rare character to an empty glyph: a silent hole in a name. Such a mapping is dropped, so that the
    next face draws the character.
    """
    glyphs: dict[str, Any] = {}
    advances: dict[str, int] = {}
    cmap: dict[int, str] = {}
    renamed: dict[str, str] = {}
    with _open(source) as original:
        upm, characters, outlines = original["head"].unitsPerEm, original.getBestCmap(), original.getGlyphSet()
        for point in (None, *points):
            name = ".notdef" if point is None else characters[point]
            if name not in renamed:
                renamed[name] = ".notdef" if point is None else f"g{len(renamed)}"
                glyphs[renamed[name]] = _outline(outlines, name, upm, "glyf" not in original)
                advances[renamed[name]] = round(outlines[name].width)
            if point is not None and (glyphs[renamed[name]].numberOfContours or chr(point).isspace()):
                cmap[point] = renamed[name]
        _assemble(original, glyphs, advances, cmap, family).save(target)
    return list(cmap)


def _open(source: Source) -> TTFont:
    """The font for reading, to be closed by the caller; in a collection the one with the wanted family."""
    if not source.collection_name:
        return TTFont(source.file, lazy=True)
    with TTCollection(source.file, lazy=True) as collection:
        names = [font["name"].getDebugName(1) for font in collection.fonts]
    if source.collection_name not in names:
        raise NotReady(f"{source.file} 中没有 {source.collection_name}")
    return TTFont(source.file, lazy=True, fontNumber=names.index(source.collection_name))


def _outline(outlines: Any, name: str, upm: int, cubic: bool) -> Any:
    pen = TTGlyphPen(None)
    recording = DecomposingRecordingPen(outlines)
    outlines[name].draw(recording)
    recording.replay(Cu2QuPen(pen, CURVE_ERROR * upm, reverse_direction=True) if cubic else pen)
    return pen.glyph()


def _assemble(
    original: TTFont, glyphs: dict[str, Any], advances: dict[str, int], cmap: dict[int, str], family: str
) -> TTFont:
    upm = original["head"].unitsPerEm
    ascent, descent = round(ASCENT * upm), round(DESCENT * upm)
    builder = FontBuilder(upm, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (advances[name], getattr(glyphs[name], "xMin", 0)) for name in glyphs})
    builder.setupHorizontalHeader(ascent=ascent, descent=-descent, lineGap=0)
    names = original["name"]
    builder.setupNameTable(
        {
            "familyName": family,
            "styleName": "Regular",
            "fullName": family,
            "psName": family,
            "uniqueFontIdentifier": f"{family} {BUILDER_VERSION}",
            "version": f"Version {BUILDER_VERSION}.000",
            "copyright": names.getDebugName(0) or "",
            "licenseDescription": names.getDebugName(13) or "",
        }
    )
    builder.setupOS2(
        sTypoAscender=ascent,
        sTypoDescender=-descent,
        sTypoLineGap=0,
        usWinAscent=ascent,
        usWinDescent=descent,
        fsType=original["OS/2"].fsType,
        usWeightClass=400,
    )
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = EPOCH
    builder.font.recalcTimestamp = False
    return builder.font


def _plan(found: list[Source]) -> Iterator[tuple[Source, list[int], str]]:
    """(source, characters, family) of each file to build; Mongolian joins its letters and so is copied whole."""
    for source in found:
        if source.face == "meng":
            continue
        with _open(source) as font:
            covered = set(font.getBestCmap())
        for number, points in enumerate(tiers(covered), 1):
            if points:
                yield source, points, f"SZ{source.face.capitalize()}{number}"


def _write_set(folder: Path, final: Path, found: list[Source], fandol: Path | None, notes: list[str]) -> None:
    """Fill `folder` with fonts, licences, fontconfig file and manifest; paths inside point to `final`."""
    for licence in {source.licence for source in found}:
        (folder / licence).mkdir()
        for name, content in licence_texts(licence, fandol).items():
            (folder / licence / name).write_bytes(content)
    families: dict[str, list[str]] = {}
    points: set[int] = set()
    plan = sorted(_plan(found), key=lambda job: -len(job[1]))
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(build_tier, *job, folder / job[0].licence / f"{job[2]}.ttf") for job in plan]
        for job in jobs:
            points.update(job.result())
    for source, _, family in plan:
        families.setdefault(source.face, []).append(family)
    for source in (source for source in found if source.face == "meng"):
        points.update(_copy_whole(source, folder / source.licence))
        families["meng"] = ["SZMeng1"]
    for names in families.values():
        names.sort()
    _write_config(folder, final)
    _write_manifest(folder, families, points, notes)


def _copy_whole(source: Source, folder: Path) -> set[int]:
    with TTFont(source.file, recalcTimestamp=False) as font:
        for name_id in (1, 4, 6, 16):
            font["name"].setName("SZMeng1", name_id, 3, 1, 0x409)
        font.save(folder / "SZMeng1.ttf")
        return set(font.getBestCmap())


def _write_config(folder: Path, final: Path) -> None:
    # rescan 0: a running worker never looks at the folder again
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n'
        f"<fontconfig><dir>{final}</dir><cachedir>{final}/fontconfig</cachedir>"
        "<config><rescan><int>0</int></rescan></config></fontconfig>\n"
    )


def _write_manifest(folder: Path, families: dict[str, list[str]], points: set[int], notes: list[str]) -> None:
    files = sorted(folder.glob("*/*.ttf"))
    digest = sha256()
    for file in files:
        digest.update(file.name.encode() + sha256(file.read_bytes()).digest())
    ranges: list[list[int]] = []
    for point in sorted(points):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    manifest = {"hash": digest.hexdigest(), "families": families, "ranges": ranges, "notes": notes}
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))


@contextmanager
def _one_builder(home: Path) -> Iterator[None]:
    """Let a second builder wait for the first; the lock dies with its process."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(home: Path) -> None:
    """Remove what builders that were killed left behind."""
    for left in home.glob(".build-*"):
        if home.joinpath("lock").stat().st_mtime - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def build(retry: bool = False) -> tuple[Path, list[str]]:
    """Build the set unless it is there; returns its folder and remarks. `retry` asks Debian again for Fandol."""
    home = cache_home()
    with _one_builder(home):
        _sweep(home)
        try:
            ready = font_set()
            if not retry:
                return ready.path, list(ready.notes)
        except NotReady:
            pass
        report: list[str] = []
        fandol = fandol_folder(report)
        found, notes = sources(fandol)
        final = home / _key(found)
        if not (final / "manifest.json").is_file():
            _build_into(home, final, found, fandol, report + notes)
        _point_to(final)
        return final, report + notes


def _key(found: list[Source]) -> str:
    digest = sha256(str(BUILDER_VERSION).encode())
    for source in found:
        digest.update(source.face.encode() + sha256(source.file.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _build_into(home: Path, final: Path, found: list[Source], fandol: Path | None, notes: list[str]) -> None:
    folder = Path(mkdtemp(dir=home, prefix=".build-"))
    try:
        folder.chmod(0o755)
        _write_set(folder, final, found, fandol, notes)
        shutil.rmtree(final, ignore_errors=True)
        folder.rename(final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _point_to(final: Path) -> None:
    """Make `final` the set in use; processes that run keep theirs."""
    target = pointer()
    draft = target.with_name(f".{target.name}-{os.getpid()}")
    draft.write_text(final.name)
    draft.replace(target)


def main() -> int:
    """Build and say what happened; 0 unless nothing could be built."""
    started = time.monotonic()
    try:
        folder, notes = build(retry="--retry" in sys.argv[1:])
    except NotReady as error:
        print(error, file=sys.stderr)
        return 1
    for note in notes:
        print(f"注意：{note}")
    size = sum(file.stat().st_size for file in folder.glob("*/*.ttf")) / 1e6
    print(f"字体就绪：{folder}（{size:.0f} MB，{time.monotonic() - started:.1f} 秒）")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

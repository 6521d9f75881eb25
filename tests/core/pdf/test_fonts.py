"""The font set: coverage, metrics, order, and a builder that may be killed or run twice."""

import json
import os
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from app.core.pdf import fontbuild, fonts, fontsource
from app.core.pdf.errors import NotReady
from app.core.pdf.fontsource import Source

ROOT = Path(fonts.__file__).parents[3]


def square() -> object:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 500))
    pen.lineTo((500, 500))
    pen.closePath()
    return pen.glyph()


def tiny_font(path: Path, drawn: str, empty: str = "") -> Path:
    """A font with triangles for `drawn`, and a silent hole for each of `empty`."""
    names = [".notdef", *(f"c{ord(c)}" for c in drawn + empty)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"c{ord(c)}" for c in drawn + empty})
    blank = TTGlyphPen(None).glyph()
    builder.setupGlyf({n: square() if n == ".notdef" or chr(int(n[1:])) in drawn else blank for n in names})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=1200, descent=-300)
    builder.setupNameTable({"familyName": "Tiny", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.font.save(path)
    return path


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, fed by one tiny font; returns the cache."""
    source = Source("song", tiny_font(tmp_path / "tiny.ttf", "国家，"), "ofl")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(fontbuild, "fandol_folder", lambda _: None)
    monkeypatch.setattr(fontbuild, "sources", lambda _: ([source], ["没有仿宋"]))
    return tmp_path / "cache" / "shouze" / "fonts"


def test_the_set_draws_every_character_of_the_standards() -> None:
    gbk = [bytes((row, cell)).decode("gbk", "ignore") for row in range(0x81, 0xFF) for cell in range(0x40, 0xFF)]
    hanzi = "".join(c for c in gbk if len(c) == 1 and "\u4e00" <= c <= "\u9fa5")
    assert len(hanzi) == 20_902
    assert fonts.font_set().missing(hanzi + "𬀩㛃䶮堃喆淼镕犇㎡℃〔〕□■√×①Ⅷ—…“”·") == ""


def test_missing_characters_are_named_once() -> None:
    assert fonts.font_set().missing("甲😀乙😀☑\n") == "😀☑"


def test_all_files_have_the_same_vertical_metrics_and_no_layout_tables() -> None:
    for file in fonts.font_set().path.glob("*/*.ttf"):
        with TTFont(file, lazy=True) as font:
            em, head = font["head"].unitsPerEm, font["hhea"]
            assert (head.ascent / em, head.descent / em, head.lineGap) == (0.88, -0.12, 0), file.name
            assert not {"GSUB", "GPOS", "CFF ", "fpgm", "prep"} & set(font.keys())


def test_licences_lie_beside_their_fonts() -> None:
    folder = fonts.font_set().path
    assert "GNU GENERAL PUBLIC LICENSE" in (folder / "gpl" / "COPYING").read_text()
    assert "SIL OPEN FONT LICENSE" in (folder / "ofl" / "OFL.txt").read_text().upper()
    assert not [file for file in (folder / "gpl").glob("*.ttf") if "Song" in file.name or "Hei" in file.name]


def test_tiers_are_disjoint_and_by_frequency() -> None:
    first, second, third = fontbuild.tiers({ord(c) for c in "的，A。犇镕囗𬀩㛃\0\u200b"})
    assert set(map(chr, first)) == set("的，A。")
    assert set(map(chr, second)) == set("犇镕囗")
    assert set(map(chr, third)) == set("𬀩㛃")


def test_the_most_frequent_level_is_whole() -> None:
    level = {
        c
        for c in map(chr, fontbuild.tiers(set(range(0x30000)))[0])
        if unicodedata.name(c, "").startswith("CJK UNIFIED")
    }
    assert len(level) == 3_755


def test_an_empty_glyph_is_no_glyph(tmp_path: Path) -> None:
    source = Source("kai", tiny_font(tmp_path / "holes.ttf", "国", empty="䶮 "), "own")
    assert fontbuild.build_tier(source, [ord(c) for c in "国䶮 "], "SZKai1", tmp_path / "out.ttf") == [
        ord("国"),
        ord(" "),
    ]
    with TTFont(tmp_path / "out.ttf") as font:
        assert set(font.getBestCmap()) == {ord("国"), ord(" ")}


def test_followers_come_after_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fonts.font_set().css("fang").startswith("SZFang1,SZFang2")
    assert fonts.font_set().css("fang").index("SZFang1") < fonts.font_set().css("fang").index("SZSong1")
    monkeypatch.setenv("SHOUZE_FONT_ORDER", "fang=kai, song; title=hei")
    order = fonts.font_order()
    assert (order["fang"], order["title"], order["kai"]) == (("kai", "song"), ("hei",), fonts.FALLBACK["kai"])
    assert "SZKai1" in fonts.font_set().css("fang")


@pytest.mark.parametrize("rule", ["fang=comic", "comic=song", "fang"])
def test_a_wrong_order_is_refused(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUZE_FONT_ORDER", rule)
    if rule == "fang":
        assert fonts.font_order()["fang"] == ()
        return
    with pytest.raises(NotReady, match="SHOUZE_FONT_ORDER"):
        fonts.font_order()


def test_the_bureaus_own_fonts_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fonts.pointer()
    tiny_font(tmp_path / "SimFang.TTF", "国")
    monkeypatch.setenv("SHOUZE_FONT_DIR", str(tmp_path))
    found, notes = fontsource.sources(None)
    assert {source.face: source.licence for source in found}["fang"] == "own"
    assert any("SimFang.TTF" in note for note in notes)
    assert fonts.pointer() != before
    with pytest.raises(NotReady, match="script/fonts"):
        fonts.font_set()


def test_a_missing_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUZE_FONT_DIR", "/nowhere/fonts")
    with pytest.raises(NotReady, match="/nowhere/fonts"):
        fonts.own_files()


def test_without_fandol_the_reader_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fontsource, "PACKAGE", "no-such-package-here")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    report: list[str] = []
    assert fontsource.fandol_folder(report) is None
    assert "script/fonts --retry" in report[0]
    found, notes = fontsource.sources(None)
    assert "以宋体代替" in notes[0]
    assert {source.face for source in found} >= {"song", "hei"}


def test_building_and_finding(tiny: Path) -> None:
    folder, notes = fontbuild.build()
    assert fonts.font_set().path == folder
    assert notes == ["没有仿宋"]
    assert fonts.font_set().missing("国家，犇") == "犇"
    assert str(folder) in (folder / "fonts.conf").read_text()
    assert fonts.font_set().css("fang") == "SZSong1"


def test_a_killed_builder_leaves_nothing_that_counts(tiny: Path) -> None:
    (tiny / ".build-dead").mkdir(parents=True)
    (tiny / ".build-dead" / "manifest.json").write_text("{}")
    old = tiny / ".build-old"
    old.mkdir()
    os.utime(old, (0, 0))
    with pytest.raises(NotReady, match="script/fonts"):
        fonts.font_set()
    folder, _ = fontbuild.build()
    assert fonts.font_set().path == folder
    assert not old.exists()


def test_a_folder_without_manifest_is_built_anew(tiny: Path) -> None:
    folder, _ = fontbuild.build()
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").unlink()
    fonts._current.cache_clear()
    assert fontbuild.build()[0] == folder
    assert (folder / "manifest.json").read_text() == manifest


def test_two_builders_at_once_build_once(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    write = fontbuild._write_set

    def counting(*arguments: object) -> None:
        built.append(1)
        write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fontbuild, "_write_set", counting)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: fontbuild.build(), range(2))
    assert first[0] == second[0]
    assert built == [1]
    assert sorted(entry.name for entry in tiny.iterdir() if entry.name.startswith(".")) == []


def test_equal_sources_give_equal_files(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fontbuild.build()[0]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    second = fontbuild.build()[0]
    assert first != second
    assert (
        json.loads((first / "manifest.json").read_text())["hash"]
        == json.loads((second / "manifest.json").read_text())["hash"]
    )


def test_the_script_only_looks_when_the_set_is_there() -> None:
    done = subprocess.run([ROOT / "script" / "fonts"], capture_output=True, text=True, check=True, timeout=20)
    assert fonts.font_set().path.name in done.stdout


def test_reading_fonts_is_light() -> None:
    script = "import sys; from app.core.pdf import fonts; fonts.font_set(); assert 'fontTools' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)

"""What an uploaded file is, whatever it is called; pictures measured before they are decoded."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from app.core.errors import Invalid
from app.core.filetype import DOCX, JPEG, PNG, TEXT, WEBP, XLSX, clean_name, kind_of
from app.core.filetype import PDF as PDF_KIND
from app.core.picture import MOST_PIXELS, SCREEN, THUMB, look_at
from tests.support import files
from tests.support.house import House


@pytest.fixture(autouse=True)
def _app(small: House) -> Iterator[None]:
    with small.app.app_context():
        yield


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (files.jpeg(), "照片.jpg", JPEG),
        (files.picture("PNG"), "名字说是.jpg", PNG),
        (files.picture("WEBP"), "x.webp", WEBP),
        (files.PDF, "任命.pdf", PDF_KIND),
        (files.office(), "台账.xlsx", XLSX),
        (files.office(word=True), "说明.docx", DOCX),
        ("库房台账\r\n羊肉,3".encode(), "a.csv", TEXT),
        ("库房台账".encode("gb18030"), "a.txt", TEXT),
    ],
)
def test_the_type_is_found_in_the_bytes(content: bytes, name: str, kind: object) -> None:
    assert kind_of(content, name) is kind


@pytest.mark.parametrize(
    ("content", "name", "word"),
    [
        (files.HTML, "照片.jpg", "不收"),
        (files.HTML, "说明.txt", "不收"),
        (b"\xef\xbb\xbf  <SVG onload=x>", "a.txt", "不收"),
        (files.SVG, "图.svg", "不收"),
        (files.SVG, "图.png", "不收"),
        (files.GIF_JS, "动.gif", "不收"),
        (files.GIF_JS, "动.jpg", "不收"),
        (b"MZ\x90\0\3\0\0", "a.txt", "不收"),
        (b"#!/bin/sh\nrm", "a.sh", "不收"),
        (b"a\0b", "a.txt", "不收"),
        (b"", "a.jpg", "空"),
        (files.HEIC, "IMG_1.HEIC", "HEIC"),
        (files.PDF[:-8], "a.pdf", "不完整"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", "旧格式"),
        (files.office(extra={"xl/vbaProject.bin": b"x"}), "a.xlsx", "宏"),
        (files.office(types=b'<Override ContentType="vnd.ms-excel.sheet.macroEnabled.main+xml"/>'), "a", "宏"),
        (files.office(word=True, extra={"word/activeX/activeX1.bin": b"x"}), "a.docx", "宏"),
        (files.office(word=True, extra={"word/embeddings/oleObject1.bin": b"x"}), "a.docx", "宏"),
        (files.office()[:60], "a.xlsx", "打不开"),
        (b"PK\x03\x04" + b"\0" * 50, "a.zip", "打不开"),
    ],
)  # fmt: skip
def test_liars_and_what_could_run_are_refused(content: bytes, name: str, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        kind_of(content, name)


def test_an_archive_and_a_bursting_document_are_refused() -> None:
    plain = files.office(extra={"a.html": b"x"}).replace(b"xl/workbook.xml", b"xl/workbook.xxx")
    with pytest.raises(Invalid, match="压缩包"):
        kind_of(plain, "a.xlsx")
    bomb = files.office(extra={f"xl/media/{n}": b"\0" * 40_000_000 for n in range(8)})
    assert len(bomb) < 1_000_000
    with pytest.raises(Invalid, match="展开后太大"):
        kind_of(bomb, "a.xlsx")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../x/整改 照片.jpg", "整改 照片.jpg"),
        ("C:\\用户\\桌面\\整改 照片.JPG", "整改 照片.jpg"),
        ("a/b/", "附件.jpg"),
        ("..", "附件.jpg"),
        ("照片", "照片.jpg"),
        ("照片.png", "照片.jpg"),
        ("x.html", "x.jpg"),
        ("\u202egpj.exe", "gpj.jpg"),
        ("a\0b\r\nc\u200b.jpg", "abc.jpg"),
        ('<b>"x"|?*.jpg', "_b__x____.jpg"),
        ("整改.第3次", "整改.第3次.jpg"),
        ("长" * 300 + ".jpeg", "长" * 115 + ".jpeg"),
    ],
)
def test_names_are_kept_right(given: str, kept: str) -> None:
    assert clean_name(given, JPEG) == kept


def test_20_000_by_20_000_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = files.huge_png()
    assert len(content) < 200_000
    monkeypatch.setattr(Image.Image, "load", lambda *_a: pytest.fail("decoded"))
    with pytest.raises(Invalid, match=r"太大（20000 × 20000）：最多 6400 万像素|图片太大：最多 6400 万像素"):
        look_at(content, PNG)


def test_long_and_thin_and_just_too_many_pixels_are_refused() -> None:
    for size in ((16_001, 1), (8_001, 8_001)):
        assert size[0] * size[1] > MOST_PIXELS or max(size) > 16_000
        with pytest.raises(Invalid, match=f"{size[0]} × {size[1]}"):
            look_at(files.picture("PNG", "1", size), PNG)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_truncated_picture_is_refused(share: float) -> None:
    import weasyprint

    assert weasyprint.__version__, "imported here as in the server: it makes Pillow lenient"
    content = files.jpeg()
    with pytest.raises(Invalid, match="打不开"):
        look_at(content[: int(len(content) * share)], JPEG)


def test_a_picture_of_another_format_than_its_head_is_refused() -> None:
    with pytest.raises(Invalid, match="打不开"):
        look_at(files.HTML, JPEG)
    with pytest.raises(Invalid, match="打不开"):
        look_at(files.picture("PNG"), JPEG)


def test_copies_are_small_upright_and_tell_nothing() -> None:
    content = files.jpeg(3000, 2000)
    assert b"PhoneMaker" in content
    found = look_at(content, JPEG)
    assert (found.width, found.height) == (3000, 2000)
    for copy, side in ((found.screen, SCREEN), (found.thumb, THUMB)):
        with Image.open(BytesIO(copy)) as drawn:
            assert (drawn.format, max(drawn.size)) == ("JPEG", side)
            assert not drawn.getexif()
        assert b"Exif" not in copy and b"PhoneMaker" not in copy


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_png_gets_its_copies(mode: str) -> None:
    found = look_at(files.picture("PNG", mode), PNG)
    assert (found.width, found.height) == (60, 40)


def test_a_picture_that_lies_on_its_side_is_set_upright() -> None:
    out, told = BytesIO(), Image.Exif()
    told[0x0112] = 6
    Image.new("RGB", (400, 300)).save(out, "JPEG", exif=told)
    found = look_at(out.getvalue(), JPEG)
    assert (found.width, found.height) == (300, 400)
    with Image.open(BytesIO(found.screen)) as drawn:
        assert drawn.size == (300, 400)

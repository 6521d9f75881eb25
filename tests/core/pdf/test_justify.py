"""The grid of GB/T 9704-2012 and the right margin, as poppler measures them."""

from itertools import pairwise

from app.core.pdf import engine
from tests.core.pdf.papers import MM, lines, printed, text, words
from tests.core.pdf.test_engine import FOLDER

LEFT, RIGHT, TOP = 28 * MM, 184 * MM, 37 * MM
PITCH = 28.99
FILLER = "食品安全总监应当按照职责要求直接对本企业主要负责人负责协助主要负责人做好食品安全管理工作"
NOT_FIRST, NOT_LAST = set("，。、；：？！）》〉」』】〕”’…%"), set("（《〈「『【〔“‘")


def paragraph(body: str) -> bytes:
    return engine.write_pdf(
        f'<html lang="zh-CN"><meta charset="utf-8"><title>甲</title><body><p style="text-indent:0">{body}</p>', FOLDER
    )


def test_a_page_holds_22_lines_of_28_characters() -> None:
    pdf = paragraph((FILLER * 40)[: 28 * 22 + 56])
    found = lines(pdf)
    assert [len(line[3]) for line in found] == [28] * 22
    assert len(lines(pdf, 2)) == 2
    steps = [after[0] - before[0] for before, after in pairwise(found)]
    assert all(abs(step - PITCH) < 0.1 for step in steps)


def test_a_rare_character_does_not_move_its_line() -> None:
    found = lines(paragraph(("甲乙𬀩丙㛃丁䶮" + FILLER * 40)[: 28 * 22]))
    assert len(found) == 22


def test_lines_reach_the_right_margin() -> None:
    mixed = "依据《中华人民共和国食品安全法》第一百二十六条第一款，2026年11月23日（周一）检查发现“未落实”责任，" * 8
    full = lines(paragraph(mixed))[:-1]
    assert len(full) > 10
    assert all(abs(line[2] - RIGHT) < 2 for line in full), [line[2] - RIGHT for line in full]
    assert all(abs(line[1] - LEFT) < 6 for line in full)


def test_stretching_leaves_the_text_alone() -> None:
    mixed = "依据《食品安全法》第126条，于2026年11月23日09时30分检查“奈曼旗犇鑫”餐饮店，" * 6
    assert text(paragraph(mixed)) == mixed


def test_no_line_begins_or_ends_with_the_wrong_mark() -> None:
    bodies = [FILLER[:n] + "，《办法》、“甲”（乙）；" + FILLER for n in range(1, 29)]
    found = [line[3] for body in bodies for line in lines(paragraph(body * 3))]
    assert len(found) > 200
    assert not [line for line in found if line[0] in NOT_FIRST or line[-1] in NOT_LAST]


def test_latin_lines_are_left_to_weasyprint() -> None:
    assert "the quick brown fox" in " ".join(word.text for word in words(paragraph("the quick brown fox " * 30)))


def test_the_notice_stays_inside_the_type_area() -> None:
    found = words(printed())
    assert all(word.left > LEFT - 1 and word.right < RIGHT + 1.5 for word in found)
    assert min(word.top for word in found if word.text != "草稿") > TOP

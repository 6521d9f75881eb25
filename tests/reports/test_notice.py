"""责令改正通知书: one page, every mandatory element, nothing invalid."""

import random
from typing import Any

import pytest

from app.core.pdf import engine
from app.core.pdf.errors import ContextError
from app.reports import notice
from app.reports.notice import layout
from tests.core.pdf.papers import MM, context, demands, lines, pages, printed, text, words

ARTICLES = [
    "《中华人民共和国食品安全法》第四十四条第一款",
    "《企业落实食品安全主体责任监督管理规定》第十条第一款",
    "《中华人民共和国食品安全法实施条例》第十九条",
]


def errors(*, draft: bool = False, **changes: Any) -> dict[str, str]:
    """What validate says of the sample with changes."""
    try:
        notice.validate(context(**changes), draft=draft)
    except ContextError as error:
        return error.fields
    return {}


def test_every_element_is_on_the_paper() -> None:
    shown = text(printed(consequence="依法处五千元以上五万元以下罚款"))
    wanted = [
        "奈曼旗市场监督管理局",
        "责令改正通知书",
        "奈市监责改〔2026〕1号",
        "奈曼旗犇鑫餐饮管理有限公司：",
        "经查，你单位2026年11月20日现场检查时未按规定制定食品安全风险管控清单、未实施每日食品安全检查的行为，违反了",
        "违反了《中华人民共和国食品安全法》第四十四条第一款的规定。",
        "依据《中华人民共和国行政处罚法》第二十八条第一款、《中华人民共和国食品安全法》第一百二十六条第一款的规定，现责令你单位",
        "在2026年12月8日前改正。",
        "逾期不改的，本局将依法处五千元以上五万元以下罚款。",
        "如对本责令改正决定不服，可以自收到本通知书之日起六十日内向奈曼旗人民政府申请行政复议；",
        "行政复议；也可以在六个月内依法向奈曼旗人民法院提起行政诉讼。",
        "联系人：张建国、李娜",
        "联系电话：0475-4212345",
        "联系地址：奈曼旗大沁他拉镇诺恩吉雅大街",
        "2026年11月23日",
        "本文书一式两份，一份送达，一份归档。",
        "K7QF-9M2D-XH4T",
    ]
    assert [part for part in wanted if part not in shown] == []


def test_rare_characters_come_back_as_typed() -> None:
    name = "𬀩㛃䶮堃喆淼镕犇餐饮店"
    pdf = printed(party=name, contact={"person": "王𬀩、包䶮", "phone": "13800000000", "address": "㛃街㎡号"})
    assert name in text(pdf)
    assert "王𬀩、包䶮" in text(pdf)


@pytest.mark.parametrize(
    ("immediate", "deadline", "shown"),
    [
        (False, "2026-12-08", "立即改正／√在2026年12月8日前改正"),
        (True, None, "√立即改正／在　　　年　　月　　日前改正"),
    ],
)
def test_exactly_the_right_box_is_ticked(immediate: bool, deadline: str | None, shown: str) -> None:
    squeezed = text(printed(immediate=immediate, deadline=deadline)).replace(" ", "")
    assert shown.replace("　", "") in squeezed.replace("　", "")
    assert squeezed.count("√") == 1


def test_short_demands_stand_on_the_form() -> None:
    pdf = printed(demands=demands(2))
    assert len(pages(pdf)) == 1
    assert "改正内容及要求：1．制定风险管控清单；2．制定风险管控清单。" in text(pdf)
    assert "附件" not in text(pdf)


@pytest.mark.parametrize("number", [6, 20, 60])
def test_long_demands_go_to_the_annex(number: int) -> None:
    found = pages(engine.render("notice", context(demands=demands(number, "制定风险管控清单并每日检查" * 6))))
    assert len(found) > 1
    assert "具体改正内容及要求见附件《责令改正事项清单》。" in found[0].replace("\n", "")
    assert "本文书一式两份" in found[0]
    for place, page in enumerate(found[1:], 2):
        assert all(
            head in page for head in ("序号", "改正要求", "改正期限", "奈市监责改〔2026〕1号", f"全文共{len(found)}页")
        )
        assert f"—{place}—" in page.replace(" ", "")
    assert f"以上共{number}项，以下空白" in found[-1]
    assert "统一社会信用代码：91150525MA0N8XYZ12" in found[1]


def test_page_numbers_are_right_on_odd_and_left_on_even_pages() -> None:
    found = [word for word in words(printed(demands=demands(60, "制定清单" * 20))) if word.text == "—"]
    middle = 105 * MM
    assert {word.page for word in found} == set(range(1, max(word.page for word in found) + 1))
    assert all((word.left > middle) == bool(word.page % 2) for word in found)
    assert all(262 * MM < word.top < 275 * MM for word in found)


def test_a_form_without_annex_has_no_page_number() -> None:
    assert "—" not in text(printed())


def test_no_row_of_the_annex_is_torn_and_all_are_there() -> None:
    many = [
        {"n": n, "fact": f"第{n}项事实" + "甲" * 200, "demand": f"第{n}项要求" + "乙" * 200, "deadline": None}
        for n in range(1, 13)
    ]
    for page in pages(printed(demands=many)):
        shown = page.replace("\n", "")
        for n in range(1, 13):
            assert (f"第{n}项事实" in shown) == (f"第{n}项要求" in shown)


@pytest.mark.parametrize("seed", range(10))
def test_what_the_rule_lets_pass_is_one_page(seed: int) -> None:
    chance = random.Random(seed)
    parts = [
        "未落实",
        "每日检查",
        "，",
        "、",
        "《食品安全风险管控清单》",
        "2026年11月20日",
        "（餐饮店）",
        "“总监”",
        "HACCP",
        "3.5kg",
    ]
    made = context(
        party="奈曼旗" + "犇" * chance.randrange(2, 50) + "店",
        violated=ARTICLES[: chance.randrange(1, 4)],
        conduct="查" + "".join(chance.choices(parts, k=chance.randrange(5, 60))),
        demands=demands(chance.randrange(1, 5)),
        consequence=chance.choice([None, "依法处理" * 8]),
    )
    while layout.choose(made) is None:
        made["conduct"] = made["conduct"][:-10]
    form = pages(engine.render("notice", made, draft=True))[0]
    assert "本文书一式两份" in form
    assert "2026年11月23日" in form


@pytest.mark.parametrize("fit", layout.FITS)
def test_the_fullest_form_of_each_kind_is_one_page(fit: layout.Fit) -> None:
    def chosen(length: int) -> layout.Fit | None:
        made = context(conduct="查" * length, demands=demands(1 if fit.inline else 9))
        return layout.choose(made)

    length = max(n for n in range(1, 400) if chosen(n) == fit)
    pdf = printed(conduct="查" * length, demands=demands(1 if fit.inline else 9))
    assert len(pages(pdf)) == (1 if fit.inline else 2)
    shown = [line for line in lines(pdf) if line[0] < 262 * MM]
    assert shown[-1][0] > 215 * MM
    assert chosen(length + 1) != fit


def test_the_last_resort_is_size_four() -> None:
    assert layout.FITS[0].columns * 15.75 <= 156 * MM
    assert layout.FITS[-1].columns * 14 <= 156 * MM
    assert layout.PAGE <= 225 * MM


def test_what_fits_no_page_is_refused_before_it_is_signed() -> None:
    assert "一页放不下" in errors(conduct="查" * 399, violated=ARTICLES * 2)["conduct"]


def test_the_seal_has_its_place() -> None:
    found = lines(printed())
    (name, date) = [line for line in found if line[3] in ("奈曼旗市场监督管理局", "2026年11月23日")][-2:]
    above = max(line[0] for line in found if line[0] < name[0] - 1)
    below = min(line[0] for line in found if line[0] > date[0] + 1)
    assert name[0] - above > 1.9 * 28.99
    assert below - date[0] > 1.5 * 28.99
    assert abs((name[1] + name[2]) - (date[1] + date[2])) < 3


def test_a_draft_leaves_number_and_date_blank() -> None:
    shown = text(printed(number=None, date=None, verify=None), "-layout").replace(" ", "").replace("　", "")
    assert "奈市监责改〔2026〕号" in shown
    assert "年月日" in shown
    assert "核验码" not in shown


def test_no_line_of_the_form_begins_or_ends_wrongly() -> None:
    first, last = set("，。、；：？！）》〉」』】〕”’"), set("（《〈「『【〔“‘")
    for length in range(20, 48, 3):
        found = [line[3] for line in lines(printed(conduct=("未落实《风险管控》、“日管控”（含复查）；" * 4)[:length]))]
        assert not [line for line in found if line[0] in first or line[-1] in last]


def test_a_mongolian_line_stands_above_the_bureau() -> None:
    found = [line[3] for line in lines(printed(mongolian_title="Найман хошуу"))]
    assert found.index("Найманхошуу") < found.index("奈曼旗市场监督管理局")


def test_samples_are_valid() -> None:
    for made in notice.samples():
        notice.validate(dict(made))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bureau": ""}, "bureau"),
        ({"party": "  "}, "party"),
        ({"party": "甲" * 81}, "party"),
        ({"conduct": ""}, "conduct"),
        ({"conduct": None}, "conduct"),
        ({"conduct": "甲\x07"}, "conduct"),
        ({"conduct": "甲" * 401}, "conduct"),
        ({"violated": []}, "violated"),
        ({"basis": []}, "basis"),
        ({"basis": ["甲"] * 7}, "basis"),
        ({"basis": [""]}, "basis"),
        ({"violated": "法"}, "violated"),
        ({"immediate": True}, "deadline"),
        ({"deadline": None}, "deadline"),
        ({"deadline": "2026-2-30"}, "deadline"),
        ({"deadline": "2026-11-22"}, "deadline"),
        ({"immediate": "no"}, "immediate"),
        ({"demands": []}, "demands"),
        ({"demands": demands(61)}, "demands"),
        ({"demands": [{"n": 2, "fact": "甲", "demand": "乙", "deadline": None}]}, "demands.1.n"),
        ({"demands": [{"n": 1, "fact": "", "demand": "乙", "deadline": None}]}, "demands.1.fact"),
        ({"demands": [{"n": 1, "fact": "甲", "demand": "乙" * 301, "deadline": None}]}, "demands.1.demand"),
        ({"demands": [{"n": 1, "fact": "甲", "demand": "乙", "deadline": "2026-12-09"}]}, "demands.1.deadline"),
        (
            {
                "immediate": True,
                "deadline": None,
                "demands": [{"n": 1, "fact": "甲", "demand": "乙", "deadline": "2026-12-01"}],
            },
            "demands.1.deadline",
        ),
        ({"remedy": {"review_body": "", "court": "奈曼旗人民法院"}}, "remedy.review_body"),
        ({"remedy": {"review_body": "奈曼旗人民政府"}}, "court"),
        ({"contact": {"person": "张", "phone": "", "address": "路"}}, "contact.phone"),
        ({"copies": {"total": 0, "served": 1, "filed": 1, "other": None}}, "copies"),
        ({"copies": {"total": 1, "served": 1, "filed": 1, "other": None}}, "copies"),
        ({"copies": {"total": 3, "served": 1, "filed": 1, "other": None}}, "copies.other"),
        ({"number": None}, "number"),
        ({"number": "奈市监责改[2026]1号"}, "number"),
        ({"number": "奈市监责改〔2026〕01号"}, "number"),
        ({"number": "奈市监责改〔2026〕第1号"}, "number"),
        ({"date": None}, "date"),
        ({"date": "2026年"}, "date"),
        ({"verify": {"code": "", "url": "https://a.cn/v"}}, "verify.code"),
        ({"verify": {"code": "A", "url": "javascript:x"}}, "verify.url"),
        ({"consequence": ""}, "consequence"),
    ],
)
def test_a_bad_context_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    found = errors(**changes)
    assert list(found) == [field]
    assert found[field]
    with pytest.raises(ContextError):
        engine.render("notice", context(**changes))


@pytest.mark.parametrize("field", notice.NoticeContext.__annotations__)
def test_no_field_may_be_left_out(field: str) -> None:
    made = context()
    del made[field]
    with pytest.raises(ContextError):
        notice.validate(made)


def test_a_draft_needs_neither_number_nor_date() -> None:
    assert errors(draft=True, number=None, date=None) == {}
    assert set(errors(number=None, date=None)) == {"number", "date"}


def test_stops_and_line_feeds_are_not_doubled() -> None:
    shown = text(printed(conduct="未实施\n每日检查的行为。", demands=demands(1, "立即检查。")))
    assert "经查，你单位未实施每日检查的行为，违反了" in shown
    assert "改正内容及要求：立即检查。" in shown
    assert "。。" not in shown

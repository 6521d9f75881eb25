"""Check digits and telephone numbers: the worked examples of the standards, and every single slip of a finger."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from app.core import codes

TODAY = date(2026, 11, 23)
CREDIT = "91150525MA0N00016F"
REAL_CREDIT = ["911101083303521997", "91110000802100433B", "91440300708461136T", "91330106673959654P"]
MADE_CREDIT = [CREDIT, "92150525MA13X00289", "12150525461234563A", "11150525011550008W", "91350100M000100Y43"]
LICENCES = [
    "JY11108071215650",
    "JY11105050876919",
    "SC10741018302531",
    "SC12434017430075",
    "SC10744030704994",
    "SC11351090100010",
    "JY21505250000013",
    "JY31505250001233",
    "SC12415052500012",
    "SC10415052500128",
]


@pytest.mark.parametrize("code", REAL_CREDIT + MADE_CREDIT)
def test_worked_credit_codes_pass_both_digits(code: str) -> None:
    verdict = codes.check_credit_code(code)
    assert (verdict.ok, verdict.warnings, verdict.value, verdict.kind) == (True, (), code, codes.CREDIT_CODE)


@given(st.sampled_from(MADE_CREDIT), st.integers(0, 17), st.sampled_from(codes.ALPHABET + "IOSVZ"))
def test_any_single_wrong_character_of_a_credit_code_is_caught(code: str, place: int, char: str) -> None:
    wrong = code[:place] + char + code[place + 1 :]
    assert codes.check_credit_code(wrong).ok is (wrong == code)


@given(st.sampled_from(LICENCES), st.integers(2, 15), st.sampled_from("0123456789"))
def test_any_single_wrong_digit_of_a_licence_warns(number: str, place: int, digit: str) -> None:
    wrong = number[:place] + digit + number[place + 1 :]
    verdict = codes.check_licence(wrong)
    assert verdict.ok
    assert bool(verdict.warnings) is (wrong != number)


BIRTHS = st.dates(date(1930, 1, 1), date(2009, 12, 31))


@given(BIRTHS, st.integers(0, 999), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_digit_of_an_id_card_is_caught(birth: date, sequence: int, place: int, digit: str) -> None:
    card = codes.make_id_card(birth, sequence)
    wrong = card[:place] + digit + card[place + 1 :]
    assert codes.check_id_card(wrong, TODAY).ok is (wrong == card)


@given(st.integers(0, 31**4 - 1), st.sampled_from(["91", "92", "93", "11", "12", "52"]))
def test_made_credit_codes_are_valid(sequence: int, prefix: str) -> None:
    verdict = codes.check_credit_code(codes.make_credit_code(sequence, prefix))
    assert verdict.ok
    assert not verdict.warnings


def test_a_wrong_inner_digit_only_warns() -> None:
    first17 = CREDIT[:16] + "7"
    verdict = codes.check_credit_code(first17 + uscc.calc_check_digit(first17))
    assert verdict.ok
    assert "第 17 位" in verdict.warnings[0]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "未填写"),
        (CREDIT[:-1], "现为 17 位"),
        (CREDIT + "0", "现为 19 位"),
        (CREDIT.replace("0N0", "ON0"), "第 11 位是字母 O"),
        (CREDIT[:-1] + "É", "不是代码中可用的字符"),
        ("9115052AMA0N00016F", "行政区划"),
        (CREDIT[:-1] + "E", "最后一位校验码不对"),
        ("９１１５０５２５ＭＡ０Ｎ０００１６٣", "不是代码中可用的字符"),
    ],
)
def test_a_bad_credit_code_is_told_what_is_wrong(code: str, says: str) -> None:
    verdict = codes.check_credit_code(code)
    assert not verdict.ok
    assert says in str(verdict.errors[0])


def test_codes_are_normalised_before_they_are_checked() -> None:
    typed = "\u202d９１１５０５２５　ma0n00016f\u202c\u00a0"
    assert codes.check_credit_code(typed).value == CREDIT
    assert codes.check_credit_code(911101083303521997).ok
    assert codes.normalise("²①") == "²①"


def test_a_registration_number_is_accepted_and_flagged() -> None:
    verdict = codes.check_credit_code("150525600012345")
    assert verdict.ok
    assert verdict.kind == codes.REGISTRATION_NO
    assert verdict.warnings


@pytest.mark.parametrize(
    ("code", "form"),
    [
        (CREDIT, "企业"),
        ("92150525MA13X00289", "个体工商户"),
        ("11150525011550008W", "机关"),
        ("12150525461234563A", "事业单位"),
        ("51" + CREDIT[2:], "其他"),
        ("150525600012345", ""),
    ],
)
def test_the_prefix_tells_the_form(code: str, form: str) -> None:
    assert codes.org_form(code) == form


@pytest.mark.parametrize("number", LICENCES)
def test_worked_licences_pass(number: str) -> None:
    verdict = codes.check_licence(number.lower())
    assert (verdict.ok, verdict.warnings, verdict.value, verdict.kind) == (True, (), number, number[:2])


@pytest.mark.parametrize("number", ["SC12345678901234", "JY11105000000001"])
def test_dummy_licences_warn(number: str) -> None:
    assert "校验码不对" in str(codes.check_licence(number).warnings[0])


def test_other_licence_numbers_are_kept_as_text() -> None:
    verdict = codes.check_licence(" 登记 第 12 号 ")
    assert (verdict.ok, verdict.value, verdict.kind) == (True, "登记 第 12 号", codes.FREE_TEXT)
    short = codes.check_licence("JY123")
    assert (short.ok, short.kind) == (True, codes.FREE_TEXT)
    assert "14 位" in str(short.warnings[0])
    assert codes.check_licence(codes.make_licence("SC", "140", 1)).warnings
    assert not codes.check_licence("").ok
    assert not codes.check_licence("长" * 65).ok
    assert not codes.check_licence("JY" + "1" * 80).ok


@pytest.mark.parametrize("card", ["11010519491231002X", "150525199001010015", "440524188001010014"])
def test_worked_id_cards(card: str) -> None:
    """The third is right by its digits but belongs to somebody of 146 years."""
    assert codes.check_id_card(card, TODAY).ok is not card.startswith("4405241880")


def _card(birth: str) -> str:
    return codes.make_id_card(date.fromisoformat(birth), 1)


@pytest.mark.parametrize(
    ("card", "ok"),
    [
        (_card("2010-11-23"), True),
        (_card("2010-11-24"), False),
        (_card("1926-11-23"), True),
        (_card("1925-11-23"), False),
        (_card("2027-01-01"), False),
        ("15052519900230001" + ric.calc_check_digit("15052519900230001" + "0"), False),
        ("15052519900101001", False),
        ("150525900101001", False),
        ("15052519900101００15", True),
        ("1505251990010100１x", False),
        ("", False),
    ],
)
def test_age_and_birth_date(card: str, ok: bool) -> None:
    verdict = codes.check_id_card(card, TODAY)
    assert verdict.ok is ok
    assert bool(verdict.errors) is not ok


@pytest.mark.parametrize("number", ["13800138000", "+86 138-0013-8000", "008613800138000", "１３８００１３８０００"])
def test_mobiles(number: str) -> None:
    verdict = codes.check_mobile(number)
    assert (verdict.ok, verdict.value) == (True, "13800138000")
    assert codes.check_phone(number).kind == "mobile"


@pytest.mark.parametrize("number", ["12800138000", "1380013800", "138001380000", "", "0475-4212345"])
def test_not_mobiles(number: str) -> None:
    assert not codes.check_mobile(number).ok


@pytest.mark.parametrize(
    ("number", "ok"),
    [
        ("0475-4212345", True),
        ("(0475)4212345", True),
        ("04754212345", True),
        ("010-12345678", True),
        ("4212345", False),
        ("", False),
        ("0475-421234", False),
    ],
)
def test_landlines(number: str, ok: bool) -> None:
    assert codes.check_phone(number).ok is ok


MISFITS = {
    "credit code": lambda: codes.make_credit_code(31**4),
    "id card": lambda: codes.make_id_card(TODAY, 1000),
    "mobile": lambda: codes.make_mobile(-1),
    "licence": lambda: codes.make_licence("JY", "2", 10**6),
}


@pytest.mark.parametrize("name", MISFITS)
def test_makers_refuse_what_does_not_fit(name: str) -> None:
    with pytest.raises(ValueError, match=r"out of range|not a licence"):
        MISFITS[name]()


@given(st.text(max_size=40))
def test_no_text_makes_a_check_fail(text: str) -> None:
    for check in (codes.check_credit_code, codes.check_licence, codes.check_mobile, codes.check_phone):
        check(text)
    codes.check_id_card(text, TODAY)

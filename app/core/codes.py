"""Codes that carry a check digit, and telephone numbers: check them, read them, make valid ones.

Every `check_*` takes what a person typed and returns a `Verdict`; none raises. An error means the code cannot be
right; a warning means that it should be looked at but may be kept, because old paper carries old mistakes.
The messages are lazy translations: call `str()` on one before joining or storing it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_CODE = "credit_code"
REGISTRATION_NO = "registration_no"
FREE_TEXT = "text"

_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_FORMS = {"91": "企业", "92": "个体工商户", "93": "农民专业合作社", "11": "机关", "12": "事业单位", "52": "民办非企业"}
_LOOKALIKES = {"I": "1", "O": "0", "S": "5", "Z": "2", "V": "U"}
# Shown by nothing, yet copied along from chat windows and spreadsheets: zero-width and direction marks, BOM, fillers,
# tags. Not those that Mongolian writing is made with (U+180B to U+180F, U+202F), nor variants of characters in names.
INVISIBLE = dict.fromkeys((
    0xAD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
    *range(0x2060, 0x2065), *range(0x206A, 0x2070), 0x3164, 0xFEFF, 0xFFA0, *range(0xE0000, 0xE0080),
))  # fmt: skip
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | INVISIBLE
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}", re.ASCII)
_LICENCE = re.compile(r"(JY|SC|YB)(.*)", re.ASCII)
_LICENCE_DIGITS = 14
_MAX_FREE_TEXT = 64
_AGES = (16, 100)
_EMPTY = _("未填写")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    `value` is the normalised code, `kind` says which of several accepted forms it has; `ok` is "no error", whatever
    the warnings. `errors` and `warnings` are Chinese sentences, translated when shown.
    """

    ok: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    value: str
    kind: str = ""


def normalise(value: object) -> str:
    """A code as it is stored: full-width forms to ASCII, every space and invisible mark gone, upper case.

    NFKC would go too far: it turns "²" and "①" into digits that nobody wrote.
    """
    return "".join(str(value).translate(_NARROW).split()).upper()


def login_name(value: object) -> str:
    """A login name as it is stored and looked for: as a code, but in small letters, so that ADMIN is admin."""
    return normalise(value).lower()


def check_credit_code(value: object) -> Verdict:
    """统一社会信用代码 (GB 32100-2015), or an old 15-digit registration number, told apart by `kind`.

    A wrong length, letter or last digit is an error. The inner digit at position 17 (GB 11714) only warns: some
    registrars are said to have given genuine codes that miss it.
    """
    code = normalise(value).replace("-", "")
    if len(code) == 15 and _digits(code):
        return Verdict(True, (), (_("15 位注册号，请核对是否已换发 18 位统一社会信用代码"),), code, REGISTRATION_NO)
    error = _credit_code_error(code)
    if error is not None:
        return Verdict(False, (error,), (), code)
    warnings = () if org_check_digit(code[8:16]) == code[16] else (_("第 17 位与组织机构代码的校验规则不符，请核对"),)
    return Verdict(True, (), warnings, code, CREDIT_CODE)


def _credit_code_error(code: str) -> Any:
    if not code:
        return _EMPTY
    if len(code) != 18:
        return _("统一社会信用代码应为 18 位，现为 %(length)d 位", length=len(code))
    for place, char in enumerate(code, 1):
        if char in _LOOKALIKES:
            hint = _LOOKALIKES[char]
            return _(
                "第 %(place)d 位是字母 %(char)s，代码中不用 I、O、S、V、Z，是否应为 %(hint)s",
                place=place,
                char=char,
                hint=hint,
            )
        if char not in ALPHABET:
            return _("第 %(place)d 位“%(char)s”不是代码中可用的字符", place=place, char=char)
    if not _digits(code[2:8]):
        return _("第 3 至 8 位应为 6 位行政区划数字")
    if uscc.calc_check_digit(code[:17]) != code[17]:
        return _("最后一位校验码不对，请核对是否有输错的字符")
    return None


def org_form(code: str) -> str:
    """The 组织形式 that the first two characters of a credit code tell (GB 32100-2015); "其他" when they tell none."""
    return _FORMS.get(code[:2], "其他") if len(code) == 18 else ""


def org_check_digit(first8: str) -> str:
    """Check digit of an organisation code (GB 11714-1997) over its first eight characters; "X" stands for ten."""
    total = sum(int(char, 36) * weight for char, weight in zip(first8, _ORG_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def check_licence(value: object) -> Verdict:
    """A licence number: 食品经营 JY, 食品生产 SC, 备案 YB, each 14 digits (check: GB/T 17710, MOD 11,10).

    Only emptiness and excessive length are errors. Numbers of small workshops and shops are regional and their format
    is not known; they are kept as free text (`kind` "text") with a warning, and so is a number that fails its check.
    """
    number = normalise(value).replace("-", "")
    found = _LICENCE.fullmatch(number)
    if found is None or not found[2] or len(number) > _MAX_FREE_TEXT:
        return _free_text(value)
    kind, digits = found.groups()
    if not (_digits(digits) and len(digits) == _LICENCE_DIGITS):
        warning = _("%(kind)s 后应为 14 位数字", kind=kind)
        return Verdict(True, (), (warning,), number, FREE_TEXT)
    warnings = []
    if not mod_11_10.is_valid(digits):
        warnings.append(_("许可证号最后一位校验码不对，请对照证书核对"))
    if not _known_class(kind, digits):
        warnings.append(_("%(kind)s 后面的类别代号不在已知范围内", kind=kind))
    return Verdict(True, (), tuple(warnings), number, kind)


def _known_class(kind: str, digits: str) -> bool:
    if kind == "SC":
        return 101 <= int(digits[:3]) <= 131 or 201 <= int(digits[:3]) <= 203
    return digits[0] in ("123" if kind == "JY" else "12")


def _free_text(value: object) -> Verdict:
    text = " ".join(str(value).translate(INVISIBLE).split())
    if not text:
        return Verdict(False, (_EMPTY,), (), "")
    if len(text) > _MAX_FREE_TEXT:
        return Verdict(False, (_("超过 %(most)d 个字", most=_MAX_FREE_TEXT),), (), text, FREE_TEXT)
    return Verdict(True, (), (_("不是 JY、SC、YB 开头的编号，按原文保存"),), text, FREE_TEXT)


def check_id_card(value: object, on: date) -> Verdict:
    """居民身份证号 (GB 11643-1999) of a person who may work on the day `on`: 16 to 100 years old.

    The area is not looked up: cards keep the codes of areas that are gone.
    """
    number = normalise(value)
    error = _id_card_error(number, on)
    return Verdict(error is None, () if error is None else (error,), (), number)


def _id_card_error(number: str, on: date) -> Any:
    if not number:
        return _EMPTY
    if len(number) != 18:
        return _("身份证号应为 18 位，现为 %(length)d 位", length=len(number))
    if not (_digits(number[:17]) and (_digits(number[17]) or number[17] == "X")):
        return _("身份证号前 17 位应为数字，末位为数字或 X")
    if ric.calc_check_digit(number) != number[17]:
        return _("身份证号末位校验码不对，请核对是否有输错的数字")
    birth = birth_date(number)
    if birth is None or birth > on:
        return _("身份证号中的出生日期不存在")
    age = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    if not _AGES[0] <= age <= _AGES[1]:
        return _("按身份证号年龄为 %(age)d 岁，应在 16 至 100 岁之间", age=age)
    return None


def birth_date(id_card: str) -> date | None:
    """The birth date inside an 18-digit id-card number, None when there is no such day."""
    try:
        return date(int(id_card[6:10]), int(id_card[10:12]), int(id_card[12:14]))
    except ValueError:
        return None


def check_mobile(value: object) -> Verdict:
    """A mainland mobile number, stored without +86 and dashes."""
    number = _bare_phone(value)
    if _MOBILE.fullmatch(number):
        return Verdict(True, (), (), number, "mobile")
    error = _("手机号应为 1 开头的 11 位数字") if number else _EMPTY
    return Verdict(False, (error,), (), number)


def check_phone(value: object) -> Verdict:
    """A mobile number or a landline with its area code (0475-1234567); `kind` says which."""
    mobile = check_mobile(value)
    if mobile.ok or not mobile.value:
        return mobile
    number = normalise(value).replace("—", "-").replace("(", "").replace(")", "-")
    if _LANDLINE.fullmatch(number):
        return Verdict(True, (), (), number, "landline")
    return Verdict(False, (_("应为 11 位手机号，或带区号的固定电话"),), (), number)


def _bare_phone(value: object) -> str:
    number = normalise(value).replace("-", "")
    return re.sub(r"^(\+|00)86", "", number)


def make_credit_code(sequence: int, prefix: str = "91", area: str = "150525") -> str:
    """A made-up credit code, valid in both digits; its organisation code starts MAXX, which no registrar has reached.

    `sequence` is 0 to 923,520 (31⁴ - 1), else ValueError; `prefix` is the registrar and kind, two characters.
    """
    if not 0 <= sequence < len(ALPHABET) ** 4:
        raise ValueError(f"sequence out of range: {sequence}")
    tail = ""
    for _place in range(4):
        sequence, digit = divmod(sequence, len(ALPHABET))
        tail = ALPHABET[digit] + tail
    body = f"MAXX{tail}"
    first17 = prefix + area + body + org_check_digit(body)
    return first17 + uscc.calc_check_digit(first17)


def make_licence(kind: str, business: str, sequence: int, area: str = "150525") -> str:
    """A made-up licence number with a right check digit.

    `kind` is JY, SC or YB; `business` its class: one digit for JY and YB, three for SC.
    The sequence fills what is left; ValueError when it does not fit.
    """
    width = _LICENCE_DIGITS - 1 - len(business) - len(area)
    body = f"{business}{area}{sequence:0{width}d}"
    if len(body) != _LICENCE_DIGITS - 1 or not _digits(body):
        raise ValueError(f"not a licence number: {kind}{body}")
    return kind + body + mod_11_10.calc_check_digit(body)


def make_id_card(birth: date, sequence: int, area: str = "150525") -> str:
    """A made-up id-card number; `sequence` is 0 to 999, odd for men."""
    if not 0 <= sequence <= 999:
        raise ValueError(f"sequence out of range: {sequence}")
    body = f"{area}{birth:%Y%m%d}{sequence:03d}"
    return body + ric.calc_check_digit(body + "0")


def make_mobile(sequence: int) -> str:
    """A made-up mobile number in 19900 000000 to 19900 999999."""
    if not 0 <= sequence <= 999_999:
        raise ValueError(f"sequence out of range: {sequence}")
    return f"19900{sequence:06d}"


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()

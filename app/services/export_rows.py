"""The rows of another system's export: which columns there may be, and what stands in them; read as an import is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import force_locale, gettext
from flask_babel import lazy_gettext as _

from app.core.access.veil import concealed
from app.core.cells import text_of
from app.core.codes import check_credit_code, check_licence, normalise
from app.core.errors import Invalid
from app.core.fab import fields as f
from app.core.fab.cell_values import text_in, value_in
from app.core.fab.converter import AppForm
from app.core.importing.lines import WRONG, Line, Spec, findings_of, read_lines
from app.core.importing.source import open_source
from app.core.importing.target import Target
from app.data.reconciling import CHANGE_WORDS, OPENED_WORDS, WITHOUT_END, Change, PlatformAccount
from app.models.enterprise import Enterprise, Site

CODE = {"format": "code"}
ALSO = {
    "name": ("企业名称", "主体名称", "经营者名称", "市场主体名称", "单位", "字号名称"),
    "code": ("信用代码", "社会信用代码", "社会信用代码（身份证号码）", "注册号", "营业执照号"),
    "address": ("地址", "住所", "经营场所", "注册地址", "生产地址", "经营地址"),
    "legal_person": ("法定代表人（负责人）", "法人", "负责人", "经营者"),
    "phone": ("联系方式", "手机", "电话"),
    "licence_no": ("许可证号", "证书编号", "备案编号"),
    "licence_until": ("有效期", "有效期限至", "有效期至"),
    "change": ("业务类型", "申请类型", "变动类型"),
    "platform_account": ("账号状态", "开通状态", "是否开通"),
}
OF_SITE = ("licence_no", "licence_until")  # the rest is the firm's; an address is whichever the source keeps


WORDS: dict[str, dict[str, str]] = {"change": {**CHANGE_WORDS}, "platform_account": {**OPENED_WORDS}}


class RecordForm(AppForm):
    """What may stand in such a file."""

    name = f.Plain(_("名称"))
    code = f.Code(_("统一社会信用代码"), meta_info=CODE)
    address = f.Plain(_("住所或经营地址"))
    legal_person = f.Plain(_("法定代表人"))
    phone = f.Tel(_("联系电话"))
    licence_no = f.Code(_("许可证编号"), meta_info=CODE)
    licence_until = f.Day(_("许可有效期至"))
    change = f.Choice(_("变动"), choices=lambda: [(str(one), one) for one in Change])
    platform_account = f.Choice(_("平台账号"), choices=lambda: [(str(one), one) for one in PlatformAccount])


@dataclass(slots=True)
class Theirs:
    """One row of the file that can be compared; values are texts, a day as 2026-11-23."""

    number: int
    values: dict[str, str]
    change: str | None = None


@dataclass(slots=True)
class Export:
    """What a file holds: rows to compare, codes of rows that can't be, and what is wrong with those, cell by cell."""

    rows: list[Theirs] = field(default_factory=list)
    bad_codes: set[str] = field(default_factory=set)
    bad: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


def targets() -> dict[str, Target]:
    """The fields that the person in context may see, as an import knows them."""
    form = RecordForm(formdata=None, data={})
    found = {}
    for name, also in ALSO.items():
        model = Site if name in OF_SITE else Enterprise
        if name != "change" and concealed(model, name):
            continue
        with force_locale("zh"):
            said = str(form._fields[name].label.text)
        found[name] = Target(name, said, form._fields[name], False, None, also)
    return found


def require_keys(mapping: Iterable[str]) -> None:
    """Raise Invalid when no row of such a file could be found again among ours."""
    wanted = set(mapping)
    if not wanted & {"code", "licence_no"} and not {"name", "address"} <= wanted:
        raise Invalid(gettext("至少要对应统一社会信用代码、许可证编号，或名称和地址。"))


def read_export(data: bytes, name: str, sheet: str, heading: int, mapping: list[str]) -> Export:
    """The rows below the headings. Raises XlsxError, Invalid. A bad row is named and stops no other."""
    known = targets()
    spec = Spec(Enterprise, known, [one if one in known else "" for one in mapping])
    with open_source(data, name) as sheets:
        found = next((one for one in sheets if one.title == sheet), None)
        if found is None:
            raise Invalid(gettext("文件里没有这张工作表。"))
        lines = read_lines(spec, found.rows(), heading, _value, date1904=found.date1904)
    for line in lines:
        _check(line)
    _name_twins(lines)
    export = Export(problems=findings_of(spec, lines))
    for line in lines:
        if line.verdict == WRONG:
            export.bad += 1
            export.bad_codes.add(str(line.values.get("code", "")))
        else:
            export.rows.append(_row(line))
    return export


def _value(parser: Any, raw: Any, date1904: bool) -> Any:
    """A cell, with what these systems write for a change, an account, and a licence without end."""
    if parser.name in WORDS:
        return WORDS[parser.name].get(text_in(raw)) or value_in(parser, raw, date1904)
    if isinstance(parser, f.Day) and text_of(raw) in WITHOUT_END:
        return None
    return value_in(parser, raw, date1904)


def _check(line: Line) -> None:
    """Codes as we keep them; a row needs something to be found by."""
    if code := line.values.get("code"):
        verdict = check_credit_code(code)
        line.values["code"] = verdict.value
        for text in verdict.errors:
            line.wrong("code", text)
    if number := line.values.get("licence_no"):
        line.values["licence_no"] = check_licence(number).value
    named = {"name", "address"} <= set(line.values)
    if not line.problems and not named and not {"code", "licence_no"} & set(line.values):
        line.wrong("name", gettext("没有代码、许可证编号，也没有名称和地址，无法比对。"))


def _name_twins(lines: list[Line]) -> None:
    """Rows of one code are named, not guessed, unless each is about another licence of the firm."""
    by_code = defaultdict[str, list[Line]](list)
    for line in lines:
        if code := line.values.get("code"):
            by_code[code].append(line)
    for twins in by_code.values():
        numbers = {normalise(one.values.get("licence_no", "")) for one in twins}
        if len(twins) > 1 and (len(numbers) < len(twins) or "" in numbers):
            told = gettext("、").join(str(one.number) for one in twins)
            for one in twins:
                one.wrong("code", gettext("第 %(rows)s 行是同一个代码，不知道以哪一行为准。", rows=told))


def _row(line: Line) -> Theirs:
    values = {
        name: value.isoformat() if isinstance(value, date) else str(value)
        for name, value in line.values.items() if name != "change"
    }  # fmt: skip
    return Theirs(line.number, values, line.values.get("change"))

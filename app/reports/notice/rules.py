"""What a notice must have before it is printed (domain: mandatory elements of form 33)."""

import re
from typing import Any

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, problem

from .layout import choose

LIMITS = {
    "bureau": 40,
    "party": 80,
    "conduct": 400,
    "number_prefix": 22,
    "remedy.review_body": 40,
    "remedy.court": 40,
    "contact.person": 40,
    "contact.phone": 40,
    "contact.address": 60,
}
"""Characters of the texts that every notice has."""
OPTIONAL = {"mongolian_title": 80, "party_code": 30, "number": 40, "consequence": 160, "copies.other": 40}
ARTICLES, ARTICLE_LENGTH = 6, 80
DEMANDS, DEMAND_LENGTH = 60, 300
NUMBER = re.compile(r"[^〔〕\d]{2,16}〔[1-9]\d{3}〕[1-9]\d*号")
"""机关代字〔year〕serial号: hexagonal brackets, four-digit year, no leading zero, no 第 (GB/T 9704 发文字号)."""

Errors = dict[str, str]


def validate(context: dict[str, Any], *, draft: bool = False) -> None:
    """ContextError with a Chinese sentence a field unless the context may be printed; a draft lacks number and date."""
    with gathered() as errors:
        _texts(context, errors)
        _articles(context, errors)
        _order(context, errors)
        _demands(context, errors)
        _copies(context["copies"], errors)
        _issue(context, draft, errors)
        _verify(context["verify"], errors)
        if not errors and choose(context) is None:
            errors["conduct"] = "正文一页放不下，请精简违法行为或减少所引条款，细节写入改正事项清单"
        if context["demo"] not in (True, False):
            errors["demo"] = "应为是或否"


def _get(context: dict[str, Any], path: str) -> Any:
    for key in path.split("."):
        context = context[key]
    return context


def _put(errors: Errors, field: str, message: str | None) -> None:
    if message:
        errors[field] = message


def _texts(context: dict[str, Any], errors: Errors) -> None:
    for field, limit in LIMITS.items():
        _put(errors, field, problem(_get(context, field), limit))
    for field, limit in OPTIONAL.items():
        value = _get(context, field)
        if value is not None:
            _put(errors, field, problem(value, limit, empty=field == "party_code"))


def _articles(context: dict[str, Any], errors: Errors) -> None:
    for field in ("violated", "basis"):
        articles = context[field]
        if not isinstance(articles, list) or not 1 <= len(articles) <= ARTICLES:
            errors[field] = f"应有一至{ARTICLES}条法律依据"
            continue
        for article in articles:
            _put(errors, field, problem(article, ARTICLE_LENGTH))


def _order(context: dict[str, Any], errors: Errors) -> None:
    if context["immediate"] not in (True, False):
        errors["immediate"] = "应为是或否"
    elif context["immediate"] and context["deadline"]:
        errors["deadline"] = "立即改正与限期改正只能选一项"
    elif not context["immediate"] and not context["deadline"]:
        errors["deadline"] = "立即改正与限期改正必须选一项"
    elif context["deadline"] and not day(context["deadline"]):
        errors["deadline"] = "日期有误"
    elif context["deadline"] and day(context["date"]) and context["deadline"] < context["date"]:
        errors["deadline"] = "改正期限早于签发日期"


def _demands(context: dict[str, Any], errors: Errors) -> None:
    demands = context["demands"]
    if not isinstance(demands, list) or not 1 <= len(demands) <= DEMANDS:
        errors["demands"] = f"应有一至{DEMANDS}项改正要求"
        return
    for number, demand in enumerate(demands, 1):
        field = f"demands.{number}"
        if demand["n"] != number:
            errors[f"{field}.n"] = "序号应从1起连续"
        for name in ("fact", "demand"):
            _put(errors, f"{field}.{name}", problem(demand[name], DEMAND_LENGTH))
        _put(errors, f"{field}.deadline", _item_deadline(context, demand["deadline"]))


def _item_deadline(context: dict[str, Any], deadline: str | None) -> str | None:
    if deadline is None:
        return None
    if not day(deadline):
        return "日期有误"
    if context["immediate"]:
        return "责令立即改正时各项不得另定期限"
    return "晚于通知书的改正期限" if context["deadline"] and deadline > context["deadline"] else None


def _copies(copies: dict[str, Any], errors: Errors) -> None:
    numbers = [copies[name] for name in ("total", "served", "filed")]
    if not all(type(number) is int and 1 <= number <= 9 for number in numbers):
        errors["copies"] = "份数应为一至九"
    elif numbers[1] + numbers[2] > numbers[0]:
        errors["copies"] = "送达与归档份数之和多于总份数"
    elif numbers[1] + numbers[2] < numbers[0] and not copies["other"]:
        errors["copies.other"] = "应写明其余份数的去向"


def _issue(context: dict[str, Any], draft: bool, errors: Errors) -> None:
    number, issued = context["number"], context["date"]
    if number is None and not draft:
        errors["number"] = "尚未编号，只能打印草稿"
    elif number is not None and "number" not in errors and not NUMBER.fullmatch(number):
        errors["number"] = "文号应形如 奈市监责改〔2026〕1号"
    if issued is None and not draft:
        errors["date"] = "缺少签发日期，只能打印草稿"
    elif issued is not None and not day(issued):
        errors["date"] = "日期有误"


def _verify(verify: dict[str, Any] | None, errors: Errors) -> None:
    if verify is None:
        return
    _put(errors, "verify.code", problem(verify["code"], 40))
    if (
        problem(verify["url"], 160)
        or not verify["url"].isascii()
        or not verify["url"].startswith(("https://", "http://"))
    ):
        errors["verify.url"] = "核验地址有误"

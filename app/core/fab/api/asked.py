"""The arguments of a list in the API, read strictly: what means nothing is refused by name, never passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.core.errors import Invalid
from app.core.fab import paging
from app.core.fab.api.cursor import AFTER
from app.core.fab.filtering import LONGEST_VALUE, MOST_VALUES
from app.core.fab.listing import LONGEST_QUERY, SIZES, ListQuery
from app.core.fab.relating import filter_of

ONCE = ("q", "page", "size", "order", AFTER)


class BadArguments(Invalid):
    """What was asked has no one meaning; `fields` says which argument, and why."""

    status = 400


def refuse(problems: dict[str, str]) -> None:
    """Raise BadArguments when anything is wrong."""
    if problems:
        raise BadArguments(_("请求的参数不对。"), problems)


def require_known(query: ListQuery, filters: list[str], order: list[str]) -> None:
    """Raise BadArguments that names each argument of this request which is unknown, unreadable or out of bounds."""
    args = request.args
    several = {name for one in filters for name in filter_of(query.model, one).names()}
    problems = {name: _("没有这个参数。") for name in args if name not in several and name not in ONCE}
    times = Counter(name for name, _text in args.items(multi=True))
    most = {name: MOST_VALUES if name in several else 1 for name in times}
    problems |= {name: _("只能给一次。") for name in times if times[name] > most[name]}
    problems |= dict(_of_filters(query, filters, args))
    problems |= dict(_of_page(args))
    if len(args.get("q", "")) > LONGEST_QUERY:
        problems["q"] = _("最多 %(n)s 个字，现在 %(m)s 个。", n=LONGEST_QUERY, m=len(args["q"]))
    if args.get("order", "").removeprefix("-") not in {"", "id", *order}:
        problems["order"] = _("不能按这一项排序。")
    refuse(problems)


def _of_filters(query: ListQuery, filters: list[str], args: MultiDict[str, str]) -> Iterator[tuple[str, str]]:
    for one in filters:
        for name in filter_of(query.model, one).names():
            given = [text for text in args.getlist(name) if text.strip()]
            strays = set(query.strays.get(one, ())) & set(query.values.get(name, ()))
            if strays:
                yield name, _("没有“%(value)s”这个值。", value=min(strays))
            elif any(len(text) > LONGEST_VALUE or "\0" in text for text in given):
                yield name, _("不在可选范围内。")
            elif len(given) > 1 and len(query.values.get(name, ())) < 2 and len(set(given)) > 1:
                yield name, _("只能给一次。")


def _of_page(args: MultiDict[str, str]) -> Iterator[tuple[str, str]]:
    size = args.get("size", "") or str(SIZES[0])
    if not _whole(size, max(SIZES)):
        yield "size", _("应为 1 至 %(n)s 的整数。", n=max(SIZES))
        return
    last = -(-paging.COUNT_CAP // int(size))
    if not _whole(args.get("page", "") or "1", last):
        yield "page", _("应为 1 至 %(n)s 的整数；更后面的请用 next。", n=last)
    elif args.get("page") and args.get(AFTER):
        yield "page", _("page 和 after 只能给一个。")


def _whole(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most

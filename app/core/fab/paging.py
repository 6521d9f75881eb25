"""A page of a list, and how many rows there are, at any size of table and for any office.

Rows are looked for office by office (`core.access.reach`), each through the index that begins with the office and has
the order of the list (`core.ordering`), no more of each than the page needs; then they are merged. One office, sixty,
or all cost a bounded number of index entries, whichever of them are busy. Who reads the rows of every office needs no
merging: an index without the office has the order already, however deep the page. Counting goes first and stops
soon: it tells whether what was asked for is rare (then the filter's own index finds all of it, and sorting a
thousand rows is nothing) or common (then the order's index meets enough of it soon, and the planner is kept from
sorting all of it).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BinaryExpression,
    Join,
    Select,
    and_,
    bindparam,
    cast,
    false,
    func,
    inspect,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators

from app.core.access.context import current_access
from app.core.access.reach import Reach, reach
from app.core.db import current_session, is_sqlite
from app.core.entity import Entity, Scoped
from app.core.ordering import indexed_alone, order_names

MOST_KEPT = 1_000  # things compiled for one person
USUAL = 25  # rows of a page unless more are asked for
COUNT_CAP = 1_000  # rows a list tells, and shows
SORTED = 5_000  # rows that are soon sorted
DEEPER = 8  # more of them for each row before the page


def ordered(model: type[Entity], order: str, default: str) -> list[Any]:
    """ORDER BY, all in the one direction asked for, so that an index serves it forwards or backwards."""
    columns = [getattr(model, name) for name in order_names(order, default)]
    return [column.desc() if order.startswith("-") else column.asc() for column in columns]


class Found(NamedTuple):
    """How many rows a list has, counted to COUNT_CAP + 1, and whether they are few enough to be found and sorted."""

    total: int
    few: bool


def count(statement: Select[Any], *, first: int = 0, narrow: bool = False) -> Found:
    """Count for the page that begins with row `first`. `narrow`: an index finds the few that come in question.

    What is narrowed is counted further than it is told: a page far down in the order of the list would pass over all
    that lies between the rows that are meant.
    """
    if statement.whereclause is None:  # every list that nobody has asked anything of yet
        key = ("count", _model(statement), narrow)
        rows = current_session().scalar(_kept(key, lambda: _counting(statement, COUNT_CAP, narrow=narrow))) or 0
        return Found(min(rows, COUNT_CAP + 1), rows <= COUNT_CAP)
    most = COUNT_CAP if narrow else SORTED + DEEPER * first
    bare = None if narrow else _unseen(statement, most)
    rows = current_session().scalar(_counting(statement, most if bare is None else COUNT_CAP, narrow=narrow)) or 0
    few = rows <= most
    if rows > COUNT_CAP and bare is not None:
        few = (current_session().connection().scalar(bare) or 0) <= most
    return Found(min(rows, COUNT_CAP + 1), few)


def _unseen(statement: Select[Any], most: int) -> Select[Any] | None:
    """The same counted from an index alone, whether or not the person may see each row: only to decide how to look, and
    thirty times as fast. None where more is asked than a value or a range of the columns that the index holds."""
    model = _model(statement)
    found = reach(current_access(), model)
    criteria = list(getattr(statement, "_where_criteria", ()))
    names = {getattr(getattr(one, "left", None), "key", "") for one in criteria}
    if found is None or not found.offices or len(names) != 1 or not all(_in_order(one, *names) for one in criteria):
        return None
    table = inspect(model).local_table
    name = names.pop()
    if name not in table.c or not indexed_alone(model, "office_id", name):
        return None
    some = select(table.c.id).where(table.c.office_id.in_(sorted(found.offices)), *criteria).limit(most + 1).subquery()
    return select(func.count()).select_from(some)


def _counting(statement: Select[Any], most: int, *, narrow: bool) -> Select[Any]:
    model = _model(statement)
    found = None if narrow else reach(current_access(), model)
    if found is None:
        keys = statement.with_only_columns(model.id).order_by(None).limit(most + 1).subquery()
    else:
        keys = _union(_keys(model, found, _where(statement), [], most + 1), most + 1)
    return select(func.count()).select_from(keys)


def page(
    statement: Select[Any], order: list[Any], first: int, size: int, options: tuple[Any, ...] = (), *,
    few: bool = False, narrow: bool = False,
) -> Select[Any]:  # fmt: skip
    """The statement for rows `first` to `first + size` in this order, with what its cells need (`options`); `few` as
    `count` has found it."""

    def made() -> Select[Any]:
        return _paged(statement, order, min(first, COUNT_CAP), size, few=few, narrow=narrow).options(*options)

    if statement.whereclause is not None or first or size != USUAL:
        return made()
    return _kept(("page", _model(statement), tuple(map(str, order)), options, few, narrow), made)


def _kept(key: tuple[Any, ...], make: Callable[[], Select[Any]]) -> Select[Any]:
    """A statement made of nothing but what the person reaches, kept with what is compiled from that."""
    compiled, key = current_access().compiled, (*key, is_sqlite(current_session().connection()))
    found: Select[Any] | None = compiled.get(key)
    if found is None:
        found = make()
        if len(compiled) < MOST_KEPT:
            compiled[key] = found
    return found


def _paged(statement: Select[Any], order: list[Any], first: int, size: int, *, few: bool, narrow: bool) -> Select[Any]:
    model, asked = _model(statement), statement.whereclause is not None
    found = None if narrow else reach(current_access(), model)
    if found is None and model.__grows__ and not narrow:
        statement = _one_way(statement, order, few=few)
    elif found is not None and not few and (found.everywhere or found.nearly):
        statement = select(model).where(*_unserved(statement, order))
    elif found is not None:
        where = _where(statement) if few else and_(true(), *_unserved(statement, order))
        keys = _union(_keys(model, found, where, [] if few else order, None if few else first + size))
        statement = _among(model, keys)
    statement = statement.order_by(None).order_by(*order).offset(first).limit(size)
    if found is None or not asked:
        return statement
    # what the cells need is joined to the rows of the page, not to all that were found or passed over
    return _among(model, statement.with_only_columns(model.id).subquery()).order_by(*order)


def _one_way(statement: Select[Any], order: list[Any], *, few: bool) -> Select[Any]:
    """Rows that are not found by office: few are found by their filter and sorted, many are met in their order."""
    model = _model(statement)
    if not few or statement.whereclause is None:
        clauses = list(getattr(statement, "_where_criteria", ()))
        served = next((one for one in clauses if _leads(model, one, order[0].element.key)), None)
        rest = select(model).where(*(one for one in clauses if one is not served))
        return select(model).where(*([] if served is None else [served]), *_unserved(rest, order))
    once = -1 if is_sqlite(current_session().connection()) else None  # what has a limit is made once
    keys = select(model.id).where(_where(statement)).limit(once).subquery()
    return _among(model, keys)


def _among(model: type[Entity], keys: Any) -> Select[Any]:
    """The rows with these keys. SQLite takes a list's keys one after the other; for a join that it thinks large it
    would first read the whole table, to tell which of them are not there."""
    if is_sqlite(current_session().connection()):
        return select(model).where(model.id.in_(select(keys.c.id)))
    return select(model).join(keys, keys.c.id == model.id)


def _leads(model: type[Entity], clause: Any, name: str) -> bool:
    """Whether an index has the rows of this criterion, which wants one value of a column, in the order of `name`."""
    key = getattr(getattr(clause, "left", None), "key", "")
    single = _in_order(clause, key) and clause.operator in {operators.eq, operators.in_op}
    return bool(key) and single and indexed_alone(model, key, name)


def _unserved(statement: Select[Any], order: list[Any]) -> Iterator[Any]:
    """The criteria, made so that the index of the order is the one to take: other indexes can't serve them."""
    for clause in getattr(statement, "_where_criteria", ()):
        yield clause if _in_order(clause, order[0].element.key) else func.coalesce(clause, False).is_(True)


def _in_order(clause: Any, name: str) -> bool:
    """Whether the index of the order serves a criterion too: one value or a range of the column it sorts by."""
    one = isinstance(clause, BinaryExpression) and getattr(clause.left, "key", "") == name
    if not one or clause.operator is not operators.in_op:
        return one and clause.operator in {operators.eq, operators.le, operators.lt, operators.ge, operators.gt}
    return len(getattr(clause.right, "value", ())) == 1


def _where(statement: Select[Any]) -> Any:
    return statement.whereclause if statement.whereclause is not None else true()


def _union(parts: Iterator[Select[Any]], most: int | None = None) -> Any:
    """The parts share no row, so nothing has to be sorted out, and reading stops when enough are found."""
    if most is None and is_sqlite(current_session().connection()):
        most = -1  # all; but what has a limit is made once, and not looked for again for each row
    return select(union_all(*parts).subquery().c.id).limit(most).subquery()


def _model(statement: Select[Any]) -> Any:
    return statement.column_descriptions[0]["entity"]


def _keys(model: type[Scoped], found: Reach, where: Any, order: list[Any], most: int | None) -> Iterator[Select[Any]]:
    """Statements for the keys: a few rows of each office by who answers and by who made them, and the rows named."""
    offices, elsewhere = sorted(found.offices), model.office_id.not_in(sorted(found.offices))
    handed_over = and_(model.made_office_id != model.office_id, elsewhere)
    parts = [(model.office_id, true()), *([] if found.everywhere else [(model.made_office_id, handed_over)])]
    for office, limits in parts if offices else ():
        some = select(model.id).where(where, limits).order_by(*order).limit(most)
        if len(offices) == 1:
            yield _of_one(office, some, offices[0])
        else:
            yield _of_each(model, office, some, offices, in_order=bool(order))
    if found.named or not offices:
        others = and_(elsewhere, model.made_office_id.not_in(offices)) if offices else true()
        rows = select(model.id).where(where, or_(false(), *found.named), others).order_by(*order).limit(most)
        yield select(rows.correlate(None).subquery().c.id)


def _of_one(office: Any, some: Select[Any], key: int) -> Select[Any]:
    return select(some.where(office == key).correlate(None).subquery().c.id)


class _InTurn(Join):
    """A join whose left side is gone through first: SQLite keeps the order of a CROSS JOIN, and would else read the
    whole table for want of knowing how rare a value is."""

    inherit_cache = True


@compiles(_InTurn, "sqlite")
def _in_turn(join: _InTurn, compiler: Any, **options: Any) -> str:
    return str(compiler.visit_join(join, **options)).replace(" JOIN ", " CROSS JOIN ", 1)


def _of_each(
    model: type[Scoped], office: Any, some: Select[Any], keys: list[int], *, in_order: bool
) -> Select[Any]:  # fmt: skip
    """For each office its own: PostgreSQL by LATERAL; SQLite, which has none, by a correlated IN over the keys."""
    if not is_sqlite(current_session().connection()):
        one = func.unnest(cast(keys, ARRAY(BigInteger))).table_valued("key").render_derived("one")
        rows = some.where(office == one.c.key).correlate(one).lateral()
        return select(rows.c.id).select_from(one).join(rows, true())
    each = func.json_each(bindparam(None, json.dumps(keys))).table_valued("value", name="one")
    if not in_order:  # all of them, or so many of them, whichever these are
        any_of_them = some.select_from(_InTurn(each, inspect(model).local_table, office == each.c.value))
        return select(any_of_them.correlate(None).subquery().c.id)
    outer = inspect(model).local_table.alias()  # no criterion on it: SQLite would start from that, with every row
    mine = some.where(office == each.c.value).correlate(each)
    return select(outer.c.id).select_from(each.join(outer, outer.c.id.in_(mine)))

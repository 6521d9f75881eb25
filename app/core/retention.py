"""Letting go of what is past its days (`shouze retention`, once a day by itself): history behind sealed checkpoints,
and whatever an entity declares in `__retain__`.

History goes from the oldest on, chain by chain, and only what is whole: from a chain with a break in it nothing goes,
for whoever looks into it. The checkpoint is written in the transaction that deletes; the database lets nothing else go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import and_, delete, exists, func, insert, inspect, or_, select, update
from sqlalchemy.orm import Session

from app.core import anchors, clock
from app.core.db import current_session, metadata, unscoped
from app.core.entity import Entity, registry
from app.core.errors import ConfigurationError
from app.core.history import record
from app.core.history_entry import HistoryCheckpoint, HistoryEntry, HistoryHead, HistoryLink, seal_of
from app.core.history_verify import verify_office
from app.core.jobs import job
from app.core.retain import Retain
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import unit_of_work

LEAST_DAYS = 180  # 网络安全法: logs are kept for six months at least
STEP = 5_000  # rows a transaction
CHECKPOINTS = HistoryCheckpoint.__table__
ENTRIES = HistoryEntry.__table__


@dataclass
class Pruned:
    """How many rows of each kind went (or would go), and the chains that were left alone with the reason."""

    counts: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def require_lawful(days: int) -> None:
    """Raise ConfigurationError for a time shorter than the law's."""
    if days < LEAST_DAYS:
        raise ConfigurationError(
            f"SHOUZE_HISTORY_DAYS is {days}; history must be kept for at least {LEAST_DAYS} days (网络安全法: 六个月)"
        )


@job("retention", daily=True)
def retention_job() -> None:
    """What is past by today."""
    prune()


def prune(*, dry_run: bool = False) -> Pruned:
    """Delete all that is past; with `dry_run` only count it."""
    days = int(current_app.extensions["shouze_settings"].history_days)
    require_lawful(days)
    told = Pruned()
    with unscoped("retention") as session:
        told.counts["history"] = _history(session, clock.now() - timedelta(days=days), told.refused, dry_run=dry_run)
        for model, rule in declared():
            name = f"{model.__name__}.{','.join(rule.clear)}" if rule.clear else model.__name__
            told.counts[name] = told.counts.get(name, 0) + _rows(model, rule, dry_run=dry_run)
    told.counts["anchors"] = anchors.forget_older(days, dry_run=dry_run)
    if not dry_run and any(told.counts.values()):
        gone: dict[str, Any] = {name: count for name, count in told.counts.items() if count}
        record(Verb.DELETE, "按期清理", **gone)
    return told


# -- rows that entities declare ----------------------------------------------------------------------------------------


def declared() -> Iterator[tuple[type[Entity], Retain]]:
    """Every rule, those of rows that point at others first."""
    order = {table.name: number for number, table in enumerate(metadata.sorted_tables)}
    classes = sorted(registry().values(), key=lambda cls: -order[cls.__tablename__])
    for cls in classes:
        for rule in cls.__retain__:
            yield cls, rule


def _rows(model: type[Entity], rule: Retain, *, dry_run: bool) -> int:
    """Delete or empty the past rows of one entity, some at a time; those that other rows point at stay."""
    wanted, session = _past(model, rule), current_session()
    if dry_run:
        found = session.scalar(select(func.count(model.id)).where(wanted)) or 0
        session.rollback()
        return found
    total = 0
    while True:
        with unit_of_work(Verb.DELETE, "按期清理"):
            keys = session.scalars(select(model.id).where(wanted).order_by(model.id).limit(STEP)).all()
            _let_go(session, model, list(keys), rule)
        total += len(keys)
        if len(keys) < STEP:
            return total


def _past(model: type[Entity], rule: Retain) -> Any:
    columns: Any = model
    clauses = [getattr(model, rule.since) < clock.now() - timedelta(days=rule.days)]
    if rule.states:
        clauses.append(getattr(model, model.state_column()).in_(rule.states))
    if rule.clear:
        clauses.append(or_(*(getattr(model, name).is_not(None) for name in rule.clear)))
    else:
        own = inspect(model).local_table
        pointing = [key.parent for table in metadata.sorted_tables for key in table.foreign_keys
                    if key.column.table is own and key.ondelete is None]  # fmt: skip
        clauses += [~exists().where(column == columns.id) for column in pointing if column.table is not own]
    return and_(*clauses)


def _let_go(session: Session, model: type[Entity], keys: list[int], rule: Retain) -> None:
    """Rows with a history of their own go through the session, so that it tells of them; the others at once."""
    emptied = dict.fromkeys(rule.clear)
    if not model.__history__:
        table: Any = model.__table__
        act = update(table).values(emptied) if rule.clear else delete(table)
        session.connection().execute(act.where(table.c.id.in_(keys)))
        return
    for row in session.scalars(select(model).where(model.id.in_(keys))).unique():
        if rule.clear:
            for name in rule.clear:
                setattr(row, name, None)
        else:
            session.delete(row)


# -- history -----------------------------------------------------------------------------------------------------------


def _history(session: Session, before: datetime, refused: list[str], *, dry_run: bool) -> int:
    """Entries older than `before`, of every chain that is whole; the newest of a chain always stays."""
    total = 0
    for office, head in session.execute(select(HistoryHead.office_id, HistoryHead.seq)).all():
        first, last = _range(session, office, head, before)
        if last <= first:
            continue
        broken = None if dry_run else verify_office(session, office, last)
        if broken is not None:
            refused.append(f"office {office} entry {broken.seq}: {broken.what}")
            continue
        total += last - first
        session.rollback()
        for seq in (*range(first + STEP, last, STEP), last) if not dry_run else ():
            _cut(session, office, seq)
    session.rollback()
    return total


def _range(session: Session, office: int, head: int, before: datetime) -> tuple[int, int]:
    """After which number the chain begins now, and the last number that is past."""
    began = session.scalar(select(HistoryCheckpoint.seq).where(HistoryCheckpoint.office_id == office)) or 0
    young = select(HistoryEntry.seq).where(HistoryEntry.office_id == office, HistoryEntry.at >= before)
    first_kept = session.scalar(young.order_by(HistoryEntry.seq).limit(1))
    return began, (first_kept if first_kept is not None else head) - 1


def _cut(session: Session, office: int, seq: int) -> None:
    """Seal the entry with this number as the checkpoint, and delete it and all before it: one transaction."""
    with unit_of_work(Verb.DELETE, "按期清理"):
        connection = session.connection()
        mine = (ENTRIES.c.office_id == office) & (ENTRIES.c.seq == seq)
        row = connection.execute(select(ENTRIES.c.hash, ENTRIES.c.at).where(mine)).one()
        sealed = {"seq": seq, "hash": row.hash, "at": row.at, "seal": seal_of(office, seq, row.hash, row.at)}
        moved = connection.execute(update(CHECKPOINTS).where(CHECKPOINTS.c.office_id == office).values(sealed))
        if not moved.rowcount:
            made = {"office_id": office, "version": 1, "public_id": public_id(), "made_at": clock.now()}
            connection.execute(insert(CHECKPOINTS).values(sealed | made))
        for table in (HistoryLink.__table__, ENTRIES):
            connection.execute(delete(table).where(table.c.office_id == office, table.c.seq <= seq))

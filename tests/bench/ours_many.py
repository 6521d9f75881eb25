"""The register of a city on PostgreSQL: a demonstration's rows, many times over.

Each copy belongs to the office of its pattern; keys, and what points at them, are shifted by a stride.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack

from sqlalchemy import Connection, Table, func, select, text

from app.core import grams
from app.core.db import metadata, unscoped
from app.core.search_index import indexed
from tests.bench.ours_huge import watch
from tests.bench.ours_register import OursRegister
from tests.support.postgres import fresh_database, postgres_server

COPIED = ("enterprise", "enterprise_office", "site", "person", "appointment", "caretaker", "director_decision",
          "licence", "risk_grading")  # fmt: skip
STRIDE = 1_000_000
OWN = {
    "public_id": "public_id || '-' || k",
    "code": "left(code, 2) || lpad((id + k * :stride)::text, 16, '0')",
    "id_card_digest": "md5(id_card_digest || k)",
    "mobile_digest": "md5(mobile_digest || k)",
    "person.account_id": "NULL",
}
"""What may not be the same twice, by the name of its column, or of its table and column."""


class OursMany(OursRegister):
    """The same three people."""

    watch = staticmethod(watch)

    def __init__(self, folder: str, firms: int, times: int) -> None:
        kept = ExitStack()
        atexit.register(kept.close)
        url = fresh_database(kept.enter_context(postgres_server(in_memory=False)))
        super().__init__(folder, firms, url.replace("postgresql://", "postgresql+psycopg://"))
        with self.app.app_context(), unscoped("bench") as session:
            connection = session.connection()
            connection.execute(text("SET maintenance_work_mem = '1GB'"))
            for name in COPIED:
                _multiply(connection, metadata.tables[name], times)
            for model, one in indexed().items():
                if model.__tablename__ in COPIED:
                    _index(connection, grams.span(one.number, ""), times)
                    _index(connection, one.marks, times)
            self.made = {
                name: connection.scalar(select(func.count()).select_from(metadata.tables[name])) or 0 for name in COPIED
            }
            session.commit()
            with self.app.extensions["sqlalchemy"].engine.connect() as own:
                own.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def _multiply(connection: Connection, table: Table, times: int) -> None:
    """The rows of a table again and again; its indexes are made after them."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    said = {column.name: _value(column.name, table) for column in table.columns}
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({', '.join(said)}) SELECT {', '.join(said.values())} "
            f"FROM {table.name}, generate_series(1, :times - 1) AS k"
        ),
        {"times": times, "stride": STRIDE} if ":stride" in "".join(said.values()) else {"times": times},
    )
    for index in indexes:
        index.create(connection)


def _value(name: str, table: Table) -> str:
    column = table.columns[name]
    copied = any(key.column.table.name in COPIED for key in column.foreign_keys)
    if column.primary_key or copied:
        return f"{name} + k * :stride"
    return OWN.get(f"{table.name}.{name}", OWN.get(name, name))


def _index(connection: Connection, span: tuple[int, int], times: int) -> None:
    connection.execute(
        text(
            "INSERT INTO search_gram (gram, row_id) SELECT gram, row_id + k * :stride "
            "FROM search_gram, generate_series(1, :times - 1) AS k WHERE gram BETWEEN :low AND :high"
        ),
        {"low": span[0], "high": span[1], "times": times, "stride": STRIDE},
    )

"""The big lists on PostgreSQL: a server of their own, on the disk, gone with the process."""

from __future__ import annotations

import atexit
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.db import current_session, unscoped
from app.models.inspection import Inspection
from tests.bench.ours import SITES, STATION
from tests.bench.ours_big import QUIET, OursBig, stations
from tests.support.postgres import fresh_database, postgres_server

# the same mixture as `ours_big._visit`, made by the server
ROWS = """
INSERT INTO inspection (public_id, version, made_at, office_id, made_office_id, lines, site_id, date, unannounced,
  place, kind, inspector_id, co_inspector_id, summary, sealed, selection, result, state)
SELECT 'b' || n, 1, now(), office, CASE WHEN n % 5000 = 1 THEN :quiet ELSE office END, 4, n % :sites + 1,
  date '2019-01-01' + (n::bigint * 2700 / :rows)::int, n % 5 = 0, '现场',
  CASE n % 7 WHEN 0 THEN '专项检查' WHEN 1 THEN '飞行检查' ELSE '日常监督检查' END, 1, 2, '', false,
  CASE WHEN n % 1000 = 3 THEN '投诉举报' WHEN n % 4 = 0 THEN '双随机' ELSE '计划' END,
  CASE WHEN n % 3 = 0 THEN '符合' WHEN n % 50 = 1 THEN '不符合' ELSE '基本符合' END,
  CASE WHEN n > :rows - :rows / 2000 THEN '草稿' WHEN n % 700 = 5 THEN '已作废' ELSE '已完成' END
FROM (SELECT n, CASE WHEN n % 2000 = 0 THEN :quiet WHEN n % 3 = 0 THEN :busy
        ELSE (CAST(:rest AS bigint[]))[n % :others + 1] END AS office
      FROM generate_series(0, :rows - 1) AS n) AS made
"""


def watch() -> float:
    """Seconds of processor time: this process's, and those of the server's process that works for it."""
    own: Any = current_session().connection().connection.dbapi_connection
    spent = int(Path(f"/proc/{own.info.backend_pid}/schedstat").read_text().split()[0])
    return time.process_time() + spent / 1e9


class OursHuge(OursBig):
    """The same three people."""

    watch = staticmethod(watch)

    def __init__(self, folder: str, rows: int, views: int) -> None:
        kept = ExitStack()
        atexit.register(kept.close)
        url = fresh_database(kept.enter_context(postgres_server(in_memory=False)))
        super().__init__(folder, rows, views, url.replace("postgresql://", "postgresql+psycopg://"))

    def grow(self, rows: int) -> None:
        """The indexes are made after the rows, which takes a quarter of the time."""
        with self.app.app_context(), unscoped("bench") as session:
            self.people()
            codes, rest = stations(session)
            session.rollback()
            connection = session.connection()
            connection.execute(text("SET maintenance_work_mem = '1GB'"))
            indexes = sorted(Inspection.__table__.indexes, key=lambda index: str(index.name))
            for index in indexes:
                index.drop(connection)
            told = {"rows": rows, "quiet": codes[QUIET], "busy": codes[STATION], "rest": rest, "others": len(rest)}
            connection.execute(text(ROWS), told | {"sites": SITES})
            for index in indexes:
                index.create(connection)
            session.commit()
            with self.app.extensions["sqlalchemy"].engine.connect() as own:
                own.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE inspection"))

"""Our side of handing over: one inspector's many drafts, and the chief who gives them to another."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import insert, select

from app.core import clock
from app.core.access.context import acting
from app.core.db import current_session, unscoped
from app.core.moving import Parcel
from app.core.office import Account, Family, Office, Posting
from app.core.open_work import kinds, left_by, open_rows
from app.models.inspection import DRAFT, Inspection
from app.services.handover import hand_over
from app.services.office import add_account, add_posting
from tests.bench.measure import counted, held, peak_rss, timed
from tests.bench.ours import STATION, Ours


class OursHandover(Ours):
    """A station with a chief and two inspectors."""

    def hand_over(self, rows: int) -> dict[str, Any]:
        """The act, timed; how many rows went."""
        with self.app.app_context():
            chief, posting = self._make(rows)
            with acting(chief):
                left = left_by(posting)
                assert left is not None
                kind = next(one for one in kinds() if one.cls is Inspection)
                parcel, made = Parcel(kind, self.two, tuple(open_rows(kind, left))), []
                current_session().rollback()
                with counted() as heard, held() as locks:
                    time = timed(lambda: made.extend(hand_over(posting, [parcel], reason="移交")))
                moved = sum(one.total for one in made)
        return {"time": time, "moved": moved, "locks": locks, "statements": len(heard), "peak": peak_rss()}

    def _make(self, rows: int) -> tuple[int, int]:
        """The drafts; the chief's account and the inspector's posting."""
        with unscoped("bench") as session:
            chief = add_account("chief", "chief", Family.BUSINESS, STATION, "", must_change=False).id
            add_posting("chief", STATION, "chief")
            session.rollback()
            office = session.scalar(select(Office.id).where(Office.code == STATION))
            common = {
                "version": 1, "made_at": clock.now(), "office_id": office, "made_office_id": office, "lines": 4,
                "site_id": 1, "date": date(2026, 5, 1), "unannounced": False, "place": "现场", "kind": "日常监督检查",
                "selection": "计划", "inspector_id": self.one, "co_inspector_id": self.two, "summary": "",
                "sealed": False, "state": DRAFT,
            }  # fmt: skip
            connection = session.connection(execution_options={"shouze_write": True})
            connection.execute(insert(Inspection.__table__), [common | {"public_id": f"h{n}"} for n in range(rows)])
            session.commit()
            posting = session.scalars(select(Posting.id).join(Account).where(Account.id == self.one)).one()
        return chief, posting

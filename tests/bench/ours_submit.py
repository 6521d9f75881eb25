"""Our side when many save at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.core import clock
from app.core.access.context import acting
from app.core.db import current_session
from app.core.office import Account
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import InspectionKind, InspectionResult, InspectionSelection
from app.models.enterprise import Site
from app.models.inspection import Finding, Inspection
from tests.bench.load import load
from tests.bench.ours import SITES, Ours


class OursSubmit(Ours):
    """Inspections with a finding, each saved by an inspector."""

    def submit(self, seconds: float, threads: int) -> dict[str, Any]:
        """Several threads saving at once."""
        assert self._save_one(0)
        return load(self._save_one, seconds, threads)

    def _save_one(self, number: int) -> bool:
        """As a request: a session of its own, who is acting read anew, one unit of work."""
        with self.app.app_context(), acting(self.one), unit_of_work(Verb.CREATE):
            session = current_session()
            visit = Inspection(
                site=session.get_one(Site, number % SITES + 1), date=clock.today() - timedelta(days=number % 30),
                kind=InspectionKind.ROUTINE, selection=InspectionSelection.PLAN, place="现场", summary="现场检查。",
                inspector=session.get_one(Account, self.one), co_inspector=session.get_one(Account, self.two),
                result=InspectionResult.BASIC, findings=[Finding(position=1, fact="未提供检查记录", demand="每日检查")],
            )  # fmt: skip
            save(visit, Verb.CREATE, accepted=EVERYTHING)
            return visit.id is not None

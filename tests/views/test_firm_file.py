"""一企一档: what a firm's file says of a period, who gets which parts of it, many firms and many papers in one act."""

from __future__ import annotations

import io
import re
import secrets
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from app.core import clock
from app.core.jobs import Job, JobState, run_job  # noqa
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.grading import SiteNote
from app.models.inspection import Inspection
from app.models.personnel import Appointment
from tests.core.pdf.papers import pages
from tests.core.pdf.papers import text as printed
from tests.support.house import A, B, House
from tests.views.test_firm_papers import firm_of, hide, staffed
from tests.views.test_ledger import appoint, canteen
from tests.views.test_web import text

YEAR = {"date_from": "2026-01-01", "date_to": "2026-12-31"}
ALL = ["basics", "licences", "people", "director", "care", "policies", "training", "checks", "inspections", "notices",
       "closures", "changes", "grades", "documents"]  # fmt: skip


def asked(house: House, who: str, firm: int, parts: list[str], **days: str) -> Any:
    return house.client(who).get(f"/enterprises/{firm}/file.pdf", query_string={**YEAR, "parts": parts, **days})


def got(answer: Any) -> str:
    assert answer.status_code == 200, text(answer)[:300]
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    return printed(answer.get_data()).replace(" ", "").replace("　", "")


def firm_with_work(house: House) -> int:
    """A firm of station A that has been inspected."""
    with house.system() as session:
        return session.scalars(select(Site.enterprise_id).join(Inspection, Inspection.site_id == Site.id).where(
            Site.office_id == house.offices[A], Inspection.sealed.is_(False)).order_by(Inspection.id)).first()  # type: ignore[return-value] # fmt: skip


def test_the_file_of_a_firm(house: House) -> None:
    firm = firm_with_work(house)
    page = text(house.client("suo-a").get(f"/enterprises/{firm}"))
    assert f"/enterprises/{firm}/file" in page
    form = text(house.client("suo-a").get(f"/enterprises/{firm}/file"))
    assert len(re.findall(r"name=\"parts\" value=\"\w+\" checked", form)) == len(ALL) + 1, "all that a station reads, its own notes among them"
    answer = asked(house, "suo-a", firm, [*ALL, "notes"])
    shown = got(answer)
    with house.system() as session:
        name = session.get_one(Enterprise, firm).name
    for words in (name, "一企一档", "目录", "监管机构", "一、基本情况", "九、监督检查", "发现的问题", "演示无效", "本期间无记录"):
        assert words in shown, words
    sheets = pages(answer.get_data())
    for number, sheet in enumerate(sheets, 1):
        assert f"第{number}页共{len(sheets)}页" in re.sub(r"\s", "", sheet)
    marks = [one.title for one in PdfReader(io.BytesIO(answer.get_data())).outline if not isinstance(one, list)]
    assert marks[0] == "一、基本情况" and len(marks) == len(ALL) + 1

"""一企一档: what a firm's file says of a period, who gets which parts of it, many firms and many papers in one act."""

from __future__ import annotations

import io
import re
import secrets
from datetime import timedelta
from typing import Any

from pypdf import PdfReader
from sqlalchemy import select

from app.core import clock
from app.core.jobfile import JobFile, path_of
from app.core.jobs import Job, JobState, run_job
from app.core.message import Message
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from tests.core.pdf.papers import pages
from tests.core.pdf.papers import text as printed
from tests.support.house import A, B, House
from tests.views.test_firm_papers import firm_of, staffed
from tests.views.test_ledger import appoint
from tests.views.test_web import text

YEAR = {"date_from": (clock.today() - timedelta(days=365)).isoformat(), "date_to": clock.today().isoformat()}
ALL = ["basics", "licences", "people", "director", "care", "policies", "training", "checks", "inspections", "notices",
       "closures", "changes", "grades", "documents"]  # fmt: skip
JOINED = ["SelfAssessment", "PriorCase"]  # of themselves, by standing on the pages of firms and sites


def asked(house: House, who: str, firm: int, parts: list[str], **days: str) -> Any:
    given = {**YEAR, "parts": parts, **days}
    return house.client(who).get(f"/enterprises/{firm}/file.pdf", query_string=given)


def got(answer: Any) -> str:
    assert answer.status_code == 200, text(answer)[:300]
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    return re.sub(r"\s", "", printed(answer.get_data()))


def firm_with_work(house: House) -> int:
    """A firm of station A that has been inspected."""
    with house.system() as session:
        return session.scalars(select(Site.enterprise_id).join(Inspection, Inspection.site_id == Site.id).where(
            Site.office_id == house.offices[A], Inspection.sealed.is_(False)).order_by(Inspection.id)).first()  # type: ignore[return-value] # fmt: skip


def work_through(house: House) -> tuple[str, str, str]:
    """The newest job run to its end: its state, the text of its file, what its message says."""
    with house.system() as session:
        key = session.scalars(select(Job.id).order_by(Job.id.desc())).first()
    assert key is not None
    with house.app.app_context():
        run_job(key)
    with house.system() as session:
        state = session.scalars(select(Job.state).where(Job.id == key)).one()
        file = session.scalars(select(JobFile).where(JobFile.job_id == key)).one_or_none()
        told = session.scalars(select(Message.text).order_by(Message.id.desc())).first() or ""
        content = path_of(file).read_bytes() if file is not None else b""
    return state, re.sub(r"\s", "", printed(content)) if content else "", told


def tick(house: House, who: str, base: str, act: str, keys: list[int], **form: Any) -> Any:
    data = {"act": act, "ids": [str(key) for key in keys], "sure": "1", "key": secrets.token_urlsafe(24)} | form
    return house.client(who).post(f"/{base}/bulk", data=data)


def test_the_file_of_a_firm(house: House) -> None:
    firm = firm_with_work(house)
    assert f"/enterprises/{firm}/file" in text(house.client("suo-a").get(f"/enterprises/{firm}"))
    form = text(house.client("suo-a").get(f"/enterprises/{firm}/file"))
    assert len(re.findall(r'name="parts" value="\w+" checked', form)) == len(ALL) + len(JOINED) + 1
    answer = asked(house, "suo-a", firm, [*ALL, "notes"])
    shown = got(answer)
    with house.system() as session:
        name = session.get_one(Enterprise, firm).name
    for words in (name, "一企一档", "目录", "监管机构", "一、基本情况", "九、监督检查", "演示无效", "本期间无记录"):
        assert words in shown, words
    sheets = pages(answer.get_data())
    for number, sheet in enumerate(sheets, 1):
        assert f"第{number}页共{len(sheets)}页" in re.sub(r"\s", "", sheet)
    marks = [one.title for one in PdfReader(io.BytesIO(answer.get_data())).outline if not isinstance(one, list)]
    assert marks[0] == "一、基本情况" and len(marks) == len(ALL) + 1
    assert "打印一企一档" in text(house.client("suo-a").get(f"/enterprises/{firm}/history"))


def test_what_was_left_out_and_what_is_not_in_the_period(small: House) -> None:
    firm = staffed(small)
    shown = got(asked(small, "suo-a", firm, ["people"], date_from="2020-01-01", date_to="2020-12-31"))
    assert "本期间无记录" in shown and "白校长" not in shown and "未选择的内容基本情况" in shown


def test_a_bad_period_is_said_beside_its_field(small: House) -> None:
    firm = staffed(small)
    for days, why in (({"date_to": "2020-12-31"}, "不能晚于"), ({"date_from": "2020-01-01"}, "最多打印 5 年"),
                      ({"date_from": "昨天"}, "年-月-日"), ({"parts": []}, "至少选一项")):  # fmt: skip
        answer = asked(small, "suo-a", firm, **{"parts": ["people"], **days})
        assert answer.status_code == 422 and why in text(answer), why


def test_a_firm_prints_its_own_without_what_is_the_regulators(house: House) -> None:
    mine, theirs = firm_of(house, "firm-a"), firm_of(house, "firm-b")
    form = text(house.client("firm-a").get(f"/enterprises/{mine}/file"))
    assert 'value="notes"' not in form and 'value="care"' not in form
    assert "基本情况" in got(asked(house, "firm-a", mine, ["basics", "people"]))
    assert asked(house, "firm-a", mine, ["notes"]).status_code == 422
    assert asked(house, "firm-a", theirs, ["basics"]).status_code == 404
    assert asked(house, "admin", mine, ["basics"]).status_code == 403


def test_many_firms_in_one_act(house: House) -> None:
    mine = firm_with_work(house)
    other = staffed(house)
    with house.system() as session:
        foreign = session.get_one(Site, house.site_of(B)).enterprise_id
    answer = tick(
        house, "suo-a", "enterprises", "firm_file", [mine, other, foreign], parts=["basics", "people"], **YEAR
    )
    assert answer.status_code == 302 and answer.location.endswith("/jobs/")
    state, shown, _told = work_through(house)
    assert state == JobState.DONE and shown.count("一企一档") == 2 and "大沁他拉第三小学" in shown
    bad = tick(house, "suo-a", "enterprises", "firm_file", [mine], parts=["basics"], date_from="2026-02-01",
               date_to="2026-01-01")  # fmt: skip
    assert bad.status_code == 422 and "不能晚于" in text(bad)
    assert tick(house, "suo-a", "enterprises", "firm_file", [foreign], parts=["basics"], **YEAR).status_code == 422


def test_papers_of_many_posts_and_why_one_is_not_among_them(house: House) -> None:
    firm = staffed(house)
    director, officer = appoint(house, firm, "乌云", "食品安全总监"), appoint(house, firm, "斯琴", "食品安全员")
    data = {"act": "print_director", "ids": [str(director), str(officer)]}
    sure = text(house.client("suo-a").post("/appointments/bulk", data=data))
    assert "只有食品安全总监才有这一份" in sure
    assert tick(house, "suo-a", "appointments", "print_director", [director, officer]).status_code == 302
    state, shown, _told = work_through(house)
    assert state == JobState.DONE and shown.count("根据《") == 1

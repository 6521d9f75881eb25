"""双台账: each firm in exactly one; the same counts on screen, in the workbook and on paper; past days too."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta

import openpyxl
import pypdf
import pytest
from sqlalchemy import func, select

from app.core import clock, jobs
from app.core.jobs import Job
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import SiteState
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person
from app.services.ledger import Wanted, Which, counts, entries, size
from app.views import ledger_export
from tests.support.house import House


def asked(which: Which, **more: object) -> Wanted:
    return Wanted(which, clock.today(), **more)  # type: ignore[arg-type]


def canteen(house: House, name: str, meals: int) -> int:
    """A school with its canteen, entered by the clerk of station A."""
    with house.acting("neiqin-a"):
        firm = save(Enterprise(name=name, state="正常"), Verb.CREATE)
        site = Site(enterprise=firm, name=f"{name}食堂", kind="学校食堂", lines=4, meals=meals, state="正常")
        save(site, Verb.CREATE)
        return firm.id


def appoint(house: House, firm: int, name: str, role: str, **days: date) -> int:
    with house.acting("neiqin-a"), unit_of_work(Verb.CREATE) as session:
        person = save(Person(name=name), Verb.CREATE)
        enterprise = session.get_one(Enterprise, firm)
        began = days.get("date_from", clock.today() - timedelta(days=30))
        post = Appointment(person=person, enterprise=enterprise, role=role, date_from=began,
                           date_to=days.get("date_to"))  # fmt: skip
        return save(post, Verb.CREATE).id


def test_each_firm_in_being_is_in_exactly_one_ledger(house: House) -> None:
    canteen(house, "大沁他拉第二小学", 900)
    with house.acting("suo-a"):
        in_a = {one.id for one in entries(asked(Which.A))}
        in_b = {one.id for one in entries(asked(Which.B))}
        from app.core.db import current_session

        living = set(current_session().scalars(select(Enterprise.id).where(Enterprise.ended_on.is_(None))))
        assert not in_a & in_b
        assert in_a | in_b == living
        found = counts(asked(Which.A))
        assert (found.must, found.firms - found.must) == (len(in_a), len(in_b))
        assert found.lacking == size(asked(Which.GAP)) == len(list(entries(asked(Which.GAP))))


def test_a_firm_with_nobody_is_in_its_ledger_as_lacking(house: House) -> None:
    firm = canteen(house, "大沁他拉第三小学", 900)
    with house.acting("suo-a"):
        entry = next(one for one in entries(asked(Which.A)) if one.id == firm)
    assert entry.gap == ["应配总监未配（空缺 1 天）", "未配安全员（空缺 1 天）"]
    page = house.client("suo-a").get("/ledgers/?which=gap").get_data(as_text=True)
    assert "大沁他拉第三小学" in page
    assert "未配备" in page


def test_a_director_fills_the_gap_and_a_voluntary_one_is_marked_apart(house: House) -> None:
    must, free = canteen(house, "大沁他拉第四小学", 900), canteen(house, "大沁他拉第五小学", 90)
    with house.acting("suo-a"):
        before = counts(asked(Which.A))
    for firm in (must, free):
        appoint(house, firm, f"王{firm}", "食品安全总监")
    with house.acting("suo-a"):
        after = counts(asked(Which.A))
        entry = next(one for one in entries(asked(Which.B)) if one.id == free)
    assert (after.directors, after.voluntary) == (before.directors + 1, before.voluntary + 1)
    assert entry.voluntary


def test_who_left_is_no_longer_there_but_was_on_the_day(house: House) -> None:
    firm, today = canteen(house, "大沁他拉第六小学", 900), clock.today()
    appoint(
        house, firm, "昨天还在", "食品安全员", date_from=today - timedelta(days=9), date_to=today - timedelta(days=1)
    )
    tomorrow = clock.now() + timedelta(days=1)
    with clock.set_clock(lambda: tomorrow), house.acting("suo-a"):
        then = next(one for one in entries(Wanted(Which.A, today)) if one.id == firm)
        now = next(one for one in entries(asked(Which.A)) if one.id == firm)
    assert "食品安全员" not in then.people
    assert "食品安全员" not in now.people


def test_a_firm_that_ended_is_in_the_ledger_of_the_day_before(house: House) -> None:
    firm = canteen(house, "大沁他拉第七小学", 900)
    tomorrow = clock.now() + timedelta(days=1)
    yesterday = clock.today()
    with clock.set_clock(lambda: tomorrow), house.acting("neiqin-a"):
        with unit_of_work(Verb.UPDATE) as session:
            row = session.get_one(Enterprise, firm)
            row.state = SiteState.DEREGISTERED
            save(row, Verb.UPDATE)
        assert firm in {one.id for one in entries(Wanted(Which.A, yesterday))}
        assert firm not in {one.id for one in entries(asked(Which.A))}


def test_screen_workbook_and_paper_say_the_same(house: House) -> None:
    canteen(house, "大沁他拉第八小学", 900)
    client = house.client("suo-a")
    page = client.get("/ledgers/?which=a").get_data(as_text=True)
    shown = {label: int(figure) for label, figure in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page)}
    book = openpyxl.load_workbook(
        io.BytesIO(client.post("/ledgers/export?which=a", data={"format": "xlsx"}, buffered=True).data)
    )
    texts = [str(cell.value) for row in book.active.iter_rows() for cell in row if cell.value is not None]
    note = next(text for text in texts if "截至" in text)
    for label, figure in shown.items():
        assert f"{label} {figure}" in note
    assert sum("大沁他拉第八小学" in text for text in texts) == 1
    paper = client.post("/ledgers/export?which=a", data={"format": "pdf"}, buffered=True)
    assert paper.status_code == 200
    reader = pypdf.PdfReader(io.BytesIO(paper.data))
    told = "".join("".join(page.extract_text().split()) for page in reader.pages)
    assert told.count("大沁他拉第八小学") == 1
    assert f"第1页共{len(reader.pages)}页" in told
    for label, figure in shown.items():
        assert f"{label}{figure}" in told
    with house.acting("suo-a"):
        assert size(asked(Which.A)) == shown["应配总监"]


def test_a_long_ledger_is_a_job_and_no_line_is_lost_between_its_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_export, "PIECE", 3)
    client = house.client("suo-a")
    with house.acting("suo-a"):
        names = [one.name for one in entries(asked(Which.B))]
    assert len(names) > 3
    answer = client.post("/ledgers/export?which=b", data={"format": "pdf"}, buffered=True)
    assert answer.location == "/jobs/"
    assert client.post("/ledgers/export?which=b", data={"format": "pdf"}).location == "/jobs/"
    with house.app.app_context():
        jobs.sweep()
    with house.system() as session:
        (made,) = session.scalars(select(Job).where(Job.kind == "ledger"))
        assert made.state == "完成", made.error
        url = f"/jobs/{made.public_id}/file"
    assert house.client("suo-b").get(url).status_code == 404
    reader = pypdf.PdfReader(io.BytesIO(client.get(url, buffered=True).data))
    told = "".join("".join(page.extract_text().split()) for page in reader.pages)
    assert len(reader.pages) >= -(-len(names) // 3)
    lost = [name for name in names if told.count(name) != sum(name in other for other in names)]
    assert not lost, told
    assert f"第{len(reader.pages)}页共{len(reader.pages)}页" in told


def test_a_station_sees_its_own_firms_and_the_bureau_the_sum(house: House) -> None:
    with house.acting("suo-a"):
        a = counts(asked(Which.A)).firms
    with house.acting("suo-b"):
        b = counts(asked(Which.A)).firms
    with house.acting("ju"):
        every = counts(asked(Which.A)).firms
        one = counts(asked(Which.A, office_id=house.offices["150525-S01"])).firms
    with house.system() as session:
        living = session.scalar(select(func.count()).select_from(Enterprise).where(Enterprise.ended_on.is_(None)))
    assert a + b <= every == living
    assert one == a


@pytest.mark.parametrize(
    "bad", ["which=c", "day=2026-13-01", "day=2999-01-01", "office=999999", "office=x", "line=3", "kind=无", "page=a",
            "area=99999999999999999999"],
)  # fmt: skip
def test_nonsense_in_the_address_is_refused(small: House, bad: str) -> None:
    assert small.client("suo-a").get(f"/ledgers/?{bad}").status_code in {400, 404, 422}


def test_who_may_not_export_does_not(house: House) -> None:
    assert house.client("firm-a").post("/ledgers/export", data={"format": "xlsx"}).status_code == 403

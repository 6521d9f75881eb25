"""Exports: the list as seen and not one row or column more, at once or as a job."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from app.core import clock, jobs
from app.core.cells import defuse
from app.core.db import current_session
from app.core.fab import export_view
from app.core.fab.cells import cell
from app.core.fab.extract import Extract
from app.core.fab.shell import the_shell
from app.core.history import HistoryEntry
from app.core.jobfile import JobFile, folder
from app.core.office import AccessRole, Posting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Person
from app.services.demo import CAST
from tests.support.house import A, B, House

Rows = list[list[Any]]


def export(house: House, username: str, address: str, format_: str = "csv") -> Any:
    base, _mark, query = address.partition("?")
    return house.client(username).post(f"{base}export?{query}", data={"format": format_}, buffered=True)


def rows_of(content: bytes, format_: str = "csv") -> tuple[list[str], Rows]:
    """(column heads, rows); the two rows above the heads checked to be there."""
    if format_ == "csv":
        assert content.startswith(b"\xef\xbb\xbf"), "Excel and WPS read Chinese by the mark"
        lines: Rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        lines = [list(line) for line in sheet.iter_rows(values_only=True)]
    assert "筛选：" in lines[1][0] and "导出人：" in lines[1][0]
    assert f"共 {len(lines) - 3} 条" in lines[1][0], "the head says how many"
    return lines[2], lines[3:]


def get(house: House, username: str, address: str, format_: str = "csv") -> Rows:
    answer = export(house, username, address, format_)
    assert answer.status_code == 200, (address, answer.status_code, answer.location)
    return rows_of(answer.data, format_)[1]


def names(rows: Rows) -> list[str]:
    return [row[0] for row in rows]


def change_role(house: House, code: str, change: Callable[[AccessRole], None]) -> None:
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == code)).one()
        role.grants, role.hidden = json.loads(json.dumps(role.grants)), dict(role.hidden)
        change(role)


def limit_direct(house: House, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    settings = house.app.extensions["shouze_settings"]
    monkeypatch.setitem(house.app.extensions, "shouze_settings", replace(settings, export_direct_rows=rows))


# -- as seen ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_the_file_is_the_list_as_seen(house: House, format_: str) -> None:
    query = "/enterprises/?q=店&state=正常&order=name"
    with house.acting("ju"):
        seen = list(
            current_session().scalars(
                select(Enterprise)
                .where(Enterprise.search_text.contains("店"), Enterprise.state == "正常")
                .order_by(Enterprise.name, Enterprise.id.desc())
            )
        )
        expected = [(row.name, row.code, row.address) for row in seen]
    answer = export(house, "ju", query, format_)
    heads, rows = rows_of(answer.data, format_)
    assert heads[:3] == ["单位名称", "统一社会信用代码", "法定代表人（负责人、经营者）"]
    assert [(row[0], row[1] or None, row[4]) for row in rows] == expected and len(rows) > 3
    note = csv_note(answer.data) if format_ == "csv" else xlsx_note(answer.data)
    assert "查找：店" in note and "经营状态：正常" in note and "局领导" in note


def csv_note(content: bytes) -> str:
    return content.decode("utf-8-sig").splitlines()[1]


def xlsx_note(content: bytes) -> str:
    return str(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]["A2"].value)


def test_page_and_size_of_the_screen_do_not_cut_the_file(small: House) -> None:
    assert len(get(small, "ju", "/enterprises/?size=5&page=3")) == 30


def test_every_cell_says_what_the_screen_says(house: House) -> None:
    """The quick way of reading is the slow way's equal, for every column of every list."""
    compared = 0
    with house.acting("ju"):
        for view in the_shell().views:
            extract = Extract(view.model, view.list_columns, select(view.model).order_by(view.model.id), Verb.READ)
            chunks = list(extract.chunks(7))
            rows = list(current_session().scalars(select(view.model).order_by(view.model.id)).unique())
            for number, (name, column) in enumerate(zip(view.list_columns, extract.columns, strict=True)):
                told = [value for chunk in chunks for value in chunk[number]]
                assert len(told) == len(rows)
                for row, value in zip(rows, told, strict=True):
                    shown = cell(row, name, link=False)
                    if column.kind in {"date", "datetime", "number"} or "*" in str(value):
                        assert (value is None) == (shown.text == "")
                    else:
                        assert (value or "") == shown.text, (view.entity_name, name)
                    compared += 1
    assert compared > 1_000


# -- who gets what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_no_row_of_the_other_station_by_any_filter_or_order(house: House, format_: str) -> None:
    with house.system() as session:
        foreign = {
            row.name
            for model in (Enterprise, Site, Person)
            for row in session.scalars(select(model).where(model.office_id == house.offices[B]))
        }
        own = {row.name for row in session.scalars(select(Site).where(Site.office_id == house.offices[A]))}
        other = session.scalars(select(Site).where(Site.office_id == house.offices[B])).first()
        assert other is not None
    orders = ("", "order=name", "order=-state", "order=office_id", "order=password", f"q={other.name}",
              f"q={other.licence_no}", f"office_id={house.offices[B]}", "state=正常",
              f"enterprise={other.enterprise_id}",
              f"made_office_id={house.offices[B]}&q=%25", "q=%00'\"--&order=%00", "a=1&a=2&page=-1")  # fmt: skip
    seen: set[str] = set()
    for base in ("/enterprises/", "/sites/", "/people/", "/inspections/", "/notices/", "/appointments/"):
        for query in orders:
            if query == "state=正常" and base not in {"/enterprises/", "/sites/"}:
                continue  # refused where no state is called that (test_arguments)
            for row in get(house, "yuan-a", f"{base}?{query}", format_):
                seen |= {str(value) for value in row}
    assert not seen & (foreign - own)
    assert seen & own


def test_the_firms_own_people_export_nothing(house: House) -> None:
    for base in ("/enterprises/", "/sites/", "/people/", "/notices/"):
        client = house.client("firm-a")
        page = client.get(base)
        assert page.status_code == 200 and "/export" not in page.get_data(as_text=True)
        assert export(house, "firm-a", base).status_code == 403


def test_a_role_that_reads_and_may_not_export_has_no_button(house: House) -> None:
    assert "/enterprises/export" in house.client("yuan-a").get("/enterprises/").get_data(as_text=True)
    change_role(house, "inspector", lambda role: role.grants["Enterprise"].pop("export"))
    assert "/enterprises/export" not in house.client("yuan-a").get("/enterprises/").get_data(as_text=True)
    for format_ in ("csv", "xlsx"):
        assert export(house, "yuan-a", "/enterprises/", format_).status_code == 403
    assert export(house, "yuan-a", "/sites/").status_code == 200


def test_rows_one_may_read_and_not_export_stay_out(house: House) -> None:
    """The row's own answer counts, not the role's: here only closed firms may be taken out."""

    def only_closed(role: AccessRole) -> None:
        role.grants["Enterprise"]["export"] = [["subtree", ["停业"]]]

    with house.system() as session, unit_of_work():
        first = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[A])).first()
        assert first is not None
        first.state = "停业"
        closed = first.name
    change_role(house, "inspector", only_closed)
    rows = get(house, "yuan-a", "/enterprises/")
    assert closed in names(rows) and {row[5] for row in rows} == {"停业"}
    assert len(rows) < house.client("yuan-a").get("/enterprises/").get_data(as_text=True).count("data-row")


def test_hidden_columns_are_absent_and_cannot_be_asked_for(house: House) -> None:
    def hide(role: AccessRole) -> None:
        role.hidden["Enterprise"] = ["phone", "legal_person"]

    with house.system() as session:
        firm = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[A])).first()
        assert firm is not None
        person = firm.legal_person
    change_role(house, "inspector", hide)
    for query in ("", "order=phone", f"q={person}", f"phone={firm.phone}"):
        for format_ in ("csv", "xlsx"):
            answer = export(house, "yuan-a", f"/enterprises/?{query}", format_)
            heads, rows = rows_of(answer.data, format_)
            assert heads == ["单位名称", "统一社会信用代码", "住所", "经营状态"]
            assert all(len(row) == 4 for row in rows)
            assert not any(value == person for row in rows for value in row)


def test_mobiles_leave_the_house_masked(house: House) -> None:
    with house.system() as session:
        mobiles = {row.mobile for row in session.scalars(select(Person)) if row.mobile}
        mobiles |= {row.phone for row in session.scalars(select(Enterprise)) if row.phone}
    for base in ("/people/", "/enterprises/"):
        content = export(house, "ju", base).data.decode()
        assert not any(mobile in content for mobile in mobiles if len(mobile) == 11)
        assert "****" in content
    page = house.client("yuan-a").get("/people/").get_data(as_text=True)
    assert any(mobile in page for mobile in mobiles), "on the screen of who covers the firm they are plain"


@pytest.mark.parametrize("username", [one.username for one in CAST])
def test_every_list_exports_or_is_forbidden(small: House, username: str) -> None:
    with small.app.app_context():
        bases = [view.route_base for view in the_shell().views]
    client = small.client(username)
    for base in bases:
        may = client.get(f"{base}/").status_code
        for format_ in ("csv", "xlsx"):
            answer = export(small, username, f"{base}/?order=-id&q=", format_)
            assert answer.status_code in ({200, 403} if may == 200 else {403}), (base, answer.status_code)


# -- what stands in the file ------------------------------------------------------------------------------------------


def test_formulas_are_text_in_both_formats(house: House) -> None:
    evil = ["=1+1", "@SUM(A1)", "+8613", "-2", "\t=1", ' =HYPERLINK("http://x")', "=\x0bcmd|'/c calc'!A1", "＝1"]
    with house.system() as session, unit_of_work():
        firms = session.scalars(select(Enterprise).order_by(Enterprise.id).limit(len(evil))).all()
        for firm, text in zip(firms, evil, strict=True):
            firm.address = text
    for format_ in ("csv", "xlsx"):
        told = {row[4] for row in get(house, "ju", "/enterprises/", format_)}
        assert {defuse(text) for text in evil} <= told, format_
        assert not any(str(value).lstrip(" ").startswith(("=", "@", "+", "-", "\t")) for value in told)
    book = openpyxl.load_workbook(io.BytesIO(export(house, "ju", "/enterprises/", "xlsx").data))
    assert all(one.data_type != "f" for line in book.worksheets[0].iter_rows() for one in line)


def test_a_workbook_has_real_dates_and_text_codes(house: House) -> None:
    with house.system() as session, unit_of_work():
        firm = session.scalars(select(Enterprise).order_by(Enterprise.id.desc())).first()
        assert firm is not None
        firm.code = "150525100000012"
    content = export(house, "ju", "/enterprises/", "xlsx").data
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert (sheet.title, sheet.freeze_panes, sheet.print_title_rows) == ("主体", "A4", "$3:$3")
    code = sheet["B4"]
    assert (code.value, code.data_type, code.number_format) == ("150525100000012", "s", "@")
    assert sheet.column_dimensions["A"].width > 15 and sheet["A3"].font.bold
    rows = get(house, "ju", "/inspections/", "xlsx")
    assert any(isinstance(value, datetime) for row in rows for value in row)


def test_csv_dates_are_iso(house: House) -> None:
    values = {value for row in get(house, "ju", "/inspections/") for value in row}
    assert any(date.fromisoformat(value) for value in values if len(value) == 10 and value[4] == "-")
    assert "今天" not in values, "a file is read on other days"


def test_names_in_chinese_and_a_length(small: House) -> None:
    answer = export(small, "ju", "/enterprises/", "xlsx")
    header = answer.headers["Content-Disposition"]
    assert header.startswith("attachment; filename=download.xlsx; filename*=UTF-8''%E4%B8%BB%E4%BD%93-")
    assert answer.content_length == len(answer.data) and answer.headers["Cache-Control"] == "no-store"


def test_a_file_in_the_readers_language(small: House) -> None:
    client = small.client("ju")
    client.get("/language/en")
    answer = client.post("/enterprises/export", data={"format": "csv"}, buffered=True)
    assert "Exported by" in csv_note(answer.data)


@pytest.mark.parametrize("format_", ["", "pdf", "\0", "x" * 10_000])
def test_other_formats_are_refused(small: House, format_: str) -> None:
    assert export(small, "ju", "/enterprises/", format_).status_code == 422


def test_a_link_does_not_export(small: House) -> None:
    assert small.client("ju").get("/enterprises/export?format=csv").status_code in {404, 405}


# -- history ----------------------------------------------------------------------------------------------------------


def exported(house: House) -> list[dict[str, Any]]:
    with house.system() as session:
        entries = session.scalars(select(HistoryEntry).where(HistoryEntry.verb == "export").order_by(HistoryEntry.id))
        return [json.loads(entry.body) for entry in entries]


def test_each_export_is_in_the_history(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    get(house, "yuan-a", "/enterprises/?state=正常&q=店", "xlsx")
    limit_direct(house, monkeypatch, 2)
    export(house, "ju", "/sites/")
    drain(house)
    direct, job = exported(house)
    assert direct["facts"]["entity"] == "Enterprise" and direct["facts"]["filter"] == "查找：店；经营状态：正常"
    assert direct["actor"][0] == house.accounts["yuan-a"]
    assert (job["facts"]["rows"], job["actor"][0]) == (count(house, Site), house.accounts["ju"])


def count(house: House, model: Any) -> int:
    with house.system() as session:
        return len(session.scalars(select(model.id)).all())


# -- as a job ---------------------------------------------------------------------------------------------------------


def drain(house: House) -> None:
    with house.app.app_context():
        jobs.sweep()


def the_file(house: House, username: str) -> bytes:
    with house.acting(username):
        found = current_session().scalars(select(JobFile)).all()
        assert len(found) == 1
        url = f"/jobs/{found[0].job.public_id}/file"
    answer = house.client(username).get(url, buffered=True)
    assert answer.status_code == 200
    return bytes(answer.data)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_large_list_becomes_a_job_with_the_same_rows(
    house: House, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    drain(house)
    query = "/enterprises/?state=正常&order=-name"
    direct = get(house, "yuan-a", query, format_)
    limit_direct(house, monkeypatch, 2)
    answer = export(house, "yuan-a", query, format_)
    assert (answer.status_code, answer.location) == (302, "/jobs/")
    assert "等待" in house.client("yuan-a").get("/jobs/").get_data(as_text=True)
    drain(house)
    assert rows_of(the_file(house, "yuan-a"), format_)[1] == direct
    assert "完成：导出主体" in house.client("yuan-a").get("/messages/").get_data(as_text=True)


def test_a_job_asks_again_what_one_may_at_the_moment_it_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    drain(house)
    limit_direct(house, monkeypatch, 2)
    export(house, "yuan-a", "/sites/")
    with house.system() as session, unit_of_work():
        posting = session.scalars(select(Posting).where(Posting.account_id == house.accounts["yuan-a"])).one()
        posting.office_id = house.offices[B]
    drain(house)
    told = set(names(rows_of(the_file(house, "yuan-a"))[1]))
    with house.system() as session:
        rows = session.execute(select(Site.name, Site.office_id)).all()
    assert told <= {row.name for row in rows if row.office_id == house.offices[B]} and told


def test_who_lost_the_right_gets_a_reason_and_no_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    drain(house)
    limit_direct(house, monkeypatch, 2)
    export(house, "yuan-a", "/sites/")
    with house.system() as session, unit_of_work():
        posting = session.scalars(select(Posting).where(Posting.account_id == house.accounts["yuan-a"])).one()
        posting.date_to = clock.today() - timedelta(days=1)
        posting.date_from = posting.date_to
    drain(house)
    page = house.client("yuan-a").get("/messages/").get_data(as_text=True)
    assert "没有完成：导出经营场所" in page and "您的角色没有这项权限。" in page
    with house.app.app_context():
        assert jobs.pending() == []


def test_a_second_click_is_the_same_job_and_five_are_enough(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    drain(house)
    limit_direct(house, monkeypatch, 2)
    for _click in range(3):
        export(house, "ju", "/sites/?order=name")
    with house.app.app_context():
        assert len(jobs.pending()) == 1
    for order in ("-name", "kind", "-kind", "state"):
        assert export(house, "ju", f"/sites/?order={order}").status_code == 302
    assert export(house, "ju", "/sites/?order=-state").status_code == 409
    assert export(house, "fagui", "/sites/?order=-state").status_code == 302, "another person's are not counted"


def test_too_many_rows_for_a_workbook_are_offered_as_csv(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_view, "MOST_XLSX", 10)
    limit_direct(house, monkeypatch, 2)
    client = house.client("ju")
    answer = client.post("/sites/export?order=name", data={"format": "xlsx"})
    assert (answer.status_code, answer.location) == (302, "/sites/?order=name")
    assert "请导出 CSV" in client.get(answer.location).get_data(as_text=True)
    assert export(house, "ju", "/sites/?order=name").location == "/jobs/"


def test_cancelling_in_the_middle_of_a_workbook_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    drain(house)
    with house.app.app_context():
        for rest in folder().iterdir():
            rest.unlink()  # of other stories: a restored house keeps its folder
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(jobs, "TICK", 0.0)
    monkeypatch.setitem(export_view.FORMATS, "xlsx", (*export_view.FORMATS["xlsx"][:2], 5))
    limit_direct(house, monkeypatch, 2)
    export(house, "ju", "/sites/", "xlsx")
    seen: list[Any] = []
    tick = jobs.tick

    def cancel_all() -> None:
        with house.acting("ju"):
            key = current_session().scalars(select(jobs.Job.public_id)).one()
        assert house.client("ju").post(f"/jobs/{key}/cancel").status_code == 302

    def cancelled_on_the_way(percent: int | None = None) -> None:
        seen.append(percent)
        if len(seen) == 3:
            with ThreadPoolExecutor(1) as other:  # a request of its own: not inside the worker's context
                other.submit(cancel_all).result()
        tick(percent)

    monkeypatch.setattr(export_view, "tick", cancelled_on_the_way)
    drain(house)
    assert len(seen) == 3, "it stopped within the chunk"
    with house.app.app_context():
        assert list(folder().iterdir()) == []
    assert list(tmp_path.iterdir()) == [], "nor a temporary file"
    assert [one for one in exported(house) if "rows" in one["facts"]] == []

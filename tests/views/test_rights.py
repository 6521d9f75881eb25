"""权限变动报告: what began, ended and changed between two days, by whom and why, of the offices one oversees."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.core import clock
from app.core.history import HistoryEntry
from app.core.office import AccessRole, Account, Posting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.rectification import Delegation
from app.services.rights import What, shifts
from tests.support.house import A, B, House
from tests.views.test_abilities import office_admin
from tests.views.test_policy import copy_of, made, stored, ticks
from tests.views.test_web import text


def told(
    house: House, who: str, first: date | None = None, last: date | None = None
) -> list[tuple[str, str, str, str]]:
    today = clock.today()
    with house.acting(who):
        found = [one for one in shifts(first or today, last or today) if one.reason != "建立演示账号"]
    return [(one.office, one.person, one.what.value, f"{one.detail}|{one.by}|{one.reason}") for one in found]


def role_of(house: House, code: str) -> int:
    with house.system() as session:
        return int(session.scalars(select(AccessRole.id).where(AccessRole.code == code)).one())


def posting_of(house: House, username: str) -> Any:
    with house.system() as session:
        found = session.scalars(select(Posting).where(Posting.account_id == house.accounts[username])).one()
        session.expunge(found)
        return found


def add_posting(house: House, begins: date, code: str = A) -> int:
    form = {"account": str(house.accounts["yuan-a"]), "role": str(role_of(house, "clerk")), "title": "兼内勤",
            "office": str(house.offices[code]), "date_from": begins.isoformat()}  # fmt: skip
    return made(house.client("admin").post("/postings/add", data=form))


def test_a_posting_that_begins_is_told_with_who_entered_it(house: House) -> None:
    add_posting(house, clock.today())
    found = [one for one in told(house, "audit") if one[1] == "包文斌"]
    assert [(office, what) for office, _who, what, _detail in found] == [("大沁他拉所", What.BEGAN)]
    assert "兼内勤（角色 内勤" in found[0][3] and "|管理员|" in found[0][3]


def test_one_entered_today_for_later_is_told_today_and_when_it_begins(house: House) -> None:
    later = clock.today() + timedelta(days=40)
    add_posting(house, later)
    assert [one[2] for one in told(house, "audit") if one[1] == "包文斌"] == [What.ENTERED]
    assert [one[2] for one in told(house, "audit", later, later) if one[1] == "包文斌"] == [What.BEGAN]


def test_an_end_is_told_once_by_who_ended_it(house: House) -> None:
    today, posting = clock.today(), posting_of(house, "yuan-b")
    with house.acting("admin"), unit_of_work(Verb.END, "调到旗里") as session:
        session.scalars(select(Posting).where(Posting.id == posting.id)).one().date_to = today
    found = [one for one in told(house, "audit") if one[1] == "李春梅"]
    assert [one[2] for one in found] == [What.ENDED]
    assert found[0][3].endswith("|管理员|调到旗里")


def test_roles_accounts_and_delegations_are_told_in_words(house: House) -> None:
    key, today = copy_of(house, "inspector", name="协查员"), clock.today()
    role = stored(house, key)
    form = ticks(house, role.code) | {"name": "协查员", "rank": "20", "version": str(role.version)}
    del form["g-Notice-serve"]
    made(house.client("admin").post(f"/roles/{key}/edit", data=form))
    with house.acting("admin"), unit_of_work(Verb.UPDATE, "退休") as session:
        session.scalars(select(Account).where(Account.username == "neiqin-a")).one().active = False
    with house.acting("ju"), unit_of_work(Verb.CREATE, "出差") as session:
        session.add(Delegation(account_id=house.accounts["suo-a"], office_id=house.offices[A], document="授权〔7〕号",
                               date_from=today, date_to=today + timedelta(days=5)))  # fmt: skip
    found = told(house, "audit")
    assert ("角色（全系统）", "协查员", What.ENTERED, "|管理员|复制自“监管员”") in found
    assert any(
        one[1:3] == ("协查员", What.CHANGED) and "登记送达：本机构及下级（已签发） → 无" in one[3] for one in found
    )
    assert ("大沁他拉所", "王秀英", What.CHANGED, "停用|管理员|退休") in found
    assert any(
        one[1:3] == ("苏日娜", What.BEGAN) and "授权〔7〕号" in one[3] and "巴特尔|出差" in one[3] for one in found
    )
    assert not any("授权〔7〕号" in one[3] for one in told(house, "admin")), "a business paper: not the administrators'"


def test_signing_in_changes_no_rights(house: House) -> None:
    with house.system() as session, unit_of_work():
        account = session.scalars(select(Account).where(Account.username == "yuan-a")).one()
        account.last_login, account.session_epoch, account.phone = clock.now(), 7, "13800000000"
    assert [one for one in told(house, "audit") if one[1] == "包文斌"] == []


def test_a_station_administrator_is_told_of_their_station(house: House) -> None:
    office_admin(house, A)
    add_posting(house, clock.today(), A)
    add_posting(house, clock.today(), B)
    found = told(house, "shi")
    assert {one[0] for one in found} <= {"大沁他拉所", "角色（全系统）"}
    assert [one[2] for one in found if one[1] == "包文斌"] == [What.BEGAN]
    assert "八仙筒" not in text(house.client("shi").get("/rights-report/"))


@pytest.mark.parametrize("who", ["yuan-a", "suo-a", "ju", "firm-a", "fagui"])
def test_business_people_and_firms_get_no_report(small: House, who: str) -> None:
    client = small.client(who)
    assert client.get("/rights-report/").status_code == 403
    assert client.post("/rights-report/book").status_code == 403
    assert "/rights-report/" not in text(client.get("/"))


@pytest.mark.parametrize(
    "query",
    ["from=x", "from=2026-13-01", "to=%00", "from=2026-02-02&to=2026-02-01", "from=2020-01-01&to=2026-01-01",
     "from=0001-01-01", "to=9999-12-31", "from=" + "1" * 10_000],
)  # fmt: skip
def test_days_that_are_none_are_told_beside_the_field(small: House, query: str) -> None:
    answer = small.client("audit").get(f"/rights-report/?{query}")
    assert (answer.status_code == 422 and "r-from-error" in text(answer)) or "r-to-error" in text(answer)
    assert small.client("audit").post(f"/rights-report/book?{query}").status_code == 422


def test_the_report_on_screen_and_as_a_workbook(house: House) -> None:
    add_posting(house, clock.today())
    client, days = house.client("audit"), {"from": clock.today().isoformat(), "to": clock.today().isoformat()}
    page = text(client.get("/rights-report/", query_string=days))
    assert "包文斌" in page and "兼内勤" in page and "管理员" in page
    answer = client.post("/rights-report/book", data=days)
    sheet = load_workbook(io.BytesIO(answer.get_data())).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert "钱审" in rows[1][0] and rows[2][:4] == ("机构", "人员或角色", "对象", "变动")
    assert ("大沁他拉所", "包文斌", "任职", "开始") in [row[:4] for row in rows[3:]]
    with house.system() as session:
        entry = session.scalars(select(HistoryEntry).where(HistoryEntry.verb == Verb.EXPORT)).all()[-1]
        seen = session.scalars(select(HistoryEntry).where(HistoryEntry.verb == Verb.PRINT)).all()
    assert json.loads(entry.body)["reason"] == "导出权限变动报告"
    told = json.loads(seen[-1].body)
    assert (told["reason"], told["facts"]["filter"]) == ("打开权限变动报告", f"{days['from']} – {days['to']}")
    assert seen[-1].actor_id == house.accounts["audit"] and told["facts"]["rows"] >= 1


def test_a_report_of_no_days_leaves_no_entry(small: House) -> None:
    before = printed(small)
    assert small.client("audit").get("/rights-report/?from=x").status_code == 422
    assert printed(small) == before


def printed(house: House) -> int:
    with house.system() as session:
        return len(session.scalars(select(HistoryEntry.id).where(HistoryEntry.verb == Verb.PRINT)).all())


def test_whatever_is_said_in_a_reason_is_no_formula(house: House) -> None:
    with house.acting("admin"), unit_of_work(Verb.UPDATE, "=1+1") as session:
        session.scalars(select(Account).where(Account.username == "neiqin-a")).one().active = False
    answer = house.client("audit").post("/rights-report/book")
    cells = [cell for row in load_workbook(io.BytesIO(answer.get_data())).worksheets[0].iter_rows() for cell in row]
    assert "'=1+1" in [cell.value for cell in cells] and not any(cell.data_type == "f" for cell in cells)

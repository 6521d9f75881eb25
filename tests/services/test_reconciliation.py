"""The platform's, the licensing and the registration system's exports held against ours, and what is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import attachment, clock
from app.core.codes import make_credit_code, make_licence
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Invalid, Taken
from app.core.jobs import sweep
from app.core.message import Message
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.reconciling import Extent, LineKind, LineState, PlatformAccount, Source, Stage
from app.models.enterprise import Enterprise, Site
from app.models.licence import Licence
from app.models.reconciliation import Reconciliation, ReconciliationLine
from app.services import reconciliation
from tests.support.house import A, B, House
from tests.support.imports import page, workbook
from tests.support.rights import post

HEADINGS = ("企业名称", "统一社会信用代码", "住所", "法定代表人", "联系电话")
MAPPING = ["name", "code", "address", "legal_person", "phone"]
LICENCES = ("企业名称", "统一社会信用代码", "许可证编号", "有效期至", "变动")
OF_LICENCES = ["name", "code", "licence_no", "licence_until", "change"]


def firms(house: House, office: str = A) -> list[dict[str, Any]]:
    """The firms of a station with one site in being, by what the export of the registration would say."""
    told = ("id", "name", "code", "address", "legal_person")
    mine = (Enterprise.office_id == house.offices[office], Enterprise.state == "正常")
    with house.system() as session:
        rows = session.scalars(select(Enterprise).where(*mine).order_by(Enterprise.id)).unique()
        return [
            {name: getattr(one, name) for name in told} | {"site": one.sites[0].id, "phone": one.phone or ""}
            for one in rows if [site.state for site in one.sites] == ["正常"]
        ]  # fmt: skip


def row(firm: dict[str, Any], **said: Any) -> list[Any]:
    return [{**firm, **said}[name] for name in MAPPING]


def compared(
    house: House, rows: Sequence[Sequence[Any]], *, who: str = "neiqin-a", source: str = Source.REGISTRATION,
    extent: str = Extent.CHANGES, headings: Sequence[str] = HEADINGS, mapping: list[str] = MAPPING,
) -> int:  # fmt: skip
    """A file brought in and compared; the key of the comparison."""
    with house.acting(who):
        whole = Reconciliation(source=source, extent=extent, as_of=clock.today())
        with unit_of_work(Verb.CREATE):
            save(whole, Verb.CREATE)
            data = workbook(["导出时间 2026-11-30"], headings, *rows)
            attachment.attach(whole, [attachment.receive("t" * 32, "导出.xlsx", data)], Verb.CREATE)
        key = whole.id
        reconciliation.begin(whole, "台账", 2, mapping, f"/reconciliations/{key}")
        return key


def lines(house: House, key: int, who: str = "neiqin-a") -> dict[int, tuple[int, str, str]]:
    """What was found, by the row of the file: key, kind, difference."""
    with house.acting(who):
        rows = current_session().scalars(select(ReconciliationLine).where(ReconciliationLine.reconciliation_id == key))
        return {one.position: (one.id, one.kind, one.difference) for one in rows.unique()}


def decide(house: House, key: int, step: str, who: str = "neiqin-a", *, reason: str = "", **inputs: Any) -> None:
    with house.acting(who):
        line = current_session().scalars(select(ReconciliationLine).where(ReconciliationLine.id == key)).unique().one()
        run(line, step, reason=reason, **inputs)


def firm(house: House, key: int) -> Enterprise:
    with house.system() as session:
        return session.scalars(select(Enterprise).where(Enterprise.id == key)).unique().one()


def test_a_row_is_found_by_code_or_by_name_and_address_and_told_field_by_field(house: House) -> None:
    one, two, three, *_rest = firms(house)
    wide = "".join(chr(ord(char) + 0xFEE0) for char in one["code"])
    key = compared(house, [
        row(one, code=f" {wide} ", phone=" ".join(one["phone"])),  # the same, written otherwise
        row(two, code="", legal_person="新的负责人"),  # without a code: by name and address
        row(three, phone="04751234567"),
        row(one, code=make_credit_code(9001), name="从没来过的店", address="大沁他拉镇新街 1 号"),
    ])  # fmt: skip
    found = lines(house, key)
    assert {place: line[1:] for place, line in found.items()} == {
        4: (LineKind.DIFFERENT, "法定代表人"), 5: (LineKind.DIFFERENT, "联系电话"), 6: (LineKind.THEIRS_ONLY, "")
    }  # fmt: skip
    with house.acting("neiqin-a"):
        whole = current_session().get_one(Reconciliation, key)
        assert (whole.state, whole.total, whole.same, whole.different, whole.theirs_only) == (Stage.DONE, 4, 1, 2, 1)


def test_only_ours_is_what_a_whole_export_does_not_name_and_nothing_of_another_office(house: House) -> None:
    ours, theirs = firms(house), firms(house, B)
    key = compared(house, [row(ours[0]), row(theirs[0])], extent=Extent.FULL)
    found = lines(house, key)
    assert -ours[0]["id"] not in found and -ours[1]["id"] in found
    assert found[4][1] == LineKind.THEIRS_ONLY  # station B has it: A is told nothing of that
    assert not {-one["id"] for one in theirs} & set(found)
    with house.system() as session:
        line = session.get_one(ReconciliationLine, found[4][0])
        assert (line.enterprise_id, line.candidates, line.ours) == (None, [], {})
    assert lines(house, key, "suo-b") == {}


def test_bad_rows_are_named_cell_by_cell_and_stop_no_other(house: House) -> None:
    one, two, three, *_rest = firms(house)
    key = compared(house, [
        row(one), row(one, name="同一个代码的另一行"), [None] * 5, row(two, code="91150525MA0N"),
        row(three, code=f"{three['code'][:-1]}#"), ["只有名称", None, None, None, None],
        row(three, legal_person="改了"),
    ])  # fmt: skip
    with house.acting("neiqin-a"):
        whole = current_session().get_one(Reconciliation, key)
        assert (whole.total, whole.bad, whole.different) == (6, 5, 1)
        told = {(cell["row"], cell["column"]) for cell in whole.problems}
    assert told == {(3, "B"), (4, "B"), (6, "B"), (7, "B"), (8, "A")}


def test_theirs_is_taken_as_a_whole_or_in_part_upon_what_was_compared(house: House) -> None:
    one, two, *_rest = firms(house)
    key = compared(house, [row(one, legal_person="甲", phone="04751234567"), row(two, legal_person="乙")])
    found = lines(house, key)
    decide(house, found[3][0], "adopt", taken=["phone"])
    assert (firm(house, one["id"]).phone, firm(house, one["id"]).legal_person) == ("04751234567", one["legal_person"])

    with pytest.raises(Taken):  # the second person comes too late
        decide(house, found[3][0], "adopt", "suo-a")
    with house.system() as session, unit_of_work(Verb.UPDATE):
        session.get_one(Enterprise, two["id"]).note = "有人改过"
    with pytest.raises(Conflict, match="重新比对"):
        decide(house, found[4][0], "adopt")
    assert firm(house, two["id"]).legal_person == two["legal_person"]
    decide(house, found[4][0], "again")
    decide(house, found[4][0], "adopt")
    assert firm(house, two["id"]).legal_person == "乙"


def test_a_renewal_goes_to_the_licence_an_end_takes_its_own_step(house: House) -> None:
    one, two, *_rest = firms(house)
    until = clock.today() + timedelta(days=1800)
    numbers = [make_licence("JY", "2", 7001), make_licence("JY", "2", 7002)]
    with house.acting("neiqin-a"):
        for which, number in zip((one, two), numbers, strict=True):
            site = current_session().get_one(Site, which["site"])
            save(Licence(site=site, kind="食品经营许可", number=number, valid_to=clock.today()), Verb.CREATE)
    key = compared(
        house,
        [[one["name"], one["code"], numbers[0], f"{until:%Y年%m月%d日}", "延期"],
         [two["name"], two["code"], numbers[1], "", "注销"]],
        source=Source.LICENSING, headings=LICENCES, mapping=OF_LICENCES,
    )  # fmt: skip
    found = lines(house, key)
    with pytest.raises(Conflict, match="注销"):
        decide(house, found[4][0], "adopt")
    decide(house, found[3][0], "adopt")
    decide(house, found[4][0], "end", reason="对方已注销")
    with house.system() as session:
        kept = {one.number: one for one in session.scalars(select(Licence).where(Licence.number.in_(numbers))).unique()}
        assert kept[numbers[0]].valid_to == until
        assert kept[numbers[1]].state == "已注销"


def test_what_only_they_have_is_made_with_name_and_address_alone(house: House) -> None:
    key = compared(house, [["新来的包子铺", make_credit_code(9002), "大沁他拉镇新街 2 号", None, None],
                           ["又一家面馆", "91150525MA0N999123", "某处", None, None],  # a wrong check digit
                           ["没有代码的小店", None, "大沁他拉镇新街 3 号", None, None]])  # fmt: skip
    found = lines(house, key)
    with pytest.raises(Invalid):  # nothing says what kind of place it is, and nothing guesses
        decide(house, found[3][0], "create")
    answer = house.client("neiqin-a").post("/reconciliation-lines/bulk", data={
        "act": "create-all", "ids": [str(found[3][0]), str(found[5][0])], "sure": "1", "key": "k" * 24,
        "kind": "小餐饮",
    })  # fmt: skip
    assert answer.status_code == 302, page(answer)[-2000:]
    with house.system() as session:
        made = (
            session.scalars(select(Enterprise).where(Enterprise.name.in_(["新来的包子铺", "没有代码的小店"])))
            .unique()
            .all()
        )
        assert [(one.office_id, len(one.sites), one.sites[0].kind) for one in made] == [
            (house.offices[A], 1, "小餐饮")
        ] * 2
        assert session.get_one(ReconciliationLine, found[3][0]).state == LineState.CREATED


def test_the_bureau_compares_and_each_station_decides_about_its_own(house: House) -> None:
    one, other = firms(house)[0], firms(house, B)[0]
    rows = [row(one, legal_person="甲"), row(other, legal_person="乙"),
            ["旗里的新店", make_credit_code(9003), "奈曼旗某处", "丙", ""]]  # fmt: skip
    post(house, "zhuanban", "coordination", "150525-Z1")
    key = compared(house, rows, who="zhuanban")
    assert set(lines(house, key)) == {3} and set(lines(house, key, "suo-b")) == {4}
    decide(house, lines(house, key)[3][0], "adopt")
    assert firm(house, one["id"]).legal_person == "甲"
    with house.system() as session:
        told = session.scalars(select(Message).where(Message.account_id == house.accounts["suo-b"])).all()
        assert any("1 条待处理" in message.title for message in told)
    with pytest.raises(Forbidden):  # who compares for all decides nothing
        decide(house, lines(house, key, "suo-b")[4][0], "adopt", "zhuanban")


def test_a_long_file_is_a_job_that_says_when_it_is_done_and_a_firm_without_an_account_is_listed(house: House) -> None:
    one = firms(house)[0]
    more = [[f"新店{n}", make_credit_code(20_000 + n), "大沁他拉镇", "开通"] for n in range(reconciliation.MOST_DIRECT)]
    with house.statements() as told:
        key = compared(
            house, [[one["name"], one["code"], "", "已激活"], *more], source=Source.PLATFORM,
            headings=("企业名称", "统一社会信用代码", "地址", "账号状态"),
            mapping=["name", "code", "address", "platform_account"],
        )  # fmt: skip
        with house.app.app_context():
            sweep()
    assert sum(one.startswith("SELECT") for one in told) < 200  # not one a row
    found = lines(house, key)
    assert len(found) == reconciliation.MOST_DIRECT + 1
    with house.system() as session:
        mine = session.scalars(select(Message).where(Message.account_id == house.accounts["neiqin-a"])).all()
        assert any(str(key) in message.url for message in mine)
    client, unopened = house.client("neiqin-a"), "/enterprises/?platform_account=未开通"
    assert one["name"] in page(client.get(unopened))
    decide(house, found[3][0], "adopt")
    opened = firm(house, one["id"])
    assert (opened.platform_account, opened.platform_since) == (PlatformAccount.OPENED, clock.today())
    assert one["name"] not in page(client.get(unopened))

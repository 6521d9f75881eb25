"""Two people, one record: the second sees both versions, loses nothing that was typed, and chooses field by field."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.core.access.fetch import fetch
from app.core.attachment import Attachment
from app.core.codes import make_credit_code
from app.core.office import AccessRole
from app.core.saving import save
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from app.models.inspection import Finding, Inspection
from app.models.rectification import Notice
from tests.support.files import jpeg
from tests.support.house import House
from tests.support.imports import Desk, page, workbook
from tests.support.rights import W, change, scene


def visit_form(house: House, key: int, **changes: str) -> dict[str, str]:
    """The form of the visit as the page has it now."""
    with house.system() as session:
        visit = session.get_one(Inspection, key)
        form = {
            "version": str(visit.version), "site": str(visit.site_id), "date": visit.date.isoformat(),
            "kind": visit.kind, "selection": visit.selection, "place": visit.place, "summary": visit.summary,
            "inspector": str(visit.inspector_id), "co_inspector": str(visit.co_inspector_id),
            "result": visit.result or "",
        }  # fmt: skip
        for number, one in enumerate(visit.findings):
            form |= {f"findings-{number}-id": str(one.id), f"findings-{number}-fact": one.fact,
                     f"findings-{number}-demand": one.demand}  # fmt: skip
    return form | changes


def visit_of(house: House) -> int:
    """A draft with two findings."""
    key = scene(house)["A catering visit"][1]
    with house.system() as session, unit_of_work():
        session.add_all([Finding(inspection_id=key, fact=f"问题{n}", position=n) for n in (1, 2)])
    return key


def first_writes(house: House, key: int, **values: Any) -> None:
    """The chief saves while the inspector's form is open."""
    with house.acting("suo-a"), unit_of_work():
        visit = fetch(Inspection, key, W)
        for name, value in values.items():
            setattr(visit, name, value)
        save(visit, W)


def clashing(answer: Any) -> set[str]:
    return set(re.findall(r'name="clash" value="([^"]+)"', page(answer)))


def version_in(answer: Any) -> str:
    found = re.search(r'name="version" value="(\d+)"', page(answer))
    assert found is not None
    return found[1]


def stored(house: House, key: int) -> tuple[str, str | None, list[str]]:
    with house.system() as session:
        visit = session.get_one(Inspection, key)
        return visit.summary, visit.result, [one.fact for one in visit.findings]


def open_and_lose(house: House) -> tuple[int, dict[str, str], Any]:
    """The inspector's form is open; the chief saves another text and one finding less; the inspector saves."""
    key = visit_of(house)
    typed = visit_form(house, key, summary="监管员写的", result="基本符合") | {
        "findings-0-fact": "监管员改的问题", "findings-7-id": "", "findings-7-fact": "监管员加的问题"}  # fmt: skip
    with house.system() as session:
        one = session.get_one(Finding, int(typed["findings-1-id"]))
        assert one.fact == "问题2"
    with house.acting("suo-a"), unit_of_work():
        visit = fetch(Inspection, key, W)
        visit.summary = "所长写的"
        visit.findings = visit.findings[:1]
        save(visit, W)
    answer = house.client("yuan-a").post(f"/inspections/{key}/edit", data=typed)
    return key, typed, answer


def test_both_versions_stand_side_by_side_and_nothing_typed_is_lost(house: House) -> None:
    key, _typed, answer = open_and_lose(house)
    assert answer.status_code == 409
    assert clashing(answer) == {"summary", "result", "findings"}
    shown = page(answer)
    assert "苏日娜" in shown, "who was first"
    for text in ("所长写的", "监管员写的", "监管员改的问题", "监管员加的问题", "问题1"):
        assert text in shown
    assert stored(house, key) == ("所长写的", None, ["问题1"])


# which field is decided how, and what is saved
CHOICES = [
    ({"summary": "mine", "result": "mine", "findings": "mine"},
     ("监管员写的", "基本符合", ["监管员改的问题", "问题2", "监管员加的问题"])),
    ({"summary": "theirs", "result": "theirs", "findings": "theirs"}, ("所长写的", None, ["问题1"])),
    ({"summary": "theirs", "result": "mine", "findings": "theirs"}, ("所长写的", "基本符合", ["问题1"])),
    ({"summary": "mine", "result": "mine", "findings": "theirs"}, ("监管员写的", "基本符合", ["问题1"])),
    ({"clash-all": "mine"}, ("监管员写的", "基本符合", ["监管员改的问题", "问题2", "监管员加的问题"])),
    ({"clash-all": "theirs"}, ("所长写的", None, ["问题1"])),
]  # fmt: skip


@pytest.mark.parametrize(("choice", "expected"), CHOICES)
def test_what_is_chosen_is_saved(house: House, choice: dict[str, str], expected: Any) -> None:
    key, typed, answer = open_and_lose(house)
    chosen = {name if name == "clash-all" else f"clash-{name}": value for name, value in choice.items()}
    form: dict[str, Any] = typed | chosen | {"version": version_in(answer), "clash": list(clashing(answer))}
    again = house.client("yuan-a").post(f"/inspections/{key}/edit", data=form)
    assert again.status_code == 302
    assert stored(house, key) == expected


def opened_in(answer: Any) -> str:
    found = re.search(r'name="opened" value="([^"]+)"', page(answer))
    assert found is not None
    return found[1]


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_only_what_both_changed_is_to_be_decided(house: House, choice: str) -> None:
    """所长 changes telephone, address and state of the firm; the inspector, on an older page, address and note."""
    what = scene(house)["A catering firm"]
    change(house, what, phone="13900000001", address="原来的地址", legal_person="原负责人")
    client, url = house.client("yuan-a"), f"/enterprises/{what[1]}/edit"
    shown = client.get(url)
    form = {"name": "A站catering店", "state": "正常", "phone": "13900000001", "address": "监管员写的地址",
            "legal_person": "原负责人", "note": "监管员写的备注", "version": version_in(shown),
            "opened": opened_in(shown)}  # fmt: skip
    change(house, what, phone="13900000005", address="所长写的地址")
    answer = client.post(url, data=form)
    assert answer.status_code == 409
    assert clashing(answer) == {"address"}, "the telephone he never touched, what only he wrote is his"
    assert 'value="13900000005"' in page(answer) and "13900000001" not in page(answer)
    again = dict(form, phone="13900000005", version=version_in(answer), opened=opened_in(answer), clash="address")
    assert client.post(url, data=again | {"clash-all": choice}).status_code == 302
    with house.system() as session:
        firm = session.get_one(Enterprise, what[1])
        assert firm.phone == "13900000005"
        assert firm.address == ("监管员写的地址" if choice == "mine" else "所长写的地址")


def test_where_each_changed_something_else_both_are_put_together(house: House) -> None:
    """Nothing to decide; the second sees it all before it is saved, child rows included."""
    key = visit_of(house)
    client = house.client("yuan-a")
    shown = client.get(f"/inspections/{key}/edit")
    typed = visit_form(house, key, result="基本符合") | {"opened": opened_in(shown), "version": version_in(shown)}
    with house.acting("suo-a"), unit_of_work():
        visit = fetch(Inspection, key, W)
        visit.summary, visit.findings = "所长写的", visit.findings[:1]
        save(visit, W)
    answer = client.post(f"/inspections/{key}/edit", data=typed)
    assert answer.status_code == 409 and clashing(answer) == set()
    assert "所长写的" in page(answer) and "问题2" not in page(answer) and "两边的修改已合在下面" in page(answer)
    assert stored(house, key) == ("所长写的", None, ["问题1"])
    merged = visit_form(house, key, result="基本符合", opened=opened_in(answer), version=version_in(answer))
    assert client.post(f"/inspections/{key}/edit", data=merged).status_code == 302
    assert stored(house, key) == ("所长写的", "基本符合", ["问题1"])


def test_a_third_writers_field_is_asked_for_and_the_others_are_not_again(house: House) -> None:
    key = visit_of(house)
    client, url = house.client("yuan-a"), f"/inspections/{key}/edit"
    shown = client.get(url)
    typed = visit_form(house, key, summary="监管员写的", result="基本符合")
    typed |= {"opened": opened_in(shown), "version": version_in(shown)}
    first_writes(house, key, summary="所长写的")
    answer = client.post(url, data=typed)
    assert clashing(answer) == {"summary"}
    first_writes(house, key, result="符合")
    again = typed | {"clash": "summary", "clash-all": "mine", "version": version_in(answer),
                     "opened": opened_in(answer)}  # fmt: skip
    answer = client.post(url, data=again)
    assert answer.status_code == 409 and clashing(answer) == {"result"}
    form: dict[str, Any] = again | {"clash": "result", "version": version_in(answer), "opened": opened_in(answer)}
    assert client.post(url, data=form).status_code == 302
    assert stored(house, key)[:2] == ("监管员写的", "基本符合")


@pytest.mark.parametrize("mark", ["", "x", "summary", "summary.zz", "summary." + "0" * 12, "a." * 9_999, "\0"])
def test_a_made_up_mark_breaks_nothing_and_overwrites_nothing(small: House, mark: str) -> None:
    key = visit_of(small)
    typed = visit_form(small, key, summary="监管员写的", opened=mark)
    first_writes(small, key, summary="所长写的")
    answer = small.client("yuan-a").post(f"/inspections/{key}/edit", data=typed)
    assert answer.status_code == 409 and clashing(answer) == {"summary"}
    assert stored(small, key)[0] == "所长写的"


def test_the_marks_tell_nothing_of_what_is_masked(small: House) -> None:
    """They are keyed: equal values of two records have different marks."""
    rows = scene(small)
    keys = [rows["A catering firm"][1], rows["A making firm"][1]]
    for key in keys:
        change(small, (Enterprise, key), phone="13900000001")
    told = [opened_in(small.client("yuan-a").get(f"/enterprises/{key}/edit")) for key in keys]
    marks = [dict(one.split(".") for one in each.split())["phone"] for each in told]
    assert len(set(marks)) == 2


@pytest.mark.parametrize("chosen", [{}, {"clash-summary": "mine"}, {"clash-summary": "ours", "clash-all": "x"}])
def test_nothing_is_saved_before_all_is_decided(house: House, chosen: dict[str, str]) -> None:
    key, typed, answer = open_and_lose(house)
    form: dict[str, Any] = typed | chosen | {"version": version_in(answer), "clash": list(clashing(answer))}
    again = house.client("yuan-a").post(f"/inspections/{key}/edit", data=form)
    assert again.status_code == 409
    assert clashing(again) == clashing(answer) and "监管员加的问题" in page(again)
    assert stored(house, key) == ("所长写的", None, ["问题1"])


def test_a_third_writer_makes_the_page_come_again(house: House) -> None:
    key, typed, answer = open_and_lose(house)
    first_writes(house, key, summary="所长又写的")
    form: dict[str, Any] = typed | {"clash-all": "mine", "version": version_in(answer), "clash": ["summary"]}
    again = house.client("yuan-a").post(f"/inspections/{key}/edit", data=form)
    assert again.status_code == 409 and "所长又写的" in page(again)
    assert stored(house, key)[0] == "所长又写的"


def test_a_name_that_is_no_field_is_no_choice(house: House) -> None:
    key, typed, answer = open_and_lose(house)
    typed = {name: value for name, value in typed.items() if not name.startswith("findings-1-")}
    form: dict[str, Any] = typed | {"version": version_in(answer), "clash": ["office_id", "__class__", "made_by"],
                                    "clash-office_id": "theirs"}  # fmt: skip
    assert house.client("yuan-a").post(f"/inspections/{key}/edit", data=form).status_code == 302


def test_a_photograph_taken_meanwhile_is_kept(house: House) -> None:
    key = visit_of(house)
    typed: dict[str, Any] = visit_form(house, key, summary="监管员写的")
    first_writes(house, key, summary="所长写的")
    client = house.client("yuan-a")
    files = {"files": (io.BytesIO(jpeg()), "现场.jpg"), "upload_box": "a" * 22}
    answer = client.post(f"/inspections/{key}/edit", data=typed | files, content_type="multipart/form-data")
    assert answer.status_code == 409 and "现场.jpg" in page(answer)
    box = re.search(r'name="upload_box" value="([^"]+)"', page(answer))
    assert box is not None
    form = typed | {"clash-all": "mine", "clash": ["summary"], "version": version_in(answer), "upload_box": box[1]}
    assert client.post(f"/inspections/{key}/edit", data=form).status_code == 302
    with house.system() as session:
        assert session.scalars(select(Attachment.name).where(Attachment.row_id == key)).all() == ["现场.jpg"]


def test_what_is_hidden_or_masked_stays_so_in_the_comparison(house: House) -> None:
    what = scene(house)["A catering firm"]
    with house.system() as session, unit_of_work():
        session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one().hidden = {
            "Enterprise": ["phone"]
        }
        version = session.get_one(Enterprise, what[1]).version
    change(house, what, phone="13900000000", address="所长写的地址")
    form = {"name": "A站catering店", "state": "正常", "address": "监管员写的地址", "version": version}
    answer = house.client("yuan-a").post(f"/enterprises/{what[1]}/edit", data=form)
    assert answer.status_code == 409
    assert clashing(answer) == {"address"} and "13900000000" not in page(answer)


def test_the_api_tells_both_versions_and_who_was_first(house: House) -> None:
    key = visit_of(house)
    with house.system() as session:
        visit = session.get_one(Inspection, key)
        url, version = f"/api/v1/inspections/{visit.public_id}", visit.version
    first_writes(house, key, summary="所长写的")
    body = {"version": version, "summary": "监管员写的", "findings": [{"fact": "只有这一个"}]}
    answer = house.client("yuan-a").patch(url, json=body)
    assert answer.status_code == 409
    both = answer.get_json()["conflict"]
    assert both["who"] == "苏日娜" and both["at"]
    assert both["fields"]["summary"] == {"yours": "监管员写的", "theirs": "所长写的"}
    assert [one["fact"] for one in both["fields"]["findings"]["theirs"]] == ["问题1", "问题2"]
    assert [one["fact"] for one in both["fields"]["findings"]["yours"]] == ["只有这一个"]
    again = house.client("yuan-a").patch(url, json=body | {"version": both["version"]})
    assert again.status_code == 200


def test_a_step_is_not_taken_upon_what_changed_and_says_what_did(house: House) -> None:
    what = scene(house)["A catering notice"]
    change(house, what, state="草稿")
    with house.system() as session:
        notice = session.get_one(Notice, what[1])
        version, public_id = notice.version, notice.public_id
    with house.acting("suo-a"), unit_of_work():
        row = fetch(Notice, what[1], W)
        row.conduct = "所长改写的经过"
        save(row, W)
    client = house.client("yuan-a")
    form = {"version": version, "reason": "不再需要"}
    answer = client.post(f"/notices/{what[1]}/do/discard", data=form)
    assert answer.status_code == 409
    assert "所长改写的经过" in page(answer) and "苏日娜" in page(answer) and "不再需要" in page(answer)
    told = client.post(f"/api/v1/notices/{public_id}/do/discard", json=form).get_json()
    assert told["conflict"]["who"] == "苏日娜" and told["conflict"]["version"] > version
    assert client.post(f"/notices/{what[1]}/do/discard", data=form | {"version": version_in(answer)}).status_code == 302


def test_a_bulk_act_leaves_out_what_changed_after_the_page(house: House) -> None:
    rows = scene(house)
    first, second = rows["A catering visit"][1], rows["A making visit"][1]
    client = house.client("suo-a")
    asked = page(client.post("/inspections/bulk", data={"act": "void", "ids": [first, second]}))
    form: dict[str, Any] = {"act": "void", "ids": [first, second], "sure": "1", "reason": "重复",
                            "key": re.findall(r'name="key" value="([^"]+)"', asked)[0],
                            "seen": re.findall(r'name="seen" value="([^"]+)"', asked)}  # fmt: skip
    assert len(form["seen"]) == 2
    with house.acting("yuan-a"), unit_of_work():
        visit = fetch(Inspection, first, W)
        visit.summary = "刚写的"
        save(visit, W)
    result = page(client.get(client.post("/inspections/bulk", data=form).location))
    assert "包文斌" in result and "改过这一条" in result
    with house.system() as session:
        states = [session.get_one(Inspection, key).state for key in (first, second)]
    assert states == ["草稿", "已作废"]


def test_an_import_is_not_written_over_a_row_that_changed_after_its_trial(house: House) -> None:
    what = scene(house)["A catering firm"]
    change(house, what, code=make_credit_code(900_003))
    desk = Desk(house, "neiqin-a")
    heads = ("单位名称", "统一社会信用代码", "住所")
    assert desk.upload(workbook(heads, ("A站catering店", make_credit_code(900_003), "文件里的住所"))).status_code == 302
    assert desk.attempt().status_code == 302
    change(house, what, address="别人刚写的住所")
    refused = desk.write()
    assert "别人刚写的住所" not in page(refused)
    with house.system() as session:
        assert session.get_one(Enterprise, what[1]).address == "别人刚写的住所"

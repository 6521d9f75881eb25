"""One spelling of a login name at every door: ADMIN is admin on the screen, in the API, in a file, in a command."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from wtforms import Form

from app import cli
from app.core.codes import login_name
from app.core.db import current_session
from app.core.errors import Invalid
from app.core.fab.cell_values import value_in
from app.core.fab.fields import Login
from app.core.office import Account, Family
from app.core.passwords import hashed
from app.core.signin import throttle
from app.core.signin.names import called
from app.core.writing import unit_of_work
from app.services.office import add_account, add_posting
from tests.support.house import A, House

PASSWORD = "四月里的第3场雨停了"


def form(house: House, username: str) -> dict[str, str]:
    return {"username": username, "name": "李四", "family": Family.BUSINESS.value, "active": "1",
            "office": str(house.offices[A])}  # fmt: skip


def names(house: House) -> list[str]:
    with house.system() as session:
        return sorted(session.scalars(select(Account.username)))


def first_password(house: House, username: str) -> None:
    with house.system() as session, unit_of_work():
        account = session.scalars(select(Account).where(Account.username == username)).one()
        account.password, account.must_change_password = hashed(PASSWORD), False


def sign_in(house: House, username: str) -> int:
    data = {"username": username, "password": PASSWORD}
    return house.app.test_client().post("/login/", data=data).status_code


def test_who_is_made_as_lisi_signs_in_as_lisi_however_it_is_typed(house: House) -> None:
    made = house.client("admin").post("/accounts/add", data=form(house, " Li Si"))
    assert made.status_code == 302 and "lisi" in names(house)
    first_password(house, "lisi")
    assert [sign_in(house, one) for one in ("lisi", "LISI", " ＬｉＳｉ\u200b ")] == [302, 302, 302]


@pytest.mark.parametrize("typed", ["YUAN-A", " admin ", "Suo-B", "ａｄｍｉｎ"])
def test_nobody_is_made_beside_an_account_that_is_there(house: House, typed: str) -> None:
    before, admin = names(house), house.client("admin")
    screen = admin.post("/accounts/add", data=form(house, typed))
    assert screen.status_code == 422 and "已有人用" in screen.get_data(as_text=True)
    office = admin.get("/api/v1/offices/").get_json()["items"][0]["id"]
    body = {"username": typed, "name": "李四", "family": "监管业务", "active": True, "office": office}
    answer = admin.post("/api/v1/accounts/", json=body)
    assert answer.status_code == 422 and "username" in answer.get_json()["fields"]
    with house.system(), pytest.raises(Invalid, match="已有人用"):
        add_account(typed, "李四", Family.BUSINESS, A, PASSWORD)
    assert names(house) == before


def test_commands_take_a_name_however_it_is_written(small: House) -> None:
    with small.system() as session:
        made = add_account("Wang-Wu", "王五", Family.BUSINESS, A, PASSWORD)
        assert made.username == "wang-wu"
        posted = add_posting("WANG-WU", A, "inspector")
        assert session.get_one(Account, posted.account_id).name == "王五"
    with small.system(), pytest.raises(Invalid, match="字母、数字"):
        add_account("王五", "王五", Family.BUSINESS, A, PASSWORD)


def test_the_command_tells_the_name_as_it_is_kept(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.main, "create_app", lambda: small.app)
    told = CliRunner().invoke(cli.main, ["user", "add", "ZHAO-LIU", "--name", "赵六", "--office", A])
    assert told.exit_code == 0 and told.output.startswith("zhao-liu    one-time password: "), told.output


def test_a_file_s_cell_is_read_as_what_is_typed() -> None:
    class Row(Form):
        username = Login("登录名")

    assert value_in(Row().username, " Li-Si ", date1904=False) == "li-si"


def test_wrong_tries_count_for_the_name_however_it_is_written(small: House) -> None:
    with small.system(), unit_of_work():
        for typed in ("admin", "ADMIN", "Admin ", "ａdmin", "admin"):
            tried = throttle.begin(typed, "192.0.2.7")
        assert tried.locks
        with pytest.raises(throttle.TooManyTries):
            throttle.begin("aDmin", "192.0.2.7")


def test_names_that_were_kept_in_capitals_still_open_and_two_of_them_are_told_apart(house: House) -> None:
    with house.system() as session, unit_of_work():
        for name in ("old", "twin", "twin-two"):
            add_account(name, f"人{name}", Family.BUSINESS, A, PASSWORD, must_change=False)
        for now, then in (("old", "OLD"), ("twin-two", "TWIN")):  # as they were written before
            session.connection().execute(
                text("UPDATE account SET username = :then WHERE username = :now"), {"then": then, "now": now}
            )
    for name in ("OLD", "TWIN", "twin"):
        first_password(house, name)
    assert [sign_in(house, one) for one in ("OLD", "old", "TWIN", "twin", "Twin")] == [302] * 5
    with house.system():
        found = {typed: called(typed) for typed in ("Old", "TWIN", "twin", "Twin")}
    assert {typed: one.username for typed, one in found.items() if one} == {
        "Old": "OLD", "TWIN": "TWIN", "twin": "twin", "Twin": "twin"}  # fmt: skip
    beside = house.client("admin").post("/accounts/add", data=form(house, "Old"))
    assert beside.status_code == 422, "nor beside one that is kept in capitals"
    key = found["Old"].id if found["Old"] else 0
    with house.system():
        version = current_session().get_one(Account, key).version
    data = form(house, "OLD") | {"version": str(version), "phone": "0475-1234567"}
    assert house.client("admin").post(f"/accounts/{key}/edit", data=data).status_code == 302
    assert "old" in names(house) and sign_in(house, "OLD") == 302


def test_the_normal_form_of_a_name() -> None:
    assert [login_name(one) for one in (" Li Si", "ＡDMIN\u200b", "13900000000", "suo-a")] == [
        "lisi", "admin", "13900000000", "suo-a"]  # fmt: skip

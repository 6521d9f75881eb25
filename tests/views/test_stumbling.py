"""What a newcomer stumbled over at the office: what a page must say, offer, leave out or take."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from app import cli
from app.core import clock
from app.core.codes import INVISIBLE
from app.core.errors import ConfigurationError
from app.core.history import HistoryEntry
from app.core.office import AccessRole, Account, Family, Posting
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import NoticeState
from app.factory import build
from app.models.enterprise import Enterprise
from app.models.inspection import Finding, Inspection
from app.models.personnel import Person
from app.models.rectification import Notice
from tests.services.test_granting import administrator, person
from tests.support.house import A, B, House


def page(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def main(told: str) -> str:
    """The page without its shell and its dialogs."""
    return told.partition("<main")[2].partition("</main>")[0]


def facts_of(house: House) -> list[dict[str, Any]]:
    with house.system() as session:
        bodies = session.scalars(select(HistoryEntry.body).order_by(HistoryEntry.at.desc(), HistoryEntry.id.desc()))
        return [json.loads(body) for body in bodies.fetchmany(5)]


def role_key(house: House, code: str) -> int:
    with house.system() as session:
        return session.scalars(select(AccessRole.id).where(AccessRole.code == code)).one()


# -- two administrators -----------------------------------------------------------------------------------------------


def propose(house: House, who: str = "admin") -> str:
    account = person(house, "xin-audit", Family.AUDIT)
    made = house.client(who).post("/posting-proposals/add", data={
        "account": account, "role": role_key(house, "auditor"), "office": house.offices["150525"],
        "date_from": clock.today().isoformat(), "grounds": "审计需要"})  # fmt: skip
    assert made.status_code == 302, page(made)
    return str(made.location)


def test_a_proposal_says_who_can_confirm_it_or_what_to_do_when_nobody_can(house: House) -> None:
    url = propose(house)
    alone = page(house.client("admin").get(url))
    assert "谁也不能确认" in alone and "shouze posting add <登录名> --office <机构代码> --role sysadmin" in alone
    administrator(house, "guan-2", "150525", "sysadmin")
    told = page(house.client("admin").get(url))
    assert "现在可以确认的：人guan-2。" in told and "谁也不能确认" not in told
    assert "现在可以确认的：人guan-2。" in page(house.client("guan-2").get(url)), "the same to both"
    own = page(house.client("admin").get(f"{url}/do/confirm"))
    assert "不能由同一人办理" in own and "确认任命</button>" not in own, "no form for what will be refused"
    asked = page(house.client("guan-2").get(f"{url}/do/confirm"))
    version = re.search(r'name="version" value="(\d+)"', asked)
    assert "确认任命</button>" in asked and version is not None
    key = url.rsplit("/", 1)[1]
    bulk = page(house.client("admin").post("/posting-proposals/bulk", data={"act": "confirm", "ids": key}))
    assert "不能由同一人办理" in bulk and 'class="btn primary"' not in main(bulk)
    done = house.client("guan-2").post(f"{url}/do/confirm", data={"version": version[1]})
    assert done.status_code == 302, main(page(done))
    assert "现在可以确认的" not in page(house.client("admin").get(url))


def test_the_command_that_asks_nobody_says_so_and_history_too(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.main, "create_app", lambda: small.app)
    person(small, "guan-3", Family.SYSTEM)
    person(small, "yuan-9", Family.BUSINESS)
    run = CliRunner()
    done = run.invoke(cli.main, ["posting", "add", "guan-3", "--office", "150525", "--role", "sysadmin"])
    assert done.exit_code == 0 and "own door" in done.output, done.output
    assert "命令行任命系统管理员，没有第二人确认" in {one["reason"] for one in facts_of(small)}
    plain = run.invoke(cli.main, ["posting", "add", "yuan-9", "--office", A, "--role", "inspector"])
    assert plain.output == "done\n"
    third = person(small, "guan-4", Family.SYSTEM)
    refused = run.invoke(cli.main, ["posting", "add", "guan-4", "--office", "150525", "--role", "sysadmin"])
    assert refused.exit_code == 1 and third, "while two are in office it takes two"


# -- new accounts -----------------------------------------------------------------------------------------------------


def test_a_new_account_says_what_it_lacks_and_lists_what_it_holds(small: House) -> None:
    admin = small.client("admin")
    form = {"username": "lisi", "name": "李四", "family": "监管业务", "active": "1", "office": small.offices[A]}
    url = admin.post("/accounts/add", data=form).location
    told, key = page(admin.get(url)), url.rsplit("/", 1)[1]
    assert "还没有登录过" in told and "重设密码" in told and "还没有任职" in told
    assert f'href="/postings/add?account={key}"' in told
    assert "李四" in page(admin.get(f"/postings/add?account={key}"))
    posting = {"account": key, "role": role_key(small, "inspector"), "office": small.offices[A],
               "date_from": clock.today().isoformat()}  # fmt: skip
    assert admin.post("/postings/add", data=posting).status_code == 302
    told = page(admin.get(url))
    assert "还没有任职" not in told and "/postings/add?account" not in told and "还没有登录过" in told
    held = told.partition("<h2>任职")[2].partition("</section>")[0]
    assert "监管员" in held and "在任" in held
    with small.system() as session, unit_of_work():
        session.get_one(Account, int(key)).last_login = clock.now()
    assert "还没有登录过" not in page(admin.get(url))
    assert "还没有登录过" not in page(small.client("audit").get(url)), "who administers nothing is not told to"
    assert "任命" not in page(small.client("audit").get(url)).partition("<main")[2].partition('class="tabs"')[0]


# -- forged and foreign keys ------------------------------------------------------------------------------------------


def without_account(house: House, code: str) -> list[int]:
    with house.system() as session:
        office = house.offices[code]
        asked = select(Person.id).where(Person.office_id == office, Person.account_id.is_(None)).order_by(Person.id)
        return list(session.scalars(asked))


@pytest.mark.parametrize("kind", ["forged", "foreign"])
def test_what_is_nobodys_to_activate_makes_no_success(small: House, kind: str) -> None:
    keys = [999_001, 999_002] if kind == "forged" else without_account(small, B)[:2]
    clerk = small.client("neiqin-a")
    told = page(clerk.post("/activation/accounts", data={"ids": keys}, follow_redirects=True))
    assert keys and f"有 {len(keys)} 条没有找到，或您无权办理，没有办理。" in told and "没有开通账号" in told
    assert "已开通" not in told and "t-success" not in told.partition("<main")[2].partition("<nav")[0]
    assert facts_of(small)[0]["reason"] == "可疑的请求" and facts_of(small)[0]["facts"]["forged"] == [
        f"Person={len(keys)} 条"
    ]
    cards = clerk.post("/activation/cards", data={"ids": keys})
    assert cards.status_code == 302
    told = page(clerk.get(cards.location))
    assert f"有 {len(keys)} 条没有找到，或您无权办理" in told and "打印激活卡：0 人" not in told


def test_nobody_ticked_is_said(small: House) -> None:
    clerk = small.client("neiqin-a")
    for url in ("/activation/accounts", "/activation/cards"):
        assert "没有勾选任何人" in page(clerk.post(url, follow_redirects=True)), url


def test_the_page_of_cards_ticks_nobody_by_itself_and_all_on_wish(small: House) -> None:
    clerk = small.client("neiqin-a")
    told = page(clerk.get("/activation/?state=none"))
    boxes = re.findall(r'<input type="checkbox" name="ids"[^>]*>', told)
    assert boxes and not any("checked" in box for box in boxes)
    assert re.search(r'<input type="checkbox" name="whole" value="1" data-all>', told)
    shown = re.findall(r'name="page" value="(\d+)"', told)
    assert len(shown) == len(boxes)
    clerk.post("/activation/accounts", data={"ids": shown[0]})
    with small.system() as session:
        made = select(func.count(Person.id)).where(Person.id.in_(map(int, shown)), Person.account_id.is_not(None))
        assert session.scalar(made) <= 1
    clerk.post("/activation/accounts", data={"whole": "1", "page": shown, "ids": shown[0]})
    with small.system() as session:
        assert (session.scalar(made) or 0) > 1
    again = page(clerk.post("/activation/accounts", data={"ids": shown[0]}, follow_redirects=True))
    assert "已经有账号，没有再开" in again or "没有开通账号" in again


def test_a_bulk_act_offers_no_button_when_none_can_go(small: House) -> None:
    client = small.client("yuan-a")
    with small.system() as session:
        theirs = session.scalars(select(Notice.id).where(Notice.office_id == small.offices[B])).all()[:2]
    for keys in (list(theirs), [999_001, 999_002]):
        told = page(client.post("/notices/bulk", data={"act": "submit", "ids": keys}))
        assert f"有 {len(keys)} 条没有找到" in told
        assert 'class="btn primary"' not in main(told) and "提交审核" not in main(told).partition('class="bar"')[2]
        assert facts_of(small)[0]["reason"] == "可疑的请求"
    with small.system() as session:
        mine = session.scalars(select(Notice.id).where(
            Notice.office_id == small.offices[A], Notice.state != NoticeState.DRAFT)).first()  # fmt: skip
    told = page(client.post("/notices/bulk", data={"act": "submit", "ids": [mine, 999_001]}))
    assert 'class="btn primary"' not in main(told)


# -- the log and the report -------------------------------------------------------------------------------------------


def test_the_log_speaks_chinese_and_calls_no_suspicious_request_a_success(small: House) -> None:
    small.client("yuan-a").get("/notices/?order=zzzzsort")
    last = facts_of(small)[0]
    assert (last["reason"], last["kind"]) == ("可疑的请求", "被拒绝")
    with small.system() as session:
        newest = session.scalars(select(HistoryEntry).order_by(HistoryEntry.at.desc(), HistoryEntry.id.desc())).first()
        assert newest is not None and newest.result == "被拒绝"
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = small.client("yuan-a").post("/enterprises/add", data={"name": "x"}, headers={"Accept": "text/html"})
        assert answer.status_code == 400
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False
    assert facts_of(small)[0]["facts"]["why"] == "表单的校验码（CSRF）没有、不对或已过期"
    with small.system() as session:
        key = session.scalars(select(Person.id).where(Person.office_id == small.offices[A],
                                                      Person.id_card.is_not(None))).first()  # fmt: skip
    english = small.client("suo-a")
    english.get("/language/en")
    assert english.post(f"/people/{key}/reveal/id_card").status_code == 200
    assert facts_of(small)[0]["facts"]["column"] == "身份证号"
    shown = page(small.client("audit").get("/log/"))
    assert "查看全文 身份证号" in shown and "id_card" not in shown and "CSRF token" not in shown


def test_the_report_tells_instants_by_the_clock_on_the_wall(small: House) -> None:
    with small.system() as session:
        key = session.scalars(select(Posting.id).where(Posting.account_id == small.accounts["yuan-a"])).one()
        version = session.get_one(Posting, key).version
    form = {"end_kind": "离任", "reason": "退休", "version": version}
    assert small.client("admin").post(f"/postings/{key}/end", data=form).status_code == 302
    day = clock.today()
    told = page(small.client("admin").get(f"/rights-report/?from={day - timedelta(days=2)}&to={day}"))
    assert re.search(r"结束时间：无 → \d{4}-\d\d-\d\d \d\d:\d\d(?!:)", told), re.findall("结束时间.{40}", told)
    assert "+00:00" not in told


# -- texts ------------------------------------------------------------------------------------------------------------


def test_names_that_look_alike_are_one_name_at_every_door(small: House) -> None:
    admin = small.client("admin")
    form = {"family": "监管业务", "rank": "5"}
    for name in ("所长\u200b", "所\u2060长", "\ufeff所长", "所\u3164长", "所\U000e0041长"):
        answer = admin.post("/roles/add?family=监管业务", data=form | {"name": name})
        assert answer.status_code == 422 and "已有同名的角色" in page(answer), repr(name)
    with small.system(), unit_of_work():
        firm = Enterprise(name="奈曼旗\u200b隐身\u00ad店", office_id=small.offices[A], made_office_id=small.offices[A])
        firm.note = "ᠨᠠᠢ\u180eᠮᠠᠨ\u202f一行\n两行"
        save(firm, Verb.CREATE)
        assert firm.name == "奈曼旗隐身店"
        assert firm.note == "ᠨᠠᠢ\u180eᠮᠠᠨ\u202f一行\n两行", "what Mongolian is written with stays"
    assert not {0x180B, 0x180C, 0x180D, 0x180E, 0x202F} & set(INVISIBLE)


def test_parts_are_tidied_with_their_whole(small: House) -> None:
    with small.system() as session, unit_of_work():
        visit = session.scalars(select(Inspection).where(Inspection.findings.any())).first()
        assert visit is not None
        visit.findings[0].fact = "地面\u200b有积水"
        key = visit.findings[0].id
        save(visit, Verb.UPDATE, accepted=frozenset({"accept-date"}))
    with small.system() as session:
        assert session.get_one(Finding, key).fact == "地面有积水"


def test_the_error_names_the_field_as_its_label_does(small: House) -> None:
    key = small.accounts["yuan-a"]
    told = page(small.client("admin").post(f"/accounts/{key}/reset-password", data={}))
    assert "请写明理由" in told and "原因" not in told.partition("<main")[2]


def test_password_managers_are_told_the_login_name(small: House) -> None:
    told = page(small.client("yuan-a").get("/password/"))
    assert re.search(r'name="username" value="yuan-a" autocomplete="username"', told)


# -- links that lead nowhere ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "urls"), [("firm-a", ("/sites/", "/enterprises/")), ("audit", ("/accounts/", "/postings/"))]
)
def test_no_link_of_a_record_ends_in_403(small: House, who: str, urls: tuple[str, ...]) -> None:
    client = small.client(who)
    tried = 0
    for url in urls:
        rows = re.findall(rf'href="({url}\d+)"', page(client.get(url)))
        assert rows, url
        for link in set(re.findall(r'href="(/[a-z-]+/\d+)"', page(client.get(url)) + page(client.get(rows[0])))):
            assert client.get(link).status_code == 200, (url, link)
            tried += 1
    assert tried >= 3
    if who == "audit":
        assert "所属机构" in page(client.get("/accounts/")), "the name stays, the link goes"
        assert f'href="/offices/{small.offices[A]}"' in page(small.client("admin").get("/accounts/"))


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("HISTORY_DAYS", "abc"), ("WORKERS", "two"), ("THREADS", "1.5"), ("IDLE_MINUTES", "-1"), ("PHONE_DAYS", "90d"),
     ("TRUSTED_PROXIES", "１"), ("UPLOAD_MAX_MB", "9" * 40), ("DATABASE_URL", "nonsense"), ("BASE_URL", "localhost"),
     ("REDIS_URL", "localhost:6379"), ("DATA_DIR", "/dev/null/x"), ("DATA_KEY_FILE", "/")],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_is_one_line_that_names_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("SHOUZE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv(f"SHOUZE_{name}", value)
    with pytest.raises(ConfigurationError, match=f"SHOUZE_{name}") as told:
        build()
    assert "\n" not in str(told.value)


def test_the_commands_tell_a_bad_setting_in_a_line(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUZE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SHOUZE_HISTORY_DAYS", "abc")
    ran = CliRunner().invoke(cli.main, ["sync"])
    assert ran.exit_code == 1 and ran.output == "Error: SHOUZE_HISTORY_DAYS must be a whole number, not 'abc'\n"
    helped = CliRunner().invoke(cli.main, ["--help"])
    assert "Traceback" not in helped.output and "SHOUZE_HISTORY_DAYS" in helped.output

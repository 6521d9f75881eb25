"""What a hostile newcomer found, one case each: stale decisions, delegated signing, odd characters, lines, commands."""

from __future__ import annotations

import os
import re
import select as select_module
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cli import main as shouze
from app.core import clock
from app.core.access.fetch import fetch
from app.core.office import Account
from app.core.passwords import weakness
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from app.models.lines import Line
from app.models.personnel import Appointment, Person
from app.models.rectification import Correction, Delegation, Notice
from tests.support.house import A, House

ROOT = Path(__file__).parents[2]


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def notice_in(house: House, state: str) -> int:
    with house.system() as session:
        mine = (Notice.state == state, Notice.office_id == house.offices[A])
        return session.scalars(select(Notice.id).where(*mine).order_by(Notice.id)).all()[0]


def hidden_version(answer: Any) -> str:
    found = re.search(r'name="version" value="(\d+)"', text(answer))
    assert found is not None
    return found[1]


# -- a decision is upon what was seen ---------------------------------------------------------------------------------


def test_a_leader_does_not_sign_a_text_that_changed_meanwhile(house: House) -> None:
    key = notice_in(house, "待签发")
    ju, url = house.client("ju"), f"/notices/{key}/do/sign"
    opened = hidden_version(ju.get(url))
    with house.acting("ju"):
        run(fetch(Notice, key), "return_review", reason="再核")
    with house.acting("yuan-a"), unit_of_work():
        fetch(Notice, key).conduct = "完全不同的违法行为"
    with house.acting("yuan-a"):
        run(fetch(Notice, key), "submit")
    with house.acting("suo-a"):
        run(fetch(Notice, key), "review")
    answer = ju.post(url, data={"version": opened})
    assert answer.status_code == 409 and "已有变化" in text(answer)
    assert ju.post(url, data={}).status_code == 409, "no version is no decision either"


def test_a_changed_demand_counts_as_a_change_of_the_notice(house: House) -> None:
    key = notice_in(house, "草稿")
    opened = hidden_version(house.client("yuan-a").get(f"/notices/{key}/do/submit"))
    with house.acting("yuan-a"), unit_of_work() as session:
        session.scalars(select(Correction).where(Correction.notice_id == key)).first().demand = "换掉的要求"  # type: ignore[union-attr]
    answer = house.client("yuan-a").post(f"/notices/{key}/do/submit", data={"version": opened})
    assert answer.status_code == 409


def test_adding_and_taking_away_a_part_moves_the_wholes_version(house: House) -> None:
    with house.acting("yuan-a"):
        key = fetch(Notice, notice_in(house, "草稿")).id
        versions = []
        for change in ("none", "add", "drop"):
            with unit_of_work():
                notice = fetch(Notice, key)
                if change == "add":
                    notice.corrections.append(Correction(fact="新增", demand="改", position=9))
                elif change == "drop":
                    notice.corrections.pop()
            versions.append(fetch(Notice, key).version)
    assert versions[1] == versions[0] + 1 and versions[2] == versions[1] + 1


def test_the_page_of_a_step_shows_what_is_decided_upon(small: House) -> None:
    key = notice_in(small, "待签发")
    with small.system() as session:
        demands = session.scalars(select(Correction.demand).where(Correction.notice_id == key)).all()
    page = text(small.client("ju").get(f"/notices/{key}/do/sign"))
    assert demands and all(demand in page for demand in demands)


# -- delegated signing ------------------------------------------------------------------------------------------------


def delegate(house: House, username: str) -> None:
    with house.system() as session, unit_of_work():
        session.add(Delegation(
            office_id=house.offices["150525"], account_id=house.accounts[username], document="奈市监发〔2026〕1号",
            date_from=clock.today(), date_to=clock.today(),
        ))  # fmt: skip


@pytest.mark.parametrize("username", ["suo-a", "suo-b"])
def test_a_delegate_signs_in_the_browser(house: House, username: str) -> None:
    """A chief with a paper signs the cases of every station; the notice says upon which paper."""
    delegate(house, username)
    key = notice_in(house, "待签发")
    client, url = house.client(username), f"/notices/{key}/do/sign"
    answer = client.post(url, data={"version": hidden_version(client.get(url))})
    assert answer.status_code == 302, text(answer)
    with house.system() as session:
        notice = session.get_one(Notice, key)
        assert notice.number and notice.delegation_id and notice.signer_id == house.accounts[username]


def test_a_delegate_reads_no_unfinished_draft_of_another_station(house: House) -> None:
    delegate(house, "suo-b")
    client = house.client("suo-b")
    assert client.get(f"/notices/{notice_in(house, '草稿')}").status_code == 404
    assert client.get(f"/notices/{notice_in(house, '待签发')}").status_code == 200


@pytest.mark.parametrize(
    ("username", "kinds", "field"), [("shi", "责令改正通知书", "account"), ("suo-a", "死刑", "kinds")]
)
def test_a_delegation_is_for_the_bureaus_own_people_and_papers(
    small: House, username: str, kinds: str, field: str
) -> None:
    form = {"document": "奈市监发〔2026〕1号", "account": str(small.accounts[username]), "kinds": kinds,
            "date_from": "2026-11-01", "date_to": "2027-11-01"}  # fmt: skip
    answer = small.client("ju").post("/delegations/add", data=form)
    assert answer.status_code == 422 and f'id="{field}-error"' in text(answer)


# -- characters -------------------------------------------------------------------------------------------------------


def notice_form(house: House, key: int, **changes: str) -> dict[str, str]:
    with house.system() as session:
        notice = session.get_one(Notice, key)
        form = {"site": str(notice.site_id), "party": notice.party, "conduct": notice.conduct,
                "deadline": str(notice.deadline or ""), "contact_person": "包",
                "contact_phone": "0475-1", "version": str(notice.version)}  # fmt: skip
        for number, one in enumerate(notice.corrections):
            form |= {f"corrections-{number}-id": str(one.id), f"corrections-{number}-fact": one.fact,
                     f"corrections-{number}-demand": one.demand}  # fmt: skip
        for number, cited in enumerate(notice.citations):
            form |= {f"citations-{number}-id": str(cited.id), f"citations-{number}-purpose": cited.purpose,
                     f"citations-{number}-citation": str(cited.citation_id)}  # fmt: skip
    return form | changes


def test_a_line_end_in_a_text_keeps_nobody_from_submitting(house: House) -> None:
    key, client = notice_in(house, "草稿"), house.client("yuan-a")
    form = notice_form(house, key, conduct="第一行\r\n第二行\t有制表符")
    form["corrections-0-demand"] = "先清理\r\n再登记"
    assert client.post(f"/notices/{key}/edit", data=form).status_code == 302
    url = f"/notices/{key}/do/submit"
    answer = client.post(url, data={"version": hidden_version(client.get(url))})
    assert answer.status_code == 302, re.findall(r'class="summary".*?</div>', text(answer), re.DOTALL)


@pytest.mark.parametrize("typed", ["a\0b", "声\x07音", "改\ue000", "长" * 301])
def test_a_row_of_a_form_is_checked_as_its_record_is(house: House, typed: str) -> None:
    key = notice_in(house, "草稿")
    form = notice_form(house, key) | {"corrections-0-fact": typed}
    answer = house.client("yuan-a").post(f"/notices/{key}/edit", data=form)
    assert answer.status_code == 422 and "第 1 行" in text(answer)


@pytest.mark.parametrize("name", ["\u200b", "甲\u202e乙", "\u2060\ufeff"])
def test_a_name_is_what_one_sees(small: House, name: str) -> None:
    form = {"name": name, "state": "正常", "legal_person": "王", "address": "某街 1 号"}
    client = small.client("yuan-a")
    answer = client.post("/enterprises/add", data=form)
    if answer.status_code == 302:
        shown = text(client.get(answer.location))
        assert "\u202e" not in shown and "甲乙" in shown
    else:
        assert answer.status_code == 422


def test_a_name_stays_on_one_line(small: House) -> None:
    form = {"name": "甲\r\n乙", "state": "正常", "legal_person": "王", "address": "某街 1 号"}
    assert small.client("yuan-a").post("/enterprises/add", data=form).status_code == 302
    with small.system() as session:
        assert session.scalars(select(Enterprise.name).where(Enterprise.address == "某街 1 号")).one() == "甲 乙"


def test_a_password_is_made_of_what_one_can_type() -> None:
    assert weakness("abc\0def-2026-x", "yuan-a") and not weakness("abc-def-2026-x", "yuan-a")


# -- lines, days ------------------------------------------------------------------------------------------------------


def test_a_section_reads_the_people_of_its_line_only(house: House) -> None:
    """Who is at a producer is nobody's business in the catering section."""
    with house.system() as session:
        firms = session.scalars(select(Enterprise.id).where(Enterprise.lines.op("&")(int(Line.CATERING)) == 0)).all()
        posts = session.scalars(select(Appointment).where(Appointment.enterprise_id.in_(firms))).all()
        outside = {(post.id, post.person_id) for post in posts}
        inside = set(session.scalars(select(Appointment.person_id).where(Appointment.enterprise_id.not_in(firms))))
    client = house.client("gu-canyin")
    assert outside
    for post, person in sorted(outside)[:5]:
        assert client.get(f"/appointments/{post}").status_code == 404
        assert client.get(f"/people/{person}").status_code == (200 if person in inside else 404)
    with house.acting("gu-canyin") as _access, house.app.app_context():
        from app.core.db import current_session

        assert set(current_session().scalars(select(Person.id))) == inside


def test_a_demand_for_a_day_gone_by_is_refused(house: House) -> None:
    key = notice_in(house, "草稿")
    form = notice_form(house, key) | {"corrections-0-deadline": "2001-01-01"}
    answer = house.client("yuan-a").post(f"/notices/{key}/edit", data=form)
    assert answer.status_code == 422 and "不能早于今天" in text(answer)


def test_a_visit_of_long_ago_needs_a_tick(house: House) -> None:
    form = {"site": str(house.site_of(A)), "kind": "日常监督检查", "selection": "计划指定", "place": "现场",
            "inspector": str(house.accounts["yuan-a"]), "co_inspector": str(house.accounts["suo-a"])}  # fmt: skip
    client, url = house.client("yuan-a"), "/inspections/add"
    answer = client.post(url, data=form | {"date": "1900-01-01"})
    assert answer.status_code == 422 and "accept-date" in text(answer)
    late = (clock.today() - timedelta(days=100)).isoformat()
    assert client.post(url, data=form | {"date": late, "accept-date": "1"}).status_code == 302


# -- the address, commands, processes ---------------------------------------------------------------------------------


def test_a_host_that_is_not_ours_gets_a_plain_refusal(small: House, caplog: pytest.LogCaptureFixture) -> None:
    before, small.app.config["TRUSTED_HOSTS"] = small.app.config["TRUSTED_HOSTS"], ["localhost"]
    try:
        answer = small.client("yuan-a").get("/notices/", base_url="http://evil.example")
    finally:
        small.app.config["TRUSTED_HOSTS"] = before
    assert answer.status_code == 400
    assert "failed" not in caplog.text


@pytest.mark.parametrize(
    "words",
    [
        ["issue-notice", "--out", "x.pdf", "99999999999999999999999"],
        ["issue-notice", "--out", "/nowhere/x.pdf", "1"],
        ["demo", "--firms", "-1"],
        ["demo", "--firms", "99999999"],
        ["demo", "--days", "-5"],
        ["demo", "--days", "999999999"],
        ["serve", "--port", "99999"],
    ],
)
def test_a_command_tells_what_is_wrong_without_a_trace(tmp_path: Path, words: list[str]) -> None:
    run_ = subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "SHOUZE_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert run_.returncode in {1, 2} and "Traceback" not in run_.stderr, run_.stderr
    assert "Error" in run_.stderr
    assert shouze.name == "shouze"


def test_nothing_is_signed_for_a_file_that_cannot_be_written(house: House) -> None:
    from app.core.errors import Invalid
    from app.services.issue import issue_to_file

    key = notice_in(house, "待签发")
    with house.app.app_context(), pytest.raises(Invalid, match="不能写入"):
        issue_to_file(key, Path("/nowhere/x.pdf"), "ju")
    with house.system() as session:
        assert session.get_one(Notice, key).state == "待签发"


def test_the_children_end_with_a_killed_server() -> None:
    code = "import signal\nfrom app.serve import _fork\nprint(_fork(signal.pause), flush=True)\nsignal.pause()\n"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        child = os.pidfd_open(int(server.stdout.readline()))
        os.kill(server.pid, signal.SIGKILL)
    try:
        ended, _writable, _broken = select_module.select([child], [], [], 30)  # readable once the process has ended
        if not ended:
            signal.pidfd_send_signal(child, signal.SIGKILL)
        assert ended, "the child outlived its parent"
    finally:
        os.close(child)


def test_papers_name_the_address_that_is_served(small: House) -> None:
    from app.serve import _addressed

    before = small.app.extensions["shouze_settings"], small.app.config["TRUSTED_HOSTS"]
    try:
        assert _addressed(small.app, "127.0.0.1", 8841).base_url == "http://127.0.0.1:8841"
    finally:
        small.app.extensions["shouze_settings"], small.app.config["TRUSTED_HOSTS"] = before
    with small.system() as session:
        assert session.scalar(select(Account.id)) is not None

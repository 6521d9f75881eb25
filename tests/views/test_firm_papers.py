"""A firm's own papers from its page and from an appointment's: what they say, who gets them, what they leave out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.history_entry import Kind
from app.core.office import AccessRole
from app.core.setting import BureauSetting, SettingState
from app.core.writing import unit_of_work
from app.data.people import BanKind
from app.models.citation import LegalCitation
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Ban, Person
from app.models.setting import COMPLAINTS
from tests.core.pdf.papers import pages
from tests.core.pdf.papers import text as printed
from tests.support.house import A, B, House
from tests.views.test_ledger import appoint, canteen
from tests.views.test_log import entries, newest
from tests.views.test_web import text

PAPERS = {"director-duties": "食品安全总监职责", "officer-rules": "食品安全员守则", "posts": "食品安全岗位责任表",
          "board": "食品安全公示牌"}  # fmt: skip


def firm_of(house: House, who: str) -> int:
    """The firm where somebody of the firms' side works."""
    with house.system() as session:
        return session.scalars(select(Appointment.enterprise_id).join(Person, Appointment.person_id == Person.id).where(
            Person.account_id == house.accounts[who]).order_by(Appointment.id)).first()  # type: ignore[return-value] # fmt: skip


def got(house: House, who: str, path: str) -> str:
    """The text of the PDF behind an address, without blanks."""
    answer = house.client(who).get(path)
    assert answer.status_code == 200, text(answer)[:300]
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    return printed(answer.get_data()).replace(" ", "")


def staffed(house: House) -> int:
    """A school with a principal and two officers, and no director."""
    firm = canteen(house, "大沁他拉第三小学", 900)
    appoint(house, firm, "白校长", "主要负责人")
    appoint(house, firm, "包䶮", "食品安全员")
    appoint(house, firm, "高娃", "食品安全员")
    appoint(house, firm, "离任人", "食品安全员", date_to=clock.today() - timedelta(days=1))
    return firm


def test_the_board_names_who_answers_and_leaves_an_empty_post_empty(house: House) -> None:
    firm = staffed(house)
    answer = house.client("suo-a").get(f"/enterprises/{firm}/board")
    content = answer.get_data()
    assert answer.status_code == 200 and len(pages(content)) == 1
    shown = printed(content).replace(" ", "").replace("　", "")
    for words in ("大沁他拉第三小学", "主要负责人白校长", "包䶮高娃", "食品安全总监", "投诉举报电话", "演示无效"):
        assert words in shown, words
    assert "离任人" not in shown and "12315" not in shown


def test_the_telephone_for_complaints_is_printed_once_it_is_confirmed(house: House) -> None:
    firm = staffed(house)
    for state, there in ((SettingState.OPEN, False), (SettingState.CONFIRMED, True)):
        with house.system() as session, unit_of_work():
            row = session.scalars(select(BureauSetting).where(BureauSetting.key == COMPLAINTS)).one()
            row.value, row.state = "0475-1234567", state
        assert ("0475-1234567" in got(house, "suo-a", f"/enterprises/{firm}/board")) is there


def test_the_table_says_who_keeps_which_record(house: House) -> None:
    firm = staffed(house)
    shown = got(house, "neiqin-a", f"/enterprises/{firm}/posts")
    for words in ("白校长", "包䶮", "高娃", "日管控：", "月调度：", "兼做周排查", "本人签字", "演示无效"):
        assert words in shown, words
    appoint(house, firm, "乌云", "食品安全总监")
    shown = got(house, "neiqin-a", f"/enterprises/{firm}/posts")
    assert "乌云" in shown and "兼做周排查" not in shown


@pytest.mark.parametrize("paper", PAPERS)
def test_a_firm_with_nobody_gets_each_paper(small: House, paper: str) -> None:
    firm = canteen(small, "无人小学", 20)
    shown = got(small, "suo-a", f"/enterprises/{firm}/{paper}")
    assert PAPERS[paper] in shown and "无人小学" in shown


def test_a_restaurants_rules_cite_the_rule_and_only_law_the_bureau_stands_behind(small: House) -> None:
    firm = firm_of(small, "firm-a")
    with small.system() as session, unit_of_work():
        for site in session.scalars(select(Site).where(Site.enterprise_id == firm)):
            site.kind = "餐饮服务企业"
    shown = got(small, "firm-a", f"/enterprises/{firm}/officer-rules")
    for words in ("《食品生产经营企业落实食品安全主体责任监督管理规定》", "零风险报告", "食品安全法》第四十五条第一款",
                  "不少于40学时", "（《规定》）"):  # fmt: skip
        assert words in shown, words
    assert "集中用餐单位" not in shown and "条号" not in shown
    with small.system() as session, unit_of_work():
        session.scalars(select(LegalCitation).where(LegalCitation.key == "fsl45-1")).one().confirmed = False
    assert "第四十五条第一款" not in got(small, "firm-a", f"/enterprises/{firm}/officer-rules")


def test_a_canteens_duties_name_the_canteens_rule_and_none_of_its_articles(small: House) -> None:
    shown = got(small, "suo-a", f"/enterprises/{staffed(small)}/director-duties")
    assert "《集中用餐单位落实食品安全主体责任监督管理规定》" in shown
    assert "食品生产经营企业落实" not in shown and "《规定》" not in shown


def test_a_letter_of_appointment(house: House) -> None:
    firm = staffed(house)
    post = appoint(house, firm, "乌云", "食品安全总监", date_to=clock.today() + timedelta(days=300))
    page = text(house.client("suo-a").get(f"/appointments/{post}"))
    assert f"/appointments/{post}/letter" in page
    shown = got(house, "suo-a", f"/appointments/{post}/letter")
    for words in ("任命书", "乌云：", "大沁他拉第三小学", "食品安全总监（兼职）", "起，至", "盖章", "演示无效"):
        assert words in shown, words


def test_no_letter_for_whom_nobody_may_appoint(small: House) -> None:
    post = appoint(small, staffed(small), "乌云", "食品安全总监")
    with small.system() as session, unit_of_work():
        session.add(Ban(person_id=session.get_one(Appointment, post).person_id, kind=BanKind.LIFE, basis="b",
                        decision="d", date_from=clock.today(), office_id=small.offices[A],
                        made_office_id=small.offices[A]))  # fmt: skip
    client = small.client("suo-a")
    assert f"/appointments/{post}/letter" not in text(client.get(f"/appointments/{post}"))
    answer = client.get(f"/appointments/{post}/letter")
    assert answer.status_code == 409 and "从业禁止" in text(answer)


def test_each_printing_stands_in_the_log_and_on_the_record(house: House) -> None:
    firm, client = staffed(house), house.client("neiqin-a")
    for paper, title in PAPERS.items():
        before = entries(house)
        assert client.get(f"/enterprises/{firm}/{paper}").status_code == 200
        told = newest(house)
        assert (entries(house), told["kind"]) == (before + 1, Kind.PRINT)
        assert told["actor_id"] == house.accounts["neiqin-a"] and title in told["summary"]
    assert "打印食品安全公示牌" in text(house.client("neiqin-a").get(f"/enterprises/{firm}/history"))


def test_a_firms_people_print_their_own_and_nobody_elses(house: House) -> None:
    mine, theirs = firm_of(house, "firm-a"), firm_of(house, "firm-b")
    page = text(house.client("firm-a").get(f"/enterprises/{mine}"))
    for paper, title in PAPERS.items():
        assert f"/enterprises/{mine}/{paper}" in page
        assert title in got(house, "firm-a", f"/enterprises/{mine}/{paper}")
        assert house.client("firm-a").get(f"/enterprises/{theirs}/{paper}").status_code == 404
        assert house.client("firm-b").get(f"/enterprises/{mine}/{paper}").status_code == 404
    with house.system() as session:
        posts = {key: session.scalars(select(Appointment.id).where(Appointment.enterprise_id == key)).first()
                 for key in (mine, theirs)}  # fmt: skip
    assert "任命书" in got(house, "firm-a", f"/appointments/{posts[mine]}/letter")
    assert house.client("firm-a").get(f"/appointments/{posts[theirs]}/letter").status_code == 404


def test_another_stations_firm_is_not_there_and_who_may_not_print_has_no_buttons(house: House) -> None:
    firm = staffed(house)
    with house.system() as session:
        foreign = session.get_one(Site, house.site_of(B)).enterprise_id
        post = session.scalars(select(Appointment.id).where(Appointment.enterprise_id == firm)).first()
    for paper in PAPERS:
        assert house.client("yuan-b").get(f"/enterprises/{firm}/{paper}").status_code == 404
        assert house.client("yuan-a").get(f"/enterprises/{foreign}/{paper}").status_code == 404
        assert house.client("admin").get(f"/enterprises/{firm}/{paper}").status_code == 403
        assert house.client().get(f"/enterprises/{firm}/{paper}").status_code == 302
    assert house.client("yuan-b").get(f"/appointments/{post}/letter").status_code == 404
    page = text(house.client("audit").get(f"/enterprises/{firm}"))
    assert "/board" not in page


def hide(house: House, role: str, hidden: dict[str, list[str]]) -> None:
    with house.system() as session, unit_of_work():
        one = session.scalars(select(AccessRole).where(AccessRole.code == role)).one()
        one.hidden = {**one.hidden, **hidden}


def test_hidden_columns_are_on_no_paper(small: House) -> None:
    firm = staffed(small)
    with small.system() as session, unit_of_work():
        session.get_one(Enterprise, firm).code = "12150525MB0000016X"
        post = session.scalars(select(Appointment).where(Appointment.enterprise_id == firm).limit(1)).one()
        post.document, post.person.mobile = "任〔2026〕9号", "13900001234"
        key = post.id
    shown = got(small, "suo-a", f"/enterprises/{firm}/posts")
    assert "13900001234" in shown and "兼职" in shown
    assert "12150525MB0000016X" in got(small, "suo-a", f"/appointments/{key}/letter")
    hide(small, "chief", {"Enterprise": ["code"], "Appointment": ["document", "full_time"], "Person": ["mobile"]})
    shown = got(small, "suo-a", f"/enterprises/{firm}/posts")
    assert "电话" not in shown and "1390000" not in shown and "兼职" not in shown
    shown = got(small, "suo-a", f"/appointments/{key}/letter")
    assert "12150525MB0000016X" not in shown and "任〔2026〕9号" not in shown and "兼职" not in shown


def test_who_is_shown_no_names_gets_no_list_of_them(small: House) -> None:
    firm = staffed(small)
    hide(small, "chief", {"Person": ["name"]})
    client = small.client("suo-a")
    page = text(client.get(f"/enterprises/{firm}"))
    assert "/board" not in page and "/officer-rules" in page
    for path in (f"/enterprises/{firm}/board", f"/enterprises/{firm}/posts"):
        assert client.get(path).status_code == 403


def test_a_name_no_font_has_does_not_stop_a_paper(small: House) -> None:
    firm = canteen(small, "有字\U0002ebe0小学", 20)
    assert "小学" in got(small, "suo-a", f"/enterprises/{firm}/board")


@pytest.mark.parametrize("key", ["0", "999999999", "x", "-1", "9" * 30])
def test_what_is_no_firm_is_not_found(small: House, key: str) -> None:
    assert small.client("suo-a").get(f"/enterprises/{key}/board").status_code == 404

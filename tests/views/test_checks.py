"""The daily form on the phone and the screens round it: without a script, with bad input, by the wrong person."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.core import clock
from app.core.setting import BureauSetting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import CheckState
from app.models.check import CheckProblem, DailyCheck, RiskList
from app.models.enterprise import Site
from tests.support.house import A, B, House

NEW = ("/daily-checks", "/risk-lists", "/licences", "/closures", "/trainings", "/exams", "/holidays")


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def form_of(page: str) -> dict[str, str]:
    """What the browser would send: hidden inputs, the chosen person and the date."""
    found = dict(re.findall(r'<input type="hidden" name="([\w]+)" value="([^"]*)"', page))
    found |= {"check_date": clock.today().isoformat()}
    person = re.search(r'<select id="person".*?<option value="(\d+)" selected', page, re.DOTALL)
    return found | {"person": person[1] if person else ""}


def codes_of(page: str) -> list[str]:
    return re.findall(r'<fieldset class="ci[^"]*" id="answers-([^"]+)"', page)


def record_of(house: House) -> DailyCheck:
    with house.system() as session:
        newest = select(DailyCheck).order_by(DailyCheck.id.desc()).limit(1)
        return session.scalars(newest).unique().one()


# -- the form ---------------------------------------------------------------------------------------------------------


def test_a_firm_sends_todays_record_in_one_go(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    assert len(codes) >= 20 and "其余全部符合" in page and "为什么查" in page
    form = (
        form_of(page) | {f"answers-{code}": "符合" for code in codes} | {"then": "submit", "device_date": "2020-02-02"}
    )
    answer = client.post("/daily-checks/add", data=form)
    assert answer.status_code == 302
    shown = text(client.get(answer.location))
    assert "已提交" in shown and "零风险报告" in shown and codes[0] in shown
    row = record_of(house)
    assert (row.state, row.zero_risk, row.transcribed) == (CheckState.SUBMITTED, True, False)
    assert row.check_date == clock.today() and str(row.device_date) == "2020-02-02"


def test_an_exception_is_asked_about_beside_its_item_and_everything_typed_stays(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    form = form_of(page) | {f"answers-{code}": "符合" for code in codes[2:]} | {"then": "submit"}
    form |= {f"answers-{codes[0]}": "不符合", f"answers-{codes[0]}-note": "有<b>一箱</b>过期"}
    answer = client.post("/daily-checks/add", data=form)
    shown = text(answer)
    assert answer.status_code == 422
    assert f'href="#answers-{codes[0]}"' in shown and "请写明采取的防范措施。" in shown
    assert f'href="#answers-{codes[1]}"' in shown and "还没有选择结果。" in shown
    assert 'href="#reported_to"' in shown
    assert "有&lt;b&gt;一箱&lt;/b&gt;过期" in shown
    assert re.search(rf'name="answers-{codes[2]}" value="符合" checked', shown)
    with house.system() as session:
        today = select(DailyCheck.id).where(DailyCheck.check_date == clock.today())
        assert session.scalar(today) is None, "nothing half-written"


def test_all_met_works_without_the_script(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    form = form_of(page) | {f"answers-{codes[0]}": "不符合", "answers--all": "符合"}
    shown = text(client.post("/daily-checks/add", data=form))
    assert shown.count('value="符合" checked') == len(codes) - 1
    assert re.search(rf'name="answers-{codes[0]}" value="不符合" checked', shown)
    assert 'class="summary"' not in shown


def test_a_draft_is_saved_unfinished_and_finished_later(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    answer = client.post("/daily-checks/add", data=form_of(page) | {f"answers-{codes[0]}": "符合", "then": ""})
    assert answer.status_code == 302
    edit = text(client.get(f"{answer.location}/edit"))
    assert re.search(rf'name="answers-{codes[0]}" value="符合" checked', edit)
    version = re.search(r'name="version" value="(\d+)"', edit)
    assert version
    form = form_of(edit) | {f"answers-{code}": "符合" for code in codes} | {"then": "submit", "version": version[1]}
    assert client.post(f"{answer.location}/edit", data=form).status_code == 302
    assert record_of(house).state == CheckState.SUBMITTED
    assert client.get(f"{answer.location}/edit").status_code == 403


def test_two_who_fill_one_draft_are_shown_where_they_differ_and_neither_loses_an_answer(house: House) -> None:
    """The officer on the telephone and the director at the desk."""
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    draft = client.post("/daily-checks/add", data=form_of(page) | {f"answers-{codes[0]}": "符合"}).location
    opened = form_of(text(client.get(f"{draft}/edit"))) | {f"answers-{codes[0]}": "符合"}
    telephone = opened | {f"answers-{codes[1]}": "不符合", f"answers-{codes[1]}-note": "有一箱过期"}
    assert client.post(f"{draft}/edit", data=telephone).status_code == 302
    desk = opened | {f"answers-{codes[2]}": "符合", f"answers-{codes[2]}-note": ""}
    lost = client.post(f"{draft}/edit", data=desk)
    shown = text(lost)
    assert lost.status_code == 409 and 'name="clash" value="answers"' in shown
    assert "不符合（有一箱过期）" in shown and re.search(rf'name="answers-{codes[2]}" value="符合" checked', shown)
    theirs = form_of(shown) | {"clash-answers": "theirs", f"answers-{codes[2]}": "符合"}
    assert client.post(f"{draft}/edit", data=theirs).status_code == 302
    kept = record_of(house)
    assert kept.results == {codes[0]: "符合", codes[1]: "不符合"}
    with house.system() as session:
        assert session.scalars(select(CheckProblem.note).where(CheckProblem.check_id == kept.id)).all() == [
            "有一箱过期"
        ]


def test_answers_left_alone_take_what_another_answered(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    draft = client.post("/daily-checks/add", data=form_of(page) | {f"answers-{codes[0]}": "符合"}).location
    opened = form_of(text(client.get(f"{draft}/edit"))) | {f"answers-{codes[0]}": "符合"}
    assert client.post(f"{draft}/edit", data=opened | {f"answers-{codes[1]}": "符合"}).status_code == 302
    desk = client.post(f"{draft}/edit", data=opened | {"late_reason": "停电"})
    assert desk.status_code == 409 and 'name="clash"' not in text(desk), "nothing to decide"
    assert re.search(rf'name="answers-{codes[1]}" value="符合" checked', text(desk)) and "停电" in text(desk)


def test_a_second_record_of_the_day_is_refused_and_the_first_is_corrected(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    whole = {f"answers-{code}": "符合" for code in codes} | {"then": "submit"}
    first = client.post("/daily-checks/add", data=form_of(page) | whole).location
    other = form_of(page) | whole | {"form_key": ""}  # another page, not this one sent again
    assert client.post("/daily-checks/add", data=other).status_code == 422
    shown = text(client.get(first))
    link = re.search(r'href="(/daily-checks/add\?corrects=\d+)"', shown)
    assert link
    again = text(client.get(link[1]))
    assert again.count('value="符合" checked') == len(codes)
    assert client.post("/daily-checks/add", data=form_of(again) | whole).status_code == 422, "it asks why"
    form = form_of(again) | whole | {"late_reason": "看错了"}
    assert client.post("/daily-checks/add", data=form).status_code == 302
    assert "已更正" in text(client.get(first))


def test_two_at_once_leave_one_record(house: House) -> None:
    from concurrent.futures import ThreadPoolExecutor

    page = text(house.client("firm-a").get("/daily-checks/add"))
    form = form_of(page) | {f"answers-{code}": "符合" for code in codes_of(page)} | {"then": "submit"}
    form["form_key"] = ""  # four pages, not one sent four times
    clients = [house.client("firm-a") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(lambda one: one.post("/daily-checks/add", data=form).status_code, clients))
    assert codes.count(302) == 1 and set(codes) <= {302, 409, 422}, codes
    with house.system() as session:
        today = select(DailyCheck).where(DailyCheck.check_date == clock.today())
        assert [row.state for row in session.scalars(today).unique()] == [CheckState.SUBMITTED]


@pytest.mark.parametrize(
    "bad",
    [
        {"answers-C02": "也许"}, {"answers-\0": "符合"}, {"answers-C02-note": "坏\0"}, {"site": "999999"},
        {"site": "x"},
        {"check_date": "昨天"}, {"check_date": "9999-12-31"}, {"person": "1"}, {"person": ""}, {"corrects": "1"},
        {"answers-" + "长" * 500: "符合"}, {"late_reason": "长" * 10_000}, {"reported_to": "\0"},
        {f"answers-X{n}": "符合" for n in range(400)}, {"answers--all": "x"}, {"then": "withdraw"},
    ],
)  # fmt: skip
def test_bad_input_gives_a_message_and_writes_nothing_whole(small: House, bad: dict[str, str]) -> None:
    client = small.client("firm-a")
    form = form_of(text(client.get("/daily-checks/add"))) | {"then": "submit"} | bad
    assert client.post("/daily-checks/add", data=form).status_code in {200, 302, 422}
    with small.system() as session:
        live = select(DailyCheck.id).where(DailyCheck.check_date == clock.today(), DailyCheck.state == "已提交")
        assert session.scalar(live) is None


@pytest.mark.parametrize("query", ["site=0", "site=x", "site=%00", "site=" + "9" * 30, "corrects=1", "corrects=x"])
def test_a_form_about_nothing_is_not_found(small: House, query: str) -> None:
    with small.system() as session:
        others = session.scalars(select(DailyCheck.id).where(DailyCheck.office_id == small.offices[B])).all()
    query = query.replace("corrects=1", f"corrects={others[0]}")
    assert small.client("firm-a").get(f"/daily-checks/add?{query}").status_code == 404


def test_the_clerk_chooses_a_site_first_and_other_stations_sites_are_not_there(house: House) -> None:
    client = house.client("neiqin-a")
    assert "检查哪个场所" in text(client.get("/daily-checks/add"))
    assert client.get(f"/daily-checks/add?site={house.site_of(A, skip=3)}").status_code == 200
    assert client.get(f"/daily-checks/add?site={house.site_of(B)}").status_code == 404
    for username, code in (("yuan-a", 403), ("ju", 403), ("shi", 403), ("admin", 403), ("audit", 403)):
        assert house.client(username).get("/daily-checks/add").status_code == code, username


def test_home_asks_the_firm_for_todays_record_until_it_is_there(house: House) -> None:
    client = house.client("firm-a")
    assert "今天的日检查" in text(client.get("/")) and "未填报" in text(client.get("/"))
    page = text(client.get("/daily-checks/add"))
    whole = {f"answers-{code}": "符合" for code in codes_of(page)} | {"then": "submit"}
    client.post("/daily-checks/add", data=form_of(page) | whole)
    assert "未填报" not in text(client.get("/"))
    assert "今天的日检查" not in text(house.client("suo-a").get("/"))


# -- the other screens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["suo-a", "yuan-a", "neiqin-a", "gu-canyin", "ju", "zhuanban", "firm-a", "firm-b"])
def test_lists_and_records_open_for_those_who_keep_or_watch_them(house: House, username: str) -> None:
    client = house.client(username)
    for base in NEW:
        page = client.get(f"{base}/")
        assert page.status_code == 200, base
        for key in re.findall(rf'href="{base}/(\d+)"', text(page))[:3]:
            assert client.get(f"{base}/{key}").status_code == 200


def test_their_lists_cost_few_statements(house: House) -> None:
    client = house.client("suo-a")
    client.get("/sites/")
    for base in NEW:
        with house.statements() as told:
            assert client.get(f"{base}/").status_code == 200
        assert len(told) <= 8, (base, told)


@pytest.mark.parametrize("username", ["admin", "shi", "audit"])
def test_they_are_closed_to_those_outside_the_business(small: House, username: str) -> None:
    for base in NEW:
        assert small.client(username).get(f"{base}/").status_code == 403


def test_a_firm_finds_its_record_by_pinyin_and_never_the_others(house: House) -> None:
    with house.system() as session:
        rows = session.scalars(select(Site).where(Site.id.in_(select(DailyCheck.site_id)))).unique().all()
        names = {row.office_id: row.name for row in rows}
    own, other = names[house.offices[A]], names[house.offices[B]]
    client = house.client("suo-a")
    assert own in text(client.get("/daily-checks/?q=naimanqi"))
    assert f">{other}<" not in text(client.get(f"/daily-checks/?q={other}"))


def test_a_new_edition_is_made_on_the_screen_from_the_template(house: House) -> None:
    client = house.client("firm-a")
    with house.system() as session:
        template = session.scalars(select(RiskList.id).where(RiskList.template, RiskList.line == "食品销售")).one()
    page = text(client.get(f"/risk-lists/add?base={template}"))
    assert page.count('name="points-') > 32 * 5 and 'value="S32"' in page
    assert client.get(f"/risk-lists/{template}/edit").status_code == 403
    with house.acting("firm-a"):
        from app.core.db import current_session

        site_id = current_session().scalars(select(Site.id)).first()
    form = {"title": "本店清单", "line": "食品销售", "site": str(site_id), "base": str(template), "compiler": "甲",
            "approver": "乙"}  # fmt: skip
    answer = client.post("/risk-lists/add", data=form)
    assert answer.status_code == 302
    assert "S32" in text(client.get(answer.location))
    seen = re.findall(r'name="version" value="(\d+)"', text(client.get(f"{answer.location}/do/put_in_force")))[0]
    today = clock.today().isoformat()
    step = client.post(f"{answer.location}/do/put_in_force", data={"valid_from": today, "version": seen})
    assert step.status_code == 302
    assert "S03" in text(client.get("/daily-checks/add"))
    past = (clock.today() - timedelta(days=1)).isoformat()
    assert client.post(f"{answer.location}/do/put_in_force", data={"valid_from": past}).status_code in {403, 409}


def test_holidays_are_entered_by_the_office_and_read_by_everybody(house: House) -> None:
    form = {"date": "2027-01-01", "name": "元旦", "kind": "法定节假日", "region": "全国"}
    assert house.client("firm-a").post("/holidays/add", data=form).status_code == 403
    client = house.client("fagui")
    assert client.post("/holidays/add", data=form).status_code == 302
    assert client.post("/holidays/add", data=form).status_code in {409, 422}
    assert "元旦" in text(house.client("firm-a").get("/holidays/"))


def test_a_role_that_may_not_see_a_column_sees_it_nowhere(house: House) -> None:
    from app.core.office import AccessRole

    with house.system() as session, unit_of_work(Verb.UPDATE):
        chief = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        chief.hidden = {"Licence": ["number"], "DailyCheck": ["person", "reported_to"]}
    client = house.client("suo-a")
    with house.system() as session:
        from app.models.licence import Licence

        numbers = session.scalars(select(Licence.number).where(Licence.office_id == house.offices[A])).all()
        keys = session.scalars(select(Licence.id).where(Licence.office_id == house.offices[A])).all()
    pages = text(client.get("/licences/")) + "".join(text(client.get(f"/licences/{key}")) for key in keys[:2])
    assert numbers and not [number for number in numbers if re.search(rf">\s*{number}\s*<", pages)]


def test_the_grace_is_the_bureaus_to_set(house: House) -> None:
    with house.system() as session, unit_of_work(Verb.UPDATE):
        session.scalars(select(BureauSetting).where(BureauSetting.key == "check.grace_days")).one().value = "5"
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    day = (clock.today() - timedelta(days=5)).isoformat()
    form = form_of(page) | {f"answers-{code}": "符合" for code in codes_of(page)}
    form |= {"check_date": day, "late_reason": "停电", "then": "submit"}
    assert client.post("/daily-checks/add", data=form).status_code == 302
    assert record_of(house).late


def test_an_empty_form_names_the_first_open_items_and_counts_the_rest(small: House) -> None:
    client = small.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    shown = text(client.post("/daily-checks/add", data=form_of(page) | {"then": "submit"}))
    summary = shown[shown.index('id="errors"') :]
    summary = summary[: summary.index("</div>")]
    assert summary.count('href="#answers-') == 6 and f"另有 {len(codes_of(page)) - 5} 项" in summary
    assert shown.count("还没有选择结果。") == len(codes_of(page)) + 5


def test_a_record_whose_edition_one_may_not_read_opens_and_is_not_submitted(house: House) -> None:
    client = house.client("firm-a")
    page = text(client.get("/daily-checks/add"))
    codes = codes_of(page)
    form = form_of(page) | {f"answers-{code}": "符合" for code in codes}
    opened = client.post("/daily-checks/add", data=form).location
    other = house.site_of(B)
    with house.system() as session, unit_of_work():
        firm = session.get_one(Site, other).enterprise_id
        here = {"office_id": house.offices[B], "made_office_id": house.offices[B], "template": False,
                "site_id": other, "enterprise_id": firm}  # fmt: skip
        session.connection().execute(update(RiskList.__table__).values(here))
    shown = client.get(opened)
    assert shown.status_code == 200 and codes[0] in text(shown)
    row = record_of(house)
    told = client.post(f"/daily-checks/{row.id}/do/submit", data={"version": row.version}, follow_redirects=True)
    assert told.status_code < 500 and "不能提交" in text(told)
    assert record_of(house).state == CheckState.DRAFT

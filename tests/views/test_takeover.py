"""接管: a station brings in what it did on paper, is shown what still lacks, and says when a part is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.core import clock
from app.core.access.fetch import fetch
from app.core.attachment import Attachment
from app.core.errors import AccessRefused
from app.core.office import AccessRole, Posting
from app.core.open_work import waiting
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.takeover import PriorKind, PriorState, RecheckResult, TakeoverPart
from app.models.enterprise import Enterprise, Site
from app.models.takeover import PriorCase, TakeoverStep
from app.services.takeover import progress
from tests.support.house import A, B, House
from tests.support.imports import Desk, page, workbook

NUMBER = "奈市监责改〔2026〕7号"


def notice(house: House, who: str = "yuan-a", **values: Any) -> PriorCase:
    """A paper notice of ten days ago, to be corrected by now."""
    day = clock.today() - timedelta(days=10)
    one = {"site_id": house.site_of(A), "kind": PriorKind.NOTICE, "number": NUMBER, "done_on": day,
           "content": "冷藏柜温度偏高", "deadline": clock.today()} | values  # fmt: skip
    with house.acting(who):
        return save(PriorCase(**one), Verb.CREATE)


def wrong(house: House, **values: Any) -> set[str]:
    with pytest.raises(Refused) as refused:
        notice(house, **values)
    return set(refused.value.fields)


def at(house: House, who: str, part: TakeoverPart) -> tuple[int, int]:
    """How many there are of a part at the station, how many lack something, as this person counts."""
    with house.acting(who):
        found = progress([house.offices[A]])[house.offices[A]]
    return next((one.total, one.open) for one in found if one.part == part)


# -- cases done on paper ----------------------------------------------------------------------------------------------


def test_a_paper_notice_waits_for_its_recheck_and_is_done_with_it(house: House) -> None:
    key = notice(house).id
    with house.acting("yuan-a"):
        row = fetch(PriorCase, key, Verb.UPDATE)
        assert row.state == PriorState.WAITING and row.office_id == house.offices[A]
        with unit_of_work(Verb.UPDATE):
            row.rechecked_on, row.outcome = clock.today(), RecheckResult.CORRECTED
            save(row, Verb.UPDATE)
        assert row.state == PriorState.DONE
        with unit_of_work(Verb.UPDATE):
            row.outcome = RecheckResult.NOT_CORRECTED
            save(row, Verb.UPDATE)
        assert row.state == PriorState.NOT_CORRECTED
    inspected = notice(house, kind=PriorKind.INSPECTION, number="", deadline=None)
    assert inspected.state == PriorState.DONE, "nothing was to be corrected"


def test_what_contradicts_itself_is_said_beside_its_field(small: House) -> None:
    tomorrow, before = clock.today() + timedelta(days=1), clock.today() - timedelta(days=20)
    assert wrong(small, number="") == {"number"}
    assert wrong(small, done_on=tomorrow, deadline=None) == {"done_on"}
    assert wrong(small, deadline=before) == {"deadline"}
    assert wrong(small, rechecked_on=clock.today()) == {"outcome"}
    assert wrong(small, outcome=RecheckResult.CORRECTED) == {"rechecked_on"}
    assert wrong(small, rechecked_on=before, outcome=RecheckResult.CORRECTED) == {"rechecked_on"}


def test_a_number_is_entered_once_a_site(house: House) -> None:
    notice(house)
    assert wrong(house) == {"number"}
    notice(house, site_id=house.site_of(A, 1))
    with pytest.raises(IntegrityError), house.system() as session, unit_of_work(Verb.UPDATE):
        first = session.scalars(select(PriorCase).order_by(PriorCase.id)).first()
        assert first is not None
        session.add(PriorCase(site_id=first.site_id, kind=first.kind, number=first.number, done_on=first.done_on,
                              office_id=first.office_id, made_office_id=first.office_id))  # fmt: skip


def test_the_other_station_and_the_firm_see_nothing_of_it(house: House) -> None:
    key = notice(house).id
    assert house.client("suo-b").get(f"/prior-cases/{key}").status_code == 404
    assert house.client("firm-a").get("/prior-cases/").status_code == 403
    with pytest.raises(AccessRefused):
        notice(house, "yuan-b", number="1")
    assert NUMBER in page(house.client("ju").get(f"/prior-cases/{key}"))


def test_it_is_entered_from_a_file_with_what_is_wrong_told_row_by_row(small: House) -> None:
    with small.system() as session:
        site = session.get_one(Site, small.site_of(A))
        name = site.name
    heads = ("经营场所", "案卷种类", "文号", "检查或发文日期")
    day = clock.today() - timedelta(days=3)
    fine = (name, "责令改正通知书", NUMBER, f"{day.year}年{day.month}月{day.day}日")
    desk = Desk(small, "neiqin-a", "/prior-cases")
    desk.upload(
        workbook(heads, fine, (name, "责令改正通知书", "", clock.today().isoformat()), (name, "检查", "", "昨天"))
    )
    assert desk.attempt().status_code == 302
    assert desk.counts() == (1, 0, 0, 2) and "通知书要填文号" in desk.result()
    again = Desk(small, "neiqin-a", "/prior-cases")
    again.through(workbook(heads, fine))
    with small.system() as session:
        one = session.scalars(select(PriorCase)).one()
        assert (one.number, one.done_on, one.state) == (NUMBER, day, PriorState.WAITING)


# -- firms of which only name and address are known -------------------------------------------------------------------


def test_a_firm_with_only_name_and_address_is_taken_and_listed(house: House) -> None:
    with house.acting("neiqin-a"):
        key = save(Enterprise(name="村口小卖部", address="大沁他拉镇某村"), Verb.CREATE).id
    client = house.client("neiqin-a")
    listed = page(client.get("/enterprises/?gaps=any&q=村口小卖部"))
    assert f'href="/enterprises/{key}"' in listed
    assert "缺代码、负责人、电话、场所" in page(client.get(f"/enterprises/{key}"))
    assert f'href="/enterprises/{key}"' not in page(client.get("/enterprises/?gaps=address&q=村口小卖部"))
    assert f'href="/enterprises/{key}"' in page(client.get("/enterprises/?gaps=people&q=村口小卖部"))


def test_what_is_hidden_is_no_gap(small: House) -> None:
    """A role that does not see telephones is not told which firms have none."""
    with small.acting("neiqin-a"):
        key = save(Enterprise(name="没有电话的店", address="某村"), Verb.CREATE).id
    with small.system() as session, unit_of_work(Verb.UPDATE):
        role = session.scalars(select(AccessRole).where(AccessRole.code == "clerk")).one()
        role.hidden = {"Enterprise": ["phone"]}
    client = small.client("neiqin-a")
    shown = page(client.get(f"/enterprises/{key}"))
    assert "缺代码、负责人、场所" in shown, "and no word of its telephone"
    assert "没有这个值" in page(client.get("/enterprises/?gaps=phone"))


# -- the guide --------------------------------------------------------------------------------------------------------


def test_the_guide_counts_what_the_station_has_and_lacks(house: House) -> None:
    firms, lacking = at(house, "suo-a", TakeoverPart.FIRMS)
    notice(house)
    with house.acting("neiqin-a"):
        save(Enterprise(name="村口小卖部", address="大沁他拉镇某村"), Verb.CREATE)
    assert at(house, "suo-a", TakeoverPart.FIRMS) == (firms + 1, lacking + 1)
    assert at(house, "suo-a", TakeoverPart.NOTICES) == (1, 1), "without its scan"
    assert at(house, "suo-a", TakeoverPart.RECHECKS) == (1, 1), "nobody is in charge"
    sites, unattended = at(house, "suo-a", TakeoverPart.CARE)
    assert sites == unattended > 0
    with house.acting("suo-b"):
        assert all(one.total == 0 for one in progress([house.offices[A]])[house.offices[A]]), "not theirs to count"


def test_a_scan_is_what_was_missing(small: House) -> None:
    key = notice(small).id
    client = small.client("yuan-a")
    assert f'href="/prior-cases/{key}"' in page(client.get("/prior-cases/?scans=none"))
    with small.system() as session, unit_of_work(Verb.UPDATE):
        session.add(Attachment(entity="PriorCase", row_id=key, name="扫描.pdf", mime="application/pdf", size=1,
                               sha256="0" * 64, file="0" * 32, made_office_id=small.offices[A]))  # fmt: skip
    assert f'href="/prior-cases/{key}"' not in page(client.get("/prior-cases/?scans=none"))
    assert at(small, "suo-a", TakeoverPart.NOTICES) == (1, 0)
    with small.acting("yuan-a"):
        assert fetch(PriorCase, key).scans.text == "1 个"


def test_a_part_is_called_done_with_a_word_why_something_lacks_and_taken_back(house: House) -> None:
    chief, url = house.client("suo-a"), f"/takeover/{house.offices[A]}"
    assert chief.get("/takeover/").location == url, "one station: its guide at once"
    shown = page(chief.get(url))
    assert "还缺" in shown and "/caretakers/import" in shown and "标为完成" in shown
    bare = chief.post(f"{url}/done", data={"part": TakeoverPart.CARE})
    assert bare.status_code == 422 and "请写明原因" in page(bare) and 'aria-invalid="true"' in page(bare)
    told = {"part": TakeoverPart.CARE, "note": "等新人到岗"}
    assert chief.post(f"{url}/done", data=told).status_code == 302
    assert chief.post(f"{url}/done", data=told).status_code == 409, "once"
    assert "等新人到岗" in page(chief.get(url)) and "苏日娜" in page(chief.get(url))
    assert "1/6" in page(house.client("ju").get("/takeover/"))
    assert house.client("yuan-a").post(f"{url}/again", data=told).status_code == 403
    assert chief.post(f"{url}/again", data=told).status_code == 302
    with house.system() as session:
        assert session.scalar(select(TakeoverStep.id)) is None


def test_nobody_calls_another_stations_part_done(small: House) -> None:
    url = f"/takeover/{small.offices[B]}"
    assert small.client("suo-a").get(url).status_code == 404
    assert small.client("suo-a").post(f"{url}/done", data={"part": "主体", "note": "x"}).status_code == 404
    assert small.client("ju").post(f"{url}/done", data={"part": "主体", "note": "x"}).status_code == 403
    assert small.client("firm-a").get("/takeover/").status_code == 403
    chief = small.client("suo-b")
    for part in ("", "没有", "x" * 5_000):
        assert chief.post(f"{url}/done", data={"part": part}).status_code == 400
    assert chief.post(f"{url}/done", data={"part": "主体", "note": "长" * 201}).status_code == 422


def test_a_recheck_goes_to_the_successor_with_the_posting(small: House) -> None:
    """工作交接: what waits for its re-check hangs on who is in charge of it."""
    notice(small, account_id=small.accounts["yuan-a"])
    with small.system() as session, unit_of_work(Verb.UPDATE):
        session.execute(update(Posting).where(Posting.account_id == small.accounts["yuan-a"])
                        .values(date_to=clock.today() - timedelta(days=1)))  # fmt: skip
    with small.acting("suo-a"):
        left = waiting(frozenset({small.offices[A]}))
        assert any(one.account.id == small.accounts["yuan-a"] and one.total for one in left)

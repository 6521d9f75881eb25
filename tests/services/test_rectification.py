"""From findings to a signed and served 责令改正通知书: each step, each refusal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock, jobs
from app.core.access import fetch
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.document import IssuedDocument, NumberSequence, content_of, next_number
from app.core.errors import AccessRefused, Conflict, Forbidden, Invalid, NotFound, Taken
from app.core.office import Account
from app.core.saving import Refused, save
from app.core.setting import BureauSetting
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.models import setting
from app.models.citation import LegalCitation
from app.models.inspection import Inspection
from app.models.rectification import Correction, Delegation, Notice, NoticeCitation
from app.services.rectification import draft_from, paper_of
from tests.support.house import A, B, House


def notice_in(house: House, state: str, office: str = A) -> int:
    with house.system() as session:
        found = session.scalars(
            select(Notice.id)
            .where(Notice.state == state, Notice.office_id == house.offices[office])
            .order_by(Notice.id)
        ).first()
    assert found is not None, state
    return found


def step(house: House, username: str, key: int, name: str, **inputs: Any) -> str:
    with house.acting(username):
        return str(run(fetch(Notice, key), name, **inputs).state)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Rendering stood in for by a few bytes, so that these stories are about the steps (the real one: test_paper)."""
    from app.core.pdf import pool

    told: list[Any] = []

    def stand_in(name: str, context: Any, draft: bool = False, timeout: float = 30) -> bytes:
        told.append((name, context))
        return f"%PDF {name} {context.get('number')}".encode()

    monkeypatch.setattr(pool, "render_in_pool", stand_in)
    return told


@contextmanager
def worker(house: House) -> Iterator[None]:
    yield
    with house.app.app_context():
        jobs.sweep()


def signed(house: House) -> int:
    """A notice signed and rendered."""
    key = notice_in(house, "待签发")
    with worker(house):
        assert step(house, "ju", key, "sign") == "已签发"
    return key


def delivery(house: House, **changes: Any) -> dict[str, Any]:
    session = current_session()
    values: dict[str, Any] = {
        "method": "直接",
        "date": clock.today(),
        "place": "当事人经营场所",
        "receiver": "店主",
        "relation": "",
        "witness": "",
        "server": session.get(Account, house.accounts["yuan-a"]),
        "co_server": session.get(Account, house.accounts["suo-a"]),
        "remark": "",
    }
    return values | changes


def serve(house: House, key: int, **changes: Any) -> str:
    with house.acting("yuan-a"):
        return str(run(fetch(Notice, key), "serve", **delivery(house, **changes)).state)


# -- the story --------------------------------------------------------------------------------------------------------


def test_from_findings_to_service(house: House, rendered: list[Any]) -> None:
    with house.acting("yuan-a"):
        session = current_session()
        visit = session.scalars(select(Inspection).where(Inspection.state == "已完成").order_by(Inspection.id)).first()
        assert visit is not None
        notice = draft_from(visit)
        articles = {row.key: row for row in session.scalars(select(LegalCitation))}
        for purpose, key in (("违反", "fsl44-1"), ("依据", "apl28-1"), ("依据", "fsl126-1-2")):
            notice.citations.append(NoticeCitation(purpose=purpose, citation=articles[key]))
        save(notice, Verb.CREATE)
        key = notice.id
        assert notice.drafter_id == current_access().person.id
        assert [one.fact for one in notice.corrections] == [one.fact for one in visit.findings]
    assert step(house, "yuan-a", key, "submit") == "待审核"
    assert step(house, "suo-a", key, "review") == "待签发"
    with worker(house):
        assert step(house, "ju", key, "sign") == "已签发"
    with house.acting("yuan-a"):
        notice = fetch(Notice, key)
        paper = paper_of(notice)
        assert paper is not None
        assert paper.state == "有效"
        assert content_of(paper) == f"%PDF notice {notice.number}".encode()
    assert serve(house, key) == "已送达"
    with house.app.app_context():
        jobs.sweep()
    with house.acting("yuan-a"):
        notice = fetch(Notice, key)
        assert notice.served_on == clock.today()
        assert [
            paper.kind
            for paper in current_session().scalars(
                select(IssuedDocument).where(IssuedDocument.row_id == key).order_by(IssuedDocument.id)
            )
        ] == ["notice", "delivery"]
        assert [one.server.name for one in notice.deliveries] == ["包文斌"]
    context = next(context for name, context in rendered if name == "notice" and context["number"] == notice.number)
    assert context["remedy"] == {"review_body": "奈曼旗人民政府", "court": "奈曼旗人民法院"}
    assert context["violated"] == ["《中华人民共和国食品安全法》第四十四条第一款"]
    assert context["demo"] is True


# -- who may do what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "name", "allowed"),
    [
        ("草稿", "submit", {"yuan-a", "suo-a"}),
        ("待审核", "review", {"suo-a", "fagui", "gu-canyin"}),
        ("待签发", "sign", {"ju"}),
        ("已签发", "void", {"ju"}),
    ],
)
def test_each_step_is_for_its_own_people(
    house: House, rendered: list[Any], state: str, name: str, allowed: set[str]
) -> None:
    """Truth table of steps by the whole cast, on a notice of station A in the catering line."""
    for username in sorted(house.accounts):
        house.restore()
        with house.system() as session, unit_of_work():
            for notice in session.scalars(select(Notice)):
                notice.lines = notice.site.lines = notice.site.enterprise.lines = 4
        key = notice_in(house, state)
        try:
            step(house, username, key, name, reason="试一试")
            done = True
        except (Forbidden, NotFound, AccessRefused):
            done = False
        assert done is (username in allowed), username


def test_drafter_and_signer_are_two_persons_whatever_accounts_they_use(house: House, rendered: list[Any]) -> None:
    key = notice_in(house, "待签发")
    with house.system() as session, unit_of_work():
        drafter = session.get_one(Notice, key).drafter_id
        session.get_one(Account, house.accounts["ju"]).person_key = session.get_one(Account, drafter).person_key
    with pytest.raises(Conflict, match="同一人"):
        step(house, "ju", key, "sign")


def test_a_chief_does_not_review_what_he_drafted(house: House) -> None:
    with house.acting("suo-a"):
        visit = current_session().scalars(select(Inspection).where(Inspection.state == "已完成")).first()
        assert visit is not None
        notice = draft_from(visit)
        articles = {row.key: row for row in current_session().scalars(select(LegalCitation))}
        notice.citations = [
            NoticeCitation(purpose="违反", citation=articles["fsl44-1"]),
            NoticeCitation(purpose="依据", citation=articles["apl28-1"]),
        ]
        save(notice, Verb.CREATE)
        key = notice.id
    step(house, "suo-a", key, "submit")
    with pytest.raises(Conflict, match="同一人"):
        step(house, "suo-a", key, "review")
    assert step(house, "fagui", key, "review") == "待签发"


def test_signing_may_be_delegated_by_paper_for_a_time(house: House, rendered: list[Any]) -> None:
    key = notice_in(house, "待签发")
    with pytest.raises(Forbidden), house.acting("fagui"):
        fetch(Notice, key, Verb.SIGN)
    with house.acting("ju"):
        session, today = current_session(), clock.today()
        save(
            Delegation(
                account=session.get(Account, house.accounts["fagui"]),
                document="奈市监授〔2026〕3号",
                date_from=today,
                date_to=today,
            ),
            Verb.CREATE,
        )
    assert step(house, "fagui", key, "sign") == "已签发"
    with house.system() as session:
        notice = session.get_one(Notice, key)
        assert notice.delegation is not None and notice.delegation.document == "奈市监授〔2026〕3号"
    later = clock.now() + timedelta(days=2)
    with clock.set_clock(lambda: later), house.acting("fagui") as access:
        assert not access.may("Notice", Verb.SIGN)


def test_nobody_delegates_to_himself(house: House) -> None:
    with house.acting("ju"), pytest.raises(Refused) as refused:
        today = clock.today()
        save(
            Delegation(
                account=current_session().get(Account, house.accounts["ju"]),
                document="x",
                date_from=today,
                date_to=today,
            ),
            Verb.CREATE,
        )
    assert "account" in refused.value.fields


# -- what a notice must hold ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"immediate": True}, "deadline"),
        ({"deadline": None}, "deadline"),
        ({"deadline": "yesterday"}, "deadline"),
        ({"conduct": ""}, "conduct"),
        ({"conduct": "坏\x07字"}, "conduct"),
        ({"party": "长" * 81}, "party"),
    ],
)
def test_a_bad_draft_is_refused_beside_its_field(house: House, changes: dict[str, Any], field: str) -> None:
    if changes.get("deadline") == "yesterday":
        changes = {"deadline": clock.today() - timedelta(days=1)}
    key = notice_in(house, "草稿")
    with house.acting("yuan-a"), pytest.raises(Refused) as refused, unit_of_work():
        notice = fetch(Notice, key, Verb.UPDATE)
        for name, value in changes.items():
            setattr(notice, name, value)
        save(notice, Verb.UPDATE)
    assert field in refused.value.fields


def test_citations_are_confirmed_in_force_and_for_their_purpose(house: House) -> None:
    key = notice_in(house, "草稿")
    with house.system() as session:
        by_key = {row.key: row.id for row in session.scalars(select(LegalCitation))}
    for article, purpose, column in (
        ("o97-daily", "违反", "citation"),  # unconfirmed
        ("o60-3", "违反", "citation"),  # replaced on 2025-04-15
        ("fsl44-1", "依据", "purpose"),  # a duty, not a power
    ):
        with house.acting("yuan-a"), pytest.raises(Refused) as refused, unit_of_work():
            notice = fetch(Notice, key, Verb.UPDATE)
            notice.citations = [
                NoticeCitation(
                    purpose=purpose,
                    citation_id=by_key[article],
                    position=1,
                    citation=current_session().get(LegalCitation, by_key[article]),
                )
            ]
            save(notice, Verb.UPDATE)
        assert set(refused.value.fields) == {f"citations.1.{column}"}, article


@pytest.mark.parametrize("missing", ["违反", "依据", "corrections"])
def test_an_incomplete_notice_cannot_be_submitted(house: House, missing: str) -> None:
    key = notice_in(house, "草稿")
    with house.acting("yuan-a"), unit_of_work():
        notice = fetch(Notice, key, Verb.UPDATE)
        if missing == "corrections":
            notice.corrections = []
        else:
            notice.citations = [one for one in notice.citations if one.purpose != missing]
    with pytest.raises(Invalid):
        step(house, "yuan-a", key, "submit")
    assert notice_in(house, "草稿") == key


@pytest.mark.parametrize("key_", sorted(setting.NOTICE_KEYS))
def test_an_unconfirmed_setting_never_reaches_a_paper(house: House, rendered: list[Any], key_: str) -> None:
    key = notice_in(house, "待签发")
    with house.system() as session, unit_of_work():
        session.scalars(select(BureauSetting).where(BureauSetting.key == key_)).one().state = "待确认"
    with pytest.raises(Conflict, match="没有由本局确认"):
        step(house, "ju", key, "sign")
    assert [context for name, context in rendered if name == "notice"] == []


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_numbers_have_no_gaps_under_eight_signers(house: House) -> None:
    barrier = threading.Barrier(8)

    def take(number: int) -> int:
        barrier.wait()
        taken = 0
        for turn in range(5):
            with house.system():
                try:
                    with unit_of_work():
                        taken = next_number("奈市监试", 2026)
                        if (number + turn) % 3 == 0:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    continue
        return taken

    with house.system(), unit_of_work():
        assert next_number("奈市监试", 2026) == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(8)))
    with house.system() as session:
        row = session.scalars(select(NumberSequence).where(NumberSequence.code == "奈市监试")).one()
    kept = sum((number + turn) % 3 != 0 for number in range(8) for turn in range(5))
    assert row.last == 1 + kept


def test_a_year_begun_on_paper_is_continued(house: House) -> None:
    with house.system() as session, unit_of_work():
        session.add(NumberSequence(code="奈市监续", year=2026, opening=38))
        session.flush()
        assert [next_number("奈市监续", 2026), next_number("奈市监续", 2026), next_number("奈市监续", 2027)] == [
            38,
            39,
            1,
        ]


def test_a_void_notice_keeps_its_number(house: House, rendered: list[Any]) -> None:
    key = signed(house)
    assert step(house, "ju", key, "void", reason="当事人名称有误") == "作废"
    with house.system() as session:
        notice = session.get_one(Notice, key)
        assert notice.number is not None
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.row_id == key)).one()
        assert paper.state == "作废"
    with pytest.raises(Taken, match="作废"):
        serve(house, key)


def test_voiding_needs_a_reason(house: House, rendered: list[Any]) -> None:
    key = signed(house)
    with pytest.raises(Invalid):
        step(house, "ju", key, "void", reason="  ")


# -- issuing and serving ----------------------------------------------------------------------------------------------


def test_a_crash_between_signing_and_rendering_is_finished_with_the_same_number(
    house: House, rendered: list[Any]
) -> None:
    key = notice_in(house, "待签发")
    step(house, "ju", key, "sign")  # and then the power goes
    with house.acting("yuan-a"):
        paper = paper_of(fetch(Notice, key))
        assert paper is not None and paper.state == "正在生成"
        with pytest.raises(Conflict, match="正在生成"):
            content_of(paper)
        number, frozen = paper.number, json.dumps(paper.context, sort_keys=True)
    with pytest.raises(Conflict, match="生成"):
        serve(house, key)
    with house.app.app_context():
        jobs.sweep()
        jobs.sweep()
    with house.acting("yuan-a"):
        paper = paper_of(fetch(Notice, key))
        assert paper is not None
        assert (paper.number, json.dumps(paper.context, sort_keys=True), paper.state) == (number, frozen, "有效")


def test_stored_bytes_are_never_rendered_again(house: House, rendered: list[Any]) -> None:
    key = signed(house)
    from app.core.document import render_document, store

    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.row_id == key)).one()
        before, many = paper.sha256, len(rendered)
        render_document(paper.id)
        store(paper.id, b"%PDF other")
        session.expire_all()
        assert session.get_one(IssuedDocument, paper.id).sha256 == before
    assert len(rendered) == many


def test_changed_bytes_are_not_served(house: House, rendered: list[Any]) -> None:
    key = signed(house)
    with house.system() as session, unit_of_work():
        session.scalars(select(IssuedDocument).where(IssuedDocument.row_id == key)).one().content = b"%PDF forged"
    with house.acting("yuan-a"):
        paper = paper_of(fetch(Notice, key))
        assert paper is not None
        with pytest.raises(Conflict, match="校验值"):
            content_of(paper)


def test_a_paper_is_for_who_reads_its_notice(house: House, rendered: list[Any]) -> None:
    key = signed(house)
    for username, seen in (
        ("yuan-a", True),
        ("ju", True),
        ("yuan-b", False),
        ("firm-b", False),
        ("admin", False),
        ("audit", False),
    ):
        with house.acting(username):
            found = current_session().scalars(select(IssuedDocument.id).where(IssuedDocument.row_id == key)).first()
            assert (found is not None) is seen, username


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"date": "tomorrow"}, "date"),
        ({"date": "before"}, "date"),
        ({"co_server": "same"}, "co_server"),
        ({"method": "留置"}, "witness"),
        ({"server": "fagui"}, "server"),
    ],
)
def test_service_is_checked(house: House, rendered: list[Any], changes: dict[str, Any], field: str) -> None:
    key = signed(house)
    with house.acting("yuan-a"):
        session, today = current_session(), clock.today()
        named = {
            "tomorrow": today + timedelta(days=1),
            "before": today - timedelta(days=400),
            "same": session.get(Account, house.accounts["yuan-a"]),
            "fagui": session.get(Account, house.accounts["fagui"]),
        }
        inputs = delivery(house, **{name: named.get(value, value) for name, value in changes.items()})
        with pytest.raises(Invalid) as refused:
            run(fetch(Notice, key), "serve", **inputs)
    assert field in refused.value.fields
    with house.system() as session:
        assert session.get_one(Notice, key).state == "已签发"


def test_two_signers_at_once_sign_once(house: House, rendered: list[Any]) -> None:
    key = notice_in(house, "待签发")
    barrier = threading.Barrier(2)

    def go(_: int) -> bool:
        barrier.wait()
        try:
            return step(house, "ju", key, "sign") == "已签发"
        except (Conflict, AccessRefused, Forbidden):
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(go, range(2))) == 1
    with house.system() as session:
        assert session.scalar(select(func.count(IssuedDocument.id)).where(IssuedDocument.row_id == key)) == 1


def test_corrections_of_another_stations_notice_are_out_of_reach(house: House) -> None:
    key = notice_in(house, "草稿", B)
    with house.acting("yuan-a"):
        assert current_session().scalars(select(Correction).where(Correction.notice_id == key)).first() is None
        with pytest.raises(AccessRefused), unit_of_work() as session:
            session.add(Correction(notice_id=key, fact="插入", demand="插入"))
            session.flush()

"""Instants, dates, encrypted columns, bits: refused when naive, opened only where sealed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from app.config import Settings
from app.core import clock, crypto
from app.core.access.policy import Coverage, Grant, grants
from app.core.access.problems import Shape, role_problems
from app.core.db import current_session
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.personnel import Person
from app.models.roles import ROLES
from app.services.sync import chinese, ordinal
from tests.support.house import House


def test_a_business_day_is_shanghais() -> None:
    with clock.set_clock(lambda: datetime(2026, 11, 22, 16, 0, tzinfo=UTC)):
        assert clock.today() == date(2026, 11, 23)
    with clock.set_clock(lambda: datetime(2026, 11, 22, 15, 59, tzinfo=UTC)):
        assert clock.today() == date(2026, 11, 22)
    with pytest.raises(ValueError, match="naive"):
        clock.local(datetime(2026, 1, 1))


def test_an_instant_comes_back_as_the_same_instant_and_a_naive_one_is_refused(house: House) -> None:
    east = datetime(2026, 11, 23, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    with house.system() as session:
        with unit_of_work():
            person = session.scalars(select(Person).limit(1)).one()
            person.made_at = east
        session.expire_all()
        assert session.get_one(Person, person.id).made_at == datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
        with pytest.raises(StatementError), unit_of_work():
            session.get_one(Person, person.id).made_at = datetime(2026, 1, 1)


def test_an_id_card_is_not_in_the_database_as_typed(house: House) -> None:
    card = "150525199001010015"
    with house.system() as session:
        with unit_of_work():
            person = session.scalars(select(Person).limit(1)).one()
            person.id_card = card
        session.expire_all()
        assert session.get_one(Person, person.id).id_card == card
        raw = bytes(session.connection().scalar(text("SELECT id_card FROM person WHERE id = :id"), {"id": person.id}))
        assert card.encode() not in raw and raw[:1] == crypto.VERSION
        with pytest.raises(TypeError, match="digest"):
            session.scalars(select(Person).where(Person.id_card == card))


def test_sealed_text_opens_with_its_own_key_and_in_its_own_column_only(small: House) -> None:
    with small.app.app_context():
        sealed = crypto.encrypt("秘密", "a.b")
        assert crypto.encrypt("秘密", "a.b") != sealed
        assert crypto.decrypt(sealed, "a.b") == "秘密"
        for bad, place in ((sealed, "a.c"), (sealed[:-1] + b"\0", "a.b"), (b"\x09" + sealed[1:], "a.b")):
            with pytest.raises(crypto.DecryptionError):
                crypto.decrypt(bad, place)
    other = Flask("other")
    other.extensions["shouze_keyring"] = crypto.Keyring(b"another installation")
    with other.app_context(), pytest.raises(crypto.DecryptionError):
        crypto.decrypt(sealed, "a.b")


def test_keys_are_made_once_and_kept_private(tmp_path: object) -> None:
    from pathlib import Path

    settings = Settings(data_dir=Path(str(tmp_path)), secret_key="", data_key_file="")
    assert settings.secret() == settings.secret() and settings.data_key() == settings.data_key()
    assert {path.stat().st_mode & 0o777 for path in (settings.data_dir / "keys").iterdir()} == {0o600}


def test_the_built_in_roles_do_not_contradict_themselves() -> None:
    for role in ROLES:
        assert role_problems(Shape(role.table(), family=role.family)) == [], role.code


@pytest.mark.parametrize(
    "grant",
    [
        Grant("Nothing", (Verb.READ,), Coverage.ALL),
        Grant("Site", (Verb.UPDATE,), Coverage.SUBTREE),
        Grant("Site", (Verb.READ,), Coverage.SUBTREE, ()),
    ],
)
def test_a_contradictory_grant_is_named(grant: Grant) -> None:
    assert role_problems(Shape(grants([grant])))
    assert role_problems(Shape({"Site": {"fly": [["subtree", None]]}}))
    assert role_problems(Shape({"Site": {"read": [["nowhere", None]]}}))


def test_article_numbers_in_chinese() -> None:
    assert [chinese(n) for n in (1, 10, 11, 20, 28, 100, 101, 110, 126, 999)] == [
        "一",
        "十",
        "十一",
        "二十",
        "二十八",
        "一百",
        "一百零一",
        "一百一十",
        "一百二十六",
        "九百九十九",
    ]
    assert (ordinal(126, "条"), ordinal(3, "项", brackets=True), ordinal(None, "款")) == (
        "第一百二十六条",
        "第（三）项",
        "",
    )


def test_the_session_in_force_is_one_object(house: House) -> None:
    with house.system() as session:
        assert current_session() is session

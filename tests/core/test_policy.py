"""What a role may hold, as truth tables: by family, by what rows are about, by what their columns can answer."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.core.access import limits
from app.core.access.policy import Coverage, Grant, grants
from app.core.access.problems import Shape, columns_of, role_problems
from app.core.db import unscoped
from app.core.entity import Sphere
from app.core.errors import ConfigurationError
from app.core.fab.matrix import shape_of
from app.core.office import AccessRole, Account, Family, Office, Posting, RoleOrigin
from app.core.saved import ListPreference
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.holiday import Holiday
from app.models.rectification import Delegation, Notice
from app.models.roles import ROLES
from app.services.role import mend_roles, require_sound_roles
from app.services.sync import sync
from tests.support.house import House

C, V, F, S = Coverage, Verb, Family, Sphere
READS = {V.READ, V.EXPORT, V.PRINT}

# family, sphere → the verbs that are never held there, the coverages that are never used; None: nothing at all
TRUTH: dict[tuple[Family, Sphere], tuple[set[Verb], set[Coverage]] | None] = {
    (F.SYSTEM, S.BUSINESS): None,
    (F.SYSTEM, S.LOG): None,
    (F.SYSTEM, S.ADMINISTRATION): (set(), {C.FIRM, C.SUPERVISED, C.ASSIGNED}),
    (F.SYSTEM, S.TOOL): (set(), {C.FIRM, C.SUPERVISED, C.ASSIGNED, C.ALL}),
    (F.AUDIT, S.BUSINESS): (set(Verb) - READS, {C.FIRM, C.ASSIGNED, C.OWN}),
    (F.AUDIT, S.ADMINISTRATION): (set(Verb) - READS, {C.FIRM, C.SUPERVISED, C.ASSIGNED}),
    (F.AUDIT, S.LOG): (set(Verb) - READS, {C.FIRM, C.SUPERVISED, C.ASSIGNED, C.OWN}),
    (F.AUDIT, S.TOOL): (set(), {C.FIRM, C.SUPERVISED, C.ASSIGNED, C.ALL, C.SUBTREE}),
    (F.BUSINESS, S.BUSINESS): (set(), {C.FIRM}),
    (F.BUSINESS, S.ADMINISTRATION): (set(Verb) - READS, {C.FIRM, C.ASSIGNED}),
    (F.BUSINESS, S.LOG): None,
    (F.BUSINESS, S.TOOL): (set(), {C.FIRM, C.SUPERVISED, C.ASSIGNED, C.ALL}),
    (F.FIRM, S.BUSINESS): (set(), {C.SUBTREE, C.SUPERVISED, C.ASSIGNED}),
    (F.FIRM, S.ADMINISTRATION): None,
    (F.FIRM, S.LOG): None,
    (F.FIRM, S.TOOL): (set(), {C.FIRM, C.SUPERVISED, C.ASSIGNED, C.ALL, C.SUBTREE}),
}


def test_the_limits_of_every_family_over_every_sphere() -> None:
    assert set(TRUTH) == {(family, sphere) for family in Family for sphere in Sphere}
    for (family, sphere), never in TRUTH.items():
        limit = limits.LIMITS[family].get(sphere)
        assert (limit is None) == (never is None), (family, sphere)
        if limit is not None and never is not None:
            assert set(Verb) - limit.verbs == never[0], (family, sphere)
            assert set(Coverage) - limit.coverages == never[1], (family, sphere)


@pytest.mark.parametrize(
    ("cls", "fits"),
    [
        (Enterprise, {C.SUBTREE, C.SUPERVISED, C.FIRM, C.ASSIGNED}),
        (Site, {C.SUBTREE, C.SUPERVISED, C.FIRM, C.ASSIGNED}),
        (Notice, {C.SUBTREE, C.SUPERVISED, C.FIRM, C.ASSIGNED}),
        (Office, {C.SUBTREE, C.SUPERVISED, C.ALL}),
        (Account, {C.SUBTREE, C.SUPERVISED, C.OWN}),
        (Posting, {C.SUBTREE, C.SUPERVISED, C.OWN}),
        (Delegation, {C.SUBTREE, C.SUPERVISED, C.OWN}),
        (AccessRole, {C.ALL}),
        (Holiday, {C.ALL}),
        (ListPreference, {C.OWN}),
    ],
)
def test_a_coverage_fits_what_the_rows_columns_can_answer(small: House, cls: Any, fits: set[Coverage]) -> None:
    assert limits.fitting(cls) == fits


@pytest.mark.parametrize(
    ("family", "rank", "cls", "verb", "can"),
    [
        (F.BUSINESS, 60, Notice, V.SIGN, True),
        (F.BUSINESS, 59, Notice, V.SIGN, False),
        (F.BUSINESS, 30, Notice, V.REVIEW, True),
        (F.BUSINESS, 29, Notice, V.REVIEW, False),
        (F.BUSINESS, 0, Notice, V.READ, True),
        (F.BUSINESS, 89, Notice, V.DELETE, False),
        (F.BUSINESS, 89, Account, V.UPDATE, False),
        (F.BUSINESS, 0, Account, V.READ, True),
        (F.FIRM, 89, Notice, V.SIGN, False),
        (F.FIRM, 1, Notice, V.READ, True),
        (F.FIRM, 89, Account, V.READ, False),
        (F.SYSTEM, 89, Notice, V.READ, False),
        (F.SYSTEM, 50, Account, V.UPDATE, True),
        (F.SYSTEM, 49, Account, V.UPDATE, False),
        (F.SYSTEM, 89, AccessRole, V.UPDATE, False),
        (F.SYSTEM, 90, AccessRole, V.UPDATE, True),
        (F.AUDIT, 89, Notice, V.READ, True),
        (F.AUDIT, 89, Notice, V.UPDATE, False),
        (F.AUDIT, 89, Enterprise, V.REVEAL, False),
    ],
)
def test_who_can_be_given_what(small: House, family: Family, rank: int, cls: Any, verb: Verb, can: bool) -> None:
    """As the truth table says, and as the table itself is judged."""
    assert (verb in limits.verbs(family, rank, cls)) is can
    coverage = next(iter(limits.coverages(family, cls)), C.SUBTREE)
    table = grants([Grant(cls.__name__, (V.READ, verb), coverage)])
    wrong = [one for one in role_problems(Shape(table, family=family, rank=rank, custom=True)) if one.verb == verb]
    assert (not wrong) is can, wrong


def test_the_built_in_roles_keep_their_own_limits(small: House) -> None:
    for role in ROLES:
        assert role_problems(Shape(role.table(), family=role.family, rank=role.rank)) == [], role.code


@pytest.mark.parametrize(
    "broken",
    [[], "x", None, 7, {"Notice": []}, {"Notice": {"read": "x"}}, {"Notice": {"read": [["subtree"]]}},
     {"Notice": {"read": [[["subtree"], None]]}}, {"Notice": {"read": [["subtree", "草稿"]]}}, {"Notice": {"read": []}},
     {"Notice": {"read": [None]}}],
)  # fmt: skip
def test_whatever_stands_in_the_database_is_told_and_nothing_breaks(small: House, broken: Any) -> None:
    assert role_problems(Shape(broken, family=F.BUSINESS, rank=10, custom=True))
    assert role_problems(Shape({}, hidden=broken)) or broken == {"Notice": []}


def test_columns_that_can_be_withheld_are_the_entitys_own(small: House) -> None:
    found = columns_of(Notice)
    assert {"party", "conduct", "number", "inspection", "drafter"} <= set(found)
    assert not {"id", "public_id", "version", "office_id", "state", "made_at"} & set(found)
    assert "password" not in columns_of(Account) and "phone" in columns_of(Account)


# -- the start --------------------------------------------------------------------------------------------------------


def contradictory(house: House) -> None:
    table = grants([Grant("Site", (V.READ,), C.SUBTREE), Grant("Notice", (V.UPDATE,), C.SUBTREE)])
    with house.system() as session, unit_of_work():
        session.add(AccessRole(code="own-x", name="旧角色", family=F.BUSINESS, rank=20, grants=table,
                               hidden={"Site": ["gone"]}))  # fmt: skip


def test_the_start_refuses_a_stored_table_that_contradicts_itself_and_says_how_to_mend_it(house: House) -> None:
    with house.system():
        sync()
    contradictory(house)
    with house.app.app_context(), unscoped("test"), pytest.raises(ConfigurationError) as refused:
        sync()
    told = str(refused.value)
    assert "role own-x (旧角色): Notice: verbs without read" in told
    assert "Site.hidden: unknown column gone" in told and "mend-roles" in told


def test_mending_takes_away_what_contradicts_and_nothing_else(house: House) -> None:
    contradictory(house)
    with house.system() as session:
        taken = mend_roles()
        require_sound_roles()
        role = session.scalars(select(AccessRole).where(AccessRole.code == "own-x")).one()
        assert role.grants == grants([Grant("Site", (V.READ,), C.SUBTREE)]) and role.hidden == {}
        assert len(taken) == 2 and role.origin == RoleOrigin.CUSTOM and not role_problems(shape_of(role))
        sync()


def test_the_command_that_mends_says_what_it_took(small: House) -> None:
    contradictory(small)
    result = small.app.test_cli_runner().invoke(_command(), [])
    assert result.exit_code == 0, result.output
    assert "2 contradictions" in result.output and "旧角色" in result.output


def _command() -> Any:
    from app.cli import main

    return main.commands["mend-roles"]

"""The prover over the running application: no leaks, and it finds one when a guard is taken out."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true

from app import prover
from app.core.access import context, guard, predicate
from app.core.entity import Scope
from app.services.demo import CAST

FAST = ("yuan-a", "firm-a", "gu-canyin")


@pytest.fixture(autouse=True)
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was compiled with a guard out is not there for the tests after it, nor the other way round."""
    monkeypatch.setattr(context, "_last", OrderedDict())


@pytest.mark.parametrize("username", FAST)
def test_nobody_walks_round_the_office(username: str) -> None:
    outcome = prover.prove({username})
    assert outcome.leaks == []
    assert outcome.requests > 500 and len(outcome.paths) > 90
    assert {"POST /enterprises/import/<run>/undo", "GET /people/import/<run>/checked.xlsx"} <= outcome.paths


@pytest.mark.deep
@pytest.mark.parametrize("username", sorted({one.username for one in CAST} - set(FAST)))
def test_nobody_else_does_either(username: str) -> None:
    outcome = prover.prove({username})
    assert outcome.leaks == []


def test_a_predicate_that_lets_all_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicate, "_within", lambda *_args: true())
    leaks = prover.prove({"neiqin-a"}).leaks
    assert any("saw" in leak for leak in leaks)
    assert any("changed a foreign row" in leak for leak in leaks)
    assert any("/export?" in leak for leak in leaks), "a file is looked into as well as a page"


def test_a_colleagues_messages_and_files_lent_out_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    build = predicate._build

    def lend(access: Any, cls: Any, *rest: Any) -> Any:
        return true() if cls.__scope__ is Scope.OWN else build(access, cls, *rest)

    monkeypatch.setattr(predicate, "_build", lend)
    leaks = prover.prove({"firm-a"}).leaks
    for path in ("/messages/", "/jobs/"):
        assert any(f" {path}" in leak and "saw" in leak for leak in leaks), path
    assert any("/file: saw" in leak for leak in leaks)


@pytest.mark.deep
def test_a_session_without_its_filter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bureau is built with the filter (its people's acts need it); only then it is taken out."""
    from sqlalchemy import event

    from app.core.db import AppSession

    class Unfiltered(prover.House):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            event.remove(AppSession, "do_orm_execute", guard._filter)

    monkeypatch.setattr(prover, "House", Unfiltered)
    try:
        leaks = prover.prove({"yuan-a"}).leaks
    finally:
        event.listen(AppSession, "do_orm_execute", guard._filter)
    assert any("saw" in leak for leak in leaks)

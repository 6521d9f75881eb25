"""Any request to any route, by anybody: a page, a refusal, never a failure, and nothing of the inside in the answer."""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from pathlib import Path
from zlib import crc32

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import select

from app.core.office import Account
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.rectification import Notice
from tests.fuzz.requests import Hit, Target, hits, targets
from tests.support.house import House

PEOPLE = ("yuan-a", "firm-a", "admin", "audit", None)
ROOT = str(Path(__file__).parents[2])
# the inside of the program: traces, statements, drivers, paths
INSIDE = re.compile(
    r"Traceback \(most|File \"|sqlalchemy|psycopg|sqlite3|site-packages|SELECT [a-z_]+\.|INSERT INTO|"
    r"UPDATE [a-z_]+ SET|werkzeug\.|jinja2\.|" + re.escape(ROOT)
)
FAST, DEEP = 4, 12  # requests a route, method and person; half as many by those who may do less
DULL = {"HEAD", "OPTIONS"}  # answered by the framework: once, by one person


def configured(examples: int) -> settings:
    return settings(
        database=None, max_examples=examples, deadline=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def known_ids(house: House) -> list[str]:
    with house.system() as session:
        return [
            key
            for model in (Enterprise, Site, Inspection, Notice, Account)
            for key in session.scalars(select(model.public_id).order_by(model.id).limit(4))
        ]


def send(client: FlaskClient, hit: Hit) -> tuple[int, str]:
    """As a server would hand it over: path and query raw."""
    answer = client.open(
        "/", method=hit.method, data=hit.body, content_type=hit.kind,
        headers={"Accept": hit.accept},
        environ_overrides={"PATH_INFO": hit.path.decode("latin-1"), "QUERY_STRING": hit.query},
    )  # fmt: skip
    return answer.status_code, answer.get_data(as_text=False).decode("utf-8", "replace")


def attack(house: House, username: str | None, target: Target, ids: list[str], examples: int) -> Counter[int]:
    """This many requests to one route and method by one person; what came back, by status."""
    seen: Counter[int] = Counter()
    client = house.client(username)

    @seed(crc32(f"{username} {target.method} {target.rule}".encode()))  # the same each run, another for each route
    @configured(examples)
    @given(hits(target, ids))
    def one(hit: Hit) -> None:
        status, text = send(client, hit)
        seen[status] += 1
        assert status < 500, (username, hit)
        inside = INSIDE.search(text)
        assert inside is None or inside.group() in f"{hit.query}{hit.body!r}", (username, hit, inside)

    one()
    return seen


def fuzz(house: House, username: str | None, examples: int) -> Counter[int]:
    """All of them. The count is held against the map of routes, so that it can't shrink unnoticed."""
    found, ids = targets(house.app), known_ids(house)
    assert {(one.rule, one.method) for one in found} == {
        (rule.rule, method) for rule in house.app.url_map.iter_rules() for method in rule.methods or ()
    }
    assert len(found) > 600
    each = examples if username == "yuan-a" else examples // 2
    seen: Counter[int] = Counter()
    for target in found:
        if target.method in DULL and username != "yuan-a":
            continue
        wanted = 1 if target.method in DULL else each
        told = attack(house, username, target, ids, wanted)
        assert told.total() >= wanted, target
        seen += told
    sys.stdout.write(f"{username}: {len(found)} routes × methods, {seen.total()} requests, {dict(seen)}\n")
    return seen


@pytest.mark.parametrize("username", [one for one in PEOPLE if one != "audit"])  # the auditor: in the deep run
def test_no_request_breaks_anything(small: House, username: str | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    seen = fuzz(small, username, FAST)
    assert not [one for one in caplog.records if one.message == "unhandled"]
    if username is None:
        assert seen.total() > 550 and seen[302] > 50 and seen[401] > 200, "strangers are sent to sign in"
    elif username == "yuan-a":
        assert seen.total() > 1_500 and seen[200] > 300, "what is allowed was let through"
        assert seen[422] > 20 and seen[415] > 5 and seen[400] > 5 and seen[409], "forms and bodies were read"
    else:
        assert seen.total() > 550 and seen[200] > 20 and seen[403] > 200 and seen[404], (
            "each met what he may and may not"
        )


@pytest.mark.deep
@pytest.mark.parametrize("username", PEOPLE)
def test_many_more_do_not_either(house: House, username: str | None) -> None:
    fuzz(house, username, DEEP)


def test_a_route_that_breaks_is_found(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.core.fab import listing

    monkeypatch.setattr(listing, "_bounded", lambda text, _least, _most, default: int(text or default))
    target = next(one for one in targets(small.app) if (one.rule, one.method) == ("/notices/", "GET"))
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        attack(small, "yuan-a", target, known_ids(small), 200)

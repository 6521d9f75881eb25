"""What every answer says to the browser, and what the server tells nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config import Settings
from app.core.fab.shell import the_shell
from app.factory import build
from tests.support.house import House

ADDRESSES = ("/", "/sites/", "/sites/1", "/sites/add", "/login/", "/nowhere", "/api/v1/", "/api/v1/sites/", "/verify/x")


@pytest.mark.parametrize("url", ADDRESSES)
def test_every_answer_carries_the_headers(small: House, url: str) -> None:
    for client in (small.client("yuan-a"), small.client()):
        answer = client.get(url)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "base-uri 'none'" in policy and "frame-ancestors 'self'" in policy
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("url", ADDRESSES)
def test_every_answer_names_its_type_and_charset(small: House, url: str) -> None:
    answer = small.client("yuan-a").get(url)
    assert re.fullmatch(r"text/html; charset=utf-8|application/json", answer.headers["Content-Type"])


def test_transport_is_strict_and_cookies_secure_behind_https(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path, testing=True, base_url="https://localhost"))
    assert app.config["SESSION_COOKIE_SECURE"] and app.config["SESSION_COOKIE_HTTPONLY"]
    answer = app.test_client().get("/login/", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookie = answer.headers["Set-Cookie"]
    assert all(flag in cookie for flag in ("Secure", "HttpOnly", "SameSite=Lax"))


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "PUT"])
def test_methods_that_nobody_needs_are_refused(small: House, method: str) -> None:
    answer = small.client("yuan-a").open("/sites/", method=method)
    assert answer.status_code == 405
    assert b"Cookie" not in answer.data


@pytest.mark.parametrize("url", ["/.git/config", "/.env", "/assets/", "/static/", "/var/keys/data", "/assets/x/../y"])
def test_no_folder_is_listed_and_no_file_of_the_server_served(small: House, url: str) -> None:
    assert small.client("yuan-a").get(url).status_code in {404, 308}


def test_assets_are_public_and_name_their_type(small: House) -> None:
    with small.app.test_request_context():
        url = the_shell().asset_url("app.js")
    answer = small.client().get(url)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]


def test_debugging_is_off(small: House) -> None:
    assert not small.app.debug
    assert not small.app.config.get("DEBUG")

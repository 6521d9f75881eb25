"""Pages leave compressed when the browser takes it, never otherwise, and never of a telling length."""

from __future__ import annotations

import gzip

import pytest

from app.core.fab.packing import MOST_NOISE, packed
from tests.support.house import House

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize("path", ["/enterprises/", "/enterprises/1", "/enterprises/add", "/enterprises/lookup?q="])
def test_a_page_is_the_same_compressed_and_smaller(small: House, path: str) -> None:
    client = small.client("suo-a")
    plain, small_one = client.get(path), client.get(path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert small_one.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"] and "Accept-Encoding" in small_one.headers["Vary"]
    assert int(small_one.headers["Content-Length"]) == len(small_one.data) < len(plain.data) / 2
    opened = gzip.decompress(small_one.data)
    assert len(opened) == len(plain.data)
    assert opened[:40] == plain.data[:40]


def test_who_takes_none_gets_none(small: House) -> None:
    client = small.client("suo-a")
    for word in ("", "identity", "br", "gzip;q=0"):
        assert "Content-Encoding" not in client.get("/enterprises/", headers={"Accept-Encoding": word}).headers, word


def test_answers_without_a_body_and_papers_stay_as_they_are(small: House) -> None:
    client = small.client("suo-a")
    assert "Content-Encoding" not in client.head("/enterprises/", headers=GZIP).headers
    asset = client.get("/enterprises/").get_data(as_text=True).partition('href="/assets/')[2].partition('"')[0]
    packed_once = client.get(f"/assets/{asset}", headers=GZIP)
    assert gzip.decompress(packed_once.data)[:2] != b"\x1f\x8b"


def test_the_length_says_nothing_exact() -> None:
    lengths = {len(packed(b"token" * 200)) for _ in range(200)}
    assert len(lengths) > 50
    assert max(lengths) - min(lengths) < MOST_NOISE
    assert gzip.decompress(packed(b"token" * 200)) == b"token" * 200

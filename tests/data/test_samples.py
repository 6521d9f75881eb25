"""The stored sample is what its script makes."""

from __future__ import annotations

import io
import zipfile

from tests.data.make_samples import TARGET, sample


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_sample_is_up_to_date() -> None:
    assert sample() == sample()
    assert _members(TARGET.read_bytes()) == _members(sample())  # not the bytes: they depend on zlib's version

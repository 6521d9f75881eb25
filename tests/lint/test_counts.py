"""That the suite keeps its cases: see tests/support/counts.py."""

from __future__ import annotations

import pytest

from tests.support import counts


def test_the_suite_keeps_its_cases(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.hasplugin("tests.support.counts"), "tests/conftest.py has to name it"
    found = counts.collected(pytestconfig)
    assert found is None or found >= counts.minimum(), "cases are lost; or lower tests/counts.toml with a reason"

"""A pytest plugin: what the tests write lies in memory, where there is room.

A commit waits for the disk, 7 ms where this was measured, and tests commit very often; all of it is thrown away. Who
sets TMPDIR keeps his own place, and there pytest keeps the folders of the last runs.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack

import pytest

from tests.support.postgres import MEMORY, memory_is_roomy, own_folder, remove_leftovers


def pytest_configure(config: pytest.Config) -> None:
    """Before anything asks for a temporary folder; the processes of xdist get it with their environment."""
    if "TMPDIR" in os.environ or not memory_is_roomy():
        return
    remove_leftovers()
    kept = ExitStack()
    config.add_cleanup(kept.close)
    os.environ["TMPDIR"] = str(kept.enter_context(own_folder(MEMORY)))
    kept.callback(os.environ.pop, "TMPDIR")
    tempfile.tempdir = None  # asked anew
    kept.callback(setattr, tempfile, "tempdir", None)

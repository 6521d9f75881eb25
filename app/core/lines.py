"""Names of the business lines' bits; the application registers them, core only counts bits."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

_names: dict[int, Any] = {}


def register_lines(names: dict[int, Any]) -> None:
    """Tell core what each bit is called, in the order screens show them."""
    _names.clear()
    _names.update(names)


def line_choices() -> list[tuple[str, Any]]:
    """(bit, name) for inputs."""
    return [(str(bit), name) for bit, name in _names.items()]


def line_text(bits: int | None) -> str:
    """The names of a set of lines, joined; "" for none."""
    return str(_("、")).join(str(name) for bit, name in _names.items() if (bits or 0) & bit)

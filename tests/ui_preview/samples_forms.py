"""A field of a form as the templates get it."""

from types import SimpleNamespace as N
from typing import Any


def field(name: str, label: str, kind: str = "text", **more: Any) -> N:
    blank: dict[str, Any] = {
        "value": None,
        "choices": [],
        "values": [],
        "help": None,
        "errors": [],
        "required": False,
        "readonly": False,
        "maxlength": None,
        "autocomplete": None,
        "inputmode": None,
        "placeholder": None,
        "wide": False,
        "rows": None,
        "accept": None,
        "lookup_url": None,
        "lookup_text": None,
        "warning": None,
    }
    return N(**{**blank, "id": name, "name": name, "label": label, "kind": kind, **more})

"""The running application's own routes, each with what it is a screen of and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter

from app.core.fab.gate import PUBLIC, gate_of
from app.core.fab.view import EntityView
from app.core.verbs import Verb

ENDS_SESSION = frozenset(
    {"/login/", "/login/code", "/logout/", "/password/"}
)  # what they do to a session is tried apart (stale)


@dataclass(frozen=True)
class Route:
    """One rule of the map. `view`: the declaration behind it, of a screen or of the API."""

    rule: str
    methods: tuple[str, ...]
    whole: tuple[str, ...]  # arguments that are numbers
    texts: tuple[str, ...]  # arguments that are words
    view: EntityView | None
    api: bool
    gate: Any
    entity: str  # whose rows the page is about; "" for none

    @property
    def public(self) -> bool:
        """Whether everybody may open it."""
        return bool(self.gate == PUBLIC)

    @property
    def verb(self) -> str:
        """What it needs on its entity; "" for none."""
        return self.gate.value if isinstance(self.gate, Verb) else ""

    @property
    def last(self) -> str:
        """The last part of its address."""
        return self.rule.rstrip("/").rpartition("/")[2]

    def named(self, method: str) -> str:
        """As it is counted."""
        return f"{method} {self.rule}"

    def filled(self, **values: Any) -> str:
        """Its address with these arguments."""
        found = self.rule
        for name, value in values.items():
            for gap in (f"<int:{name}>", f"<{name}>"):
                found = found.replace(gap, str(value))
        return found


def routes_of(app: Flask) -> list[Route]:
    """All of them, in the order of their addresses."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, sorted(one.methods or ()))):
        function = app.view_functions[rule.endpoint]
        owner = getattr(function, "__self__", None)
        view = owner if isinstance(owner, EntityView) else getattr(owner, "view", None)
        converters = rule._converters  # noqa: SLF001 - werkzeug tells a rule's converters nowhere else
        whole = tuple(name for name, kind in converters.items() if isinstance(kind, IntegerConverter))
        found.append(Route(
            rule.rule, tuple(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})), whole,
            tuple(sorted(set(rule.arguments) - set(whole))), view,
            rule.rule.startswith("/api/"), gate_of(function), getattr(owner, "entity_name", ""),
        ))  # fmt: skip
    return found

"""Routes whose addresses are built by code that is made when the first one is asked for.

Werkzeug writes, parses and compiles two Python functions a route as the application starts: most of its start when
there are two thousand routes, and most of them are never built an address for in a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """A rule that matches at once, and compiles its builders late."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(compiled(append_unknown))
            return made[0](rule, **values)

        return build

"""Code of app/ that nothing calls: vulture, told what it can't see.   usage: python -m tests.lint.dead_code

A name counts as used when Python of app/ or tests/ uses it, when a template names it, or when a decorator hands it to
somebody. Class attributes are not judged: columns, enum members and dataclass fields are read by name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from vulture.core import Item, Vulture

ROOT = Path(__file__).parents[2]
JUDGED = {"function", "method", "property", "class", "import", "unreachable_code"}
# what hands a function to somebody: routes, commands, events, registrations, acts and transitions
DECORATORS = [
    "@*.route", "@expose", "@*.command", "@*.group", "@*.errorhandler", "@*.before_*", "@*.after_*", "@*.teardown_*",
    "@*.context_processor", "@*.*template_*", "@*listens_for", "@*_loader", "@validates", "@*.register*", "@register*",
    "@on_*", "@before_many*", "@handles*", "@when_merged*", "@before_merging*", "@after_merging*", "@act", "@act(*",
    "@transition*", "@*.expression", "@*.validator", "@*.setter", "@job*", "@*.periodic_task*", "@compiles*",
]  # fmt: skip
# methods that a library calls by name
CALLED = [
    "__*__", "process_*", "load_dialect_impl", "coerce_compared_value", "default", "visit_*", "get_id", "is_*",
    "_handle_*", "pre_*", "post_*", "auth_*", "load_user*", "emit", "format", "log_message", "handle_*", "Meta",
    "load_config",
]  # fmt: skip
NAME = re.compile(r"[A-Za-z_]\w*")
CODE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)


def dead(root: Path = ROOT) -> list[str]:
    """List the findings as `path:line: what`."""
    vulture = Vulture(ignore_names=CALLED, ignore_decorators=DECORATORS)
    vulture.scavenge([root / "app", root / "tests"], exclude=["*/migrations/versions/*"])
    for template in root.glob("app/**/*.html"):
        for code in CODE.findall(template.read_text()):
            vulture.used_names.update(NAME.findall(code))
    return [
        f"{item.filename.relative_to(root)}:{item.first_lineno}: {item.message}"
        for item in vulture.get_unused_code(min_confidence=60)
        if _judged(item, root / "app")
    ]


def _judged(item: Item, app: Path) -> bool:
    if item.typ not in JUDGED or not item.filename.is_relative_to(app):
        return False
    if item.typ == "class" and item.filename.is_relative_to(app / "views"):
        return False  # a screen is found by being there
    # there a method takes the place of one of FAB's, which calls it
    return item.typ != "method" or not item.filename.is_relative_to(app / "core" / "fab")


if __name__ == "__main__":
    found = dead()
    print("\n".join(found))
    sys.exit(bool(found))

"""What this project forbids and no linter knows: each rule takes a source text and yields what it finds.

`test_rules.py` tries each rule on bad examples; `test_tree.py` walks the whole tree; a rule's exceptions stand with
their reasons in `allowed.toml`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from typing import NamedTuple

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

CLOCKS = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
    *("sqlalchemy.func.now", "sqlalchemy.func.current_timestamp", "sqlalchemy.func.current_date"),
}
RAW_SQL = {
    f"{module}.{name}"
    for module in ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.schema")
    for name in ("text", "literal_column", "TextClause", "DDL", "TextualSelect")
}
RAW_SQL_METHODS = {"exec_driver_sql", "executescript"}
EXECUTING = {"execute", "scalar", "scalars", "stream", "execution"}
BY_KEY = {"get", "get_one"}
SESSIONS = re.compile(r"(?:^|[._])(?:session|own|query)$")
MARKUP = {"markupsafe.Markup", "flask.Markup", "jinja2.Markup", "jinja2.utils.markupsafe.Markup"}


class Finding(NamedTuple):
    line: int
    what: str


@dataclass(frozen=True)
class Rule:
    """A check, the files it looks at (glob patterns; `*` also crosses folders), and those it does not."""

    check: Callable[[str], Iterator[Finding]]
    files: tuple[str, ...]
    but: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        return any(fnmatch(path, p) for p in self.files) and not any(fnmatch(path, p) for p in self.but)


# ---- Python ----------------------------------------------------------------------------------------------------------


def own_clock(source: str) -> Iterator[Finding]:
    """Time comes from core.clock alone, so that tests can set it and no zone is guessed."""
    for line, name in _dotted_names(source):
        if name in CLOCKS:
            yield Finding(line, f"{name}: use app.core.clock")


def fab_import(source: str) -> Iterator[Finding]:
    """FAB is touched in app/core/fab only."""
    for line, name in _imports(source):
        if _within(name, "flask_appbuilder"):
            yield Finding(line, f"imports {name}")


def private_fab_name(source: str) -> Iterator[Finding]:
    """A name of FAB that starts with an underscore may change in any release."""
    for line, name in _imports(source):
        if _within(name, "flask_appbuilder") and any(_private(part) for part in name.split(".")):
            yield Finding(line, f"imports {name}, which is private")
    for line, name in _dotted_names(source):
        if _within(name, "flask_appbuilder") and any(_private(part) for part in name.split(".")):
            yield Finding(line, f"uses {name}, which is private")


def raw_sql(source: str) -> Iterator[Finding]:
    """SQL as text passes by the criteria that core.access attaches to statements."""
    for line, name in _dotted_names(source):
        if name in RAW_SQL or name.rpartition(".")[2] in RAW_SQL_METHODS:
            yield Finding(line, f"{name}: raw SQL")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in RAW_SQL_METHODS:
            yield Finding(node.lineno, f"{node.attr}: raw SQL")
        if isinstance(node, ast.Call) and _called(node) in EXECUTING and node.args and _is_text(node.args[0]):
            yield Finding(node.lineno, f"{_called(node)} of a text: raw SQL")


def fetch_by_key(source: str) -> Iterator[Finding]:
    """A row by its key comes from `fetch`, which judges it: the session's `get` may answer from what it holds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _called(node) in BY_KEY and node.args and _of_session(node):
            yield Finding(node.lineno, f"{ast.unparse(node.func)}: use app.core.access.fetch")


def private_fab_attribute(source: str) -> Iterator[Finding]:
    """What FAB's classes keep under an underscore is touched in app/core/fab only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in _fab_attributes():
            yield Finding(node.lineno, f"{node.attr}: private to Flask-AppBuilder")


@cache
def _fab_attributes() -> frozenset[str]:
    """The private names of FAB's views, builder, security manager and interface."""
    from flask_appbuilder import AppBuilder, ModelView
    from flask_appbuilder.menu import Menu
    from flask_appbuilder.models.sqla.interface import SQLAInterface
    from flask_appbuilder.security.sqla.manager import SecurityManager

    classes = (ModelView, AppBuilder, Menu, SQLAInterface, SecurityManager)
    return frozenset(name for cls in classes for name in dir(cls) if _private(name))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _of_session(node: ast.Call) -> bool:
    """Whether `x.get(Class, key)` is asked of a session or a query, not of a dict: by x's name, and by the class."""
    assert isinstance(node.func, ast.Attribute)
    owner = re.sub(r"\(.*\)$", "", ast.unparse(node.func.value))
    first = node.args[0]
    named = ast.unparse(first).rpartition(".")[2] if isinstance(first, ast.Name | ast.Attribute) else ""
    entity = named[:1].isupper() or named in {"cls", "model"}
    return bool(SESSIONS.search(owner)) and (owner.endswith("query") or entity or node.func.attr == "get_one")


def markup(source: str) -> Iterator[Finding]:
    """Markup switches the escaping off."""
    for line, name in _dotted_names(source):
        if name in MARKUP:
            yield Finding(line, f"{name}: unescaped output")


def root_import(source: str) -> Iterator[Finding]:
    """`app` itself is the topmost layer (create_app): nothing below may import it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(name.name == "app" for name in node.names):
            yield Finding(node.lineno, "imports app itself")
        if isinstance(node, ast.ImportFrom) and node.module == "app" and not node.level:
            named = [name.name for name in node.names if name.name in {"app", "create_app"}]
            if named:
                yield Finding(node.lineno, f"imports {named[0]} from app itself")


def long_file(source: str) -> Iterator[Finding]:
    """When a file is long, its subject is two subjects."""
    lines = source.count("\n")
    if lines > MAX_FILE_LINES:
        yield Finding(lines, f"{lines} lines, more than {MAX_FILE_LINES}")


def long_function(source: str) -> Iterator[Finding]:
    """A function, its decorators not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield Finding(node.lineno, f"{node.name}: {lines} lines, more than {MAX_FUNCTION_LINES}")


# ---- templates -------------------------------------------------------------------------------------------------------

UNESCAPED = re.compile(r"\|\s*safe\b|\{%-?\s*(?:autoescape\s+false|filter\s+safe\b)|\bMarkup\s*\(", re.IGNORECASE)
# the policy of the pages (CSP) lets no attribute carry script or style
INLINE = re.compile(r"<[^<>]*\s(?:style|on[a-z]+)\s*=|javascript:", re.IGNORECASE)
BARE_SCRIPT = re.compile(r"<(?:script|style)\b(?![^>]*\b(?:nonce|src)\s*=)", re.IGNORECASE)
FOREIGN = re.compile(r"(?:src|href)\s*=\s*[\"']\s*(?:https?:)?//", re.IGNORECASE)


def unescaped(source: str) -> Iterator[Finding]:
    """`|safe` switches the escaping off."""
    yield from _matches(UNESCAPED, source)


def inline_code(source: str) -> Iterator[Finding]:
    """Nothing inline: one style sheet, one script; what must stand in the page carries the nonce."""
    yield from _matches(INLINE, source)
    yield from _matches(BARE_SCRIPT, source)


def foreign_file(source: str) -> Iterator[Finding]:
    """Pages load nothing from another host; a bureau's network often reaches none."""
    yield from _matches(FOREIGN, source)


RULES: dict[str, Rule] = {
    "own-clock": Rule(own_clock, ("app/*.py",)),
    "fab-import": Rule(fab_import, ("app/*.py",), but=("app/core/fab/*", "app/core/db.py", "app/core/models/*")),
    "private-fab-name": Rule(private_fab_name, ("app/*.py",)),
    "raw-sql": Rule(raw_sql, ("app/*.py",), but=("*/migrations/*",)),
    "fetch-by-key": Rule(fetch_by_key, ("app/*.py",), but=("app/core/access/*", "*/migrations/*")),
    "private-fab-attribute": Rule(private_fab_attribute, ("app/*.py",), but=("app/core/fab/*", "*/migrations/*")),
    "markup": Rule(markup, ("app/*.py",)),
    "root-import": Rule(root_import, ("app/*/*.py", "app/config.py")),
    "long-file": Rule(long_file, ("app/*.py",), but=("*/migrations/*",)),
    "long-function": Rule(long_function, ("app/*.py",), but=("*/migrations/*",)),
    "unescaped": Rule(unescaped, ("app/*.html", "app/*.xml")),
    "inline-code": Rule(inline_code, ("app/templates/*.html",)),
    "foreign-file": Rule(foreign_file, ("app/templates/*.html",)),
}

# ---- how names are found ---------------------------------------------------------------------------------------------


def _imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield every imported name in full, as in `flask_appbuilder.models.sqla.Model`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def _dotted_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield every use of something imported, in full and without aliases: `dt.now` of `import datetime as dt`."""
    tree = ast.parse(source)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                known[name.asname or name.name.split(".")[0]] = name.name if name.asname else name.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                known[name.asname or name.name] = f"{node.module}.{name.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = _dotted(node)
            first, _, rest = name.partition(".")
            if first in known:
                yield node.lineno, ".".join(filter(None, (known[first], rest)))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _private(part: str) -> bool:
    return part.startswith("_") and not part.startswith("__")


def _matches(pattern: re.Pattern[str], source: str) -> Iterator[Finding]:
    for match in pattern.finditer(source):
        yield Finding(source.count("\n", 0, match.start()) + 1, match.group().strip())

"""Each rule on examples: what it must find and what it must leave alone."""

from __future__ import annotations

import pytest

from tests.lint import rules
from tests.lint.rules import RULES

BAD = {
    "own-clock": [
        "from datetime import datetime\nx = datetime.now()",
        "from datetime import datetime as dt\nx = dt.now(UTC)",
        "import datetime\nx = datetime.datetime.utcnow()",
        "import datetime as d\nx = d.date.today()",
        "from datetime import datetime\ncolumn(default=datetime.now)",
        "import time\nx = time.time()",
        "from time import time\nx = time()",
        "from sqlalchemy import func\nx = func.now()",
        "import sqlalchemy as sa\nx = sa.func.current_timestamp()",
        "def f():\n    from datetime import date\n    return date.today()",
    ],
    "fab-import": [
        "import flask_appbuilder",
        "import flask_appbuilder.models.sqla as m",
        "from flask_appbuilder import ModelView",
        "def f():\n    from flask_appbuilder.security.decorators import has_access",
    ],
    "private-fab-name": [
        "from flask_appbuilder.baseviews import _thing",
        "import flask_appbuilder._compat",
        "import flask_appbuilder as fab\nx = fab.base._thing()",
    ],
    "raw-sql": [
        "from sqlalchemy import text\ns.execute(text('select 1'))",
        "import sqlalchemy as sa\ns.execute(sa.text('select 1'))",
        "from sqlalchemy.sql import literal_column as lc\nx = lc('1')",
        "connection.exec_driver_sql('select 1')",
        "engine().connect().exec_driver_sql('select 1')",
        "connection.execute('select 1')",
        "session.scalars(f'select {name}')",
        "current_session().scalar('select 1')",
    ],
    "fetch-by-key": [
        "row = session.get(Notice, key)",
        "row = current_session().get(Notice, key)",
        "row = db.session.get(models.Notice, key)",
        "row = session.get(cls, key)",
        "row = own.get_one(Account, 1)",
        "row = current_session().get_one(self.thing, key)",
        "row = Notice.query.get(7)",
        "row = session.query(Notice).get(7)",
    ],
    "private-fab-attribute": [
        "view._base_filters = []",
        "x = current_app.appbuilder._add_permission(view)",
        "class V(View):\n    def f(self):\n        return self._filters",
    ],
    "markup": [
        "from markupsafe import Markup\nx = Markup(name)",
        "import markupsafe as m\nx = m.Markup('<b>') % name",
    ],
    "root-import": ["import app", "from app import create_app", "def f():\n    from app import create_app as c"],
    "long-file": ["x = 1\n" * 401],
    "long-function": ["def f():\n" + "    x = 1\n" * 50, "class A:\n    async def f(self):\n" + "        x = 1\n" * 50],
    "unescaped": [
        "{{ name|safe }}",
        "{{ name | safe }}",
        "{%- autoescape false %}",
        "{% filter safe %}",
        "{{ Markup(name) }}",
    ],
    "inline-code": [
        '<a onclick="go()">',
        '<p class="a" style="color: red">',
        "<a\n  href='x'\n  onmouseover='x'>",
        "<script>go()</script>",
        "<style>p {}</style>",
        '<a href="javascript:go()">',
    ],
    "foreign-file": ['<script src="https://cdn.example/x.js">', "<link href='//cdn.example/x.css'>"],
}

GOOD = {
    "own-clock": [
        "from app.core import clock\nx = clock.now()",
        "import time\nx = time.monotonic()",
        "from datetime import datetime\nx: datetime = datetime.fromisoformat(y)",
        "now = 1\nx = self.now()",
    ],
    "fab-import": ["from app.core.fab.view import EntityView", "import flask_appbuilder_extras"],
    "private-fab-name": ["from flask_appbuilder import ModelView", "from flask_appbuilder import __version__"],
    "raw-sql": [
        "from sqlalchemy import Text, select\nx = select(a.text)",
        "text = 'x'\nprint(text)",
        "session.execute(select(Notice))",
        "connection.execute(insert(table).values(name='x'))",
    ],
    "fetch-by-key": [
        "row = fetch(Notice, key)",
        "from flask import session\nx = session.get('locale')",
        "x = session.get(name)",
        "x = held.grants.get(Notice, ())",
        "x = request.args.get('q', '')",
        "x = table.get(KEY)",
    ],
    "private-fab-attribute": ["x = self._own", "x = view.list_filters", "x = bound.form._fields"],
    "markup": ["from markupsafe import escape\nx = escape(name)"],
    "root-import": ["from app.core import clock", "from app import config"],
    "long-file": ["x = 1\n" * 400],
    "long-function": ["def f():\n" + "    x = 1\n" * 49],
    "unescaped": ["{{ name|e }}", "这里 safe", "{{ safe }}"],
    "inline-code": [
        '<script nonce="{{ csp_nonce() }}">go()</script>',
        '<script src="/static/app.js" defer></script>',
        '<p class="one" data-on="x">style="x"</p>',
        '<link rel="stylesheet" href="app.css">',
    ],
    "foreign-file": ['<a href="/list">', '<img src="{{ url }}">'],
}


def examples(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(rule, source) for rule, sources in table.items() for source in sources]


@pytest.mark.parametrize(("rule", "source"), examples(BAD))
def test_finds(rule: str, source: str) -> None:
    assert list(RULES[rule].check(source))


@pytest.mark.parametrize(("rule", "source"), examples(GOOD))
def test_leaves_alone(rule: str, source: str) -> None:
    assert not list(RULES[rule].check(source))


def test_every_rule_has_examples_of_both_kinds() -> None:
    assert set(BAD) == set(GOOD) == set(RULES)


def test_a_finding_names_its_line() -> None:
    assert list(rules.own_clock("import time\n\nx = time.time()")) == [(3, "time.time: use app.core.clock")]


@pytest.mark.parametrize(
    ("path", "covered"),
    [("app/views/office.py", True), ("app/core/fab/view.py", False), ("app/core/db.py", False), ("app/cli.py", True)],
)
def test_a_rule_covers_the_files_it_names(path: str, covered: bool) -> None:
    assert RULES["fab-import"].covers(path) is covered

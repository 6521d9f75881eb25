"""Every text that a person may read: what the code and the templates ask for, and what the models declare.

    usage: python -m tests.support.messages [--check]        (script/translate)

Texts are Chinese in the source. Calls are found in the syntax tree (Babel's own reader does not look inside f-strings),
templates by Jinja's extractor, and labels, choices, states, steps, roles and settings on the mapped models themselves.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import click
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
PO = ROOT / "translations" / "en" / "LC_MESSAGES" / "messages.po"
CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
# function → place of the text among its arguments; `record` and `unit_of_work` name a reason that history shows
CALLS = {"_": 0, "gettext": 0, "lazy_gettext": 0, "record": 1, "unit_of_work": 1, "other_person": 1, "computed": 0,
         "handled_by_another": 0}  # fmt: skip
IN_CONTEXT = {"pgettext", "lazy_pgettext"}
# what is made in code and shown by a column that is a word of ours
NAMED = {"BureauSetting": ("name", "help"), "Held": ("title",)}
# what a paper's rules say is translated where it is caught: they run without the web stack
RULES = ("app/reports/*/rules.py", "app/core/pdf/text.py")
# Babel's own head would hold the time of day, and so a difference with each run
HEAD = """# English of 守责; script/translate keeps it up to date.
msgid ""
msgstr ""
"Language: en\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


class Message(NamedTuple):
    """A text, and the context that tells it from the same text meant otherwise."""

    id: str
    context: str | None = None


Found = dict[Message, set[str]]


def collect() -> Found:
    """Every message with the files that ask for it."""
    found: Found = {}
    for path in sorted(APP.rglob("*.py")):
        if "migrations" not in path.parts:
            _add(found, path, calls(path.read_text("utf-8")))
    for pattern in RULES:
        for path in sorted(ROOT.glob(pattern)):
            _add(found, path, sentences(path.read_text("utf-8")))
    for path in sorted((APP / "templates").rglob("*.html")):
        _add(found, path, in_template(path))
    for name, message in declared():
        found.setdefault(message, set()).add(name)
    return found


def _add(found: Found, path: Path, messages: Iterator[Message]) -> None:
    for message in messages:
        found.setdefault(message, set()).add(str(path.relative_to(ROOT)))


def calls(source: str) -> Iterator[Message]:
    """Texts handed to the functions of CALLS and IN_CONTEXT, and those of NAMED."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
        if name in IN_CONTEXT and len(texts) > 1 and isinstance(texts[1], str):
            yield Message(texts[1], str(texts[0]))
        elif name in CALLS and len(texts) > CALLS[name]:
            text = texts[CALLS[name]]
            if isinstance(text, str) and CHINESE.search(text):
                yield Message(text)
        elif name in NAMED:
            named = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
            yield from (Message(str(named[key])) for key in NAMED[name] if key in named)


def sentences(source: str) -> Iterator[Message]:
    """Chinese texts that are assigned or returned."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Assign, ast.Return)):
            values = [node.value, *([node.value.body] if isinstance(node.value, ast.IfExp) else [])]
            for value in values:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and CHINESE.search(value.value):
                    yield Message(value.value)


def in_template(path: Path) -> Iterator[Message]:
    """Texts of a template."""
    with path.open("rb") as file:
        for _line, _function, text, _comments in babel_extract(file, ("_",), [], {"encoding": "utf-8"}):
            yield Message(text[0] if isinstance(text, tuple) else text)


def declared() -> Iterator[tuple[str, Message]]:
    """What the program says by declaration: (where, message)."""
    from app import services, views
    from app.core.access.explain import WORDS
    from app.core.entity import registry
    from app.core.fab.ability_view import ELSEWHERE
    from app.core.fab.log_view import FACTS
    from app.core.fab.matrix import COLUMN_WORDS, COVERAGES, TOOLS
    from app.core.verbs import VERB_WORDS
    from app.models.roles import ROLES
    from app.models.setting import WANTED

    services.load()
    assert views.declared()
    for entity in registry().values():
        where = entity.__module__.replace(".", "/") + ".py"
        yield from ((where, Message(text)) for text in _of_entity(entity) if CHINESE.search(text))
        if entity.__label__:
            yield where, Message(str(entity.__label__), "list")
    tables: dict[str, Any] = {
        "app/core/access/explain.py": WORDS.values(),
        "app/core/fab/ability_view.py": [ELSEWHERE],
        "app/core/fab/log_view.py": FACTS.values(),
        "app/core/fab/matrix.py": [
            TOOLS,
            *COLUMN_WORDS.values(),
            *(text for pair in COVERAGES.values() for text in pair),
        ],
        "app/core/verbs.py": VERB_WORDS.values(),
        "app/models/roles.py": [role.name for role in ROLES],
        "app/models/setting.py": [text for one in WANTED for text in (one.name, one.help)],
    }
    for where, texts in tables.items():
        yield from ((where, Message(text)) for text in texts)
    for enum in _enums():
        where = enum.__module__.replace(".", "/") + ".py"
        yield from ((where, Message(one.value)) for one in enum if CHINESE.search(str(one.value)))


def _of_entity(entity: Any) -> Iterator[str]:
    yield str(entity.__label__)
    for column in entity.__table__.columns:
        yield str(column.info.get("label", ""))
        yield str(column.info.get("help", ""))
    yield from (one.label for one in entity.__handover__)
    flow = entity.__workflow__
    if flow is not None:
        yield from (str(state) for step in flow.transitions for state in (*step.sources, step.to))
        yield from (str(text) for step in flow.transitions for text in (step.label, step.confirm))


def _enums() -> list[type[Enum]]:
    modules = [module for name, module in sys.modules.items() if name.startswith("app.")]
    found = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    return sorted((kind for kind in found if issubclass(kind, Enum)), key=lambda kind: (kind.__module__, kind.__name__))


def stored() -> Catalog:
    """The English catalogue as it is."""
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def renew(catalog: Catalog, found: Found) -> Catalog:
    """The catalogue of exactly these messages, with the translations there are."""
    fresh = Catalog(locale="en", fuzzy=False)
    for message in sorted(found, key=lambda one: (one.id, one.context or "")):
        known = catalog.get(message.id, context=message.context)
        places = [(name, 0) for name in sorted(found[message])]
        fresh.add(message.id, known.string if known else "", locations=places, context=message.context)
    return fresh


def main(words: list[str]) -> int:
    """Renew and compile the catalogue, or only say what is missing; 1 when something is."""
    found = collect()
    catalog = stored()
    known = {Message(one.id, one.context) for one in catalog if one.id}
    fresh = renew(catalog, found)
    empty = [one.id for one in fresh if one.id and not one.string]
    new, gone = len(set(found) - known), len(known - set(found))
    click.echo(f"{len(found)} messages, {new} new, {gone} gone, {len(empty)} empty")
    click.echo("\n".join(f"  no English: {text}" for text in empty))
    if "--check" not in words:
        with PO.open("wb") as file:
            file.write(HEAD.encode())
            write_po(file, fresh, width=120, include_lineno=False, omit_header=True)
        with PO.with_suffix(".mo").open("wb") as file:
            write_mo(file, fresh)
    return bool(empty or ("--check" in words and known != set(found)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What an import is going to do to each row of its file, in words: for its trial's page and the marked workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.access.masking import maskable, masked
from app.core.fab.cells import name_of
from app.core.fab.trail import Change, differences
from app.core.history import QUIET, plain
from app.core.importing.lines import CHANGED, WRONG, Line, Spec

LONGEST_TEXT = 120  # letters of a value or a name
LEAD = 20  # letters of what two long values have in common that stay before where they part


def foretold(spec: Spec, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One dict a line: row, verdict, text (what the record is called), id (of a stored one), diff ([label, old, new]).

    Asked inside the trial's transaction, while the records hold what they would become. What the person sees in part
    only was noted before anything was changed, and stays in part on both sides.
    """
    changed = [line for line in lines if line.verdict == CHANGED]
    told = differences([Change(spec.model, line.row.id, "~", _fields(line)) for line in changed])
    diffs = {line.number: [_parted(one) for one in one_line] for line, one_line in zip(changed, told, strict=True)}
    return [
        {"row": line.number, "verdict": line.verdict, "text": _text(spec, line)[:LONGEST_TEXT],
         "id": line.row.id if line.version is not None else None, "diff": diffs.get(line.number, [])}
        for line in lines
    ]  # fmt: skip


def _fields(line: Line) -> dict[str, list[Any]]:
    found = {}
    for name, before in line.before.items():
        after = getattr(line.row, name)
        if before != after and name not in QUIET:
            pair = [plain(before), plain(after)]
            found[name] = [masked(str(one)) if one else one for one in pair] if name in line.veiled else pair
    return found


def _text(spec: Spec, line: Line) -> str:
    """What the line is about: its record's name, or the first thing that a wrong line says and that anybody may see."""
    if line.verdict != WRONG or line.version is not None:
        return name_of(line.row)
    told = {**line.refs, **{name: name_of(v) if hasattr(v, "id") else str(v) for name, v in line.values.items()}}
    return next((told[name] for name in spec.columns if name in told and not maskable(spec.model, name)), "")


def _parted(one: dict[str, Any]) -> list[str]:
    """Label, old and new; of long texts the place where they begin to differ."""
    old, new = str(one["old"]), str(one["new"])
    shorter = min(len(old), len(new))
    parting = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    start = max(parting - LEAD, 0) if max(len(old), len(new)) > LONGEST_TEXT else 0
    return [str(one["field"]), _cut(old, start), _cut(new, start)]


def _cut(text: str, start: int) -> str:
    end = start + LONGEST_TEXT
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"

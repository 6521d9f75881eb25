"""`import-ledger`: read, report every bad cell, and write only when all is right (or the bad rows are left out)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.db import current_session
from app.core.errors import Invalid
from app.core.office import Office, OfficeKind
from app.models.enterprise import GONE, Enterprise
from app.services.ledger_file import Ledger, Problem, read_ledger
from app.services.ledger_row import ERROR
from app.services.register import CHUNK, Outcome, Register

LONGEST_ECHO = 40  # characters of a cell that are shown again


@dataclass
class Report:
    """What an import found and did; `refused` when nothing was written because of errors."""

    rows: int = 0
    bad_rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    written: bool = False
    refused: bool = False

    def lines(self) -> Iterator[str]:
        """For the terminal: each problem by sheet, row and column, then the counts."""
        for one in self.problems:
            where = f"{one.sheet}!{one.column}{one.row}" if one.row else one.sheet or _("文件")
            word = _("错误") if one.severity == "error" else _("提示")
            yield f"{word} {where}{_echo(one)}：{one.message}"
        yield _("读到 %(n)s 行，其中有错误 %(bad)s 行", n=self.rows, bad=self.bad_rows)
        told = ((_("新建"), self.outcome.made), (_("修改"), self.outcome.changed), (_("不变"), self.outcome.same))
        for word, table in told:
            if table:
                yield f"{word}：" + "，".join(f"{name} {count}" for name, count in sorted(table.items()))
        refused = _("没有写入（有错误；改正后再来，或用 --skip-bad 略过）") if self.refused else _("没有写入")
        yield _("已写入") if self.written else refused


def import_file(file: Path, office_code: str, *, dry_run: bool = False, skip_bad: bool = False) -> Report:
    """Import a ledger for one station (unscoped). Raises XlsxError for a file it can't take, Invalid for the office."""
    office = current_session().scalars(select(Office).where(Office.code == office_code)).one_or_none()
    if office is None or office.kind != OfficeKind.STATION:
        raise Invalid(_("没有代码为 %(code)s 的市场监管所。", code=office_code))
    ledger = read_ledger(file, clock.today())
    _mark_foreign(ledger, office.id)
    good = [row for row in ledger.rows if not row.has_errors]
    report = Report(len(ledger.rows), len(ledger.rows) - len(good), sorted(ledger.problems, key=_place))
    file_level = any(one.severity == "error" and one.row == 0 for one in ledger.problems)
    report.refused = bool(ledger.errors) and (file_level or not skip_bad)
    write = not dry_run and not report.refused
    if not report.refused or dry_run:
        report.outcome = Register(office.id, write=write).take(good)
    report.written = write
    return report


def _echo(one: Problem) -> str:
    """The heading and the beginning of what stands in the cell; nothing for what is about a whole sheet."""
    if not one.heading:
        return ""
    cut = "…" if len(one.value) > LONGEST_ECHO else ""
    return f" {one.heading}“{one.value[:LONGEST_ECHO]}{cut}”"


def _place(problem: Problem) -> tuple[str, int, int, str]:
    """Problems in the order in which a person goes through the sheet."""
    return problem.sheet, problem.row, len(problem.column), problem.column


def _mark_foreign(ledger: Ledger, office_id: int) -> None:
    """A firm that another office has is an error of its row: it is handed over there, not entered twice."""
    foreign = _elsewhere(office_id, [row.code for row in ledger.rows if row.code])
    for row in ledger.rows:
        if row.code in foreign:
            row.has_errors = True
            why = _("这个代码已登记在其他机构，不能导入到这里")
            problem = Problem(row.sheet, row.rows[0] if row.rows else 0, *row.code_cell, row.code, str(why), ERROR)
            ledger.problems.append(problem)


def _elsewhere(office_id: int, codes: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(codes), CHUNK):
        found |= set(
            current_session().scalars(
                select(Enterprise.code).where(
                    Enterprise.code.in_(codes[start : start + CHUNK]),
                    Enterprise.office_id != office_id,
                    Enterprise.state.not_in(GONE),
                )
            )
        )
    return found

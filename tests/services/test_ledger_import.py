"""`import-ledger`: dry run, refusal, skipping, the same file again; and that people are found again, not doubled."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.core.codes import make_credit_code
from app.core.db import unscoped
from app.core.errors import Invalid
from app.core.history import verify
from app.core.xlsx import HasMacros, NotXlsx, TooLarge, XlsxError, ZipBomb
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person
from app.services.ledger_file import write_ledger
from app.services.ledger_import import Report, import_file
from app.services.ledger_row import LedgerRow
from tests.support.house import A, House

SAMPLE = Path(__file__).parents[1] / "data" / "ledger-200.xlsx"
EMPTY_OFFICE = "150525-S14"
MODELS = (Enterprise, Site, Person, Appointment)


def run(house: House, file: Path, office: str = EMPTY_OFFICE, **options: bool) -> Report:
    with house.app.app_context(), unscoped("test"):
        return import_file(file, office, **options)


def counts(house: House) -> dict[str, int]:
    with house.system() as session:
        return {model.__name__: session.scalar(select(func.count(model.id))) or 0 for model in MODELS}


def fresh_sample(house: House, tmp_path: Path, rows: int = 60) -> Path:
    """Firms the house does not have yet (its own come from another seed)."""
    from app.services.demo_firms import ledger_rows, make_firms

    with house.system() as session:
        known = set(session.scalars(select(Enterprise.code)))
    firms = [firm for firm in make_firms(rows * 3, 99) if firm.code not in known][-rows:]
    path = tmp_path / "台账.xlsx"
    write_ledger(path, [row for firm in firms for row in ledger_rows(firm)])
    return path


def test_a_dry_run_writes_nothing_and_says_what_would_be(house: House, tmp_path: Path) -> None:
    before = counts(house)
    report = run(house, fresh_sample(house, tmp_path), dry_run=True)
    assert not report.written
    assert report.outcome.made["Enterprise"] == 60
    assert counts(house) == before


def test_imported_once_and_unchanged_the_second_time(house: House, tmp_path: Path) -> None:
    file, before = fresh_sample(house, tmp_path), counts(house)
    promised = run(house, file, dry_run=True).outcome.made
    first = run(house, file)
    assert first.written
    after = counts(house)
    assert {name: after[name] - before[name] for name in after} == {name: promised.get(name, 0) for name in after}
    again = run(house, file)
    assert (again.outcome.made, again.outcome.changed) == ({}, {})
    assert counts(house) == after
    with house.system() as session:
        office = house.offices[EMPTY_OFFICE]
        assert session.scalar(select(func.count(Enterprise.id)).where(Enterprise.office_id == office)) == 60
        assert session.scalar(select(Enterprise.search_text).where(Enterprise.office_id == office).limit(1))
    with house.app.app_context():
        assert list(verify()) == []


def test_the_shipped_sample_reads_without_errors(house: House) -> None:
    report = run(house, SAMPLE, dry_run=True, skip_bad=True) if _foreign_free(house) else None
    if report is not None:
        assert report.bad_rows == 0
        assert report.rows >= 200


def _foreign_free(house: House) -> bool:
    """The sample shares made-up codes with the house's own firms only if seeds coincide."""
    with house.system() as session, house.app.app_context():
        from app.core.clock import today
        from app.services.ledger_file import read_ledger

        codes = {row.code for row in read_ledger(SAMPLE, today()).rows}
        return not codes & set(session.scalars(select(Enterprise.code)))


def bad_file(tmp_path: Path) -> Path:
    path = tmp_path / "坏.xlsx"
    rows = [
        LedgerRow(
            name="奈曼旗好店",
            code=make_credit_code(880_001, "92"),
            address="好街 1 号",
            lines=("餐饮服务",),
            site_kind="小餐饮",
        ),
        LedgerRow(
            name="奈曼旗坏店", code="91150525MA0N00016X", address="坏街 1 号", lines=("餐饮服务",), site_kind="小餐饮"
        ),
    ]
    write_ledger(path, rows)
    return path


def test_one_bad_cell_refuses_the_file_and_names_it(house: House, tmp_path: Path) -> None:
    before = counts(house)
    report = run(house, bad_file(tmp_path))
    assert report.refused
    assert counts(house) == before
    named = next(one for one in report.problems if one.severity == "error")
    assert (named.value, bool(named.sheet), named.row > 1, bool(named.column)) == (
        "91150525MA0N00016X",
        True,
        True,
        True,
    )
    assert any(named.value in line for line in report.lines())


def test_skipping_the_bad_takes_the_good(house: House, tmp_path: Path) -> None:
    report = run(house, bad_file(tmp_path), skip_bad=True)
    assert report.written
    assert report.outcome.made["Enterprise"] == 1


def test_a_firm_of_another_office_is_not_taken_over(house: House, tmp_path: Path) -> None:
    with house.system() as session:
        firm = session.scalars(
            select(Enterprise).where(Enterprise.office_id == house.offices[A], Enterprise.code.is_not(None))
        ).first()
        assert firm is not None
    path = tmp_path / "别家.xlsx"
    write_ledger(
        path, [LedgerRow(name=firm.name, code=firm.code or "", address="x", lines=("餐饮服务",), site_kind="小餐饮")]
    )
    report = run(house, path)
    assert report.refused and [(one.row, one.column, one.value) for one in report.problems if "其他机构" in one.message]
    told = "\n".join(report.lines())
    assert f"{firm.code}”：这个代码已登记在其他机构" in told
    assert run(house, path, skip_bad=True).outcome.made == {}


def test_only_a_station_keeps_a_ledger(house: House, tmp_path: Path) -> None:
    for office in ("150525", "nowhere"):
        with pytest.raises(Invalid):
            run(house, bad_file(tmp_path), office)


@pytest.mark.parametrize(
    ("kind", "error"), [("text", NotXlsx), ("macros", HasMacros), ("bomb", ZipBomb), ("huge", TooLarge)]
)
def test_a_file_that_is_no_ledger_is_refused_before_it_is_read(
    small: House, tmp_path: Path, kind: str, error: type[XlsxError]
) -> None:
    path = tmp_path / "x.xlsx"
    if kind == "text":
        path.write_text("单位名称,代码")
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(100 * 1024 * 1024)
    else:
        path.write_bytes(bad_file(tmp_path).read_bytes())
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            if kind == "macros":
                archive.writestr("xl/vbaProject.bin", b"x")
            else:
                archive.writestr("xl/media/x.bin", b"\0" * 300_000_000)
    with pytest.raises(error):
        run(small, path)


def test_the_command_names_bad_cells_and_ends_with_one(small: House, tmp_path: Path) -> None:
    import os

    settings = small.app.extensions["shouze_settings"]
    done = subprocess.run(
        [sys.executable, "-m", "app", "import-ledger", str(bad_file(tmp_path)), "--office", EMPTY_OFFICE],
        env={**os.environ, "SHOUZE_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "91150525MA0N00016X" in done.stdout and "没有写入" in done.stdout
    assert "Traceback" not in done.stderr

"""Comparing another system's export with ours, row by row, and what is done about each difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import func, select

from app.core import attachment
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session, unscoped
from app.core.errors import Conflict, Invalid, NotFound, ShouzeError
from app.core.importing.part import breathe
from app.core.importing.source import open_source
from app.core.jobs import Final, enqueue, job, settle, tick
from app.core.message import notify
from app.core.office import Account, Office, OfficeKind
from app.core.successors import chief_of
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import perform, unit_of_work
from app.data import areas
from app.data.reconciling import Change, Extent, LineKind, Source, Stage
from app.models.area import Area, OfficeArea
from app.models.enterprise import ENDED, Enterprise, Site
from app.models.licence import Licence
from app.models.reconciliation import COUNTS, Reconciliation, ReconciliationLine
from app.services.export_rows import Export, Theirs, read_export
from app.services.firm_match import CHUNK, Found, Known, answered, differences, ours_of

MOST_DIRECT = 300  # rows that are compared while the person waits
MOST_TOLD = 500  # wrong cells that are kept
TALLIED = {LineKind.DIFFERENT: "different", LineKind.OURS_ONLY: "ours_only", LineKind.THEIRS_ONLY: "theirs_only",
           LineKind.UNCLEAR: "unclear"}  # fmt: skip


def file_of(row: Reconciliation) -> tuple[bytes, str]:
    """The file that is compared, and its name. Raises Conflict while there is none."""
    kept = attachment.of(row)
    if not kept:
        raise Conflict(_("还没有附上对方系统的文件，请先修改并上传。"))
    return attachment.content_of(kept[-1]), kept[-1].name


def begin(row: Reconciliation, sheet: str, heading: int, mapping: list[str], page: str) -> bool:
    """Keep which column is what, and compare: at once, or as a job of the person (then True). Raises Conflict, Invalid
    when it was begun before, or the file can't be read."""
    data, name = file_of(row)
    many = _count(data, name, sheet, heading) > MOST_DIRECT
    with unit_of_work(Verb.UPDATE, _("比对")):
        mine = lock(fetch(Reconciliation, row.id, Verb.UPDATE))
        if mine.state != Stage.OPEN:
            raise Conflict(_("这份文件已经在比对，或已比对过。再比对请新建一次。"))
        perform(mine, Verb.UPDATE)
        mine.sheet, mine.heading, mine.mapping, mine.state = sheet, heading, mapping, Stage.RUNNING
        if many:
            told = {"lang": str(get_locale()), "page": page, "reconciliation": mine.id}
            enqueue("reconcile", f"reconcile:{mine.id}:{public_id()}", account_id=current_access().person.id,
                    title=_("比对：%(what)s", what=str(mine)), **told)  # fmt: skip
    if not many:
        _run(row.id)
    return many


def _count(data: bytes, name: str, sheet: str, heading: int) -> int:
    with open_source(data, name) as sheets:
        found = next((one for one in sheets if one.title == sheet), None)
        return sum(row.number > heading for row in found.rows()) if found is not None else 0


@job("reconcile")
def reconcile_job(reconciliation: int) -> None:
    """The same in the background; run again after a crash it leaves out the lines that are there."""
    try:
        _run(reconciliation)
    except (Invalid, Conflict, NotFound) as error:
        raise Final(str(error)) from error


def _run(key: int) -> None:
    try:
        compare(fetch(Reconciliation, key, Verb.UPDATE))
    except ShouzeError:
        current_session().rollback()
        with unit_of_work(Verb.UPDATE, _("比对没有完成")):
            row = lock(fetch(Reconciliation, key, Verb.UPDATE))
            if row.state == Stage.RUNNING:
                perform(row, Verb.UPDATE)
                row.state = Stage.OPEN
        raise


# -- comparing --------------------------------------------------------------------------------------------------------


def compare(row: Reconciliation) -> None:
    """Write a line for each row that is not the same on both sides, a few hundred rows a transaction; then the counts.

    Raises Invalid when no row of the file can be compared.
    """
    if row.state == Stage.DONE:
        return
    export = read_export(*file_of(row), row.sheet, row.heading, row.mapping)
    if not export.rows:
        first = export.problems[0]["text"] if export.problems else ""
        raise Invalid(_("文件里没有可以比对的行。") + first)
    key, full = row.id, row.extent == Extent.FULL
    tally, met = Counter[str](), set[int]()
    parts = [export.rows[start : start + CHUNK] for start in range(0, len(export.rows), CHUNK)]
    for number, part in enumerate(parts, 1):
        with unit_of_work(Verb.CREATE, _("比对")):
            _write(key, _lines_of(part, row.source, tally, met))
        tick(90 * number // len(parts))
        breathe()
    if full:
        _ours_only(row, tally, met, export.bad_codes)
    _finish(key, export, tally)


def _lines_of(part: Sequence[Theirs], source: str, tally: Counter[str], met: set[int]) -> Iterator[ReconciliationLine]:
    known, stations = Known(part), _stations()
    for one in part:
        found = known.match(one, source)
        met.update([found.firm.id] if found.firm is not None else found.candidates)
        number = one.values.get("licence_no", "")
        line = _line(one, found, source, known.papers.get((found.site.id, number)) if found.site else None)
        if line is None:
            tally["same"] += 1
            continue
        if line.enterprise is None:
            line.office_id = _station_for(one.values.get("address", ""), stations)
        tally[TALLIED[LineKind(line.kind)]] += 1
        yield line


def _line(one: Theirs, found: Found, source: str, paper: Licence | None) -> ReconciliationLine | None:
    """What is not the same about a row; None when there is nothing to decide."""
    said, firm, site = one.values, found.firm, found.site
    line = ReconciliationLine(position=one.number, change=one.change, theirs=said, matched=found.how, source=source,
                              name=said.get("name", "")[:120], code=said.get("code"))  # fmt: skip
    line.enterprise, line.site = firm, site
    if firm is None or found.new_licence:
        line.kind = LineKind.UNCLEAR if found.candidates else LineKind.THEIRS_ONLY
        line.candidates = found.candidates
        return None if one.change == Change.ENDED and not found.candidates else line
    compare_line(line, firm, site, paper)
    ends = one.change == Change.ENDED and (site or firm).state not in ENDED
    return line if ends or (line.fields and one.change != Change.ENDED) else None


def compare_line(
    line: ReconciliationLine, firm: Enterprise, site: Site | None, paper: Licence | None = None
) -> None:  # fmt: skip
    """Put down what both say now, and where they differ."""
    line.kind = LineKind.DIFFERENT
    line.name, line.code = line.name or firm.name, line.code or firm.code
    line.ours = ours_of(firm, site, line.source, paper)
    line.fields = ",".join(differences(line.theirs, line.ours))
    line.seen = [firm.version, site.version if site is not None else 0]


def _write(key: int, found: Iterator[ReconciliationLine]) -> None:
    """Put lines into the comparison; those that an earlier run has written stay."""
    session, whole, lines = current_session(), fetch(Reconciliation, key, Verb.UPDATE), list(found)
    place = ReconciliationLine.position
    some = select(place).where(ReconciliationLine.reconciliation_id == key, place.in_([one.position for one in lines]))
    there = set(session.scalars(some))
    for line in lines:
        if line.position not in there:
            line.reconciliation, line.as_of = whole, whole.as_of
            session.add(line)
    session.flush()


def _ours_only(row: Reconciliation, tally: Counter[str], met: set[int], bad_codes: set[str]) -> None:
    """The firms in being that no row of a full export was found to be; of the licensing system those with a licence."""
    wanted = [answered(Enterprise), Enterprise.state.not_in(ENDED)]
    if row.source == Source.LICENSING:
        wanted.append(Enterprise.id.in_(select(Site.enterprise_id).where(Site.licence_no.is_not(None))))
    last, key, source = 0, row.id, row.source
    while True:
        with unit_of_work(Verb.CREATE, _("比对")):
            some = select(Enterprise).where(*wanted, Enterprise.id > last).order_by(Enterprise.id).limit(CHUNK)
            firms = list(current_session().scalars(some).unique())
            if not firms:
                return
            last = firms[-1].id
            alone = [one for one in firms if one.id not in met and (one.code or "-") not in bad_codes]
            tally["ours_only"] += len(alone)
            _write(key, (_alone(one, source) for one in alone))
        tick(95)
        breathe()


def _alone(firm: Enterprise, source: str) -> ReconciliationLine:
    line = ReconciliationLine(position=-firm.id, kind=LineKind.OURS_ONLY, name=firm.name, code=firm.code, theirs={},
                              source=source, ours=ours_of(firm, None, source), seen=[firm.version, 0])  # fmt: skip
    line.enterprise = firm
    return line


def _finish(key: int, export: Export, tally: Counter[str]) -> None:
    """The counts, and word to the chiefs of other offices that have something to decide."""
    with unit_of_work(Verb.UPDATE, _("比对")):
        row = lock(fetch(Reconciliation, key, Verb.UPDATE))
        perform(row, Verb.UPDATE)
        tally["total"], tally["bad"] = len(export.rows) + export.bad, export.bad
        for name in COUNTS:
            setattr(row, name, tally[name])
        row.problems, row.state = export.problems[:MOST_TOLD], Stage.DONE
        _tell_chiefs(row)
        settle()


def _tell_chiefs(row: Reconciliation) -> None:
    mine = ReconciliationLine.reconciliation_id == row.id, ReconciliationLine.office_id != row.office_id
    counted = select(ReconciliationLine.office_id, func.count(ReconciliationLine.id)).where(*mine)
    with unscoped("who compares", quiet=True) as session:
        asker = session.scalars(select(Account).where(Account.id == current_access().person.id)).one()
    for office, number in current_session().execute(counted.group_by(ReconciliationLine.office_id)):
        if (chief := chief_of(office, asker)) is not None:
            notify(chief.id, _("%(what)s：%(n)s 条待处理", what=str(row), n=number), "", "/reconciliation-lines/")


# -- whose a firm is that only they have ------------------------------------------------------------------------------


def _stations() -> dict[str, int]:
    """The station of each town, as far as just one answers for it that the person may give a line to."""
    found: dict[str, set[int]] = {}
    rows = current_session().execute(
        select(Area.code, Office.id).join(OfficeArea, OfficeArea.area_id == Area.id)
        .join(Office, Office.id == OfficeArea.office_id)
        .where(Office.kind == OfficeKind.STATION, answered(OfficeArea), OfficeArea.date_to.is_(None))
    )  # fmt: skip
    for code, office in rows:
        found.setdefault(code, set()).add(office)
    return {code: next(iter(ids)) for code, ids in found.items() if len(ids) == 1}


def _station_for(address: str, stations: dict[str, int]) -> int | None:
    """By the town in the address; None leaves it with who compares."""
    there = [one for one in areas() if one.name.removesuffix("办事处") in address]
    named = sorted(there, key=lambda one: -len(one.name))
    return stations.get(named[0].code) if named else None

"""The page of a 摸底's figures as plain data, and its workbook."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.access.context import current_access
from app.core.access.veil import concealed
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.fab.cells import date_text, datetime_text, said
from app.core.fab.declaration import Answer
from app.core.screen import Cell
from app.core.tables import TableColumn
from app.core.verbs import Verb
from app.data.census import LineState, RoundState
from app.models.census import CensusLine, CensusReturn, CensusRound
from app.services.census import running
from app.services.census_figures import By, Figures, figures, of_several_lines, undecided, whole
from app.views.report_page import Choice, ReportScreen, number, query, workbook

BASE = "/census/"
MADE_OF = ((CensusLine, ("state", "kind", "scale", "lines", "sheet", "round")), (CensusReturn, ("state", "handed_at")))
SHOWN = (LineState.OPEN, LineState.CONFIRMED, LineState.ADDED, LineState.GONE)


def progress(asked: str) -> ReportScreen:
    """The figures of the round that the address names, else of the newest. Raises NotFound, Invalid, Forbidden."""
    by, rounds = _by(asked), _rounds()
    if not rounds:
        return ReportScreen(
            title=_("摸底进度"), subtitle="", base=BASE, heads=[], rows=[], total=0, page=1, choices=[],
            empty=_("还没有开始过摸底。"),
        )  # fmt: skip
    row = _chosen(rounds)
    found, total = figures(row, by), whole(row)
    options = [(str(one.id), one.name) for one in rounds]
    return ReportScreen(
        title=_("摸底进度：%(name)s", name=row.name), subtitle=_subtitle(row, by), base=BASE, heads=_heads(by),
        rows=[_cells(one, by) for one in found], total=len(found), page=1,
        choices=[Choice("round", _("哪一轮"), str(row.id), options)],
        figures=[(_("应核"), total.total), (_("已核"), total.judged), (_("实有"), total.there),
                 (_("多条线的场所"), of_several_lines(row))],
        tabs=_tabs(row, by), empty=_("还没有清单。"), foot=_cells(total, by) if found else [],
        may_export=current_access().may("CensusLine", Verb.EXPORT),
    )  # fmt: skip


def give(asked: str) -> Answer:
    """The same table as a workbook. Raises as `progress` does."""
    by, rounds = _by(asked), _rounds()
    if not rounds:
        raise NotFound(_("还没有开始过摸底。"))
    row = _chosen(rounds)
    kinds = ("text", *("number",) * (len(SHOWN) + 3), "text", "text")
    columns = [TableColumn(label, kind) for label, kind in zip(_heads(by), kinds, strict=False)]
    rows = [_values(one, by) for one in (*figures(row, by), whole(row))]
    return workbook(f"{_('摸底进度')} {row.name}", _subtitle(row, by), columns, rows)


def _by(asked: str) -> By:
    """Raises Invalid; Forbidden to whom a column that the figures are made of is hidden."""
    if any(concealed(model, name) for model, names in MADE_OF for name in names):
        raise Forbidden(_("您可以查看，但不能进行这项操作。"))
    if not current_access().may("CensusReturn", Verb.READ):
        raise Forbidden(_("您可以查看，但不能进行这项操作。"))
    if asked and asked not in set(By):
        raise Invalid(_("地址里的条件不对。"))
    return By(asked or By.STATION)


def _rounds() -> list[CensusRound]:
    return running() if current_access().may("CensusRound", Verb.READ) else []


def _chosen(rounds: list[CensusRound]) -> CensusRound:
    key = number("round")
    found = next((one for one in rounds if one.id == key or not key), None)
    if found is None:
        raise NotFound(_("没有这条记录，或者您无权查看。"))
    return found


def _subtitle(row: CensusRound, by: By) -> str:
    told = [_("摸底时点 %(day)s，上报截止 %(due)s，%(state)s", day=date_text(row.as_of), due=date_text(row.due),
              state=said(row.state))]  # fmt: skip
    if row.ready_at is None and row.state == RoundState.OPEN:
        told.append(_("清单还在建立"))
    if by is By.LINE:
        told.append(_("有几条线的场所在几条线下各算一次，所以各线相加大于合计；合计每个场所只算一次"))
    return f"{_('；').join(told)}{_('。')}"


def _tabs(row: CensusRound, by: By) -> list[tuple[str, str, bool]]:
    labels = {By.STATION: _("按监管所"), By.KIND: _("按主体类型"), By.SIZE: _("按规模"), By.LINE: _("按条线")}
    tabs = [(label, BASE + query(round=row.id, by=one, page=None), one is by) for one, label in labels.items()]
    if current_access().may("Enterprise", Verb.EXPORT):
        label = _("疑似重复（%(n)s）", n=undecided(row.id))
        tabs.append((label, f"/duplicates/?of=Site&census={row.id}", False))
    return tabs


def _heads(by: By) -> list[str]:
    first = {By.STATION: _("监管所"), By.KIND: _("主体类型"), By.SIZE: _("规模"), By.LINE: _("条线")}[by]
    heads = [first, _("应核"), _("已核"), *(said(one) for one in SHOWN), _("实有")]
    return [*heads, _("上报"), _("上报时间")] if by is By.STATION else heads


def _values(one: Figures, by: By) -> list[str | int]:
    numbers = [one.total, one.judged, *(one.states[state] for state in SHOWN), one.there]
    if by is not By.STATION:
        return [one.label, *numbers]
    return [one.label, *numbers, *(cell.text for cell in _handed(one.sheet))]


def _cells(one: Figures, by: By) -> list[Cell]:
    left, sheet = one.states[LineState.OPEN], one.sheet
    first = Cell("link", one.label, url=f"/census-returns/{sheet.id}") if sheet else Cell("text", one.label)
    cells = [
        first, Cell("number", str(one.total)),
        Cell("number", f"{one.judged}/{one.total}", tone="neutral" if left else "success"),
        *(Cell("number", str(one.states[state]), url=_lines_url(one, state)) for state in SHOWN),
        Cell("number", str(one.there)),
    ]  # fmt: skip
    return [*cells, *_handed(sheet)] if by is By.STATION else cells


def _lines_url(one: Figures, state: LineState) -> str | None:
    """The lines that a station's figure counts."""
    return f"/census-lines/?sheet={one.sheet.id}&state={state}" if one.sheet and one.states[state] else None


def _handed(sheet: CensusReturn | None) -> list[Cell]:
    """Whether the station has handed in, and when; red when it should have."""
    if sheet is None:
        return [Cell(), Cell()]
    assert CensusReturn.__workflow__ is not None
    tone = "danger" if sheet.late else CensusReturn.__workflow__.tones[sheet.state]
    text = _("逾期%(state)s", state=said(sheet.state)) if sheet.late else said(sheet.state)
    when = datetime_text(sheet.handed_at) if sheet.handed_at is not None else ""
    return [Cell("state", text, tone=tone), Cell("date", when)]

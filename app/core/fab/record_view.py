"""What lies behind a record's page, each on its own address: older history, who can see it, a masked value in full."""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request
from flask_babel import force_locale
from flask_babel import gettext as _

from app.core.access.audience import Reach, audience, may_ask
from app.core.access.context import current_access
from app.core.access.explain import WORDS, explain
from app.core.access.fetch import fetch
from app.core.access.masking import is_masked, maskable
from app.core.access.policy import Coverage
from app.core.entity import Entity
from app.core.errors import Forbidden, NotFound
from app.core.fab import trail
from app.core.fab.cells import label_of, name_of, said
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import needs
from app.core.history import record
from app.core.lines import line_text
from app.core.office import Family
from app.core.record_screen import AccessGroup, AccessScreen, HistoryScreen, Watcher
from app.core.verbs import VERB_WORDS, Verb


class RecordScreens(Declaration):
    """`/<key>/history`, `/<key>/access`, `/<key>/reveal/<column>`."""

    @expose("/<int:key>/history")
    @needs(Verb.READ)
    def history_page(self, key: int) -> Answer:
        """The record's history, thirty entries a page, to its beginning."""
        row = fetch(self.model, key)
        told = request.args.get("before", "")
        before = int(told) if told.isascii() and told.isdigit() and len(told) < 18 else None
        events, older = trail.events(row, before)
        base = f"{self.route_base}/{row.id}"
        screen = HistoryScreen(
            title=_("经过"), crumbs=self._crumbs(row), events=events,
            older_url=f"{base}/history?before={older}" if older else None,
            newest_url=f"{base}/history" if before is not None else None,
        )  # fmt: skip
        return render_template("entity/history.html", screen=screen)

    @expose("/<int:key>/access")
    @needs(Verb.READ)
    def access_page(self, key: int) -> Answer:
        """Who can read this record and what each may do to it, by office, and why."""
        row = fetch(self.model, key)
        if not may_ask(row):
            raise Forbidden(_("谁能看到，只给本机构系统的监管人员和系统管理员看。"))
        found = audience(row)
        screen = AccessScreen(
            title=_("谁能看到"), crumbs=self._crumbs(row), groups=_groups(found.people),
            total=found.total, shown=len(found.people), sealed=found.sealed,
            why=explain(current_access(), Verb.READ, row).text,
        )  # fmt: skip
        return render_template("entity/access.html", screen=screen)

    @expose("/<int:key>/reveal/<column>", methods=["POST"])
    @needs(Verb.REVEAL)
    def reveal(self, key: int, column: str) -> Answer:
        """A masked value in full, once, to who may; each view stands in the record's history."""
        hidden = current_access().hidden(self.entity_name)
        if not maskable(self.model, column) or column in hidden or column not in self._show_names():
            raise NotFound(_("没有这一项。"))
        row: Any = fetch(self.model, key, Verb.REVEAL)
        value = getattr(row, column)
        if value and is_masked(row, column):
            office = getattr(row, "made_office_id", None) or 0
            record(Verb.REVEAL, "查看全文", office_id=office, about=row, column=_in_chinese(self.model, column))
        if request.accept_mimetypes.best == "application/json":
            return jsonify(value=value or "")
        return render_template("entity/show.html", screen=self.show_screen(row, revealed=frozenset({column})))

    def _crumbs(self, row: Any) -> list[tuple[Any, str]]:
        return [(self.title, f"{self.route_base}/"), (name_of(row), f"{self.route_base}/{row.id}")]

    def _show_names(self) -> list[str]:
        return [name for _label, names in self.show_parts for name in names]

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> Any:
        """The record's page (show_view)."""
        raise NotImplementedError


def _groups(people: list[Reach]) -> list[AccessGroup]:
    """By office, firms' own people last; in the order given."""
    offices = current_access().offices
    found: dict[str, AccessGroup] = {}
    for one in people:
        firm = one.family == Family.FIRM
        label = _("企业人员") if firm else offices[one.office_id].name if one.office_id in offices else ""
        found.setdefault(label, AccessGroup(label, [])).people.append(_watcher(one))
    return list(found.values())


def _watcher(one: Reach) -> Watcher:
    does = [said(VERB_WORDS[Verb.READ]), *(said(VERB_WORDS.get(verb, verb)) for verb in one.verbs)]
    why = said(WORDS[Coverage(one.coverage)]) if one.coverage else _("经由关联记录")
    if one.lines:
        why = _("%(what)s（%(value)s）", what=why, value=line_text(one.lines))
    return Watcher(one.name, said(one.title), "、".join(dict.fromkeys(does)), why)


def _in_chinese(model: type[Entity], column: str) -> str:
    """What a column is called, for the log: in one language, whoever looks."""
    with force_locale("zh"):
        return label_of(model, column)

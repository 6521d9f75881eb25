"""Screens of 监管责任人 and 片区; their filter over sites and firms, and what is done to many sites at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from sqlalchemy import or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.policy import Coverage
from app.core.access.predicate import answered_for
from app.core.db import current_session
from app.core.fab import fields
from app.core.fab.bulk import bulk_act
from app.core.fab.converter import AppForm
from app.core.fab.filtering import OneOf, Values
from app.core.fab.forming import BoundForm, Part, RowsOf
from app.core.fab.interface import AppInterface
from app.core.fab.preset import Preset
from app.core.fab.relating import register_filter
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.importing.naming import Naming
from app.core.office import Account
from app.core.verbs import Verb
from app.models.care import Caretaker
from app.models.enterprise import Enterprise, Site
from app.models.precinct import Precinct
from app.services.care import MINE, Colleague, assign, colleagues, divide, holds, without

MOST_OFFERED = 40
OWN, NOBODY = "mine", "none"
CHARGE = ["site", "role", "account", "date_from", "date_to"]


# -- the filter -------------------------------------------------------------------------------------------------------


class ByCaretaker(OneOf):
    """One's own, those without anybody. Asks the database nothing but what is chosen: every list has the box."""

    key: ClassVar[str] = "site_id"

    def choices(self) -> list[tuple[str, str]]:
        """我的, 没有."""
        return [(OWN, gettext("我的主体")), (NOBODY, gettext("没有监管责任人"))]

    def clauses(self, values: Values) -> list[Any]:
        """Any of them, today."""
        chosen = values.get(self.name, [])
        model: Any = self.model
        found = []
        if OWN in chosen:
            own = Caretaker.account_id == current_access().person.id
            found.append(model.id.in_(select(getattr(Caretaker, self.key)).where(own, holds(clock.today()))))
        if NOBODY in chosen:
            found.append(self.nobody())
        return [or_(*found)] if found else []

    def nobody(self) -> Any:
        """Those that nobody answers for; in other offices one can't know."""
        return unattended(Verb.EXPORT)


class FirmsByCaretaker(ByCaretaker):
    """The same of firms: by their sites."""

    key: ClassVar[str] = "enterprise_id"

    def nobody(self) -> Any:
        """Firms with a site in business that nobody answers for."""
        return Enterprise.id.in_(select(Site.enterprise_id).where(unattended(Verb.EXPORT)))


def unattended(verb: Verb) -> Any:
    """Sites without 主管 today, where the person does this to caretakers."""
    return without(clock.today()) & answered_for(current_access(), Site, "Caretaker", verb)


register_filter(Site, "care", ByCaretaker)
register_filter(Enterprise, "care", FirmsByCaretaker)


def _answers() -> bool:
    return bool(current_access().figures.get(MINE))


PRESETS = [
    Preset(
        _("我的主体"), f"care={OWN}", lambda: _answers() or current_access().may("Inspection", Verb.CREATE), _answers
    ),
    Preset(_("没有监管责任人"), f"care={NOBODY}", lambda: current_access().may("Caretaker", Verb.EXPORT)),
]


# -- many sites at once -----------------------------------------------------------------------------------------------


def _offered() -> Iterable[tuple[str, str]]:
    """Who may be put in charge where the person keeps that, by name and title; read once a request."""
    access = current_access()
    if "colleagues" not in access.asked:
        access.asked["colleagues"] = colleagues(_kept_offices())
    found: list[Colleague] = access.asked["colleagues"]
    names = {one.account_id: f"{one.name}（{gettext(one.title)}）" for one in found}
    return [(str(key), name) for key, name in names.items()]


def _kept_offices() -> set[int]:
    access = current_access()
    found: set[int] = set()
    for held in access.postings:
        for coverage, _states in held.grants.get("Caretaker", {}).get(Verb.CREATE.value, ()):
            unit = access.offices[held.office_id]
            found |= access.subtree(unit.parent_id or unit.id if coverage == Coverage.SUPERVISED else unit.id)
    return found


class CareForm(AppForm):
    """Who is put in charge of the chosen sites, from when."""

    principal = fields.Choice(_("主管"), choices=_offered, description=_("不选就不变；原来的主管到前一天为止。"))
    assistants = fields.Several(_("协管"), choices=_offered, description=_("加上选中的人，可以选几个。"))
    instead = fields.Tick(_("没选中的原有协管到前一天为止"))
    date_from = fields.Day(_("自"), nullable=False, default=clock.today)

    def validate(self, extra_validators: Any = None) -> bool:
        """Somebody, or the end of those who help."""
        fine = bool(super().validate(extra_validators))
        if not (self.principal.data or self.assistants.data or self.instead.data) and not self.principal.errors:
            self.principal.errors = [gettext("请选择主管或协管。")]
            return False
        return fine


class PrecinctForm(AppForm):
    """The 片区 of the chosen sites."""

    precinct = fields.Lookup(_("片区"), model=Precinct, description=_("留空就是不属于任何片区。"))


def _put_in_charge(
    row: Any, _reason: str, *, principal: str | None, assistants: list[str] | None, instead: bool, date_from: Any
) -> None:
    people = [int(one) for one in assistants or ()]
    assign(row.id, date_from, int(principal) if principal else None, people, instead=instead)


def _put_into(row: Any, _reason: str, *, precinct: int | None) -> None:
    divide(row, precinct)


CARE_ACTS = [
    bulk_act("care", _("指定监管责任人"), Verb.UPDATE, _put_in_charge, takes=("Caretaker", Verb.CREATE),
             asks=(CareForm, ["principal", "assistants", "instead", "date_from"])),
    bulk_act("precinct", _("划入片区"), Verb.UPDATE, _put_into, takes=("Precinct", Verb.UPDATE),
             asks=(PrecinctForm, ["precinct"])),
]  # fmt: skip


# -- screens ----------------------------------------------------------------------------------------------------------


class CaretakerView(EntityView):
    """监管责任人: who answered for which site from when to when."""

    datamodel = AppInterface(Caretaker)
    route_base = "/caretakers"
    title = lazy_pgettext("list", "监管责任人")
    icon = "badge"
    task = ("care", 1)
    description = _("每个场所同一天只有一名主管，协管不限。要一次指定许多场所，请在经营场所列表里勾选后办理。")
    list_columns = ["site", "role", "account", "date_from", "date_to", "standing"]
    order_columns = ["date_from", "date_to"]
    list_filters = ["role", "account", "site", "date_from", "date_to"]
    default_order = "-date_from"
    form_parts = [Part(_("监管责任人"), CHARGE)]
    show_parts = [(_("监管责任人"), [*CHARGE, "standing", "office_id"])]
    naming = Naming(keys=(("site", "role", "account", "date_from"),))

    def blank(self) -> Any:
        """From today on."""
        row = super().blank()
        row.date_from = row.date_from or clock.today()
        return row

    def prepare(self, bound: BoundForm) -> None:
        """What has begun stands; only its end is still to be said. Who may be put in charge is offered by name."""
        row = bound.row
        if (account := bound.field("account")) is not None:
            account.offered = _able(getattr(row, "account", None))
        # whoever does not see since when is not let change it
        begun = isinstance(row, Caretaker) and bool(row.id) and (row.date_from is None or row.date_from < clock.today())
        for name in CHARGE[:-1] if begun else ():
            if (field := bound.field(name)) is not None:
                field.readonly = True


def _able(now: Account | None) -> list[Account]:
    """Who may answer for sites that the person keeps, and who does now; nobody where there are too many."""
    keys = {int(key) for key, _name in _offered()} | ({now.id} if now is not None else set())
    if len(keys) > MOST_OFFERED:
        return []
    found = current_session().scalars(select(Account).where(Account.id.in_(sorted(keys))).order_by(Account.id))
    return list(found.unique())


class PrecinctView(EntityView):
    """片区: the station's own division of its ground."""

    datamodel = AppInterface(Precinct)
    route_base = "/precincts"
    title = lazy_pgettext("list", "片区")
    icon = "map"
    task = ("care", 2)
    list_columns = ["name", "note", "office_id"]
    order_columns = ["name"]
    list_filters = ["name"]
    default_order = "name"
    form_parts = [
        Part(_("片区"), ["name", "note"]),
        Part(_("所在苏木乡镇"), [], [RowsOf("areas", ["area"], _("加一个苏木乡镇"))]),
    ]
    show_parts = [(_("片区"), ["name", "note", "office_id"])]
    children = [
        Children("areas", ["area"]),
        Children("", ["name", "kind", "address", "care", "state"], of=(Site, "precinct_id")),
    ]

"""What every table of ours has, and the registry the platform derives screens and access from.

An entity is declared once: its columns carry label, help and format (`column`), its class says how it is scoped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Integer, String, event, inspect
from sqlalchemy.orm import Mapped, MappedColumn, declared_attr, mapped_column, validates

from app.core import clock
from app.core.charge import Charge
from app.core.db import FabModel
from app.core.retain import Retain
from app.core.types import LineSet, UtcDateTime, public_id

if TYPE_CHECKING:
    from app.core.workflow import Workflow

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite only numbers INTEGER keys itself


class Scope(StrEnum):
    """How rows of a table are limited."""

    OFFICE = "office"  # by the office that answers for the row, its lines, its firm
    REFERENCE = "reference"  # everybody signed in reads; writing needs a grant at the row's office, if it has one
    OWN = "own"  # by the account it belongs to (its account_id), and by nobody else whatever their grants
    SYSTEM = "system"  # only unscoped sessions


class Sphere(StrEnum):
    """What rows are about; decides which family of roles may hold what over them (`core.access.limits`)."""

    BUSINESS = "business"  # firms, inspections, papers, what the bureau decides about them
    ADMINISTRATION = "administration"  # offices, accounts, postings, roles
    LOG = "log"  # who did what
    TOOL = "tool"  # what people keep about lists


def column(  # noqa: PLR0913 - one keyword a fact about the column
    label: Any,
    kind: Any,
    *args: Any,
    help: Any = "",  # noqa: A002 - the word the screens use
    format: str = "",  # noqa: A002
    choices: type[StrEnum] | None = None,
    words: Callable[[], Mapping[str, str]] | None = None,
    secret: bool = False,
    system: bool = False,
    derived: bool = False,
    never: tuple[str, ...] = (),
    of: tuple[str, ...] = (),
    required: bool = False,
    **options: Any,
) -> MappedColumn[Any]:
    """A column with what a screen needs to know.

    `format` is one of "", "code", "login" (a name to sign in by), "tel", "lines", "long", "state", "term" (a word of
    ours, so translated); `choices` limits a text column to an enum; `words` gives what each stored value is called
    where it is no word of ours; `secret` keeps its value out of history; `system` columns are set by core and
    transitions, never by a form or a plain update; `derived` ones are computed from others at every save: `of` names
    those, and who may not see one of them may not search by what is made of it; `never`: choices that no form offers,
    set by core; a `required` one has a default in the database, but a person must choose.
    """
    info = {
        "label": label,
        "help": help,
        "format": format,
        "choices": choices,
        "words": words,
        "secret": secret,
        "system": system,
        "derived": derived,
        "never": never,
        "of": of,
        "required": required,
    }
    return mapped_column(kind, *args, info=info, **options)


class Computed(property):
    """A property with a label, so that lists and pages can show it like a column."""

    __label__: Any = ""
    __reads__: str = ""


def computed(label: Any, *, reads: str = "") -> Callable[[Callable[[Any], Any]], Computed]:
    """Declare a method as a value computed from the row's own columns: read only, not sortable, not stored.

    `reads`: the entity whose rows it is made of instead; it is not there for who may read none of those.
    """

    def decorate(function: Callable[[Any], Any]) -> Computed:
        made = Computed(function)
        made.__label__, made.__reads__ = label, reads
        return made

    return decorate


@dataclass(frozen=True)
class Seal:
    """Columns that take a row away from all but those put to it and its approver, until it opens."""

    flag: str = "sealed"
    until: str = "sealed_until"  # opens by itself at this instant; none: when the work begins
    approver: str = "approver_id"


@dataclass(frozen=True)
class Team:
    """Columns that name who works on a row: from another office, or while it is sealed, they are put to it.

    ended: states in which that is over; days: the longest it lasts.
    """

    columns: tuple[str, ...]
    ended: tuple[str, ...] = ()
    days: int = 60


class Entity(FabModel):
    """Base of all tables: key, public id, version, who made it when."""

    __abstract__ = True
    __scope__: ClassVar[Scope] = Scope.SYSTEM
    __sphere__: ClassVar[Sphere] = Sphere.BUSINESS
    __label__: ClassVar[Any] = ""
    __policy__: ClassVar[str] = ""  # whose grants decide; the class's own name unless set
    __part_of__: ClassVar[str] = ""  # relationship to the row this one is a part of
    __about__: ClassVar[tuple[str, str] | None] = None  # columns that name any row this one is about: entity, key
    __owner__: ClassVar[str | tuple[str, ...]] = ""  # relationship the scope columns are copied from; the first set
    __shared__: ClassVar[str] = ""  # boolean column: rows where it is true are read by everybody signed in
    __firm_wide__: ClassVar[bool] = False  # a row of the firm as a whole is read by the people of each of its sites
    __with_firm__: ClassVar[bool] = False  # a row of the firm as a whole is read by every office with a site of it
    __lends_firm__: ClassVar[bool] = False  # its rows say which offices those are, beside the firm's own
    __stays__: ClassVar[bool] = False  # does not go along when its site is given to another office
    __seal__: ClassVar[Seal | None] = None
    __team__: ClassVar[Team | None] = None
    __workflow__: ClassVar[Workflow | None] = None
    __tones__: ClassVar[Mapping[str, str]] = {}  # colours of the state column where no workflow has them
    __history__: ClassVar[bool] = True
    __named_by__: ClassVar[tuple[str, ...]] = ()  # relationships that the text of a row is made of
    __trail__: ClassVar[bool] = False  # its changes stand in the history of the row it is about (`__about__`)
    __handover__: ClassVar[tuple[Charge, ...]] = ()  # what of a row hangs on a person, and goes to a successor
    __grows__: ClassVar[bool] = False  # without end: its lists need `core.ordering.list_indexes` (a test says which)

    __superseded__: ClassVar[str] = ""  # key of the row that took this one over; then nothing new may point here
    __as_it_was__: ClassVar[bool] = False  # says what was: never put to another row when two become one
    __retain__: ClassVar[tuple[Retain, ...]] = ()  # how long its rows are kept (`core.retention`)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = column("编号", String(22), system=True, unique=True, default=public_id)
    version: Mapped[int] = column("版本", Integer, system=True, nullable=False)
    made_at: Mapped[datetime] = column("建立时间", UtcDateTime, system=True, default=clock.now)
    made_by_id: Mapped[int | None] = column("建立人", BigId, system=True)

    def __init_subclass__(cls, **options: Any) -> None:
        """A row whose name is made of what is hidden from the reader goes by its number (`core.access.veil`)."""
        if named := cls.__dict__.get("__str__"):
            cls.__str__ = _discreet(named)  # type: ignore[method-assign]
        super().__init_subclass__(**options)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    @classmethod
    def owner_names(cls) -> tuple[str, ...]:
        """The relationships of `__owner__`, in the order in which they are asked."""
        return tuple(filter(None, (cls.__owner__,) if isinstance(cls.__owner__, str) else cls.__owner__))

    @classmethod
    def policy_name(cls) -> str:
        """The entity name in the policy table."""
        return cls.__policy__ or cls.__name__

    @classmethod
    def state_column(cls) -> str:
        """The column that a grant's states are about."""
        return cls.__workflow__.column if cls.__workflow__ else getattr(cls, "__state__", "state")

    def __str__(self) -> str:
        return str(getattr(self, "name", None) or f"{_(str(self.__label__))} {self.id}")

    @validates("public_id")
    def _keep_public_id(self, _key: str, value: str) -> str:
        if self.public_id and value != self.public_id:
            raise ValueError("a public id never changes")
        return value


Nameless = Callable[[Entity, Any], str | None]
nameless: list[Nameless] = []  # what says so (core.access.veil); nothing while only models are loaded


def _discreet(named: Callable[[Entity], str]) -> Callable[[Entity], str]:
    """A row's name, or its number where the name is not for this reader."""

    @wraps(named)
    def text(row: Entity) -> str:
        for judge in nameless:
            if (instead := judge(row, named)) is not None:
                return instead
        return named(row)

    return text


Entity.__str__ = _discreet(Entity.__str__)  # type: ignore[method-assign]


@event.listens_for(Entity, "instrument_class", propagate=True)
def _number_for_good(_mapper: Any, cls: type[Entity]) -> None:
    """An id is never given twice: histories and assignments name rows by it. PostgreSQL's sequences do so anyway."""
    cls.__table__.dialect_options["sqlite"]["autoincrement"] = True


class Scoped(Entity):
    """A row that an office answers for. Core sets these columns; no form does.

    office_id: who answers now. made_office_id: who answered when it was made (figures, history chain).
    lines: bits of business lines. enterprise_id, site_id: the firm it is about, for the firm's own access.
    """

    __abstract__ = True
    __scope__ = Scope.OFFICE

    @declared_attr
    def office_id(cls) -> Mapped[int]:
        """The office that answers for the row."""
        return column("所属机构", BigId, ForeignKey("office.id"), system=True, nullable=False, index=True)

    @declared_attr
    def made_office_id(cls) -> Mapped[int]:
        """The office that answered for it when it was made."""
        return column("建立机构", BigId, ForeignKey("office.id"), system=True, nullable=False, index=True)

    lines: Mapped[int] = column("条线", LineSet, format="lines", system=True, nullable=False, default=0)
    enterprise_id: Mapped[int | None] = column("主体", BigId, system=True, index=True)
    site_id: Mapped[int | None] = column("经营场所", BigId, system=True, index=True)


def registry() -> dict[str, type[Entity]]:
    """Every mapped entity by class name."""
    found = (mapper.class_ for mapper in FabModel.registry.mappers)
    return {cls.__name__: cls for cls in found if issubclass(cls, Entity)}


def system_columns(cls: type[Any]) -> frozenset[str]:
    """Attributes a plain create or update may not touch: set by core and by transitions only."""
    return frozenset(prop.key for prop in inspect(cls).column_attrs if prop.columns[0].info.get("system"))

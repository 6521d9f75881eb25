"""States and transitions as a table on the model; screen, API and bulk acts all go through `run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.fetch import may
from app.core.access.predicate import predicate
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Outdated, ShouzeError, Taken
from app.core.verbs import Verb
from app.core.writing import perform, unit_of_work

Guard = Callable[[Any], Any]  # row -> a message why not, or None
Handler = Callable[..., None]


@dataclass(frozen=True)
class Transition:
    """One step: from which states to which, under which verb, guarded by what, asking what.

    `asks` names the inputs of the step's form (a WTForms class name resolved by the view); `reason` makes a
    reason mandatory. `to` is None when the handler decides.
    """

    name: str
    label: Any
    sources: tuple[str, ...]
    to: str
    verb: Verb
    guards: tuple[Guard, ...] = ()
    reason: bool = False
    kind: str = "primary"
    confirm: Any = ""


@dataclass(frozen=True)
class Workflow:
    """The table of one model. `tones` colours the states."""

    initial: str
    transitions: tuple[Transition, ...]
    tones: Mapping[str, str] = field(default_factory=dict)
    column: str = "state"

    def named(self, name: str) -> Transition:
        """The transition of that name. Raises NotFound."""
        for transition in self.transitions:
            if transition.name == name:
                return transition
        raise NotFound(_("没有这一步操作。"))

    def leaving(self, state: str) -> tuple[Transition, ...]:
        """The transitions that leave a state."""
        return tuple(one for one in self.transitions if state in one.sources)


_handlers: dict[tuple[str, str], Handler] = {}
_before: list[Callable[[], None]] = []


def before_steps(ready: Callable[[], None]) -> None:
    """Ask something of the person before any step is taken (a PIN); it raises what stands in the way."""
    if ready not in _before:
        _before.append(ready)


def require_ready() -> None:
    """Whether the person in context may take steps just now. Raises what `before_steps` registered raises."""
    for ready in _before:
        ready()


def handles(model: type[Any], name: str) -> Callable[[Handler], Handler]:
    """Register a service function as what a transition does beside changing the state (core never imports services)."""

    def decorate(function: Handler) -> Handler:
        key = (model.__name__, name)
        if _handlers.setdefault(key, function) is not function:
            raise RuntimeError(f"two handlers for {key}")
        return function

    return decorate


def reasons_against(row: Any, transition: Transition) -> list[str]:
    """Why this row may not take the step now, apart from access: its state and the guards."""
    state = getattr(row, row.__workflow__.column)
    if state not in transition.sources:
        return [_("现在是“%(state)s”，不能%(step)s。", state=_(str(state)), step=_(str(transition.label)))]
    return [str(why) for guard in transition.guards if (why := guard(row))]


def refusal(row: Any, transition: Transition) -> ShouzeError:
    """Why the person in context, who reads the row, may not take a step: no right, or somebody was first.

    Who had the right in another state comes too late: told so, and not sent to an administrator for rights.
    """
    cls, access = type(row), current_access()
    moved_on = getattr(row, row.__workflow__.column) not in transition.sources
    if moved_on and access.may(cls.policy_name(), transition.verb):
        elsewhere = select(cls.id).where(cls.id == row.id, predicate(access, cls, transition.verb, states=False))
        if current_session().scalar(elsewhere) is not None:
            return Taken(" ".join(reasons_against(row, transition)))
    return Forbidden(_("您可以查看，但不能进行这项操作。"))


def run(row: Any, name: str, *, reason: str = "", seen: int | None = None, **inputs: Any) -> Any:
    """Take one step: lock the row, check state and guards, let the service do its part, change the state.

    Access is asked first, so that who may not learns nothing of guards, and judged again by the session's write check
    under the transition's verb. `seen` is the version the person decided upon; another one now is a Conflict. Returns
    the row. Raises Conflict, Invalid, Forbidden.
    """
    transition = row.__workflow__.named(name)
    require_ready()
    if transition.reason and not reason.strip():
        raise Invalid(_("请写明理由。"), {"reason": _("请写明理由。")})
    with unit_of_work(transition.verb, reason.strip()):
        locked = lock(row)
        if "unscoped" not in current_session().info and not may(locked, transition.verb):
            raise refusal(locked, transition)
        if seen is not None and locked.version != seen:
            raise Outdated(_("您打开之后，这条记录已有变化，请看过现在的内容再办。"))
        if why := reasons_against(locked, transition):
            raise Conflict(" ".join(why))
        perform(locked, transition.verb)
        if handler := _handlers.get((type(locked).__name__, name)):
            handler(locked, **inputs)
        setattr(locked, locked.__workflow__.column, transition.to)
        current_session().flush()
        return locked


def lock(row: Any) -> Any:
    """The row read again under a lock, in this unit of work."""
    cls, key = type(row), row.id
    found = current_session().scalars(
        select(cls).where(cls.id == key).with_for_update(of=cls).execution_options(populate_existing=True)
    )
    locked = found.unique().one_or_none()
    if locked is None:
        raise Conflict(_("这条记录已不存在，或已不归您管。"))
    return locked

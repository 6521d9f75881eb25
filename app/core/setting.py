"""What the bureau decides for itself: a value, who confirmed it, when. Unconfirmed, it never reaches a legal paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session, unscoped
from app.core.entity import BigId, Entity, Scope, column
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow, handles

DEMO = "installation.demo"  # the flag of a database of made-up data


class SettingState(StrEnum):
    """Whether the bureau stands behind the value."""

    OPEN = "待确认"
    CONFIRMED = "已确认"


class BureauSetting(Entity):
    """One decision of the bureau; the catalogue (models/setting.py) says what each key means."""

    __tablename__ = "bureau_setting"
    __label__ = "本局设定"
    __scope__ = Scope.REFERENCE
    __workflow__ = Workflow(
        initial=SettingState.OPEN,
        transitions=(
            Transition("confirm", "确认", (SettingState.OPEN,), SettingState.CONFIRMED, Verb.CONFIRM,
                       guards=(lambda row: None if row.value.strip() else _("还没有填写内容"),)),
            Transition("reopen", "改为待确认", (SettingState.CONFIRMED,), SettingState.OPEN, Verb.CONFIRM,
                       reason=True, kind="plain"),
        ),
        tones={SettingState.OPEN: "warning", SettingState.CONFIRMED: "success"},
    )  # fmt: skip

    key: Mapped[str] = column("键", String(60), unique=True, nullable=False, system=True, format="code")
    name: Mapped[str] = column("名称", String(80), nullable=False, system=True, format="term")
    help: Mapped[str] = column("说明", Text, nullable=False, system=True, default="", format="term")
    value: Mapped[str] = column("内容", Text, nullable=False, default="", format="long")
    state: Mapped[str] = column("状态", String(10), choices=SettingState, system=True, nullable=False, default="待确认")
    confirmed_by_id: Mapped[int | None] = column("确认人", BigId, system=True)
    confirmed_at: Mapped[datetime | None] = column("确认时间", UtcDateTime, system=True)

    def __str__(self) -> str:
        return str(_(self.name))


@handles(BureauSetting, "confirm")
def _confirm(setting: BureauSetting, **_inputs: Any) -> None:
    setting.confirmed_by_id, setting.confirmed_at = current_access().person.id, clock.now()


@handles(BureauSetting, "reopen")
def _reopen(setting: BureauSetting, **_inputs: Any) -> None:
    setting.confirmed_by_id = setting.confirmed_at = None


@dataclass(frozen=True)
class Missing:
    """A setting a paper needs that nobody has confirmed."""

    key: str
    name: str


def confirmed(*keys: str) -> tuple[dict[str, str], list[Missing]]:
    """The confirmed values of these keys, and those that are not."""
    session = current_session()
    rows = {row.key: row for row in session.scalars(select(BureauSetting).where(BureauSetting.key.in_(keys)))}
    values = {key: row.value for key, row in rows.items() if row.state == SettingState.CONFIRMED}
    missing = [Missing(key, rows[key].name if key in rows else key) for key in keys if key not in values]
    return values, missing


def installation_flag(key: str) -> str:
    """A setting read without a person in context ("" when absent); for what the shell shows on every page."""
    with unscoped("installation flag", quiet=True) as session:
        return session.scalar(select(BureauSetting.value).where(BureauSetting.key == key)) or ""

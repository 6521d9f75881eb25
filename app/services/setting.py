"""The bureau's decisions: made sure they exist, changed only while they are open."""

from __future__ import annotations

import re
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select

from app.core.db import current_session
from app.core.saving import Check, on_save
from app.core.setting import BureauSetting, confirmed
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.setting import DAYS, NUMBERS, WANTED


def ensure_settings() -> int:
    """Write the settings that are missing, open, with what is proposed. Returns how many were new."""
    session = current_session()
    with unit_of_work(Verb.CREATE, "建立待确认的设定"):
        known = set(session.scalars(select(BureauSetting.key)))
        new = [one for one in WANTED if one.key not in known]
        session.add_all(BureauSetting(key=one.key, name=one.name, help=one.help, value=one.proposal) for one in new)
    return len(new)


@on_save(BureauSetting)
def check_setting(setting: BureauSetting, check: Check) -> None:
    """A setting that is a number holds one, within its bounds."""
    if setting.key in NUMBERS and setting.value and number_of(setting.key, setting.value) is None:
        least, most = NUMBERS[setting.key]
        check.error("value", _("请填写 %(least)s 到 %(most)s 之间的整数。", least=least, most=most))
    if setting.key in DAYS and setting.value and day_of(setting.value) is None:
        check.error("value", _("请填写每年都有的一天，月-日，例如 12-31。"))


def number_of(key: str, value: str) -> int | None:
    """A setting's text as its number; None when it is not one or out of bounds."""
    text, (least, most) = value.strip(), NUMBERS[key]
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return None
    return int(text) if least <= int(text) <= most else None


def day_of(value: str) -> tuple[int, int] | None:
    """A setting's text as month and day; None when it is no day of every year."""
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", value.strip(), re.ASCII)
    try:
        return (date(2001, int(found[1]), int(found[2])).timetuple()[1:3]) if found else None
    except ValueError:
        return None


def confirmed_number(key: str) -> int | None:
    """The number that the bureau has confirmed, None while it has not."""
    values, _missing = confirmed(key)
    return number_of(key, values[key]) if key in values else None

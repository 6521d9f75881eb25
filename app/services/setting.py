"""The bureau's decisions: made sure they exist, changed only while they are open."""

from __future__ import annotations

from sqlalchemy import select

from app.core.db import current_session
from app.core.setting import BureauSetting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.setting import WANTED


def ensure_settings() -> int:
    """Write the settings that are missing, open, with what is proposed. Returns how many were new."""
    session = current_session()
    with unit_of_work(Verb.CREATE, "建立待确认的设定"):
        known = set(session.scalars(select(BureauSetting.key)))
        new = [one for one in WANTED if one.key not in known]
        session.add_all(BureauSetting(key=one.key, name=one.name, help=one.help, value=one.proposal) for one in new)
    return len(new)

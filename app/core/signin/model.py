"""A session of somebody who signed in: the row that the cookie names. Ended here, signed out at the next request."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped

from app.core.entity import BigId, Entity, Scope, column
from app.core.office import Family
from app.core.types import UtcDateTime

_OPEN = bare_column("ended_at").is_(None)


class EntryKind(StrEnum):
    """How somebody came in."""

    PASSWORD = "密码"  # noqa: S105 - the word for one, no password
    PHONE = "记住的手机"
    API = "接口"


class Ending(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "退出登录"
    BY_OWNER = "本人结束"
    PASSWORD = "修改密码"  # noqa: S105 - the act, no password
    IDLE = "长时间没有操作"
    TOO_LONG = "登录时间过长"
    ACCOUNT = "账号停用"
    POSTING = "任职终止"
    SECOND_FACTOR = "动态口令变更"
    ADMINISTRATOR = "管理员结束"
    REPLACED = "重新登录"
    APPOINTMENT = "企业任职终止"
    PHONE = "停用手机"
    PIN = "PIN 多次输错"


class SignInSession(Entity):
    """One sign-in. `made_at` is when it was opened; `digest` is all that is kept of the cookie's secret."""

    __tablename__ = "sign_in_session"
    __label__ = "登录"
    __scope__ = Scope.OWN
    __history__ = False  # opened and ended by entries in words (core.signin.sessions)
    __table_args__ = (
        Index("ix_sign_in_session_account_id_id", "account_id", "id"),
        Index("ix_sign_in_session_open", "seen_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), system=True, nullable=False)
    family: Mapped[str] = column("账号类别", String(20), choices=Family, system=True, nullable=False)
    kind: Mapped[str] = column("登录方式", String(20), choices=EntryKind, system=True, nullable=False)
    digest: Mapped[str] = column("凭证摘要", String(64), secret=True, system=True, unique=True, nullable=False)
    seen_at: Mapped[datetime] = column("最近使用", UtcDateTime, system=True, nullable=False)
    address: Mapped[str] = column("网络地址", String(45), system=True, nullable=False, default="")
    agent: Mapped[str] = column("设备", String(60), system=True, nullable=False, default="")
    ended_at: Mapped[datetime | None] = column("结束时间", UtcDateTime, system=True)
    ending: Mapped[str | None] = column("结束原因", String(20), choices=Ending, system=True)


def new_secret() -> str:
    """What the cookie carries: 256 random bits, so a plain digest of it is enough."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def short_agent(header: Any) -> str:
    """A browser's long self-description as "Chrome 126 · Windows"; unknown ones are cut."""
    text = str(header or "")[:400]
    browser = next((f"{name} {_after(text, mark)}".strip() for mark, name in _BROWSERS if mark in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    known = " · ".join(part for part in (browser, system) if part)
    return (known or "".join(char for char in text if char.isprintable()))[:60]


_BROWSERS = (
    ("MicroMessenger/", "微信"),
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("QQBrowser/", "QQ"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def _after(text: str, mark: str) -> str:
    """The major version behind a mark."""
    digits = text.partition(mark)[2][:4]
    return "".join(char for char in digits.partition(".")[0] if char.isascii() and char.isdigit())

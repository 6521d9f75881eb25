"""The telephone of somebody who signs in without a password: the code that begins it, the PIN, the phone remembered.

A code is printed on a card and used up once. It lets a telephone be remembered (a secret in its cookie, a digest here);
from then on a PIN of six digits opens and signs. Five wrong ones on a phone lock that phone, wherever they were typed.
Functions work inside the unit of work in force, unscoped, unless they say otherwise.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, Integer, String, insert, select, update
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.crypto import digest
from app.core.db import current_session
from app.core.entity import BigId, Entity, column
from app.core.passwords import hashed, matches
from app.core.signin.model import digest_of, new_secret, short_agent
from app.core.signin.second_factor import LETTERS, bare
from app.core.types import UtcDateTime, public_id

LENGTH = 15  # of 31 letters: 74 bits, so that nobody finds one by trying
TRIES = 5
PROVED = timedelta(minutes=10)  # how long a PIN stands for the next signature
SHAPE = re.compile(r"[0-9]{6}")


class ActivationCode(Entity):
    """A one-time code of an account; only its keyed digest. `failures`: wrong PINs typed beside it."""

    __tablename__ = "activation_code"
    __history__ = False
    __table_args__ = (Index("ix_activation_code_account_id", "account_id"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), system=True, nullable=False)
    digest: Mapped[str] = column("摘要", String(64), secret=True, system=True, unique=True, nullable=False)
    until: Mapped[datetime] = column("有效期至", UtcDateTime, system=True, nullable=False)
    failures: Mapped[int] = column("失败次数", Integer, system=True, nullable=False, default=0)
    used_at: Mapped[datetime | None] = column("使用时间", UtcDateTime, system=True)
    void_at: Mapped[datetime | None] = column("作废时间", UtcDateTime, system=True)


class PhonePin(Entity):
    """The PIN of an account ("" after a reset), and which 告知 the person agreed to when."""

    __tablename__ = "phone_pin"
    __history__ = False

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), system=True, unique=True, nullable=False)
    stored: Mapped[str] = column("PIN", String(256), secret=True, system=True, nullable=False)
    set_at: Mapped[datetime | None] = column("设置时间", UtcDateTime, system=True)
    consent: Mapped[str] = column("告知版本", String(20), system=True, nullable=False)
    consent_at: Mapped[datetime | None] = column("同意时间", UtcDateTime, system=True)


class Phone(Entity):
    """A remembered telephone (a browser on one): until when, how many wrong PINs, when the last right one."""

    __tablename__ = "phone"
    __history__ = False
    __table_args__ = (Index("ix_phone_account_id", "account_id"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), system=True, nullable=False)
    digest: Mapped[str] = column("凭证摘要", String(64), secret=True, system=True, unique=True, nullable=False)
    agent: Mapped[str] = column("设备", String(60), system=True, nullable=False, default="")
    until: Mapped[datetime] = column("有效期至", UtcDateTime, system=True, nullable=False)
    failures: Mapped[int] = column("失败次数", Integer, system=True, nullable=False, default=0)
    proved_at: Mapped[datetime | None] = column("上次输入 PIN", UtcDateTime, system=True)
    ended_at: Mapped[datetime | None] = column("停用时间", UtcDateTime, system=True)


codes: Any = ActivationCode.__table__
pins: Any = PhonePin.__table__
phones: Any = Phone.__table__


class CodeState(StrEnum):
    """What can be done with a code."""

    OPEN = "open"
    USED = "used"
    VOID = "void"
    OVER = "over"


@dataclass(frozen=True)
class Code:
    """A code that was found, as plain values."""

    id: int
    account_id: int
    state: CodeState


@dataclass(frozen=True)
class Remembered:
    """A telephone that its cookie names, as plain values."""

    id: int
    account_id: int
    failures: int
    proved_at: datetime | None

    @property
    def locked(self) -> bool:
        """Whether no PIN is taken on it any more."""
        return self.failures >= TRIES

    @property
    def proved(self) -> bool:
        """Whether the PIN was typed so lately that the person may sign."""
        return self.proved_at is not None and clock.now() - self.proved_at < PROVED


# -- codes ------------------------------------------------------------------------------------------------------------


def new_code() -> str:
    """A code, as it is printed: three groups of five letters that do not look alike."""
    drawn = "".join(secrets.choice(LETTERS) for _n in range(LENGTH))
    return "-".join(drawn[at : at + 5] for at in range(0, LENGTH, 5))


def lifetime() -> timedelta:
    """How long a printed code holds."""
    return timedelta(days=current_app.extensions["shouze_settings"].activation_days)


def put_code(account_id: int, code: str) -> None:
    """Make `code` the account's only one; what was printed before is void."""
    void_codes(account_id)
    now = clock.now()
    values = {"public_id": public_id(), "version": 1, "made_at": now, "account_id": account_id,
              "digest": _digest(code), "until": now + lifetime(), "failures": 0}  # fmt: skip
    current_session().connection().execute(insert(codes).values(values))


def void_codes(account_id: int) -> None:
    """No code of the account holds any more."""
    unused = (codes.c.account_id == account_id) & codes.c.used_at.is_(None) & codes.c.void_at.is_(None)
    current_session().connection().execute(update(codes).where(unused).values(void_at=clock.now()))


def find_code(typed: str) -> Code | None:
    """The code that was typed or scanned, in whatever state; None when it is none. Reads only."""
    asked = select(codes.c.id, codes.c.account_id, codes.c.used_at, codes.c.void_at, codes.c.until, codes.c.failures)
    found = current_session().connection().execute(asked.where(codes.c.digest == _digest(typed))).one_or_none()
    if found is None:
        return None
    state = CodeState.OPEN
    if found.used_at is not None:
        state = CodeState.USED
    elif found.void_at is not None or found.failures >= TRIES:
        state = CodeState.VOID
    elif found.until <= clock.now():
        state = CodeState.OVER
    return Code(found.id, found.account_id, state)


def use_up(code: Code) -> bool:
    """Take the code; False when somebody else just did, or it was made void. The account's others are void then."""
    now = clock.now()
    free = (codes.c.id == code.id) & codes.c.used_at.is_(None) & codes.c.void_at.is_(None) & (codes.c.until > now)
    taken = update(codes).where(free, codes.c.failures < TRIES).values(used_at=now)
    if not current_session().connection().execute(taken).rowcount:
        return False
    void_codes(code.account_id)
    return True


def count_against(code: Code) -> bool:
    """Count a PIN tried beside a code, before it is looked at; False when there were too many."""
    more = update(codes).where(codes.c.id == code.id, codes.c.failures < TRIES).values(failures=codes.c.failures + 1)
    return bool(current_session().connection().execute(more).rowcount)


def _digest(typed: str) -> str:
    return digest(bare(typed), "activation_code")


# -- the PIN ----------------------------------------------------------------------------------------------------------


def pin_of(typed: str) -> str:
    """What was typed as six plain digits."""
    return bare(typed)


def weakness(pin: str, mobile: str) -> str:
    """Why a PIN is refused, or ""."""
    if not SHAPE.fullmatch(pin):
        return str(_("PIN 是 6 位数字。"))
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    repeats = pin[:3] == pin[3:] or pin[:2] * 3 == pin
    if len(set(pin)) < 3 or len(steps) == 1 or repeats or pin in mobile or _pairs(pin) or _birthday(pin):
        return str(_("这个 PIN 太容易猜到：不要用连号、重复的数字、生日或手机号里的数字。"))
    return ""


def _pairs(pin: str) -> bool:
    """112233 and its like."""
    return all(pin[at] == pin[at + 1] for at in (0, 2, 4))


def _birthday(pin: str) -> bool:
    """Whether it reads as a day (YYMMDD) or a month (YYYYMM) of somebody's birth."""
    year, month, day = int(pin[:2]), int(pin[2:4]), int(pin[4:])
    if pin[:2] in {"19", "20"} and 1 <= day <= 12 and 1930 <= int(pin[:4]) <= clock.today().year:
        return True
    try:
        date(1900 + year if year > 25 else 2000 + year, month, day)
    except ValueError:
        return False
    return True


def sealed(account_id: int, pin: str) -> str:
    """The stored form of a PIN; hash it outside any transaction. Without the data key nobody can try six digits."""
    return hashed(_peppered(account_id, pin))


def is_pin(account_id: int, stored: str, pin: str) -> bool:
    """Whether this is the PIN; costs the same where none is stored."""
    return matches(stored, _peppered(account_id, pin))


def _peppered(account_id: int, pin: str) -> str:
    return digest(pin, f"phone_pin.{account_id}")


def stored_pin(account_id: int) -> str:
    """The stored form, "" when there is none. Reads only."""
    asked = select(pins.c.stored).where(pins.c.account_id == account_id)
    return str(current_session().connection().scalar(asked) or "")


def set_pin(account_id: int, stored: str, consent: str | None = None) -> None:
    """Keep a PIN ("": forget it), and with `consent` that the person agreed to that version of the 告知 now."""
    connection, now = current_session().connection(), clock.now()
    values: dict[str, Any] = {"stored": stored, "set_at": now if stored else None}
    if consent is not None:
        values |= {"consent": consent, "consent_at": now}
    if not connection.execute(update(pins).where(pins.c.account_id == account_id).values(values)).rowcount and stored:
        head = {"public_id": public_id(), "version": 1, "made_at": now, "account_id": account_id, "consent": ""}
        connection.execute(insert(pins).values({**head, **values}))


# -- telephones -------------------------------------------------------------------------------------------------------


def kept() -> timedelta:
    """How long a telephone is remembered after its last use."""
    return timedelta(days=current_app.extensions["shouze_settings"].phone_days)


def remember(account_id: int, agent: str) -> str:
    """Remember a telephone from now on. Returns the secret for its cookie: nobody can ask again."""
    secret, now = new_secret(), clock.now()
    values = {
        "public_id": public_id(), "version": 1, "made_at": now, "account_id": account_id, "failures": 0,
        "digest": digest_of(secret), "agent": short_agent(agent), "until": now + kept(), "proved_at": now,
    }  # fmt: skip
    current_session().connection().execute(insert(phones).values(values))
    return secret


def recall(secret: str) -> Remembered | None:
    """The telephone whose cookie this is; None when it is not, or no longer, remembered. Reads only."""
    asked = select(phones.c.id, phones.c.account_id, phones.c.failures, phones.c.proved_at).where(
        phones.c.digest == digest_of(secret), phones.c.ended_at.is_(None), phones.c.until > clock.now()
    )
    found = current_session().connection().execute(asked).one_or_none()
    return Remembered(*found) if found is not None else None


def count_try(phone: Remembered) -> int:
    """Count a PIN before it is looked at, so that tries at once count. How many by now; 0: no more are taken."""
    open_ = (phones.c.id == phone.id) & (phones.c.failures < TRIES) & phones.c.ended_at.is_(None)
    more = update(phones).where(open_).values(failures=phones.c.failures + 1).returning(phones.c.failures)
    return int(current_session().connection().scalar(more) or 0)


def was_right(phone: Remembered) -> bool:
    """The PIN was right: failures are forgotten, the days begin anew. False when the phone was ended meanwhile."""
    now = clock.now()
    values = {"failures": 0, "proved_at": now, "until": now + kept()}
    mine = (phones.c.id == phone.id) & phones.c.ended_at.is_(None)
    return bool(current_session().connection().execute(update(phones).where(mine).values(values)).rowcount)


def forget_phones(account_id: int, only: int | None = None) -> int:
    """No telephone of the account (or not that one) is remembered any more. Returns how many."""
    mine = (phones.c.account_id == account_id) & phones.c.ended_at.is_(None)
    mine = mine & (phones.c.id == only) if only is not None else mine
    ended = update(phones).where(mine).values(ended_at=clock.now())
    return int(current_session().connection().execute(ended).rowcount)

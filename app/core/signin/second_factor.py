"""动态口令 (TOTP): a secret in a telephone's application as the second step of signing in, and ten recovery codes.

A new secret is `pending` until a code of it was typed; the one in force stays so meanwhile. A step of thirty seconds is
used up by the code that was taken: the same code is refused the second time, also by two at once.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Index, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.access.context import register_figure
from app.core.crypto import digest
from app.core.db import current_session
from app.core.entity import BigId, Entity, column
from app.core.history import remark
from app.core.message import notify
from app.core.office import Account
from app.core.signin.model import Ending
from app.core.signin.sessions import end_sessions
from app.core.types import Encrypted, UtcDateTime, public_id
from app.core.verbs import Verb

URL = "/second-factor/"
FIGURE = "second_factor"
WAITS = timedelta(minutes=15)  # for the first code of a new secret: whoever finds the page open later gets nowhere
STEP, DRIFT = 30, 1  # seconds; how many steps a telephone's clock may be off
CODES, LETTERS, LENGTH = 10, "23456789abcdefghjkmnpqrstuvwxyz", 10
ISSUER = "守责"


class SecondFactor(Entity):
    """The secret of an account: in force since `since`, or only `pending`."""

    __tablename__ = "second_factor"
    __history__ = False

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), system=True, unique=True, nullable=False)
    secret: Mapped[str | None] = column("密钥", Encrypted("second_factor.secret"), secret=True, system=True)
    pending: Mapped[str | None] = column("待启用的密钥", Encrypted("second_factor.pending"), secret=True, system=True)
    proposed_at: Mapped[datetime | None] = column("生成时间", UtcDateTime, system=True)
    last_step: Mapped[int] = column("用过的时段", BigInteger, system=True, nullable=False, default=0)
    since: Mapped[datetime | None] = column("启用时间", UtcDateTime, system=True)


class RecoveryCode(Entity):
    """A code for the day the telephone is lost; its keyed digest only, each for once."""

    __tablename__ = "recovery_code"
    __history__ = False
    __table_args__ = (Index("ix_recovery_code_account_id", "account_id"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), system=True, nullable=False)
    digest: Mapped[str] = column("摘要", String(64), secret=True, system=True, nullable=False)
    used_at: Mapped[datetime | None] = column("使用时间", UtcDateTime, system=True)


factors: Any = SecondFactor.__table__
codes: Any = RecoveryCode.__table__


@dataclass(frozen=True)
class State:
    """Whether an account has a second factor, since when, and how many recovery codes are left."""

    since: datetime | None
    left: int


def in_force(account_id: int) -> Any:
    """1 when the account has a second factor in force (a figure of every request: `Access.figures`)."""
    return select(func.count()).where(factors.c.account_id == account_id, factors.c.since.is_not(None))


register_figure(FIGURE, in_force)


def state_of(account_id: int) -> State:
    """What the account has, read unscoped."""
    connection = current_session().connection()
    since = connection.scalar(select(factors.c.since).where(factors.c.account_id == account_id))
    unused = select(func.count()).where(codes.c.account_id == account_id, codes.c.used_at.is_(None))
    return State(since, int(connection.scalar(unused) or 0))


def propose(account_id: int) -> str:
    """A new secret (base32), pending, in the unit of work in force; what is in force stays so."""
    session, secret = current_session(), pyotp.random_base32()
    row = _row(account_id)
    if row is None:
        row = SecondFactor(account_id=account_id)
        session.add(row)
    row.pending, row.proposed_at = secret, clock.now()
    session.flush()
    return secret


def pending_of(account_id: int) -> str | None:
    """The secret that waits for its first code, for a quarter of an hour."""
    return _pending(_row(account_id))


def address_of(secret: str, username: str) -> str:
    """What the QR code says (otpauth://…)."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=username, issuer_name=ISSUER)


def adopt(account: Account, code: str, keep: int | None) -> list[str] | None:
    """Put the pending secret in force when `code` is its own; every session but `keep` ends.

    Returns ten new recovery codes, told this once; None when the code is wrong. In the unit of work in force.
    """
    row = _row(account.id)
    pending = _pending(row)
    step = _step_of(pending, bare(code), 0) if pending else None
    if row is None or step is None:
        return None
    row.secret, row.pending, row.last_step, row.since = pending, None, step, clock.now()
    current_session().flush()
    _tell(account, "启用动态口令")
    end_sessions(account.id, Ending.SECOND_FACTOR, keep=keep)
    return renew_codes(account)


def renew_codes(account: Account) -> list[str]:
    """Ten new recovery codes in place of the old ones, in the unit of work in force; told this once."""
    made = ["".join(secrets.choice(LETTERS) for _n in range(LENGTH)) for _m in range(CODES)]
    connection, now = current_session().connection(), clock.now()
    connection.execute(delete(codes).where(codes.c.account_id == account.id))
    connection.execute(insert(codes), [
        {"public_id": public_id(), "version": 1, "made_at": now, "account_id": account.id,
         "digest": _digest(account.id, one)} for one in made
    ])  # fmt: skip
    _tell(account, "生成恢复码")
    return [f"{one[:5]}-{one[5:]}" for one in made]


def accepts(account: Account, typed: str) -> bool:
    """Whether what was typed is a code of now or an unused recovery code, which is used up then.

    In the unit of work in force.
    """
    typed = bare(typed)
    row = _row(account.id)
    if row is None or not row.secret:
        return False
    if len(typed) == LENGTH:
        return _recovers(account, typed)
    step = _step_of(row.secret, typed, row.last_step)
    if step is None:
        return False
    used = update(factors).where(factors.c.account_id == account.id, factors.c.last_step < step)
    return bool(current_session().connection().execute(used.values(last_step=step)).rowcount)


def bare(typed: str) -> str:
    """What was typed without spaces and hyphens, full-width digits as plain ones."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed[:40])).lower()


def remove(account: Account, why: str, keep: int | None = None) -> bool:
    """Take the second factor away, with its codes, in the unit of work in force; every session but `keep` ends."""
    connection = current_session().connection()
    connection.execute(delete(codes).where(codes.c.account_id == account.id))
    gone = connection.execute(delete(factors).where(factors.c.account_id == account.id)).rowcount
    if gone:
        _tell(account, why)
        end_sessions(account.id, Ending.SECOND_FACTOR, keep=keep)
    return bool(gone)


def _row(account_id: int) -> SecondFactor | None:
    asked = select(SecondFactor).where(SecondFactor.account_id == account_id).with_for_update()
    return current_session().scalars(asked.execution_options(populate_existing=True)).one_or_none()


def _pending(row: SecondFactor | None) -> str | None:
    lately = row is not None and row.proposed_at is not None and clock.now() - row.proposed_at < WAITS
    return row.pending if row is not None and lately else None


def _step_of(secret: str, code: str, after: int) -> int | None:
    """The step whose code this is, later than `after`; None when there is none."""
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    now = int(clock.now().timestamp()) // STEP
    totp = pyotp.TOTP(secret, interval=STEP)
    near = range(now - DRIFT, now + DRIFT + 1)
    matching = [step for step in near if secrets.compare_digest(totp.at(step * STEP), code)]
    return next((step for step in matching if step > after), None)


def _recovers(account: Account, code: str) -> bool:
    connection = current_session().connection()
    mine = codes.c.account_id == account.id
    used = update(codes).where(mine, codes.c.digest == _digest(account.id, code), codes.c.used_at.is_(None))
    if not connection.execute(used.values(used_at=clock.now())).rowcount:
        return False
    left = state_of(account.id).left
    _tell(account, "用恢复码登录", left=left)
    with force_locale(account.locale):
        text = _("还剩 %(n)s 个恢复码。不是您本人，请马上修改密码。", n=left)
        notify(account.id, _("有人用恢复码登录了您的账号"), text, URL)
    return True


def _digest(account_id: int, code: str) -> str:
    return digest(code, f"recovery_code.{account_id}")


def _tell(account: Account, what: str, **facts: Any) -> None:
    remark(Verb.UPDATE, what, office_id=account.office_id, about=("Account", account.id), **facts)

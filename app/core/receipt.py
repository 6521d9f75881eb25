"""What a device sent under an id it made itself: the same again gives the first answer, another body is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String, UniqueConstraint, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.entity import BigId, Entity, column
from app.core.errors import Conflict
from app.core.retain import Retain
from app.core.types import public_id
from app.core.writing import duplicate_of


class Receipt(Entity):
    """One id of a device, whose it is, the digest of what came with it, and which row that made."""

    __tablename__ = "receipt"
    __history__ = False
    __table_args__ = (UniqueConstraint("account_id", "client_id"),)
    __retain__ = (Retain(90, "made_at"),)  # no device sends again after that

    account_id: Mapped[int] = column("人员", BigId, nullable=False)
    client_id: Mapped[str] = column("设备上的编号", String(64), nullable=False)
    digest: Mapped[str] = column("内容摘要", String(64), nullable=False)
    row_public_id: Mapped[str] = column("记录", String(22), nullable=False)


class Raced(Exception):
    """Another request with the same id was stored meanwhile: read its receipt."""


def digest_of(entity: str, body: dict[str, Any]) -> str:
    """A fingerprint of a body, whatever the order of its names."""
    text = json.dumps([entity, body], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def first_answer(client_id: str, digest: str) -> str | None:
    """The public id of the row that this body made before, if it did. Raises Conflict: the id came with another."""
    table = Receipt.__table__
    mine = (table.c.account_id == current_access().person.id) & (table.c.client_id == client_id)
    found = current_session().connection().execute(select(table.c.digest, table.c.row_public_id).where(mine)).first()
    if found is None:
        return None
    if found.digest != digest:
        raise Conflict(_("这个设备编号已用于另一份内容。"))
    return str(found.row_public_id)


def keep(client_id: str, digest: str, row: Entity) -> None:
    """Write the receipt in the unit of work that makes the row; both are stored or neither. Raises Raced."""
    values = {
        "account_id": current_access().person.id, "client_id": client_id, "digest": digest, "version": 1,
        "row_public_id": row.public_id, "public_id": public_id(), "made_at": clock.now(),
    }  # fmt: skip
    try:
        current_session().connection().execute(insert(Receipt.__table__).values(values))
    except IntegrityError as error:
        if not duplicate_of(error):
            raise
        raise Raced from error

"""Messages: what the program or a colleague's act tells one account. The bell counts the unread ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, String, Text, func, insert, select, update
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.access.context import register_figure
from app.core.db import current_session
from app.core.entity import BigId, Entity, Scope, column
from app.core.errors import WriteOutsideUnit
from app.core.retain import Retain
from app.core.types import UtcDateTime, public_id
from app.core.writing import current_unit

UNREAD = "unread"  # the figure of the bell
MOST_COUNTED = 99  # the bell says 99+ and counts no further
LONGEST_TITLE, LONGEST_TEXT = 120, 2_000


class Message(Entity):
    """One line to one account; only that account sees it. `url` is a page of ours, or empty."""

    __tablename__ = "message"
    __label__ = "消息"
    __scope__ = Scope.OWN
    __history__ = False
    __retain__ = (Retain(180, "read_at"),)
    __table_args__ = (
        Index("ix_message_account_id_id", "account_id", "id"),
        Index(
            "ix_message_unread",
            "account_id",
            sqlite_where=bare_column("read_at").is_(None),
            postgresql_where=bare_column("read_at").is_(None),
        ),
    )

    account_id: Mapped[int] = column("收件人", BigId, ForeignKey("account.id"), nullable=False)
    title: Mapped[str] = column("标题", String(LONGEST_TITLE), nullable=False)
    text: Mapped[str] = column("内容", Text, nullable=False, default="")
    url: Mapped[str] = column("链接", String(500), nullable=False, default="")
    read_at: Mapped[datetime | None] = column("已读时间", UtcDateTime)


def notify(account_id: int, title: Any, text: Any = "", url: str = "") -> None:
    """Tell an account something, in the unit of work in force: an act that is rolled back has told nobody.

    `url` is a path of this application ("/notices/7"). Raises WriteOutsideUnit, ValueError for a foreign address.
    """
    session = current_session()
    if current_unit(session) is None:
        raise WriteOutsideUnit("notify() needs a unit of work")
    if url and not local_path(url):
        raise ValueError("a message leads to a page of this application only")
    values = {
        "public_id": public_id(),
        "version": 1,
        "made_at": clock.now(),
        "account_id": account_id,
        "title": str(title).replace("\0", "")[:LONGEST_TITLE],
        "text": str(text).replace("\0", "")[:LONGEST_TEXT],
        "url": url,
    }
    # on the connection: whoever acts needs no right upon the receiver's messages
    session.connection().execute(insert(Message.__table__).values(values))


def local_path(url: str) -> bool:
    """Whether an address stays on this host: a browser takes // and /\\ for another one."""
    return url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable() and len(url) <= 500


def unread(account_id: int) -> Select[Any]:
    """How many messages of an account are not read, counted to MOST_COUNTED + 1."""
    mine = select(Message.id).where(Message.account_id == account_id, Message.read_at.is_(None))
    return select(func.count()).select_from(mine.limit(MOST_COUNTED + 1).subquery())


register_figure(UNREAD, unread)


def mark_all_read(account_id: int) -> int:
    """Mark every unread message of an account, in the unit of work in force. Returns how many."""
    table = Message.__table__
    mine = (table.c.account_id == account_id) & table.c.read_at.is_(None)
    done = current_session().connection().execute(update(table).where(mine).values(read_at=clock.now()))
    return int(done.rowcount)

"""消息: what was told to one; only one's own."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.fab.cells import datetime_text
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import signed_in
from app.core.message import Message, local_path, mark_all_read
from app.core.verbs import Verb
from app.core.writing import unit_of_work

SIZE = 50
LAST_PAGE = 200


class MessageView(Page):
    """The list behind the bell."""

    route_base = "/messages"
    default_view = "messages"

    @expose("/")
    @signed_in
    def messages(self) -> Answer:
        """Newest first."""
        typed = request.args.get("page", "")
        page = min(max(int(typed), 1), LAST_PAGE) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 1
        asked = select(Message).order_by(Message.id.desc()).offset((page - 1) * SIZE).limit(SIZE + 1)
        rows = current_session().scalars(asked).all()
        return render_template(
            "messages.html", messages=[_line(row) for row in rows[:SIZE]], any_unread=any(not r.read_at for r in rows),
            newer=f"/messages/?page={page - 1}" if page > 1 else None,
            older=f"/messages/?page={page + 1}" if len(rows) > SIZE and page < LAST_PAGE else None,
        )  # fmt: skip

    @expose("/<key>/open", methods=["POST"])
    @signed_in
    def open(self, key: str) -> Answer:
        """Mark it read and go where it leads."""
        row = _marked(key)
        return redirect(row.url if row.url and local_path(row.url) else "/messages/")

    @expose("/<key>/read", methods=["POST"])
    @signed_in
    def read(self, key: str) -> Answer:
        """Mark it read and stay."""
        _marked(key)
        return redirect("/messages/")

    @expose("/read-all", methods=["POST"])
    @signed_in
    def read_all(self) -> Answer:
        """Mark all of one's own read."""
        with unit_of_work(Verb.UPDATE, ""):
            count = mark_all_read(current_access().person.id)
        flash(_("已将 %(n)s 条消息标为已读。", n=count), "success")
        return redirect("/messages/")


def _marked(key: str) -> Message:
    with unit_of_work(Verb.UPDATE, ""):
        row = fetch(Message, key)
        row.read_at = row.read_at or clock.now()
    return row


def _line(row: Message) -> dict[str, Any]:
    base = f"/messages/{row.public_id}"
    return {
        "title": row.title, "text": row.text, "url": row.url, "unread": row.read_at is None,
        "at": datetime_text(row.made_at), "open_url": f"{base}/open", "read_url": f"{base}/read",
    }  # fmt: skip

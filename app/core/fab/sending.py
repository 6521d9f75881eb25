"""A form that is sent twice makes one row: the key it was opened with, and the receipt of what that made."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import request
from flask_babel import gettext as _

from app.core import receipt
from app.core.access.fetch import fetch
from app.core.entity import Entity
from app.core.errors import Conflict

FIELD = "form_key"
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
ASIDE = {FIELD, "csrf_token"}  # what may differ between two sendings of one form


class Spent(Conflict):
    """The form's key has made a row of other content: the page is sent back with a new one."""


class Sending:
    """What this request sends of a form for a new row; one without a key (a program's) is not told from others."""

    def __init__(self, model: type[Entity]) -> None:
        self.model = model
        typed = request.form.get(FIELD, "")
        self.key = typed if KEY.fullmatch(typed) else ""
        told = {name: request.form.getlist(name) for name in request.form if name not in ASIDE}
        self.digest = receipt.digest_of(model.policy_name(), told) if self.key else ""

    def first_made(self) -> int | None:
        """The key of the row that this very form has made already, or None. Raises Spent, NotFound."""
        if not self.key:
            return None
        try:
            made = receipt.first_answer(self.key, self.digest)
        except Conflict as error:
            raise Spent(_("这一页已经保存过一条记录，现在填的不一样。要再建一条，请再按一次保存。")) from error
        return fetch(self.model, made).id if made is not None else None

    def twin(self, error: Exception) -> int | None:
        """The row that its twin has stored while this one was being judged, and refused for that; or None."""
        return None if isinstance(error, Spent) else self.first_made()

    def keep(self, row: Entity) -> None:
        """Write the receipt in the unit of work that makes the row. Raises receipt.Raced."""
        if self.key:
            receipt.keep(self.key, self.digest, row)


def form_key(error: Any = None) -> str:
    """The key for the form on a page: the one it came with while nothing is made of it, else a new one."""
    typed = request.form.get(FIELD, "")
    return typed if KEY.fullmatch(typed) and not isinstance(error, Spent) else secrets.token_urlsafe(24)

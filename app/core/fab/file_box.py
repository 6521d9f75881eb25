"""Files in a form: what came with it, what waits from an earlier try, what shall go; and the tiles that show files."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select

from app.core import attachment, filestore
from app.core.access.context import current_access
from app.core.attachment import Attachment, Attachments
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Invalid
from app.core.fab.cells import datetime_text, said
from app.core.filestore import NAME, Pending
from app.core.filetype import ACCEPT
from app.core.office import Account
from app.core.tile import FileBox, FileTile
from app.core.verbs import Verb

INPUTS = ("files", "photo")  # chosen from the disk, taken with the camera


class Upload:
    """One request's files. The token ties what waits to this form and this account, across failed tries."""

    def __init__(self, declared: Attachments) -> None:
        self.declared = declared
        given = request.form.get("upload_box", "")
        self.token = given if NAME.fullmatch(given) else filestore.new_name()
        self.account_id = current_access().person.id
        self.errors: list[str] = []
        self.removed = request.form.getlist("remove-file")

    def receive(self) -> None:
        """Keep what came with this request; what can't be kept is said beside the field, the others stay."""
        filestore.drop_pending(self.account_id, self.token, request.form.getlist("drop-file"))
        for given in (given for name in INPUTS for given in request.files.getlist(name) if given.filename):
            content = given.read()
            given.close()
            try:
                attachment.receive(self.token, str(given.filename), content)
            except Invalid as error:
                self.errors.append(_("%(what)s：%(value)s", what=str(given.filename)[:120], value=str(error)))

    def require_all(self) -> None:
        """Raise Invalid when a file was refused: nobody shall believe that it was saved."""
        if self.errors:
            raise Invalid(_("有文件没有收下，尚未保存。"), {"files": " ".join(self.errors)})

    def keep(self, row: Entity, verb: Verb) -> None:
        """In the unit of work that saves the row: make what waits the row's, take off what is ticked."""
        if self.removed and verb is Verb.UPDATE:
            attachment.remove(row, self.removed)
        attachment.attach(row, filestore.pending(self.account_id, self.token), verb, self.declared.most)

    def settle(self) -> None:
        """After the commit: the notes have done their work."""
        waiting = [one.file for one in filestore.pending(self.account_id, self.token)]
        filestore.drop_pending(self.account_id, self.token, waiting)

    def screen(self, row: Entity | None) -> FileBox:
        """The form's part about files."""
        stored = [tile(one, {}) for one in attachment.of(row)] if row is not None else []
        for one in stored:
            one.removed = one.id in self.removed
        return FileBox(
            label=said(self.declared.label) or _("附件"), help=said(self.declared.help), token=self.token,
            accept=ACCEPT, upload_url=f"/uploads/{self.token}", most=self.declared.most, stored=stored,
            pending=[pending_tile(self.token, one) for one in filestore.pending(self.account_id, self.token)],
            errors=self.errors,
        )  # fmt: skip


def tiles(row: Entity) -> list[FileTile]:
    """The record's files, each with who put it there; a colleague one may not see stays unnamed."""
    found = attachment.of(row)
    makers = {one.made_by_id for one in found if one.made_by_id}
    known = current_session().scalars(select(Account).where(Account.id.in_(makers))) if makers else ()
    names: dict[int | None, str] = {account.id: account.name for account in known}
    return [tile(one, names) for one in found]


def tile(one: Attachment, names: dict[int | None, str]) -> FileTile:
    """One stored file."""
    base = f"/files/{one.public_id}"
    view = f"{base}/screen" if one.is_picture else base
    who = names.get(one.made_by_id, "")
    return FileTile(
        id=one.public_id, name=one.name, url=view, thumb=f"{base}/thumb" if one.is_picture else "",
        original=f"{base}/download" if one.is_picture and not attachment.outside_bureau() else "",
        note=" ".join(part for part in (size_text(one.size), who, datetime_text(one.made_at)) if part),
        title=f"SHA-256 {one.sha256}",
    )  # fmt: skip


def pending_tile(token: str, one: Pending) -> FileTile:
    """One file that waits for its form."""
    base = f"/uploads/{token}/{one.file}"
    picture = one.width is not None
    return FileTile(id=one.file, name=one.name, url=base, thumb=f"{base}?copy=thumb" if picture else "",
                    note=size_text(one.size), title=f"SHA-256 {one.sha256}")  # fmt: skip


def size_text(size: int) -> str:
    """1.2 MB."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def as_json(one: FileTile) -> dict[str, Any]:
    """What the script needs to show a tile."""
    return {"id": one.id, "name": one.name, "url": one.url, "thumb": one.thumb, "note": one.note}

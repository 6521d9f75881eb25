"""Attachments: files that belong to a record, read by whoever reads it, written by whoever may write it as it stands.

A file is looked at, copied and put on the disk when it arrives (`receive`), outside any transaction; saving the form
makes it a row (`attach`). A crash between the two leaves bytes that no row names, which `sweep` takes away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import Index, Integer, String, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped

from app.core import filestore
from app.core.access.context import current_access
from app.core.db import current_session, unscoped
from app.core.entity import BigId, Entity, Scope, column
from app.core.errors import Conflict, Invalid
from app.core.filestore import Pending
from app.core.filetype import KINDS, clean_name, kind_of
from app.core.office import Family
from app.core.picture import look_at
from app.core.verbs import Verb
from app.core.writing import perform

MOST_FILES = 20  # of one record, unless its declaration says otherwise


@dataclass(frozen=True)
class Attachments:
    """What a screen declares: how its files are called, what to say about them, how many a record may have."""

    label: Any = ""
    help: Any = ""
    most: int = MOST_FILES


class Attachment(Entity):
    """One file of one record. `file` is its random name in the store; `made_by_id` and `made_at` are the server's."""

    __tablename__ = "attachment"
    __label__ = "附件"
    __scope__ = Scope.OFFICE
    __about__ = ("entity", "row_id")
    __subjects__: ClassVar[list[type[Entity]]] = []
    __trail__ = True
    __table_args__ = (Index("ix_attachment_entity_row_id", "entity", "row_id"),)

    made_office_id: Mapped[int] = column("建立机构", BigId, system=True, nullable=False)
    entity: Mapped[str] = column("所属记录种类", String(60), system=True, nullable=False)
    row_id: Mapped[int] = column("所属记录", BigId, system=True, nullable=False)
    name: Mapped[str] = column("文件名", String(160), system=True, nullable=False)
    mime: Mapped[str] = column("类型", String(100), system=True, nullable=False)
    size: Mapped[int] = column("字节数", Integer, system=True, nullable=False)
    sha256: Mapped[str] = column("SHA-256", String(64), system=True, nullable=False)
    width: Mapped[int | None] = column("宽", Integer, system=True)
    height: Mapped[int | None] = column("高", Integer, system=True)
    file: Mapped[str] = column("存放名", String(32), system=True, nullable=False, unique=True)

    @property
    def is_picture(self) -> bool:
        """Whether there are copies for screens."""
        return KINDS[self.mime].family == "image"


def register_carrier(cls: type[Entity]) -> None:
    """Files may belong to rows of this class; who reads the row reads its files, nobody else."""
    if cls not in Attachment.__subjects__:
        Attachment.__subjects__.append(cls)


def receive(token: str, given_name: str, content: bytes) -> Pending:
    """Look at an uploaded file and keep it until its form is saved. Raises Invalid with what is wrong."""
    account_id = current_access().person.id
    filestore.require_room(account_id, token)
    largest = int(current_app.extensions["shouze_settings"].attachment_max_mb)
    if len(content) > largest * 1024 * 1024:
        raise Invalid(_("太大：每个文件最多 %(n)s MB。", n=largest))
    kind = kind_of(content, given_name)
    picture = look_at(content, kind) if kind.family == "image" else None
    file = filestore.new_name()
    filestore.write(filestore.place(file), content)
    if picture is not None:
        filestore.write(filestore.place(file, "screen"), picture.screen)
        filestore.write(filestore.place(file, "thumb"), picture.thumb)
    one = Pending(
        file, clean_name(given_name, kind), kind.mime, len(content), hashlib.sha256(content).hexdigest(),
        picture.width if picture else None, picture.height if picture else None,
    )  # fmt: skip
    filestore.put_pending(account_id, token, one)
    return one


def of(row: Entity) -> list[Attachment]:
    """The row's files that the person may read, oldest first."""
    mine = (Attachment.entity == type(row).__name__) & (Attachment.row_id == row.id)
    return list(current_session().scalars(select(Attachment).where(mine).order_by(Attachment.id)))


def attach(row: Any, found: Sequence[Pending], verb: Verb, most: int = MOST_FILES) -> None:
    """Make these files the row's, in the unit of work in force; judged as `verb` (create, update) upon the row."""
    session = current_session()
    known = set(session.scalars(select(Attachment.file).where(Attachment.file.in_([one.file for one in found]))))
    fresh = [one for one in found if one.file not in known]
    mine = (Attachment.entity == type(row).__name__) & (Attachment.row_id == row.id)
    if fresh and int(session.scalar(select(func.count(Attachment.id)).where(mine)) or 0) + len(fresh) > most:
        raise Invalid(_("最多 %(n)s 个附件。", n=most), {"files": _("最多 %(n)s 个附件。", n=most)})
    for one in fresh:
        made = Attachment(
            made_office_id=getattr(row, "made_office_id", None) or getattr(row, "office_id", None) or 0,
            entity=type(row).__name__, row_id=row.id, name=one.name, mime=one.mime, size=one.size,
            sha256=one.sha256, width=one.width, height=one.height, file=one.file,
        )  # fmt: skip
        session.add(made)
        perform(made, verb, row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(_("这些文件已经保存过了。")) from error


def remove(row: Entity, public_ids: Sequence[str]) -> None:
    """Take files off a row that may still be changed; history keeps their names and hashes, a sweep the bytes away."""
    for one in of(row):
        if one.public_id in public_ids:
            current_session().delete(one)
            perform(one, Verb.UPDATE, row)
    current_session().flush()


def content_of(one: Attachment, copy: str = "") -> bytes:
    """The bytes: the original, checked against its hash, or a picture's copy. Outsiders get copies only."""
    if one.is_picture and (copy or outside_bureau()):
        return filestore.read(one.file, copy or "screen")
    content = filestore.read(one.file)
    if hashlib.sha256(content).hexdigest() != one.sha256:
        raise Conflict(_("文件内容与其校验值不符，请联系管理员。"))
    return content


def outside_bureau() -> bool:
    """Whether the person in context belongs to a firm: originals, with place and time in them, stay inside."""
    return current_access().person.family == Family.FIRM


def sweep() -> int:
    """Take away notes older than a day and bytes that neither a note nor a row names. Returns how many files went."""
    filestore.drop_old_notes()
    names, gone = sorted(set(filestore.unnoted())), 0
    with unscoped("sweep attachments", quiet=True) as session:
        for start in range(0, len(names), 500):
            part = set(names[start : start + 500])
            orphans = part - set(session.scalars(select(Attachment.file).where(Attachment.file.in_(part))))
            for name in orphans:
                filestore.erase(name)
            gone += len(orphans)
    return gone

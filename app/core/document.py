"""Issued papers: numbered without gaps, frozen when signed, rendered once, never again.

`issue` runs in the signing transaction: it writes the frozen context and a render job. The worker renders from that
context only and stores bytes and SHA-256 where none are yet; a crash between the two leaves 正在生成, which the next
sweep finishes with the same number and context. Nothing is served before its bytes are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import JSON, Index, Integer, LargeBinary, String, UniqueConstraint, insert, select, update
from sqlalchemy.orm import Mapped, Session, deferred

from app.core import clock
from app.core.access.predicate import subjects
from app.core.db import current_session, unscoped
from app.core.entity import BigId, Entity, Scope, Scoped, column
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.history import HistoryHead
from app.core.history_verify import Kept, keepers
from app.core.jobs import enqueue, job
from app.core.types import UtcDateTime, public_id
from app.core.verbs import Verb
from app.core.writing import current_unit, perform, unit_of_work


class DocumentState(StrEnum):
    """Where a paper stands."""

    RENDERING = "正在生成"
    VALID = "有效"
    SUPERSEDED = "已被替代"
    VOID = "作废"


class IssuedDocument(Scoped):
    """One issued paper. `code` is what its QR says: 128 random bits, for `/verify/<code>`."""

    __tablename__ = "issued_document"
    __label__ = "文书"
    __about__ = ("entity", "row_id")
    __as_it_was__ = True
    __table_args__ = (Index("ix_issued_document_entity_row_id", "entity", "row_id"),)

    kind: Mapped[str] = column("文书种类", String(40), nullable=False)
    title: Mapped[str] = column("标题", String(120), nullable=False)
    number: Mapped[str] = column("文号", String(80), nullable=False, default="")
    entity: Mapped[str] = column("所属记录种类", String(60), nullable=False)
    row_id: Mapped[int] = column("所属记录", BigId, nullable=False)
    code: Mapped[str] = column("核验码", String(22), unique=True, nullable=False, default=public_id)
    state: Mapped[str] = column("状态", String(10), choices=DocumentState, nullable=False, default="正在生成")
    context: Mapped[dict[str, Any]] = deferred(column("内容", JSON, secret=True, nullable=False))
    template_version: Mapped[str] = column("模板版本", String(64), nullable=False)
    font_set: Mapped[str] = column("字体", String(64), nullable=False)
    chain_head: Mapped[str] = column("历史链头", String(64), nullable=False, default="")
    issued_at: Mapped[datetime] = column("签发时间", UtcDateTime, nullable=False, default=clock.now)
    rendered_at: Mapped[datetime | None] = column("生成时间", UtcDateTime)
    sha256: Mapped[str | None] = column("SHA-256", String(64))
    size: Mapped[int | None] = column("字节数", Integer)
    content: Mapped[bytes | None] = deferred(column("文件", LargeBinary, secret=True))


Closed = Callable[[IssuedDocument], str | None]  # why a reader of the subject may not open the paper all the same
_closed: dict[str, Closed] = {}


def register_subject(cls: type[Entity], closed: Closed | None = None) -> None:
    """Papers may be about rows of this class; who reads the row reads its papers, nobody else.

    `closed`: what a frozen paper says may be more than its readers may know of today; says why one may not open it.
    """
    if cls not in subjects:
        subjects.append(cls)
    if closed is not None:
        _closed[cls.__name__] = closed


def require_open(paper: IssuedDocument) -> None:
    """Raise Forbidden where the person in context, who reads what a paper is about, may not open the paper itself."""
    closed = _closed.get(paper.entity)
    if closed is not None and (why := closed(paper)):
        raise Forbidden(why)


class NumberSequence(Entity):
    """The numbers of one document code in one year; `opening` continues a year begun on paper."""

    __tablename__ = "number_sequence"
    __label__ = "文号序列"
    __scope__ = Scope.REFERENCE
    __search__ = ("code",)
    __table_args__ = (UniqueConstraint("code", "year"),)

    code: Mapped[str] = column("机关代字和文种代字", String(40), nullable=False)
    year: Mapped[int] = column("年份", Integer, nullable=False)
    opening: Mapped[int] = column("起始号", Integer, nullable=False, default=1)
    last: Mapped[int] = column("已用到", Integer, system=True, nullable=False, default=0)

    def __str__(self) -> str:
        return f"{self.code}〔{self.year}〕"


def next_number(code: str, year: int) -> int:
    """Take the next number in this transaction: gap-free, since a rollback gives it back. Locks the sequence row."""
    if current_unit() is None:
        raise Conflict("numbers are taken inside the signing transaction")
    connection, table = current_session().connection(), NumberSequence.__table__
    mine = (table.c.code == code) & (table.c.year == year)
    found = connection.execute(select(table.c.opening, table.c.last).where(mine).with_for_update()).one_or_none()
    if found is None:
        connection.execute(insert(table).values(code=code, year=year, opening=1, last=1, version=1))
        return 1
    number = max(int(found.last) + 1, int(found.opening))
    connection.execute(update(table).where(mine).values(last=number))
    return number


def number_text(code: str, year: int, number: int) -> str:
    """A 文号 as it prints: hexagonal brackets, four-digit year, no leading zero, no 第 (GB/T 9704)."""
    return f"{code}〔{year}〕{number}号"


@dataclass(frozen=True)
class Frozen:
    """What a paper is rendered from, for good: its context, and the template version and font-set hash in force."""

    context: dict[str, Any]
    template_version: str
    font_set: str


def verify_line() -> dict[str, str]:
    """A fresh code for a paper and the address its QR says."""
    code = public_id()
    base = current_app.extensions["shouze_settings"].base_url.rstrip("/")
    return {"code": code, "url": f"{base}/verify/{code}"}


def issue(
    subject: Scoped, kind: str, title: str, frozen: Frozen, *, verb: Verb, number: str = "", code: str = ""
) -> IssuedDocument:
    """Freeze a paper about `subject` in the unit of work in force, and ask for its rendering.

    The paper is written under `verb` upon the subject.
    """
    session = current_session()
    paper = IssuedDocument(
        kind=kind, title=title, number=number, entity=type(subject).__name__, row_id=subject.id,
        code=code or public_id(), context=frozen.context, template_version=frozen.template_version,
        font_set=frozen.font_set,
        chain_head=_chain_head(subject.made_office_id), office_id=subject.office_id,
        made_office_id=subject.made_office_id, lines=subject.lines, enterprise_id=subject.enterprise_id,
        site_id=subject.site_id,
    )  # fmt: skip
    session.add(paper)
    perform(paper, verb, subject)
    session.flush()
    enqueue("render", f"render:{paper.id}", document_id=paper.id)
    return paper


def _chain_head(office_id: int) -> str:
    heads = HistoryHead.__table__
    found = current_session().connection().scalar(select(heads.c.hash).where(heads.c.office_id == office_id))
    return str(found or "")


def heads_in_papers(session: Session) -> Iterator[Kept]:
    """The chain heads that issued papers have kept: none of them may be missing from its chain."""
    wanted = (IssuedDocument.made_office_id, IssuedDocument.chain_head, IssuedDocument.title, IssuedDocument.number,
              IssuedDocument.issued_at)  # fmt: skip
    for office, head, title, number, at in session.execute(select(*wanted).where(IssuedDocument.chain_head != "")):
        yield Kept(office, None, head, f"{title}{number}", at)


keepers.append(heads_in_papers)


@job("render")
def render_document(document_id: int) -> None:
    """Render a paper from its frozen context and store its bytes, where none are yet; no transaction meanwhile."""
    from app.core.pdf.pool import render_in_pool

    with unscoped("render document") as session:
        paper = session.get(IssuedDocument, document_id)
        if paper is None:
            raise NotFound(_("没有这份文书。"))
        if paper.sha256 is not None:
            return
        kind, context = paper.kind, paper.context
        session.rollback()
        content = render_in_pool(kind, context)
        store(document_id, content)


def store(document_id: int, content: bytes) -> None:
    """Keep a paper's bytes, the first time only."""
    session = current_session()
    digest = hashlib.sha256(content).hexdigest()
    with unit_of_work(Verb.PRINT, "文书生成"):
        paper = session.get(IssuedDocument, document_id, with_for_update=True, populate_existing=True)
        if paper is None or paper.sha256 is not None:
            return
        paper.content, paper.sha256, paper.size, paper.rendered_at = content, digest, len(content), clock.now()
        if paper.state == DocumentState.RENDERING:
            paper.state = DocumentState.VALID


def content_of(paper: IssuedDocument) -> bytes:
    """The stored bytes of a paper one may read. Raises Conflict while it is being made."""
    if paper.sha256 is None:
        raise Conflict(_("文书正在生成，请稍候。"))
    content = bytes(paper.content or b"")
    if hashlib.sha256(content).hexdigest() != paper.sha256:
        raise Conflict(_("文书内容与其校验值不符，请联系管理员。"))
    return content

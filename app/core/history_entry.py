"""What history is made of: entries chained office by office, what else they are about, heads, sealed checkpoints.

`body` is the exact text the chain is computed over; the other columns repeat parts of it for searching, and
`columns_of` says how, for whoever writes an entry and for whoever verifies it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Session, foreign, relationship, remote

from app.core.crypto import seal_text
from app.core.db import AppSession
from app.core.entity import BigId, Entity, Scope, Sphere, column, registry
from app.core.errors import AccessRefused
from app.core.office import Account, Office
from app.core.types import UtcDateTime
from app.core.verbs import VERB_WORDS, Verb

# the form of a body: since 2 it names kind, address, outcome and every further record; since 3 the head is sealed and
# the summary says lists in words
FORM = SEALED = IN_WORDS = 3
LONGEST_SUMMARY = 200
LONGEST_ADDRESS = 45  # an IPv6 address with an IPv4 one in it
UNSAID = {"sha256", "address", "keys"}  # facts that a summary leaves out


class Kind(StrEnum):
    """What sort of event an entry tells."""

    WRITE = "写入"
    SIGN_IN = "登录"
    SIGN_OUT = "退出"
    EXPORT = "导出"
    PRINT = "文书"
    FILE = "附件"
    IMPORT = "导入"
    REVEAL = "查看全文"
    DENIED = "被拒绝"
    OTHER = "其他"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "成功"
    FAILED = "未成功"
    DENIED = "被拒绝"


KINDS = {
    "登录": Kind.SIGN_IN, "登录失败": Kind.SIGN_IN, "退出登录": Kind.SIGN_OUT, "结束登录": Kind.SIGN_OUT,
    "登录锁定：同一地址连续失败": Kind.SIGN_IN, "登录限速：同一地址多次失败": Kind.SIGN_IN,
    "登录延时：多次失败": Kind.SIGN_IN,
    "用恢复码登录": Kind.SIGN_IN, "被拒绝": Kind.DENIED,
    "导出": Kind.EXPORT, "下载": Kind.EXPORT, "打开文书": Kind.PRINT, "打开附件": Kind.FILE, "查看全文": Kind.REVEAL,
}  # fmt: skip
VERB_KINDS = {Verb.EXPORT: Kind.EXPORT, Verb.PRINT: Kind.PRINT, Verb.REVEAL: Kind.REVEAL, Verb.IMPORT: Kind.IMPORT}


def entity_words() -> dict[str, str]:
    """What the entities that history tells of are called, by class name."""
    return {name: str(cls.__label__) for name, cls in sorted(registry().items()) if cls.__label__ and cls.__history__}


class HistoryEntry(Entity):
    """One entry of an office's chain; office 0 is what belongs to no office."""

    __tablename__ = "history_entry"
    __label__ = "日志"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.LOG
    __history__ = False
    __as_it_was__ = True
    __grows__ = True
    __search__ = ()  # not in the search index, which each entry would have to be put into: see fab.log_filters
    __state__ = "result"
    __tones__: ClassVar = {Outcome.DONE: "neutral", Outcome.FAILED: "warning", Outcome.DENIED: "danger"}
    __table_args__ = (
        UniqueConstraint("office_id", "seq"),
        Index("ix_history_entry_entity_row_id", "entity", "row_id"),
        Index("ix_history_entry_at_id", "at", "id"),
        *(Index(f"ix_history_entry_{name}_at", name, "at", "id")
          for name in ("office_id", "actor_id", "verb", "kind", "result", "address", "entity")),
        Index("ix_history_entry_summary", "summary"),  # the text is looked for in the index alone, past the bodies
    )  # fmt: skip

    office_id: Mapped[int] = column("机构", BigInteger, system=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False)
    at: Mapped[datetime] = column("时间", UtcDateTime, system=True, nullable=False)
    actor_id: Mapped[int | None] = column("人员", BigId, system=True)
    actor_name: Mapped[str] = column("姓名", String(60), system=True, nullable=False, default="")
    address: Mapped[str] = column("来源地址", String(LONGEST_ADDRESS), system=True, nullable=False, format="code")
    kind: Mapped[str] = column("类别", String(10), choices=Kind, system=True, nullable=False)
    verb: Mapped[str] = column("操作", String(20), words=lambda: VERB_WORDS, system=True, nullable=False)
    entity: Mapped[str] = column("对象", String(60), words=entity_words, system=True, nullable=False, default="")
    row_id: Mapped[int | None] = column("记录号", BigId, system=True)
    result: Mapped[str] = column("结果", String(10), choices=Outcome, system=True, nullable=False)
    summary: Mapped[str] = column("事由", String(LONGEST_SUMMARY), system=True, nullable=False, default="")
    body: Mapped[str] = column("内容", Text, system=True, nullable=False)
    hash: Mapped[str] = column("校验", String(64), system=True, nullable=False, format="code")

    # no foreign keys: an entry outlives what it is about, and office 0 is none
    actor: Mapped[Account | None] = relationship(
        primaryjoin=lambda: foreign(HistoryEntry.actor_id) == remote(Account.id), viewonly=True
    )
    office: Mapped[Office | None] = relationship(
        primaryjoin=lambda: foreign(HistoryEntry.office_id) == remote(Office.id), viewonly=True
    )

    def __str__(self) -> str:
        return f"{self.office_id}-{self.seq}"


class HistoryLink(Entity):
    """A further record that an entry is about, beside its first; the entry's body names it too."""

    __tablename__ = "history_link"
    __history__ = False
    __table_args__ = (
        Index("ix_history_link_entity_row_id", "entity", "row_id"),
        UniqueConstraint("office_id", "seq", "entity", "row_id"),
    )

    office_id: Mapped[int] = column("机构", BigInteger, system=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False)
    entity: Mapped[str] = column("对象", String(60), system=True, nullable=False)
    row_id: Mapped[int] = column("记录", BigId, system=True, nullable=False)


class HistoryHead(Entity):
    """The newest link of an office's chain; locked last, in office order."""

    __tablename__ = "history_head"
    __history__ = False

    office_id: Mapped[int] = column("机构", BigInteger, system=True, unique=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False, default=0)
    hash: Mapped[str] = column("校验", String(64), system=True, nullable=False, default="")


class HistoryCheckpoint(Entity):
    """Where an office's chain begins since its older entries were past their days: the last of them, sealed."""

    __tablename__ = "history_checkpoint"
    __history__ = False

    office_id: Mapped[int] = column("机构", BigInteger, system=True, unique=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False)
    hash: Mapped[str] = column("校验", String(64), system=True, nullable=False)
    at: Mapped[datetime] = column("时间", UtcDateTime, system=True, nullable=False)
    seal: Mapped[str] = column("封印", String(64), system=True, nullable=False)


CHAIN = (HistoryEntry, HistoryLink, HistoryHead, HistoryCheckpoint)


@event.listens_for(AppSession, "before_flush")
def _refuse_by_hand(session: Session, _context: Any, _instances: Any) -> None:
    """Nobody writes history as rows, whatever their grants, even unscoped: `core.history` appends it below."""
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, CHAIN) and (row not in session.dirty or session.is_modified(row)):
            raise AccessRefused("history is neither written nor deleted by hand")


def canonical(body: Mapping[str, Any]) -> str:
    """The one text of a body: sorted keys, no spaces, Chinese as is."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def columns_of(body: Mapping[str, Any], link: str) -> dict[str, Any]:
    """What an entry's columns repeat of its body; `link` is its hash, which gives the public id too."""
    actor = body["actor"] or [None, ""]
    at = datetime.fromisoformat(body["at"])
    kind = body.get("kind") or kind_of(Verb(body["verb"]), body["reason"], changed=bool(body["changes"]))
    return {
        "office_id": body["office"], "seq": body["seq"], "at": at, "actor_id": actor[0], "actor_name": actor[1][:60],
        "address": body.get("address", "")[:LONGEST_ADDRESS], "kind": str(kind), "verb": body["verb"],
        "entity": body["root"][0], "row_id": body["root"][1], "result": str(_result(kind, body["reason"])),
        "summary": summary_of(body), "public_id": public_id_of(link), "made_at": at, "made_by_id": None, "version": 1,
    }  # fmt: skip


def kind_of(verb: Verb, reason: str, *, changed: bool) -> Kind:
    """The sort of an event whose writer did not say: by its word, else by its verb."""
    if reason in KINDS:
        return KINDS[reason]
    if verb is Verb.IMPORT or not changed:
        return VERB_KINDS.get(verb, Kind.OTHER if verb is Verb.READ else Kind.WRITE)
    return Kind.WRITE


def _result(kind: str, reason: str) -> Outcome:
    if kind == Kind.DENIED:
        return Outcome.DENIED
    return Outcome.FAILED if kind != Kind.WRITE and "失败" in reason else Outcome.DONE


def summary_of(body: Mapping[str, Any]) -> str:
    """The reason and the facts in one line: what a search for text looks through."""
    facts = body.get("facts", {})
    words = body.get("v", 0) >= IN_WORDS  # what was written before is told as it was: the chain is compared with it
    told = (
        "、".join(str(one) for one in value) if words and isinstance(value, list) else str(value)
        for name, value in facts.items()
        if name not in UNSAID and value is not None
    )
    line = " ".join(word for word in (body["reason"], *told) if word)
    return "".join(char if char.isprintable() else " " for char in line)[:LONGEST_SUMMARY].strip()


def public_id_of(link: str) -> str:
    """The id of an entry for use outside: a piece of its hash, so that the chain covers it as well."""
    return base64.urlsafe_b64encode(bytes.fromhex(link)).decode()[:22]


def head_seal(office: int, seq: int, link: str) -> str:
    """The seal of a head, kept as its public id: an end that was cut off leaves no head that could be set back to."""
    return public_id_of(seal_text("head", f"{office}\n{seq}\n{link}"))


def seal_of(office: int, seq: int, link: str, at: datetime) -> str:
    """The seal of a checkpoint: nobody who holds only the database can make one."""
    return seal_text("checkpoint", f"{office}\n{seq}\n{link}\n{at.isoformat(timespec='microseconds')}")

"""责令改正: the notice, what it orders, the articles it rests on, who may sign it, how it was served."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped, relationship

from app.core import document
from app.core.access.context import current_access
from app.core.access.persons import other_person, own_accounts
from app.core.charge import Charge
from app.core.entity import BigId, Entity, Scope, Scoped, column
from app.core.handover import has_handled
from app.core.office import Account
from app.core.ordering import list_indexes
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import DeliveryMethod, NoticeState
from app.models.citation import LegalCitation
from app.models.enterprise import Site
from app.models.inspection import Inspection

S = NoticeState
UNSIGNED = (S.DRAFT, S.IN_REVIEW, S.TO_SIGN)
FOLLOWED = (S.SIGNED, S.DELIVERED, S.CORRECTING, S.EXTENDED)  # issued, and somebody sees to it that it is obeyed


class CitationPurpose(StrEnum):
    """What an article is cited for (form 33 asks for both a duty and a power)."""

    VIOLATED = "违反"
    BASIS = "依据"
    CONSEQUENCE = "逾期"


def handled_by_another(word: str) -> Any:
    """A guard: the step is not taken by who has the row now, nor by anybody who once took it over and worked on it."""

    def guard(row: Any) -> str | None:
        access = current_access()
        now = row.handler_id in own_accounts(access)
        taken = now or has_handled(row, access.person.person_key)
        return str(_("%(what)s不能由同一人办理。", what=_(word))) if taken else None

    return guard


DRAFTERS = ("drafter_id", "writers")


class Notice(Scoped):
    """责令改正通知书 (form 33). Number and PDF come with the signature; never edited after it."""

    __tablename__ = "notice"
    __label__ = "责令改正通知书"
    __owner__ = "site"
    __search__ = ("number", "party", "site.search_text")
    __grows__ = True
    __table_args__ = (
        CheckConstraint("NOT immediate OR deadline IS NULL", name="immediate_or_deadline"),
        Index(
            "uq_notice_number_code",
            "number_code",
            "number_year",
            "number_seq",
            unique=True,
            sqlite_where=bare_column("number_seq").is_not(None),
            postgresql_where=bare_column("number_seq").is_not(None),
        ),
        *list_indexes(
            "notice",
            orders=("made_at", "number", "deadline", "signed_at", "state"),
            filters=("immediate", "drafter_id"),
        ),
    )
    __workflow__ = Workflow(
        initial=S.DRAFT,
        transitions=(
            Transition("submit", "提交审核", (S.DRAFT,), S.IN_REVIEW, Verb.SUBMIT),
            Transition("review", "审核通过", (S.IN_REVIEW,), S.TO_SIGN, Verb.REVIEW,
                       guards=(other_person(DRAFTERS, "起草和审核"), handled_by_another("承办和审核"))),
            Transition("return_draft", "退回", (S.IN_REVIEW,), S.DRAFT, Verb.REVIEW, reason=True, kind="plain"),
            Transition("sign", "签发", (S.TO_SIGN,), S.SIGNED, Verb.SIGN,
                       guards=(other_person(DRAFTERS, "起草和签发"), handled_by_another("承办和签发")),
                       confirm="签发后取得文号、生成文书，内容不能再改。"),
            Transition("return_review", "退回", (S.TO_SIGN,), S.DRAFT, Verb.SIGN, reason=True, kind="plain"),
            Transition("serve", "登记送达", (S.SIGNED,), S.DELIVERED, Verb.SERVE),
            Transition("void", "作废", (S.SIGNED,), S.VOID, Verb.VOID, reason=True, kind="danger",
                       confirm="文号保留不再使用，已生成的文书标为作废。"),
            Transition("discard", "作废草稿", (S.DRAFT,), S.VOID, Verb.SUBMIT, reason=True, kind="danger"),
        ),
        tones={S.DRAFT: "neutral", S.IN_REVIEW: "info", S.TO_SIGN: "warning", S.SIGNED: "success",
               S.DELIVERED: "success", S.CORRECTING: "info", S.TO_RECHECK: "warning", S.CORRECTED: "success",
               S.NOT_CORRECTED: "danger", S.EXTENDED: "warning", S.WITHDRAWN: "neutral", S.VOID: "neutral"},
    )  # fmt: skip
    __handover__ = (
        Charge("未签发的通知书", "handler_id", "drafter_id", UNSIGNED, Verb.SUBMIT),
        Charge("未了结的通知书", "handler_id", "drafter_id", FOLLOWED, Verb.SERVE),
        Charge("待复查的通知书", "handler_id", "drafter_id", (S.TO_RECHECK,), Verb.SERVE),
    )

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    inspection_id: Mapped[int | None] = column("依据的检查", BigId, ForeignKey("inspection.id"), index=True)
    party: Mapped[str] = column("当事人", String(80), nullable=False, help="按证照上的名称；个体工商户写字号。")
    conduct: Mapped[str] = column("违法行为", Text, nullable=False, format="long",
                                  help="接在“经查，你单位”之后，写明时间、地点、事实。")  # fmt: skip
    immediate: Mapped[bool] = column("立即改正", Boolean, nullable=False, default=False, help="与改正期限只能二选一。")
    deadline: Mapped[date | None] = column("改正期限", Date, help="在这一天前改正。")
    consequence: Mapped[str | None] = column(
        "逾期不改的后果", String(160), help="接在“逾期不改的，本局将”之后，可不填。"
    )
    contact_person: Mapped[str] = column("联系人", String(40), nullable=False, default="")
    contact_phone: Mapped[str] = column("联系电话", String(40), nullable=False, default="", format="tel")

    state: Mapped[str] = column("状态", String(10), choices=NoticeState, system=True, nullable=False, default=S.DRAFT)
    number: Mapped[str | None] = column("文号", String(80), system=True)
    number_code: Mapped[str | None] = column("机关代字", String(40), system=True)
    number_year: Mapped[int | None] = column("年份", Integer, system=True)
    number_seq: Mapped[int | None] = column("序号", Integer, system=True)
    drafter_id: Mapped[int] = column("起草人", BigId, ForeignKey("account.id"), system=True, nullable=False)
    writers: Mapped[list[int] | None] = column("执笔人", JSON, derived=True, default=list)
    handler_id: Mapped[int | None] = column(
        "现承办人", BigId, ForeignKey("account.id"), system=True, index=True, help="交接后由谁继续办理。"
    )
    reviewer_id: Mapped[int | None] = column("审核人", BigId, ForeignKey("account.id"), system=True)
    reviewed_at: Mapped[datetime | None] = column("审核时间", UtcDateTime, system=True)
    signer_id: Mapped[int | None] = column("签发人", BigId, ForeignKey("account.id"), system=True)
    signed_at: Mapped[datetime | None] = column("签发时间", UtcDateTime, system=True)
    delegation_id: Mapped[int | None] = column("授权文件", BigId, ForeignKey("delegation.id"), system=True)
    served_on: Mapped[date | None] = column("送达日期", Date, system=True)

    site: Mapped[Site] = relationship()
    inspection: Mapped[Inspection | None] = relationship()
    drafter: Mapped[Account] = relationship(foreign_keys="Notice.drafter_id")
    handler: Mapped[Account | None] = relationship(foreign_keys="Notice.handler_id")
    reviewer: Mapped[Account | None] = relationship(foreign_keys="Notice.reviewer_id")
    signer: Mapped[Account | None] = relationship(foreign_keys="Notice.signer_id")
    delegation: Mapped[Delegation | None] = relationship()
    corrections: Mapped[list[Correction]] = relationship(
        back_populates="notice", cascade="all, delete-orphan", order_by="Correction.position"
    )
    citations: Mapped[list[NoticeCitation]] = relationship(
        back_populates="notice", cascade="all, delete-orphan", order_by="NoticeCitation.position"
    )
    deliveries: Mapped[list[Delivery]] = relationship(back_populates="notice")

    def __str__(self) -> str:
        return f"{self.party} {self.number or _('（未编号）')}"


class Correction(Entity):
    """One thing to correct: the fact, the demand, optionally a date of its own."""

    __tablename__ = "correction"
    __label__ = "责令改正事项"
    __part_of__ = "notice"

    notice_id: Mapped[int] = column("通知书", BigId, ForeignKey("notice.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    finding_id: Mapped[int | None] = column("检查发现的问题", BigId, ForeignKey("finding.id"), system=True, index=True)
    fact: Mapped[str] = column("存在的问题", String(300), nullable=False, format="long")
    demand: Mapped[str] = column("改正内容及要求", String(300), nullable=False, format="long")
    deadline: Mapped[date | None] = column("单独期限", Date)

    notice: Mapped[Notice] = relationship(back_populates="corrections")


class NoticeCitation(Entity):
    """An article the notice cites, and for what; picked from LegalCitation."""

    __tablename__ = "notice_citation"
    __label__ = "引用条款"
    __part_of__ = "notice"

    notice_id: Mapped[int] = column("通知书", BigId, ForeignKey("notice.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    purpose: Mapped[str] = column("用于", String(4), choices=CitationPurpose, nullable=False)
    citation_id: Mapped[int] = column("条款", BigId, ForeignKey("legal_citation.id"), nullable=False, index=True)

    notice: Mapped[Notice] = relationship(back_populates="citations")
    citation: Mapped[LegalCitation] = relationship()


class DelegatedKind(StrEnum):
    """What may be signed by delegation."""

    NOTICE = "责令改正通知书"


class Delegation(Entity):
    """授权签发: a paper that lets a person sign some kinds of documents from a day to a day; else only 局领导 sign."""

    __tablename__ = "delegation"
    __label__ = "授权签发"
    __scope__ = Scope.OFFICE
    __search__ = ("document", "account.name")
    __named_by__ = ("account",)
    __table_args__ = (CheckConstraint("date_to >= date_from", name="dates"),)
    __handover__ = (
        Charge("收到的授权签发", "account_id", ends="date_to", anywhere=True),
        Charge("发出的授权签发", "made_by_id", ends="date_to", anywhere=True, told=True),
    )

    office_id: Mapped[int] = column("机构", BigId, ForeignKey("office.id"), nullable=False, index=True)
    account_id: Mapped[int] = column("被授权人", BigId, ForeignKey("account.id"), nullable=False, index=True)
    document: Mapped[str] = column("授权文件", String(120), nullable=False, help="文号或标题。")
    kinds: Mapped[str] = column("文书种类", String(60), choices=DelegatedKind, nullable=False, default="责令改正通知书")
    date_from: Mapped[date] = column("自", Date, nullable=False)
    date_to: Mapped[date] = column("至", Date, nullable=False)

    account: Mapped[Account] = relationship()

    def __str__(self) -> str:
        return f"{self.document} {self.account or ''}".strip()  # one may see the paper and not the person


class Delivery(Scoped):
    """送达: how, when, where, to whom (民事诉讼法 87-95 via 行政处罚法 61); prints as 送达回证 (form 50)."""

    __tablename__ = "delivery"
    __label__ = "送达"
    __owner__ = "notice"

    notice_id: Mapped[int] = column("通知书", BigId, ForeignKey("notice.id"), nullable=False, index=True)
    method: Mapped[str] = column("送达方式", String(4), choices=DeliveryMethod, nullable=False)
    date: Mapped[date] = column("送达日期", Date, nullable=False)
    place: Mapped[str] = column("送达地点", String(120), nullable=False)
    receiver: Mapped[str] = column("收件人", String(40), nullable=False)
    relation: Mapped[str] = column("代收人与受送达人关系", String(60), nullable=False, default="")
    witness: Mapped[str] = column("见证人", String(60), nullable=False, default="", help="留置送达时填写姓名和单位。")
    server_id: Mapped[int] = column("送达人", BigId, ForeignKey("account.id"), nullable=False)
    co_server_id: Mapped[int] = column("另一名送达人", BigId, ForeignKey("account.id"), nullable=False)
    remark: Mapped[str] = column("备注", String(120), nullable=False, default="", help="拒收的事由等。")

    notice: Mapped[Notice] = relationship(back_populates="deliveries")
    server: Mapped[Account] = relationship(foreign_keys="Delivery.server_id")
    co_server: Mapped[Account] = relationship(foreign_keys="Delivery.co_server_id")

    def __str__(self) -> str:
        return f"{_(self.method)} {self.date:%Y-%m-%d}"


document.register_subject(Notice)

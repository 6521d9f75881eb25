"""责令改正: drafting from an inspection, reviewing, signing, serving. Each step is a transition of the notice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.audience import register_people_reader
from app.core.access.context import Held, current_access, register_posting_source
from app.core.access.policy import Coverage
from app.core.db import current_session
from app.core.document import DocumentState, Frozen, IssuedDocument, issue, next_number, number_text, verify_line
from app.core.errors import Conflict, Invalid
from app.core.office import Account, Family
from app.core.pdf.engine import font_set_hash, template_version
from app.core.pdf.errors import ContextError
from app.core.saving import Check, on_save
from app.core.setting import confirmed, installation_flag
from app.core.verbs import Verb
from app.core.workflow import handles
from app.core.writing import perform
from app.data.enums import DeliveryMethod, NoticeState, PaperTitle
from app.models import setting
from app.models.inspection import DONE, Inspection
from app.models.rectification import CitationPurpose, Correction, Delegation, Delivery, Notice
from app.reports import delivery as delivery_report
from app.reports import notice as notice_report
from app.reports.delivery.record import context_of as delivery_context
from app.reports.notice.record import context_of, number_code

KIND = PaperTitle.NOTICE.value
DEFAULT_DAYS = 15  # a proposal on the form; Order 49 fixes no number of days
FIELDS = {"demands": "corrections", "violated": "citations", "basis": "citations", "date": "deadline"}


# -- drafting ---------------------------------------------------------------------------------------------------------


def draft_from(inspection: Inspection) -> Notice:
    """A notice as the findings of a finished inspection propose it; nothing is written."""
    if inspection.state != DONE:
        raise Conflict(_("检查记录完成后才能起草责令改正通知书。"))
    facts = [finding.fact.strip().rstrip("。；") for finding in inspection.findings]
    day = f"{inspection.date.year}年{inspection.date.month}月{inspection.date.day}日"
    notice = Notice(
        site=inspection.site,
        inspection=inspection,
        party=inspection.site.enterprise.name,
        conduct=f"{day}现场检查时{'；'.join(facts)}" if facts else "",
        deadline=clock.today() + timedelta(days=DEFAULT_DAYS),
        contact_person="、".join(
            one.name for one in (inspection.inspector, inspection.co_inspector) if one is not None
        ),
        contact_phone=_default_phone(),
        immediate=False,
    )
    notice.corrections = [
        Correction(fact=finding.fact[:300], demand=(finding.demand or "")[:300]) for finding in inspection.findings
    ]
    return notice


def _default_phone() -> str:
    values, _missing = confirmed(setting.PHONE)
    return values.get(setting.PHONE, "")


@on_save(Notice)
def check_notice(notice: Notice, check: Check) -> None:
    """One of 立即 and a date, the date to come; picked articles confirmed and in force; the drafter is who saves."""
    me = current_access().person.id
    if notice.drafter_id is None:
        notice.drafter_id = me
    if me not in (notice.writers or []) and _rewritten(notice):
        notice.writers = [*(notice.writers or []), me]
    if notice.site is not None and not notice.party:
        notice.party = notice.site.enterprise.name
    if notice.immediate == (notice.deadline is not None):
        check.error("deadline", _("“立即改正”和“改正期限”须选一项，且只选一项。"))
    elif notice.deadline is not None and notice.deadline < clock.today():
        check.error("deadline", _("改正期限不能早于今天。"))
    if notice.inspection is not None and notice.site is not None and notice.inspection.site_id != notice.site.id:
        check.error("inspection", _("这次检查不是对所选经营场所的。"))
    for number, one in enumerate(notice.corrections, 1):
        if one.deadline is not None and one.deadline < clock.today():
            check.error(f"corrections.{number}.deadline", _("改正期限不能早于今天。"))
        elif one.deadline is not None and notice.deadline is not None and one.deadline > notice.deadline:
            check.error(f"corrections.{number}.deadline", _("不能晚于通知书的改正期限。"))
    _check_citations(notice, check)


def _rewritten(notice: Notice) -> bool:
    """Whether this save changes the text or its parts: who did so answers for it as the drafter does."""
    session = current_session()
    return any(one not in session or session.is_modified(one)
               for one in (notice, *notice.corrections, *notice.citations))  # fmt: skip


def _check_citations(notice: Notice, check: Check) -> None:
    for number, one in enumerate(notice.citations, 1):
        article = one.citation
        if article is None:
            continue
        if not article.confirmed:
            check.error(f"citations.{number}.citation", _("这一条还没有由本局核对原文，不能引用。"))
        elif not article.in_force(clock.today()):
            check.error(f"citations.{number}.citation", _("这一条现在不在施行期内。"))
        elif one.purpose and one.purpose not in article.purposes:
            check.error(f"citations.{number}.purpose", _("这一条不能用于“%(what)s”。", what=_(one.purpose)))


# -- the paper --------------------------------------------------------------------------------------------------------


def settings_for_paper() -> dict[str, str]:
    """The confirmed settings a notice prints. Raises Conflict naming those nobody has confirmed."""
    values, missing = confirmed(*setting.NOTICE_KEYS)
    if missing:
        names = _("、").join(_(one.name) for one in missing)
        raise Conflict(_("这些内容还没有由本局确认，不能签发：%(names)s。请法规股在“本局设定”中确认。", names=names))
    extra, _missing = confirmed(setting.MONGOLIAN)
    return values | extra


def is_demo() -> bool:
    """Whether this database is marked as demo for good: every paper then says 演示 无效."""
    return bool(installation_flag(setting.DEMO))


def draft_context(notice: Notice) -> dict[str, Any]:
    """The context of a preview: unconfirmed settings print as blanks to fill, the watermark says 草稿."""
    values, missing = confirmed(*setting.NOTICE_KEYS, setting.MONGOLIAN)
    blanks = {one.key: "（待确认）" for one in missing if one.key != setting.MONGOLIAN}
    return context_of(notice, values | blanks, demo=is_demo())


def must_be_whole(notice: Notice) -> None:
    """A notice that goes on must hold every mandatory element of form 33 (domain §6.2). Raises Invalid by field."""
    for purpose, word in ((CitationPurpose.VIOLATED, "违反"), (CitationPurpose.BASIS, "依据")):
        if not any(one.purpose == purpose for one in notice.citations):
            raise Invalid(_("请引用至少一条用于“%(what)s”的条款。", what=_(word)))
    if not notice.corrections:
        raise Invalid(_("请写明至少一项改正内容。"))
    try:
        notice_report.validate(draft_context(notice), draft=True)
    except ContextError as error:
        told = {_field_of(key): text for key, text in error.fields.items()}
        raise Invalid(" ".join(f"{_label(key)}{text}" for key, text in told.items()), told) from error


def _field_of(key: str) -> str:
    """The notice's own field behind an element of the paper: contact.person is contact_person; demands are rows."""
    head, _dot, rest = key.partition(".")
    if head == "contact":
        return f"contact_{rest}"
    return f"{FIELDS.get(head, head)}.{rest}" if rest else FIELDS.get(head, head)


def _label(key: str) -> str:
    head, *rest = key.split(".")
    model, name = (Correction, rest[-1]) if head == "corrections" and rest else (Notice, head)
    found = model.__mapper__.columns.get(name)
    label = _(found.info["label"]) if found is not None and "label" in found.info else ""
    if model is Correction:
        label = _("第 %(n)s 行 %(what)s", n=rest[0], what=label)
    return f"{label}：" if label else ""


# -- the steps --------------------------------------------------------------------------------------------------------


@handles(Notice, "submit")
def submit(notice: Notice, **_inputs: Any) -> None:
    """Drafted: must be whole. Later findings of a review come back with `return_draft`."""
    must_be_whole(notice)


@handles(Notice, "review")
def review(notice: Notice, **_inputs: Any) -> None:
    """Reviewed by another person than the drafter."""
    must_be_whole(notice)
    notice.reviewer_id, notice.reviewed_at = current_access().person.id, clock.now()


@handles(Notice, "return_draft")
@handles(Notice, "return_review")
def send_back(notice: Notice, **_inputs: Any) -> None:
    """Back to the drafter; what the review said no longer counts."""
    notice.reviewer_id = notice.reviewed_at = None


@handles(Notice, "sign")
def sign(notice: Notice, **_inputs: Any) -> None:
    """Number without gaps, frozen context, render job: one short transaction."""
    person, today = current_access().person, clock.today()
    values = settings_for_paper()
    must_be_whole(notice)
    days = [notice.deadline, *(one.deadline for one in notice.corrections)]
    if any(day is not None and day < today for day in days):
        raise Conflict(_("改正期限已过，请退回修改。"))
    code = number_code(values)
    seq = next_number(code, today.year)
    notice.number_code, notice.number_year, notice.number_seq = code, today.year, seq
    notice.number = number_text(code, today.year, seq)
    notice.signer_id, notice.signed_at = person.id, clock.now()
    notice.delegation_id = _delegation_used()
    verify = verify_line()
    context = context_of(notice, values, demo=is_demo(), issued=today, number=notice.number, verify=verify)
    try:
        notice_report.validate(context)
    except ContextError as error:
        raise Conflict(" ".join(_(text) for text in error.fields.values())) from error
    frozen = Frozen(context, template_version("notice"), font_set_hash())
    issue(notice, "notice", KIND, frozen, verb=Verb.SIGN, number=notice.number, code=verify["code"])


def _delegation_used() -> int | None:
    """The delegation a signature rests on, when no posting of the person's own carries signing."""
    access = current_access()
    own = [
        held for held in access.postings if held.role != DELEGATE and Verb.SIGN.value in held.grants.get("Notice", {})
    ]
    if own:
        return None
    return next((held.id for held in access.postings if held.role == DELEGATE), None)


@handles(Notice, "serve")
def serve(notice: Notice, **inputs: Any) -> None:
    """Record how the notice was served, and make its 送达回证. The date of service starts the clock."""
    paper = paper_of(notice)
    if paper is None or paper.sha256 is None:
        raise Conflict(_("文书还在生成，生成后才能登记送达。"))
    delivery = Delivery(notice=notice, **inputs)
    check_delivery(notice, delivery)
    current_session().add(delivery)
    perform(delivery, Verb.SERVE, notice)
    current_session().flush()
    notice.served_on = delivery.date
    context = delivery_context(delivery, settings_for_paper(), demo=is_demo())
    try:
        delivery_report.validate(context)
    except ContextError as error:
        raise Invalid(" ".join(_(text) for text in error.fields.values())) from error
    frozen = Frozen(context, template_version("delivery"), font_set_hash())
    issue(notice, "delivery", PaperTitle.DELIVERY, frozen, verb=Verb.SERVE)


def check_delivery(notice: Notice, delivery: Delivery) -> None:
    """Two different servers, a date between signature and today, a witness when left behind (民事诉讼法89)."""
    assert notice.signed_at is not None
    errors: dict[str, str] = {}
    if delivery.server is None or delivery.server is delivery.co_server:
        errors["co_server"] = _("送达人须为不同的两人。")
    if delivery.date > clock.today() or delivery.date < clock.local(notice.signed_at).date():
        errors["date"] = _("送达日期须在签发日和今天之间。")
    if delivery.method == DeliveryMethod.LEFT_BEHIND and not delivery.witness and not delivery.remark:
        errors["witness"] = _("留置送达请写明见证人，或在备注中写明拍照、录像情况。")
    for name in ("server", "co_server"):
        account: Account | None = getattr(delivery, name)
        if account is not None and not account.certificate_no:
            errors[name] = _("%(name)s 没有登记执法证。", name=account.name)
    if errors:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors)


@handles(Notice, "void")
def void(notice: Notice, **_inputs: Any) -> None:
    """Void before service: the number stays used, the paper says 作废."""
    for paper in _papers(notice):
        paper.state = DocumentState.VOID
        perform(paper, Verb.VOID, notice)


def paper_of(notice: Notice) -> IssuedDocument | None:
    """The issued notice itself, newest first."""
    return next((paper for paper in _papers(notice) if paper.kind == "notice"), None)


def _papers(notice: Notice) -> list[IssuedDocument]:
    found = current_session().scalars(
        select(IssuedDocument)
        .where(IssuedDocument.entity == "Notice", IssuedDocument.row_id == notice.id)
        .order_by(IssuedDocument.id.desc())
    )
    return list(found)


# -- delegated signing ------------------------------------------------------------------------------------------------

DELEGATE = "delegate"
UNFINISHED = (NoticeState.DRAFT, NoticeState.IN_REVIEW)


@register_posting_source
def delegations(session: Session, account_id: int, day: date) -> list[Held]:
    """授权签发 in force, as rights to sign in the subtree of the office that delegates."""
    rows = session.scalars(
        select(Delegation).where(
            Delegation.account_id == account_id, Delegation.date_from <= day, Delegation.date_to >= day
        )
    )
    states = [state.value for state in NoticeState if state not in UNFINISHED]
    below, own = [[Coverage.SUBTREE.value, None]], [[Coverage.OWN.value, None]]
    notices = {
        Verb.READ.value: [[Coverage.SUBTREE.value, states]],
        Verb.SIGN.value: [[Coverage.SUBTREE.value, [NoticeState.TO_SIGN.value]]],
    }
    # who signs has to see the case: the firm, the visit, who drafted and reviewed
    file = {name: {Verb.READ.value: below} for name in ("Enterprise", "Site", "Inspection", "Delivery", "Account")}
    grants = {"Notice": notices, "Delegation": {Verb.READ.value: own}, **file}
    return [
        Held(
            id=row.id, office_id=row.office_id, lines=0, title="受权签发", role=DELEGATE, role_name="受权签发", rank=0,
            grants=grants, hidden={}, readonly={}, date_from=row.date_from, source="授权签发",
        )
        for row in rows
        if KIND in row.kinds
    ]  # fmt: skip


@register_people_reader
def delegates(session: Session, row: Any, day: date) -> list[int]:
    """The accounts that a delegation in force lets sign: it lets them read notices too."""
    if not isinstance(row, Notice):
        return []
    in_force = (Delegation.date_from <= day) & (Delegation.date_to >= day)
    return list(session.scalars(select(Delegation.account_id).where(in_force).distinct()))


@on_save(Delegation)
def check_delegation(one: Delegation, check: Check) -> None:
    """Dates in order; nobody delegates to himself."""
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于开始日期。"))
    if one.office_id is None:
        chief = current_access().chief_posting
        one.office_id = chief.office_id if chief else 0
    if one.account is None:
        return
    if one.account.person_key == current_access().person.person_key:
        check.error("account", _("不能授权给自己。"))
    elif one.account.family != Family.BUSINESS or not _within(one.account.office_id, one.office_id):
        check.error("account", _("只能授权给本局及下属机构的监管人员。"))


def _within(office_id: int, top_id: int) -> bool:
    offices = current_access().offices
    return top_id in offices and office_id in offices and offices[office_id].path.startswith(offices[top_id].path)

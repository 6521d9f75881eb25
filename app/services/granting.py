"""Who may appoint whom: an administrator's ceiling, and the acts that take two.

An administrator's posting has a subtree and a ceiling, its role's rank. Business roles below it are given inside the
subtree, never to oneself. 机构管理员 are appointed by system administrators; system administrators and auditors by two.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, inspect, literal, or_, select
from sqlalchemy.orm import InstanceState

from app.core import clock
from app.core.access.context import Access, Held, current_access, has_access_context
from app.core.access.ownership import related, repointed
from app.core.db import current_session, unscoped
from app.core.errors import Conflict, Forbidden
from app.core.message import notify
from app.core.office import AccessRole, Account, Family, Office, Posting
from app.core.proposal import PostingProposal
from app.core.saving import Check, on_save
from app.core.verbs import Verb
from app.core.workflow import handles
from app.core.writing import perform

GUARDED = (Family.SYSTEM, Family.AUDIT)
SYSTEM_RANK = 90  # from here on one is a system administrator
OFFICE_RANK = 50  # up to here a role of the family 系统管理 administers an office
VALID_DAYS = 7  # a proposal waits so long


def takes_two(role: AccessRole) -> bool:
    """Whether an appointment to the role needs a second administrator."""
    return role.family == Family.AUDIT or (role.family == Family.SYSTEM and role.rank > OFFICE_RANK)


def _reaching(granter: Access, office_id: int | None) -> list[Held]:
    """The granter's administrator postings whose subtree holds the office (all of them while none is chosen)."""
    held = [one for one in granter.postings if Verb.CREATE.value in one.grants.get(Posting.__name__, {})]
    return [one for one in held if office_id is None or office_id in granter.subtree(one.office_id)]


def ceiling(granter: Access, office_id: int | None) -> int:
    """The rank below which roles are given at an office; 0 to who gives none there."""
    return max((one.rank for one in _reaching(granter, office_id)), default=0)


def why_not(
    granter: Access, role: AccessRole, office_id: int | None, account: Account | None
) -> tuple[str, str] | None:
    """(field, text) why the granter alone may not give this role there to this account, or None."""
    if account is not None and account.person_key == granter.person.person_key:
        return "account", _("不能给自己任职。")
    if takes_two(role):
        return "role", _("系统管理员和审计员的任命要由两名系统管理员办理，请用“任命提议”。")
    top = ceiling(granter, office_id)
    if role.rank >= top or (role.family in GUARDED and top < SYSTEM_RANK):
        return "role", _("这个角色高于您可以授予的级别。")
    return None


@on_save(Posting)
def check_posting(one: Posting, check: Check) -> None:
    """Dates in order, family of role and account the same, nobody's own, within the ceiling; who, where and as what
    stays: a person who moves gets a new posting, so that what the old one leaves is handed over."""
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于任职起。"))
    if inspect(one).persistent:
        for name in ("account", "office", "role"):
            if repointed(one, name):
                check.error(name, _("任职的人员、机构、角色不能改；请结束这一任职，另行任命。"))
    role, account = _related(one, "role", check), _related(one, "account", check)
    if role is None or account is None:
        return
    if role.family != account.family:
        check.error("role", _("这个角色属于“%(a)s”，账号是“%(b)s”，不能混用。", a=_(role.family), b=_(account.family)))
    if has_access_context() and (why := why_not(current_access(), role, one.office_id or _key(one.office), account)):
        check.error(*why)
    if text := given_already(one, account, role, one.office_id or _key(one.office)):
        check.error("account", text)


def given_already(one: Posting, account: Account, role: AccessRole, office_id: int | None) -> str | None:
    """What says that a posting would stand beside the same one: person, office, role, a common line and a common day.

    Of two, the end of one would leave the person in. None where there is none.
    """
    if office_id is None or one.date_from is None:
        return None
    accounts = _locked_accounts(account)
    last = one.date_to or date.max
    unflushed = (row for row in current_session().new if isinstance(row, Posting) and row is not one)
    waiting = [row for row in unflushed if _is_same(row, one)]
    asked = (
        select(Posting)
        .where(Posting.account_id.in_(accounts), Posting.office_id == office_id, Posting.role_id == role.id)
        .where(Posting.ended_at.is_(None), Posting.id != (one.id or 0), Posting.date_from <= last)
        .where(or_(Posting.date_to.is_(None), Posting.date_to >= one.date_from))
    )
    if one.lines:
        asked = asked.where(or_(Posting.lines == 0, Posting.lines.op("&")(one.lines) != 0))
    found = [*waiting, *current_session().scalars(asked.order_by(Posting.date_from).limit(1))]
    if not found:
        return None
    until = f"{found[0].date_to:%Y-%m-%d}" if found[0].date_to else _("未定")
    since = f"{found[0].date_from:%Y-%m-%d}"
    return str(_("这个人在这个机构已有同样的任职（%(a)s 至 %(b)s），日期不能重叠。", a=since, b=until))


def _locked_accounts(account: Account) -> list[int]:
    """The accounts of a person, locked: who appoints the same person meanwhile waits, and sees what the other did.

    All of them, whatever the granter reads: two accounts of one person may stand in two offices.
    """
    table = Account.__table__
    mine = select(table.c.id).where(table.c.person_key == account.person_key).order_by(table.c.id)
    return list(current_session().connection().scalars(mine.with_for_update()))


def _is_same(other: Posting, one: Posting) -> bool:
    """Whether a posting that is not flushed yet (of the same import) is the same over a common day and line."""
    names = ("account", "office", "role")
    if any(_key(related(other, name)) != _key(related(one, name)) for name in names) or other.date_from is None:
        return False
    ends = other.date_to or date.max, one.date_to or date.max
    lines = not (other.lines and one.lines) or bool(other.lines & one.lines)
    return lines and other.date_from <= ends[1] and one.date_from <= ends[0]


def _related(row: Any, name: str, check: Check) -> Any:
    """A row that is pointed at, by object or by key; one that is named and can't be seen is wrong, not unchecked."""
    found = related(row, name)
    if found is None and getattr(row, f"{name}_id") is not None:
        check.error(name, _("没有这条记录，或者您无权查看。"))
    return found


def _key(row: Any) -> int | None:
    return row.id if row is not None else None


@on_save(Account)
def check_ceiling(account: Account, check: Check) -> None:
    """An account that holds what an administrator could not give is not changed by that one; families stay."""
    if not has_access_context():
        return
    granter = current_access()
    if account.id != granter.person.id and _is_guarded(account) and ceiling(granter, None) < SYSTEM_RANK:
        check.error("family", _("系统管理和审计的账号由系统管理员建立和修改。"))
    if not inspect(account).persistent:
        return
    if account.id == granter.person.id and inspect(account).attrs.family.history.has_changes():
        check.error("family", _("不能改自己账号的类别。"))
    elif inspect(account).attrs.family.history.has_changes() and _ranks(account.id):
        check.error("family", _("这个账号有任职，账号类别不能改。"))
    if account.person_key == granter.person.person_key and not account.active:
        check.error("active", _("不能停用自己的账号。"))
    elif account.id != granter.person.id and _is_above(granter, account):
        check.error("name", _("这个账号的任职高于您可以授予的级别，不能由您修改。"))
    if not account.active and _is_last_administrator(account.id):
        check.error("active", _("这是最后一名系统管理员，不能停用。"))


def _is_guarded(account: Account) -> bool:
    """Whether an account is, or was before this change, of system administration or audit."""
    state: InstanceState[Account] = inspect(account)
    before = state.attrs.family.history.deleted
    return any(family in GUARDED for family in (account.family, *before))


def _is_above(granter: Access, account: Account) -> bool:
    """Whether the account holds what the granter could not give; a system administrator stands under nobody."""
    top = ceiling(granter, None)
    return top < SYSTEM_RANK and max(_ranks(account.id), default=-1) >= top


def _ranks(account_id: int) -> list[int]:
    """The ranks of an account's postings in force or to come."""
    with unscoped("an account's postings", quiet=True) as session:
        live = Posting.in_force(clock.today()) | ((Posting.date_from > clock.today()) & Posting.ended_at.is_(None))
        asked = select(AccessRole.rank).join(Posting, Posting.role_id == AccessRole.id)
        return list(session.scalars(asked.where(Posting.account_id == account_id, live)))


def may_confirm(one: PostingProposal) -> list[Account]:
    """The accounts of the system administrators who could confirm a proposal now, by name: neither who proposed it nor
    who is appointed. Read for everybody alike, so that a proposal says the same to all who may read it."""
    with unscoped("who may confirm", quiet=True) as session:
        stored = (  # from the tables: in the row, what is hidden from who reads is empty
            select(Office.path, PostingProposal.proposer_id, PostingProposal.account_id)
            .join(Office, PostingProposal.office_id == Office.id)
            .where(PostingProposal.id == one.id)
        )
        path, proposer, appointed = session.execute(stored).one()
        own = select(Account.person_key).where(Account.id.in_((proposer, appointed)))
        asked = (
            select(Account)
            .join(Posting, Posting.account_id == Account.id)
            .join(AccessRole, Posting.role_id == AccessRole.id)
            .join(Office, Posting.office_id == Office.id)
            .where(AccessRole.family == Family.SYSTEM, AccessRole.rank >= SYSTEM_RANK, Account.active.is_(True))
            .where(Posting.in_force(clock.today()), literal(path).startswith(Office.path))
            .where(Account.person_key.not_in(own))
            .order_by(Account.name, Account.id)
        )
        return list(session.scalars(asked).unique())


def system_administrators(besides: int = 0) -> int:
    """How many persons hold a system administrator's posting now, one account left out."""
    with unscoped("count administrators", quiet=True) as session:
        asked = (
            select(func.count(func.distinct(Account.person_key)))
            .join(Posting, Posting.account_id == Account.id)
            .join(AccessRole, Posting.role_id == AccessRole.id)
            .where(AccessRole.family == Family.SYSTEM, AccessRole.rank > OFFICE_RANK, Account.active.is_(True))
            .where(Posting.in_force(clock.today()), Account.id != besides)
        )
        return int(session.scalar(asked) or 0)


def _is_last_administrator(account_id: int) -> bool:
    return any(rank > OFFICE_RANK for rank in _ranks(account_id)) and not system_administrators(account_id)


def require_may_end(granter: Access, posting: Posting) -> None:
    """Raise Forbidden, Conflict: nobody ends what he could not give, or his own; one system administrator stays."""
    role, account = posting.role, posting.account
    if account is not None and account.person_key == granter.person.person_key:
        raise Forbidden(_("不能结束自己的任职，请由另一名管理员办理。"))
    top = ceiling(granter, posting.office_id)
    if top < SYSTEM_RANK and (role.rank >= top or role.family in GUARDED):
        raise Forbidden(_("这个角色高于您可以授予的级别。"))
    if takes_two(role) and role.family == Family.SYSTEM and _is_last_administrator(posting.account_id):
        raise Conflict(_("这是最后一名系统管理员，不能结束。"))


def require_by_command(role: AccessRole) -> None:
    """Raise Conflict: from the command line a system administrator is made only while there are fewer than two."""
    if takes_two(role) and (role.family == Family.AUDIT or system_administrators() > 1):
        raise Conflict(_("系统管理员和审计员的任命要由两名系统管理员办理，请用“任命提议”。"))


# -- acts that take two -----------------------------------------------------------------------------------------------


@on_save(PostingProposal)
def check_proposal(one: PostingProposal, check: Check) -> None:
    """By a system administrator for such a role, dates in order; it waits a week."""
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于任职起。"))
    granter = current_access()
    if one.proposer_id is None:
        one.proposer_id, one.expires_on = granter.person.id, clock.today() + timedelta(days=VALID_DAYS)
    role, account = _related(one, "role", check), _related(one, "account", check)
    if role is not None and account is not None:
        _check_pair(one, role, account, check)


def _check_pair(one: PostingProposal, role: AccessRole, account: Account, check: Check) -> None:
    granter = current_access()
    if not takes_two(role):
        check.error("role", _("这个角色不用提议，请直接任命。"))
    elif role.rank > ceiling(granter, one.office_id or _key(one.office)):
        check.error("role", _("这个角色高于您可以授予的级别。"))
    if account.person_key == granter.person.person_key:
        check.error("account", _("不能给自己任职。"))
    if role.family != account.family:
        text = _("这个角色属于“%(a)s”，账号是“%(b)s”，不能混用。", a=_(role.family), b=_(account.family))
        check.error("role", text)


@handles(PostingProposal, "confirm")
def confirm(one: PostingProposal, **_inputs: Any) -> None:
    """Make the posting: what was true when it was proposed must still be."""
    if one.account is None or not one.account.active or one.account.family != one.role.family:
        raise Conflict(_("这个账号已停用，或类别已不符，不能任命。"))
    if one.role.rank > ceiling(current_access(), one.office_id):
        raise Forbidden(_("这个角色高于您可以授予的级别。"))
    posting = Posting(
        account_id=one.account_id, office_id=one.office_id, role_id=one.role_id, title=one.title,
        date_from=max(one.date_from, clock.today()), date_to=one.date_to,
    )  # fmt: skip
    if posting.date_to is not None and posting.date_to < posting.date_from:
        raise Conflict(_("提议的任职期已过，请重新提议。"))
    if why := given_already(posting, one.account, one.role, one.office_id):
        raise Conflict(why)
    current_session().add(posting)
    perform(posting, Verb.CONFIRM, one)
    _answer(one, _("任命提议已确认：%(what)s", what=str(one)))


@handles(PostingProposal, "reject")
def reject(one: PostingProposal, **_inputs: Any) -> None:
    """The proposer is told."""
    _answer(one, _("任命提议已否决：%(what)s", what=str(one)))


def _answer(one: PostingProposal, text: str) -> None:
    one.answerer_id, one.answered_at = current_access().person.id, clock.now()
    notify(one.proposer_id, text, url=f"/posting-proposals/{one.id}")

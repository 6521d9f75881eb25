"""激活卡: the firms' people get accounts from their appointments, and cards with a code that opens one on a telephone.

Whose accounts somebody may open is ACTIVATE on the person. Accounts, postings and codes are the system's own rows: they
are written in unscoped units whose first statement asks that predicate again, under a lock on the persons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import event, inspect, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import current_access
from app.core.access.predicate import predicate
from app.core.db import AppSession, current_session, unscoped
from app.core.errors import Conflict, Invalid, NotFound
from app.core.history import remark
from app.core.office import AccessRole, Account, Family, Posting, RoleOrigin
from app.core.pdf.pool import render_in_pool
from app.core.setting import DEMO, confirmed, installation_flag
from app.core.signin import phone, phone_entering
from app.core.signin.entering import Visitor
from app.core.signin.model import Ending
from app.core.signin.phone_entering import Entered, WrongCode
from app.core.signin.sessions import end_sessions
from app.core.verbs import Verb
from app.core.writing import duplicate_of, retry_once, unit_of_work
from app.data.enums import Activation, AppointmentRole
from app.models import setting
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, Person

ROLES = {
    AppointmentRole.PRINCIPAL: "firm_principal",
    AppointmentRole.DIRECTOR: "firm_director",
    AppointmentRole.OFFICER: "firm_officer",
}
MOST_ACCOUNTS, MOST_CARDS = 1_000, 200
RENDER_SECONDS = 120


@dataclass(frozen=True)
class Post:
    """What a person is at a firm."""

    person_id: int
    office_id: int
    firm: str
    role: str


@dataclass(frozen=True)
class Wanted:
    """What is looked for: without an account (""), waiting, active or (None) all; where, at which firm, since when."""

    state: str | None = Activation.WAITING
    office_id: int | None = None
    firm: str = ""
    since: date | None = None


@dataclass
class Outcome:
    """How many got an account, how many had one already, how many are nobody's to activate; who did not and why."""

    made: int = 0
    had: int = 0
    unknown: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Reset:
    """Beside a new card: remembered telephones end; with `pin`, the PIN is forgotten too."""

    reason: str
    pin: bool = False


def find(wanted: Wanted) -> list[Post]:
    """The posts of those whom the person in context may activate: by office, firm, name; read in its own scope."""
    asked = (
        select(Person.id, Person.office_id, Enterprise.name, Appointment.role)
        .join(Appointment, Appointment.person_id == Person.id)
        .join(Enterprise, Appointment.enterprise_id == Enterprise.id)
        .where(predicate(current_access(), Person, Verb.ACTIVATE), Appointment.in_force(clock.today()))
        .order_by(Person.office_id, Enterprise.name, Enterprise.id, Person.name, Person.id)
    )
    if wanted.state is not None:
        asked = asked.where(_in_state(wanted.state))
    if wanted.office_id is not None:
        asked = asked.where(Person.office_id == wanted.office_id)
    if wanted.firm:
        asked = asked.where(Enterprise.name.contains(wanted.firm, autoescape=True))
    if wanted.since is not None:
        asked = asked.where(Appointment.date_from >= wanted.since)
    return [Post(*row) for row in current_session().execute(asked)]


def _in_state(state: str) -> Any:
    if state == Activation.WAITING:  # an account that was linked by hand waits too
        return Person.account_id.is_not(None) & or_(
            Person.activation.is_(None), Person.activation == Activation.WAITING
        )
    return Person.activation == state if state else Person.account_id.is_(None)


# -- accounts ---------------------------------------------------------------------------------------------------------


def open_accounts(keys: Sequence[int]) -> Outcome:
    """An account for each of these persons who has a post and none yet. What can't be is named, never merged."""
    if len(keys) > MOST_ACCOUNTS:
        raise Invalid(_("一次最多办理 %(n)s 条，现在选中 %(m)s 条。", n=MOST_ACCOUNTS, m=len(keys)))
    return retry_once(lambda: _open_accounts(keys))


def _open_accounts(keys: Sequence[int]) -> Outcome:
    found = Outcome()
    try:
        with unscoped("accounts of firms' people") as session, unit_of_work(Verb.ACTIVATE, "批量开通账号"):
            people = _locked(keys)
            found.unknown = len(set(keys)) - len(people)
            posts, shared = _posts(session, people), _shared(session, people)
            for person in people:
                if person.account_id is not None:
                    found.had += 1
                    continue
                if why := _problem(person, posts, shared):
                    found.problems.append((person.name, why))
                else:
                    _account(session, person, posts[person.id])
                    found.made += 1
    except IntegrityError as error:
        raise _taken(error) from error
    return found


def _taken(error: IntegrityError) -> Exception:
    return Conflict(_("有人同时在开通账号，请再试一次。")) if duplicate_of(error) else error


def _locked(keys: Sequence[int]) -> list[Person]:
    """These persons as far as the person in context may activate them, locked."""
    asked = select(Person).where(Person.id.in_(keys), predicate(current_access(), Person, Verb.ACTIVATE))
    asked = asked.order_by(Person.id).with_for_update(of=Person).execution_options(populate_existing=True)
    return list(current_session().scalars(asked).unique())


def _posts(session: Session, people: Sequence[Person]) -> dict[int, list[Post]]:
    """Each one's posts in force, of the highest first."""
    asked = (
        select(Person.id, Enterprise.office_id, Enterprise.name, Appointment.role)
        .join(Appointment, Appointment.person_id == Person.id)
        .join(Enterprise, Appointment.enterprise_id == Enterprise.id)
        .where(Person.id.in_([one.id for one in people]), Appointment.in_force(clock.today()))
        .order_by(Enterprise.name, Enterprise.id, Appointment.id)
    )
    found: dict[int, list[Post]] = {}
    order = list(ROLES)
    for row in session.execute(asked):
        found.setdefault(row[0], []).append(Post(*row))
    return {key: sorted(posts, key=lambda one: order.index(AppointmentRole(one.role))) for key, posts in found.items()}


def _shared(session: Session, people: Sequence[Person]) -> set[str]:
    """Digests of mobiles that more than one person has, whoever answers for the other."""
    digests = {one.mobile_digest for one in people if one.mobile_digest}
    asked = select(Person.mobile_digest).where(Person.mobile_digest.in_(digests))
    return {mobile for mobile, count in Counter(session.scalars(asked)).items() if mobile and count > 1}


def _problem(person: Person, posts: dict[int, list[Post]], shared: set[str]) -> str:
    """Why this person gets no account, or ""."""
    if person.id not in posts:
        return str(_("没有在任的企业任职。"))
    if not person.mobile:
        return str(_("没有填写手机。"))
    if person.mobile_digest in shared:
        return str(_("这个手机号还登记在另一个人名下，请核对；两个人不会合并。"))
    taken = select(Account.id).where(Account.username == person.mobile, Account.id != (person.account_id or 0))
    return str(_("已有别的账号用这个手机号登录。")) if current_session().scalar(taken) else ""


def _account(session: Session, person: Person, posts: list[Post]) -> None:
    """An account without any way in yet, and a posting for each kind of post."""
    account = Account(
        username=person.mobile, name=person.name, family=Family.FIRM, office_id=person.office_id, password="",
        must_change_password=False,
    )  # fmt: skip
    session.add(account)
    session.flush()
    person.account_id, person.activation = account.id, Activation.WAITING
    _give_posts(session, account, posts)


def _give_posts(session: Session, account: Account, posts: list[Post]) -> None:
    """The postings that stand for these posts; which firms they reach is decided by the appointments, each request."""
    built_in = select(AccessRole).where(AccessRole.origin == RoleOrigin.BUILTIN)
    roles = {role.code: role.id for role in session.scalars(built_in)}
    standing = select(Posting.role_id).where(Posting.account_id == account.id, Posting.date_to.is_(None))
    held = set(session.scalars(standing))
    for role in dict.fromkeys(post.role for post in posts):
        key = roles[ROLES[AppointmentRole(role)]]
        if key not in held:
            session.add(Posting(account_id=account.id, office_id=account.office_id, role_id=key, title=role,
                                date_from=clock.today()))  # fmt: skip
    session.flush()


# -- cards ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """A card about to be printed; `code` is nowhere else in plain."""

    person_id: int
    name: str
    mobile: str
    post: Post
    code: str = field(repr=False)


def print_cards(keys: Sequence[int], reset: Reset | None = None) -> tuple[bytes, Outcome]:
    """A PDF of new cards for these persons, who get accounts where they have none; older codes are void then.

    The sheet is rendered before anything is written and leaves only after all is: a failure on the way changes nothing.
    Raises NotFound (none of them is the person's to activate), Invalid (none can have a card), Conflict.
    """
    if len(keys) > MOST_CARDS:
        raise Invalid(_("一次最多办理 %(n)s 条，现在选中 %(m)s 条。", n=MOST_CARDS, m=len(keys)))
    cards, outcome = _plan(keys)
    if not cards:
        raise Invalid(" ".join(f"{name}：{why}" for name, why in outcome.problems))
    content = render_in_pool("activation", _context(cards), timeout=RENDER_SECONDS)
    _keep(cards, reset)
    return content, outcome


def _plan(keys: Sequence[int]) -> tuple[list[Card], Outcome]:
    outcome = Outcome()
    cards = []
    with unscoped("cards of firms' people") as session:
        asked = select(Person).where(Person.id.in_(keys), predicate(current_access(), Person, Verb.ACTIVATE))
        people = list(session.scalars(asked).unique())
        if not people:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
        posts, shared = _posts(session, people), _shared(session, people)
        for person in people:
            if why := _problem(person, posts, shared):
                outcome.problems.append((person.name, why))
            else:
                cards.append(Card(person.id, person.name, str(person.mobile), posts[person.id][0], phone.new_code()))
    return sorted(cards, key=lambda one: (one.post.office_id, one.post.firm, one.name, one.person_id)), outcome


def _context(cards: list[Card]) -> dict[str, Any]:
    """What the sheet prints."""
    base = current_app.extensions["shouze_settings"].base_url.rstrip("/")
    with unscoped("card heads", quiet=True):
        values, _missing = confirmed(setting.BUREAU)
    today = clock.today()
    return {
        "bureau": values.get(setting.BUREAU, ""), "made": today.isoformat(), "demo": installation_flag(DEMO) != "",
        "until": (today + phone.lifetime()).isoformat(), "address": f"{base}/activate/",
        "cards": [{"firm": one.post.firm, "name": one.name, "post": one.post.role, "mobile": masked_mobile(one.mobile),
                   "code": one.code} for one in cards],
    }  # fmt: skip


def _keep(cards: list[Card], reset: Reset | None) -> None:
    """Everything that the cards stand for, in one transaction."""
    reason = "打印激活卡" if reset is None else f"{'重设 PIN' if reset.pin else '停用手机'}：{reset.reason}"
    try:
        with unscoped("cards of firms' people") as session, unit_of_work(Verb.ACTIVATE, reason):
            people = {one.id: one for one in _locked([card.person_id for card in cards])}
            posts, shared = _posts(session, list(people.values())), _shared(session, list(people.values()))
            for card in cards:
                person = people.get(card.person_id)
                if person is None or _problem(person, posts, shared) or person.mobile != card.mobile:
                    raise Conflict(_("名单刚有变化，激活卡没有生成，请重新打印。"))
                _keep_one(session, person, card, posts[person.id], reset, reason)
    except IntegrityError as error:
        raise _taken(error) from error


def _keep_one(
    session: Session, person: Person, card: Card, posts: list[Post], reset: Reset | None, reason: str
) -> None:
    if person.account_id is None:
        _account(session, person, posts)
    account = session.get_one(Account, person.account_id)
    account.username = card.mobile if account.password == "" else account.username  # he may have a new number
    _give_posts(session, account, posts)
    if reset is not None:
        phone.forget_phones(account.id)
        end_sessions(account.id, Ending.PHONE)
        if reset.pin:
            phone.set_pin(account.id, "")
    phone.put_code(account.id, card.code)
    if not phone.stored_pin(account.id):
        person.activation = Activation.WAITING
    remark(Verb.ACTIVATE, reason, office_id=person.made_office_id, about=("Person", person.id), name=person.name)


def masked_mobile(mobile: str) -> str:
    """A mobile by which its owner knows it, and nobody else."""
    return f"{mobile[:3]}****{mobile[-4:]}"


# -- appointments that end --------------------------------------------------------------------------------------------


@event.listens_for(AppSession, "after_flush")
def _last_post_ended(session: Session, _context: Any) -> None:
    """Whose last appointment was ended or taken away is signed out in the same transaction."""
    for row in (*session.dirty, *session.deleted):
        if not isinstance(row, Appointment):
            continue
        history: dict[str, Any] = {name: inspect(row).attrs[name].history for name in ("date_to", "person_id")}
        if row in session.deleted or any(one.has_changes() for one in history.values()):
            for key in sorted({row.person_id, *history["person_id"].deleted}):
                _end_if_none_left(session, key)


def _end_if_none_left(session: Session, person_id: int) -> None:
    """As with postings, one that ends today is over."""
    connection, people, posts = session.connection(), inspect(Person).local_table, inspect(Appointment).local_table
    account = connection.scalar(select(people.c.account_id).where(people.c.id == person_id))
    left = select(posts.c.id).where(
        posts.c.person_id == person_id, or_(posts.c.date_to.is_(None), posts.c.date_to > clock.today())
    )
    if account is not None and connection.scalar(left.limit(1)) is None:
        end_sessions(account, Ending.APPOINTMENT, session=session)


# -- on the telephone -------------------------------------------------------------------------------------------------

CONSENT = "2026-11"  # of the wording in templates/activate.html: a change of it is a new version


def greeting(account_id: int) -> dict[str, Any]:
    """What a card shows before anybody has proved who they are: firms and posts, the masked name and mobile."""
    with unscoped("whom a card is for", quiet=True) as session:
        people = list(session.scalars(select(Person).where(Person.account_id == account_id)).unique())
        if not people:
            raise NotFound(_("这个账号现在不能使用，请联系监管所。"))
        posts = _posts(session, people).get(people[0].id, [])
        name, mobile = people[0].name, people[0].mobile or ""
        return {"name": name[:1] + "*" * max(len(name) - 1, 1), "mobile": masked_mobile(mobile),
                "posts": [(one.firm, str(_(one.role))) for one in posts]}  # fmt: skip


def activate(typed: str, pin: str, mobile: str | None, visitor: Visitor) -> Entered:
    """Use a code up: with a new PIN, or (`mobile` given) with the mobile and PIN that the account has already.

    One transaction: the code, the PIN, the consent, the telephone and the session, or none of them. A code that is
    none costs a hash too. Raises WrongCode, Refused, Invalid, TooManyTries.
    """
    try:
        code, known, has_pin = phone_entering.look(typed, visitor)
    except WrongCode:
        phone.is_pin(0, "", pin)
        raise
    if has_pin != (mobile is not None):
        raise Conflict(_("这张卡的情况刚有变化，请刷新这一页。"))
    stored = None
    if mobile is not None:
        phone_entering.check_owner(code, known, mobile, pin)
    else:
        if why := phone.weakness(phone.pin_of(pin), known.username):
            raise Invalid("", {"pin": why})
        stored = phone.sealed(code.account_id, phone.pin_of(pin))
    with unscoped("activate", quiet=True) as session, unit_of_work(Verb.ACTIVATE, "激活"):
        entered = phone_entering.begin_phone(code, stored, CONSENT, visitor)
        for person in session.scalars(select(Person).where(Person.account_id == code.account_id)).unique():
            person.activation = Activation.ACTIVE
    return entered

"""A person's rights: what they may do and through which posting; and this person on this record, verb by verb.

For the person, for administrators of the account's office, for auditors. Nobody learns here of a record that is not
theirs to know: of one that the asker can't read, only who answers for its office is told anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from app.core import clock
from app.core.ability_screen import Ability, AbilityRow, AbilityScreen, Basis, Verdict, VerdictScreen
from app.core.access import limits
from app.core.access.context import Access, Held, acting, current_access, load
from app.core.access.explain import explain
from app.core.access.fetch import LARGEST, fetch
from app.core.db import current_session, unscoped
from app.core.entity import Entity
from app.core.errors import Forbidden, NotFound
from app.core.fab import matrix
from app.core.fab.cells import base_of, date_text, name_of, said
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.gate import signed_in
from app.core.lines import line_text
from app.core.office import AccessRole, Account, Assignment, Family, Posting
from app.core.verbs import Verb
from app.core.workflow import Transition, reasons_against

NOT_ON_A_ROW = {Verb.CREATE, Verb.IMPORT}
ADDRESS = re.compile(r"(?:https?://[^/\s]+)?(/[a-z0-9-]+)/(\d{1,18})(?:[/?#]\S*)?", re.ASCII)
ELSEWHERE = "其他机构的任职"


class AbilityScreens(Declaration):
    """`/<key>/abilities` and `/<key>/explain` of accounts."""

    @expose("/<int:key>/abilities")
    @signed_in
    def abilities(self, key: int) -> Answer:
        """Postings, delegations, assignments; by entity what they allow."""
        account = _looked_into(key)
        access = load(key)
        shown = _visible(key)
        bases, elsewhere = _bases(access, shown)
        screen = AbilityScreen(
            title=_("能做什么：%(name)s", name=account.name), crumbs=_crumbs(account), name=account.name,
            facts=[(_("账号类别"), said(account.family)), (_("所属机构"), _office(account.office_id))],
            inactive=access is None, bases=bases, elsewhere=elsewhere, assigned=_assigned(key),
            groups=_groups(access, shown) if access is not None else [], ask_url=f"/accounts/{key}/explain",
            entities=_entities(),
        )  # fmt: skip
        return render_template("abilities.html", screen=screen)

    @expose("/<int:key>/explain")
    @signed_in
    def explain_page(self, key: int) -> Answer:
        """This person on this record: what decides each act, or what is missing."""
        account = _looked_into(key)
        screen = VerdictScreen(
            title=_("为什么能，为什么不能"), crumbs=[*_crumbs(account), (_("能做什么"), f"/accounts/{key}/abilities")],
            name=account.name, ask_url=f"/accounts/{key}/explain", entities=_entities(),
            entity=request.args.get("entity", ""), record=request.args.get("record", "").strip()[:300],
        )  # fmt: skip
        status = 200
        if screen.record:
            found = _which(screen.entity, screen.record)
            if found is None:
                screen.error, status = _("请粘贴记录的地址，或选择对象并填写记录的编号（地址里的数字）。"), 422
            else:
                screen.entity = found[0].__name__
                _judge(screen, account, *found)
        return render_template("explain.html", screen=screen), status


def may_look_into(key: int) -> bool:
    """Whether the person in context is told of this account's rights (one they can read)."""
    person = current_access().person
    return key == person.id or person.family in {Family.SYSTEM, Family.AUDIT}


def _looked_into(key: int) -> Any:
    """The account, or the person themselves. Raises NotFound to outsiders, Forbidden to who may only read it."""
    person = current_access().person
    if key == person.id:
        return person
    account = fetch(Account, key)
    if not may_look_into(key):
        raise Forbidden(_("别人能做什么，只给该机构的系统管理员和审计员看。"))
    return account


def _crumbs(account: Any) -> list[tuple[Any, str]]:
    if account.id == current_access().person.id:
        return []
    return [(_("账号"), "/accounts/"), (account.name, f"/accounts/{account.id}")]


def _office(key: int) -> str:
    unit = current_access().offices.get(key)
    return unit.name if unit is not None else ""


def _visible(account_id: int) -> frozenset[int] | None:
    """The postings of the account that the asker may read; None: all (one's own)."""
    if account_id == current_access().person.id:
        return None
    return frozenset(current_session().scalars(select(Posting.id).where(Posting.account_id == account_id)))


def _seen(held: Held, shown: frozenset[int] | None) -> bool:
    """Whether the asker may know of this posting; a delegation by where it is from."""
    if shown is None:
        return True
    return held.id in shown if held.source == Held.source else held.office_id in _mine()


def _mine() -> frozenset[int]:
    """The offices that the asker's own postings cover."""
    access = current_access()
    return frozenset[int]().union(*(access.subtree(one.office_id) for one in access.postings))


def _bases(access: Access | None, shown: frozenset[int] | None) -> tuple[list[Basis], int]:
    """Postings and delegations in force that may be told of; how many there are beside."""
    if access is None:
        return [], 0
    told = [held for held in access.postings if _seen(held, shown)]
    with unscoped("until when postings last", quiet=True) as session:
        keys = [held.id for held in told if held.source == Held.source]
        lasting = select(Posting.id, Posting.date_to).where(Posting.id.in_(keys))
        ends = {row.id: row.date_to for row in session.execute(lasting)}
        roles = {row.code: row.id for row in session.execute(select(AccessRole.code, AccessRole.id))}
    reads = current_access().may("AccessRole", Verb.READ)
    found = []
    for held in told:
        until = ends.get(held.id) if held.source == Held.source else None
        url = f"/roles/{roles[held.role]}" if reads and held.role in roles else None
        found.append(Basis(
            said(held.source), access.offices[held.office_id].name, said(held.title), said(held.role_name), url,
            line_text(held.lines) or _("全部"), date_text(held.date_from), date_text(until) if until else "",
        ))  # fmt: skip
    return found, len(access.postings) - len(told)


def _assigned(account_id: int) -> list[tuple[str, int]]:
    """How many records of each kind the person is put to now; not which."""
    day = clock.today()
    with unscoped("assignments of a person", quiet=True) as session:
        rows = session.execute(
            select(Assignment.entity, func.count(Assignment.id))
            .where(Assignment.account_id == account_id, Assignment.date_from <= day)
            .where(or_(Assignment.date_to.is_(None), Assignment.date_to >= day))
            .group_by(Assignment.entity)
            .order_by(Assignment.entity)
        )
        return [(matrix.entity_word(entity), count) for entity, count in rows]


def _groups(access: Access, shown: frozenset[int] | None) -> list[tuple[str, list[AbilityRow]]]:
    """What is allowed, by subject and entity."""
    from app.core.fab.shell import subjects

    ours = limits.governed()
    found = []
    for label, names in matrix.grouped(subjects()).items():
        rows = [row for name in names if (row := _row(ours[name], access, shown)) is not None]
        if rows:
            found.append((label, rows))
    return found


def _row(cls: type[Entity], access: Access, shown: frozenset[int] | None) -> AbilityRow | None:
    """The acts on one entity; those allowed alike through the same posting are one line."""
    alike: dict[tuple[str, str], list[Verb]] = defaultdict(list)
    marks: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for held in access.postings:
        via = _via(access, held, shown)
        for verb in Verb:
            cells = held.grants.get(cls.policy_name(), {}).get(verb.value, ())
            if cells:
                key = (via, matrix.cells_word(cells))
                if verb not in alike[key]:
                    alike[key].append(verb)
                marks[key] = [
                    (coverage, matrix.coverage_word(coverage), "、".join(said(one) for one in states or ()))
                    for coverage, states in cells
                ]
    abilities = [
        Ability("、".join(matrix.verb_word(cls, verb) for verb in verbs), marks[key], key[0])
        for key, verbs in alike.items()
        if verbs
    ]
    return AbilityRow(said(cls.__label__), abilities) if abilities else None


def _via(access: Access, held: Held, shown: frozenset[int] | None) -> str:
    if not _seen(held, shown):
        return said(ELSEWHERE)
    return f"{access.offices[held.office_id].name} {said(held.title)}"


def _entities() -> list[tuple[str, str]]:
    """What a record can be of: entities with a page."""
    return [(name, said(cls.__label__)) for name, cls in limits.governed().items() if base_of(cls)]


def _which(entity: str, text: str) -> tuple[type[Entity], int] | None:
    """The record that an address, or an entity and a number, names; None when it is neither."""
    ours = {name: cls for name, cls in limits.governed().items() if base_of(cls)}
    if address := ADDRESS.fullmatch(text):
        cls = next((cls for cls in ours.values() if base_of(cls) == address[1]), None)
        return (cls, int(address[2])) if cls is not None else None
    number = text.removeprefix("#")
    if entity in ours and number.isascii() and number.isdigit() and len(number) < 19:
        return ours[entity], min(int(number), LARGEST)
    return None


def _judge(screen: VerdictScreen, account: Any, cls: type[Entity], key: int) -> None:
    """Fill in the verdicts. Raises NotFound where the asker may not know whether there is such a record."""
    target = load(account.id)
    readable = current_session().scalars(select(cls).where(cls.id == key)).unique().one_or_none()
    if readable is not None:
        screen.what, screen.url = f"{said(cls.__label__)} {name_of(readable)}", f"{base_of(cls)}/{key}"
    else:
        screen.what = _("%(what)s（编号 %(n)s）", what=said(cls.__label__), n=key)
    verbs = [verb for verb in limits.verbs_of(cls) if verb not in NOT_ON_A_ROW]
    if target is None:
        screen.verdicts = [Verdict(matrix.verb_word(cls, verb), False, _("账号已停用")) for verb in verbs]
    elif readable is None and account.id == current_access().person.id:
        screen.verdicts = [_from_outside(target, cls, verb) for verb in verbs]
    else:
        row = readable if readable is not None else _answered_for(cls, key)
        shown = _visible(account.id)
        screen.verdicts = [one for verb in verbs for one in _verdicts(target, row, verb, shown)]


def _answered_for(cls: type[Entity], key: int) -> Any:
    """A record that the asker can't read but whose office is theirs to oversee; a sealed one only for auditors."""
    with unscoped("explain rights to who oversees the office", quiet=True) as session:
        row: Any = session.scalars(select(cls).where(cls.id == key)).unique().one_or_none()
        person = current_access().person
        sealed = row is not None and getattr(row, "sealed", False) and person.family != Family.AUDIT
        overseen = person.family in {Family.SYSTEM, Family.AUDIT} and getattr(row, "office_id", None) in _mine()
        if row is None or sealed or not overseen:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
        session.expunge(row)
        return row


def _from_outside(target: Access, cls: type[Entity], verb: Verb) -> Verdict:
    """One's own rights on what one can't see: the same words whether there is such a record or not."""
    gate = target.may(cls.policy_name(), verb)
    why = _("没有这条记录，或者它不及于您（机构、条线、状态或封存）") if gate else _("所任角色没有这项权限")
    return Verdict(matrix.verb_word(cls, verb), False, why)


def _verdicts(target: Access, row: Any, verb: Verb, shown: frozenset[int] | None) -> list[Verdict]:
    """What decides one verb; where steps of the workflow go by it, each step for itself."""
    cls = type(row)
    reason = explain(target, verb, row)
    why, decides = reason.text, (reason.posting_id, reason.source)
    held = next((one for one in target.postings if (one.id, one.source) == decides), None)
    if held is not None and not _seen(held, shown):
        why = said(ELSEWHERE)
    steps = [one for one in cls.__workflow__.transitions if one.verb == verb] if cls.__workflow__ else []
    if not steps:
        return [Verdict(matrix.verb_word(cls, verb), reason.allowed, why)]
    return [_step(target, row, step, Verdict("", reason.allowed, why)) for step in steps]


def _step(target: Access, row: Any, step: Transition, may: Verdict) -> Verdict:
    """A step that the grants allow can still be refused now: by the state, by who did the one before."""
    labels = [one.label for one in row.__workflow__.transitions]
    label = said(step.label)
    if labels.count(step.label) > 1:
        label = _("%(what)s（%(value)s）", what=label, value="、".join(said(state) for state in step.sources))
    if not may.allowed:
        return Verdict(label, False, may.why)
    with acting(target.person.id):
        mine = current_session().scalars(select(type(row)).where(type(row).id == row.id)).unique().one_or_none()
        against = reasons_against(mine, step) if mine is not None else []
    return Verdict(label, not against, " ".join(against) or may.why)

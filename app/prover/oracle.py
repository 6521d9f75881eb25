"""Who reaches what, said a second time: from the policy rows and plain facts, without the code under test.

Nothing of `app.core.access` is asked. What design.md says of coverage, parts, papers, seals and firms is written here
as plain Python over rows read past the program; the prover compares the running application with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import inspect

from app.core import clock
from app.core.entity import Entity, Scope
from app.core.types import Encrypted
from app.data.enums import NoticeState
from app.prover.facts import Fact, Facts

WRITES = ("create", "update", "delete", "import", "complete", "submit", "review", "return", "sign", "serve", "revoke",
          "void", "confirm", "end", "seal", "open", "transfer")  # fmt: skip
FIRM_DUTIES = ("主要负责人", "食品安全总监", "食品安全员")
UNDECIDED = {"草稿", "待审核"}  # what a delegate does not read yet
SIGNS: dict[str, Any] = {
    "Notice": {"read": [["subtree", [one.value for one in NoticeState if one.value not in UNDECIDED]]],
               "sign": [["subtree", ["待签发"]]]},
    "Delegation": {"read": [["own", None]]},
    **{name: {"read": [["subtree", None]]} for name in ("Enterprise", "Site", "Inspection", "Delivery", "Account")},
}  # fmt: skip


@dataclass(frozen=True)
class Post:
    """A posting in force."""

    office_id: int
    lines: int
    grants: dict[str, Any]
    hidden: dict[str, list[str]]
    name: str


@dataclass(frozen=True)
class Region:
    """Where one grant reads. `whose`: rows that are the person's in some way; lines and states: None is all."""

    whose: str
    offices: frozenset[int]
    lines: frozenset[str] | None
    states: frozenset[str] | None


@dataclass(frozen=True)
class Reach:
    """Firms, single sites, and the firms of those sites."""

    whole: frozenset[int]
    sites: frozenset[int]
    parents: frozenset[int]

    @classmethod
    def of(cls, held: list[Fact]) -> Reach:
        """What rows with a firm and, for one site only, a site reach."""
        return cls(frozenset(row["enterprise_id"] for row in held if row["site_id"] is None),
                   frozenset(row["site_id"] for row in held if row["site_id"] is not None),
                   frozenset(row["enterprise_id"] for row in held))  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One account and what it holds today."""

    account: Fact
    posts: tuple[Post, ...]
    firms: Reach
    duties: dict[str, Reach]  # by what the person is there
    along: Reach | None  # stores of the headquarters, canteens in the school: read, never written
    assigned: frozenset[tuple[str, int]]
    assigned_firms: Reach


class Oracle:
    """Answers for one moment of one database."""

    def __init__(self, facts: Facts, today: date) -> None:
        self.facts, self.today = facts, today
        self.people: dict[int, Person] = {}
        self.hidden: dict[tuple[int, type[Entity], str], bool] = {}

    def _table(self, name: str) -> dict[int, Fact]:
        return self.facts.rows[self.facts.named[name]]

    def person(self, account_id: int) -> Person:
        """What the account holds; remembered until `forget`."""
        if account_id not in self.people:
            self.people[account_id] = self._person(account_id)
        return self.people[account_id]

    def forget(self) -> None:
        """The facts about people have changed."""
        self.people.clear()
        self.hidden.clear()

    def _in_force(self, row: Fact) -> bool:
        in_dates = row["date_from"] <= self.today and (row["date_to"] is None or row["date_to"] >= self.today)
        return bool(in_dates and row.get("ended_at") is None)

    def _person(self, account_id: int) -> Person:
        account = self._table("Account")[account_id]
        mine = {row["id"] for row in self._table("Person").values() if row["account_id"] == account_id}
        held = [row for row in self._table("Appointment").values() if row["person_id"] in mine and self._in_force(row)]
        put = [row for row in self._table("Assignment").values() if row["account_id"] == account_id]
        put = [row for row in put if self._in_force(row)]
        return Person(
            account, tuple(self._posts(account)), Reach.of(held),
            {duty: Reach.of([row for row in held if row["role"] == duty]) for duty in FIRM_DUTIES}, self._along(held),
            frozenset((row["entity"], row["row_id"]) for row in put),
            Reach(frozenset(), frozenset(row["site_id"] for row in put if row["site_id"]),
                  frozenset(row["enterprise_id"] for row in put if row["enterprise_id"])),
        )  # fmt: skip

    def _posts(self, account: Fact) -> list[Post]:
        """Postings in force of the account's own family, and what it may sign by delegation while it has one."""
        roles = self._table("AccessRole")
        mine = [row for row in self._table("Posting").values() if row["account_id"] == account["id"]]
        held = [(row, roles[row["role_id"]]) for row in mine if self._in_force(row) and row["role_id"] in roles]
        found = [Post(row["office_id"], row["lines"], role["grants"], role["hidden"], role["name"])
                 for row, role in held if role["family"] == account["family"]]  # fmt: skip
        if found and account["family"] == "监管业务":
            found += [Post(row["office_id"], 0, SIGNS, {}, "受权签发") for row in self._table("Delegation").values()
                      if row["account_id"] == account["id"] and self._in_force(row)
                      and "责令改正通知书" in row["kinds"]]  # fmt: skip
        return found

    def _along(self, held: list[Fact]) -> Reach | None:
        """Stores that name a firm held as a whole as their headquarters, and sites that are in its premises."""
        whole = {row["enterprise_id"] for row in held if row["site_id"] is None}
        firms = self._table("Enterprise")
        codes = {firms[key]["code"] for key in whole if key in firms} - {None}
        along = [{"enterprise_id": key, "site_id": None} for key, one in firms.items() if one["head_code"] in codes]
        along += [{"enterprise_id": one["enterprise_id"], "site_id": key} for key, one in self._table("Site").items()
                  if one["host_code"] in codes]  # fmt: skip
        return Reach.of(along) if along else None

    def named(self, cls: type[Entity], row: Fact) -> set[int]:
        """Who is put to a row by being named on it: from another office, or while it is sealed."""
        team, accounts = cls.__team__, self._table("Account")
        if team is None or row[cls.state_column()] in team.ended:
            return set()
        members = {row[name] for name in team.columns if row[name] is not None}
        return members if _sealed(row) else {key for key in members if accounts[key]["office_id"] != row["office_id"]}

    # ---- rows -------------------------------------------------------------------------------------------------------

    def reads(self, who: int, cls: type[Entity], row: Fact) -> bool:
        """Whether the account may see the row at all."""
        return self.may(who, cls, row, "read")

    def writes(self, who: int, cls: type[Entity], row: Fact, *, states: bool = True) -> bool:
        """Whether there is anything the account may do to the row."""
        return any(self.may(who, cls, row, verb, states=states) for verb in WRITES)

    def by_itself(self, cls: type[Entity]) -> bool:
        """Whether no role may write such rows: they change as a part of other acts."""
        tables = [role["grants"].get(cls.policy_name(), {}) for role in self._table("AccessRole").values()]
        return not any(set(WRITES) & set(table) for table in tables)

    def may(self, who: int, cls: type[Entity], row: Fact, verb: str, *, states: bool = True) -> bool:
        """Whether the account may do the verb to the row; `states=False` leaves out where the row stands."""
        if cls.__part_of__:
            return self._part(who, cls, row, verb, states)
        if cls.__about__ is not None:
            return self._about(who, cls, row, verb)
        if cls.__scope__ is Scope.SYSTEM:
            return False
        if cls.__scope__ is Scope.OWN:
            return bool(row["account_id"] == who)
        if cls.__scope__ is Scope.REFERENCE and verb == "read":
            return True
        return self._granted(who, cls, row, verb, states) and self._unsealed(who, cls, row)

    def _part(self, who: int, cls: type[Entity], row: Fact, verb: str, states: bool) -> bool:
        """A part goes with its whole; making or taking it away is changing the whole."""
        relation = inspect(cls).relationships[cls.__part_of__]
        whole: type[Entity] = relation.mapper.class_
        key = row[str(next(iter(relation.local_columns)).key)]
        found = self.facts.rows[whole].get(key)
        verb = "update" if verb in {"create", "delete"} else verb
        return found is not None and self.may(who, whole, found, verb, states=states)

    def _about(self, who: int, cls: type[Entity], row: Fact, verb: str) -> bool:
        """A paper or a file is read with the record it is about, and written by nobody's grant."""
        assert cls.__about__ is not None
        entity, key = (row[name] for name in cls.__about__)
        other = self.facts.named.get(entity)
        if verb != "read" or other not in getattr(cls, "__subjects__", self.facts.subjects):
            return False
        assert other is not None
        found = self.facts.rows[other].get(key)
        return found is not None and self.reads(who, other, found)

    def _granted(self, who: int, cls: type[Entity], row: Fact, verb: str, states: bool) -> bool:
        person = self.person(who)
        for post in person.posts:
            for coverage, allowed in post.grants.get(cls.policy_name(), {}).get(verb, ()):
                if states and allowed is not None and row[cls.state_column()] not in allowed:
                    continue
                if self._covered(person, post, cls, row, coverage, verb):
                    return True
        if verb != "read":
            return False
        return bool(cls.__shared__ and row[cls.__shared__]) or self._through(who, cls, row)

    def _through(self, who: int, cls: type[Entity], row: Fact) -> bool:
        """A person is read through any appointment that one may read."""
        name = getattr(cls, "__read_via__", "")
        if not name:
            return False
        relation = inspect(cls).relationships[name]
        other, back = relation.mapper.class_, str(next(iter(relation.remote_side)).key)
        rows = self.facts.rows[other].values()
        return any(one[back] == row["id"] and self.reads(who, other, one) for one in rows)

    def _unsealed(self, who: int, cls: type[Entity], row: Fact) -> bool:
        if not _sealed(row):
            return True
        named = (cls.policy_name(), row["id"]) in self.person(who).assigned
        return named or row["approver_id"] == who

    def _covered(self, person: Person, post: Post, cls: type[Entity], row: Fact, coverage: str, verb: str) -> bool:
        if coverage == "all":
            return True
        if coverage == "own":
            return bool((row["id"] if cls.__name__ == "Account" else row["account_id"]) == person.account["id"])
        if coverage == "firm":
            if verb != "read":
                return _of_firms(cls, row, person.duties.get(post.name, person.firms), reading=False)
            return _of_firms(cls, row, person.firms) or _along(cls, row, person.along)
        if coverage == "assigned":
            named = (cls.policy_name(), row["id"]) in person.assigned
            parent = bool(getattr(cls, "__firm_key__", "")) and verb == "read"
            return named or (parent and _of_firms(cls, row, person.assigned_firms))
        office = self._table("Office")[post.office_id]
        top, lines = office, post.lines
        if coverage == "supervised":
            top = self._table("Office").get(office["parent_id"] or 0, office)
            lines = post.lines or office["lines"]
        return self._within(cls, row, top, verb) and self._in_line(cls, row, lines)

    def _within(self, cls: type[Entity], row: Fact, top: Fact, verb: str) -> bool:
        """Below that office: those who answer for the row and, to read it, those who made it."""
        names = ["id", "parent_id"] if cls.__name__ == "Office" else ["office_id"]
        if verb == "read" and "made_office_id" in row:
            names.append("made_office_id")
        offices = self._table("Office")
        if all(office["path"].startswith(top["path"]) for office in offices.values()):
            return True  # whoever stands above all of them also has what belongs to none
        paths = [offices[row[name]]["path"] for name in names if row.get(name) in offices]
        if verb == "read":
            paths += [offices[key]["path"] for key in self._lent_to(cls, row)]
        return any(path.startswith(top["path"]) for path in paths)

    def _lent_to(self, cls: type[Entity], row: Fact) -> set[int]:
        """Offices that answer for a site of this firm, or of the firm that the row is about as a whole."""
        of_firm = getattr(cls, "__firm_key__", "") == "enterprise"
        if not of_firm and not (cls.__with_firm__ and row.get("site_id") is None):
            return set()
        firm = row["id"] if of_firm else row.get("enterprise_id")
        lent = (one for cls in self.facts.classes if cls.__lends_firm__ for one in self.facts.rows[cls].values())
        return {one["office_id"] for one in lent if one["enterprise_id"] == firm}

    def _in_line(self, cls: type[Entity], row: Fact, lines: int) -> bool:
        """What has no line goes with the firm it is about."""
        if not lines or "lines" not in row or row["lines"] & lines:
            return True
        if row["lines"] or getattr(cls, "__read_via__", ""):
            return False
        if getattr(cls, "__firm_key__", "") or row.get("enterprise_id") is None:
            return True
        firm = next(one for one in self.facts.classes if getattr(one, "__firm_key__", "") == "enterprise")
        found = self.facts.rows[firm].get(row["enterprise_id"])
        return found is not None and bool(found["lines"] & lines)

    def asks(self, who: int, row: Fact) -> bool:
        """Whether the account is told who else reads the row: who administers, the bureau's people of its tree."""
        person, offices = self.person(who), self._table("Office")
        if person.account["family"] != "监管业务":
            return bool(person.account["family"] == "系统管理")
        mine = offices.get(row.get("office_id") or 0)
        tops = [offices[post.office_id] for post in person.posts]
        tops += [offices[one["parent_id"]] for one in tops if one["lines"] and one["parent_id"]]
        return mine is not None and any(mine["path"].startswith(one["path"]) for one in tops)

    # ---- columns ----------------------------------------------------------------------------------------------------
    def granted(self, who: int, entity: str, verb: str) -> bool:
        """Whether any posting gives the verb on the entity."""
        return any(verb in post.grants.get(entity, {}) for post in self.person(who).posts)

    def hides(self, who: int, cls: type[Entity], column: str) -> bool:
        """Whether some posting withholds the column, and no other shows it wherever that one reads."""
        if (key := (who, cls, column)) not in self.hidden:
            self.hidden[key] = self._hides(who, cls, column)
        return self.hidden[key]

    def _hides(self, who: int, cls: type[Entity], column: str) -> bool:
        entity, deciding = cls.policy_name(), _whole(cls).policy_name()
        posts = [post for post in self.person(who).posts if deciding in post.grants] or self.person(who).posts
        posts = [post for post in posts if "read" in post.grants.get(deciding, {})] or posts
        hiding = [post for post in posts if column in post.hidden.get(entity, ())]
        showing = [self._reads_where(post, deciding) for post in posts if post not in hiding]
        return any(
            not any(all(any(_lies_in(cell, other) for other in shown) for cell in cells) for shown in showing)
            for cells in (self._reads_where(post, deciding) for post in hiding)
        )

    def _reads_where(self, post: Post, entity: str) -> list[Region]:
        """Where a posting reads, spelled out: the offices, the lines, the states; or whose rows ("own", "firm", …)."""
        offices, found = self._table("Office"), []
        for coverage, states in post.grants.get(entity, {}).get("read", ()):
            top, lines = offices[post.office_id], post.lines
            if coverage == "supervised":
                top, lines = offices.get(top["parent_id"] or 0, top), lines or top["lines"]
            below = frozenset(key for key, one in offices.items() if one["path"].startswith(top["path"]))
            named = frozenset(str(bit) for bit in range(64) if lines >> bit & 1) if lines else None
            by_office = coverage in {"subtree", "supervised"}
            found.append(Region("" if by_office else coverage, below if by_office else frozenset(), named,
                                None if states is None else frozenset(states)))  # fmt: skip
        return found

    def plain(self, who: int, cls: type[Entity], row: Fact, column: str) -> bool:
        """Whether a value that others see in part is shown whole without asking: telephones, to whom covers the row."""
        target = inspect(cls).columns[column]
        tel = target.info.get("format") == "tel"
        if not isinstance(target.type, Encrypted) and not (getattr(cls, "__firm_key__", "") and tel):
            return True
        return tel and self._answers_for(self.person(who), cls, row)

    def _answers_for(self, person: Person, cls: type[Entity], row: Fact) -> bool:
        if person.account["family"] == "企业":  # a store or a canteen is only read along
            return person.along is None or _at_firms(cls, row, person.firms)
        offices = self._table("Office")
        for post in person.posts:
            reach = {coverage for coverage, _states in post.grants.get(cls.policy_name(), {}).get("read", ())}
            office, lines = offices[post.office_id], post.lines
            if "subtree" not in reach:
                if "supervised" not in reach:
                    continue
                lines = lines or office["lines"]
                office = offices.get(office["parent_id"] or 0, office)
            in_line = not lines or not row["lines"] or bool(row["lines"] & lines)
            if in_line and offices[row["office_id"]]["path"].startswith(office["path"]):
                return True
        return False


def _whole(cls: type[Entity]) -> type[Entity]:
    """In whose name grants are written: a part goes with its whole."""
    while cls.__part_of__:
        cls = inspect(cls).relationships[cls.__part_of__].mapper.class_
    return cls


def _lies_in(one: Region, other: Region) -> bool:
    """Whether every row of one is a row of the other, whatever rows there are."""
    inside = [other.states is None or (one.states is not None and one.states <= other.states)]
    if other.whose != "all":
        inside.append(one.whose == other.whose and one.offices <= other.offices)
    if not other.whose:
        inside.append(other.lines is None or (one.lines is not None and one.lines <= other.lines))
    return all(inside)


def _sealed(row: Fact) -> bool:
    until = row.get("sealed_until")
    return bool(row.get("sealed")) and (until is None or until > clock.now())


def _of_firms(cls: type[Entity], row: Fact, firms: Reach, *, reading: bool = True) -> bool:
    """About these firms. Who is put to a site reads that site's rows and the enterprise it belongs to."""
    kind = getattr(cls, "__firm_key__", "")
    if kind == "enterprise":
        return row["id"] in firms.whole or (reading and row["id"] in firms.parents)
    site = row["id"] if kind == "site" else row.get("site_id")
    if row.get("enterprise_id") in firms.whole or site in firms.sites:
        return True
    wide = reading and cls.__firm_wide__ and row.get("site_id") is None
    return wide and row.get("enterprise_id") in firms.parents


def _at_firms(cls: type[Entity], row: Fact, firms: Reach) -> bool:
    """About a firm where the person works, at whichever site."""
    kind = getattr(cls, "__firm_key__", "")
    firm = row["id"] if kind == "enterprise" else row["enterprise_id"]
    return firm in firms.whole | firms.parents or (row["id"] if kind == "site" else row["site_id"]) in firms.sites


def _along(cls: type[Entity], row: Fact, firms: Reach | None) -> bool:
    """Read beside one's own: whole stores, single canteens and whose they are; not what is of that firm as a whole."""
    return firms is not None and _of_firms(cls, row, firms, reading=not cls.__firm_wide__)

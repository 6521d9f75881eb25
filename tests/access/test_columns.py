"""A hidden column is nowhere: every column of every entity, hidden from a reader, looked for at every door.

The entities, their columns and their doors come from the registry and the running views; what is new is walked too.
Where a column takes text, a row of the reader's is marked in it, and the mark may come out of no door.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import String, Text, inspect, select

from app import data
from app.core import clock, saving
from app.core.access.context import acting
from app.core.access.fetch import fetch
from app.core.access.veil import made_of
from app.core.db import current_session, unscoped
from app.core.entity import Entity
from app.core.history_entry import CHAIN
from app.core.office import AccessRole, Leaving, Posting
from app.core.proposal import PostingProposal
from app.core.types import Encrypted
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.people import Occasion
from app.models.enterprise import Enterprise, Site
from app.models.precinct import Precinct
from app.models.self_assessment import EDITION, SelfAssessment
from app.services.care import assign, divide
from app.services.demo import CAST, fill_up
from app.services.handover import end_posting
from app.services.transfer import propose
from app.views import declared
from tests.support.counts import is_deep
from tests.support.house import A, B, House

NAMES = [view.__name__ for view in declared()[1]]
VERBS = (Verb.READ, Verb.UPDATE, Verb.CREATE, Verb.EXPORT, Verb.IMPORT)
Target = tuple[type[Entity], str, str]  # class, column, relationship of the part in the form of its whole
INNER = {"id", "public_id", "version", "made_at", "made_by_id"}


def view_of(house: House, name: str) -> Any:
    return next(one for one in house.app.extensions["shouze_shell"].views if type(one).__name__ == name)


def reader(house: House, view: Any) -> tuple[str, int] | None:
    """Who can do most with an entity and has a row of it, and the newest such row."""
    found: list[tuple[int, str, int]] = []
    for one in CAST:
        with house.acting(one.username) as access:
            if access.may(view.entity_name, Verb.READ):
                newest = select(view.model.id).order_by(view.model.id.desc()).limit(1)
                key = current_session().scalar(newest)
                if key is not None:
                    found.append((sum(access.may(view.entity_name, verb) for verb in VERBS), one.username, key))
    return max(found)[1:] if found else None


def columns_of(view: Any) -> Iterator[Target]:
    """(class, column, relation): those of the entity (relation ""), and those of the parts in its form."""
    for one in inspect(view.model).column_attrs:
        if one.key not in INNER:
            yield view.model, one.key, ""
    for part in view.form_parts:
        for rows in part.rows:
            model = inspect(view.model).relationships[rows.relation].mapper.class_
            for name in rows.columns:
                column = next(iter(inspect(model).relationships[name].local_columns)).key if (
                    name in inspect(model).relationships) else name  # fmt: skip
                yield model, column, rows.relation


def hide(house: House, username: str, cls: type[Entity], name: str) -> None:
    with house.system() as session, unit_of_work():
        held = select(Posting.role_id).where(Posting.account_id == house.accounts[username])
        for role in session.scalars(select(AccessRole).where(AccessRole.id.in_(held))):
            role.hidden = {cls.policy_name(): [name]}


def mark(house: House, username: str, key: int, target: Target, token: str) -> bool:
    """Put the token into the column of the row or of its first part, as a save would: what is derived follows."""
    cls, name, relation = target
    column = inspect(cls).columns[name]
    texts = isinstance(column.type, (String, Text, Encrypted)) and not column.info.get("choices")
    if not texts or column.foreign_keys or column.info.get("derived") or name == cls.state_column():
        return False
    if issubclass(cls, CHAIN):
        return False  # nobody writes history by hand, not even a test
    if (getattr(column.type, "length", None) or 99) < len(token):
        return False
    model: Any = cls if not relation else inspect(cls).relationships[cls.__part_of__].mapper.class_
    with house.app.app_context(), acting(house.accounts[username]), unscoped("test") as session, unit_of_work():
        whole = session.get_one(model, key)
        one = whole if not relation else next(iter(getattr(whole, relation)), None)
        if one is None:
            return False
        setattr(one, name, token)
        saving.checked(whole, saving.EVERYTHING)
        setattr(one, name, token)  # as it is, whatever a check made of it
        session.flush()
    return True


def doors(view: Any, key: int, public_id: str, token: str, name: str) -> list[str]:
    """Every address that shows rows of the entity or says what columns it has."""
    base, api, typed = view.route_base, f"/api/v1{view.route_base}", quote(token)
    pages = ["/", "/columns", "/filters", f"/{key}", f"/{key}/edit", f"/{key}/history", f"/{key}/delete", "/add",
             f"/lookup?q={typed}", f"/?q={typed}", f"/?order=-{name}", f"/?{name}={typed}", f"/?{name}_from=2020-01-01",
             f"/{key}/reveal/{name}"]  # fmt: skip
    flow = view.model.__workflow__
    steps = [f"/{key}/do/{step.name}" for step in (flow.transitions if flow else ())]
    live = [f"/{key}/preview.pdf"] if hasattr(view, "preview") else []
    return [*(f"{base}{one}" for one in (*pages, *steps, *live)), f"{api}/", f"{api}/{public_id}",
            f"{api}/?order={name}", f"{api}/?q={typed}", f"/search?q={typed}"]  # fmt: skip


def told(client: FlaskClient, url: str) -> str:
    """What an answer says, without what was asked."""
    answer = client.post(url) if "/reveal/" in url else client.get(url)
    assert answer.status_code < 500, url
    return plain(answer.get_data())


def plain(content: bytes) -> str:
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    text = content.decode(errors="ignore")
    return json.dumps(json.loads(text), ensure_ascii=False) if text[:1] in "{[" and text.strip() else text


def proposed(house: House) -> None:
    """One proposal that waits."""
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "auditor")).one()
        session.add(PostingProposal(
            account_id=house.accounts["audit"], office_id=house.offices[A], role_id=role.id, title="审计员",
            date_from=clock.today(), grounds="试", proposer_id=house.accounts["admin"],
            expires_on=clock.today() + timedelta(7),
        ))  # fmt: skip


def handed_over(house: House) -> None:
    """What an inspector left, with the chief."""
    with house.acting("admin"):
        mine = select(Posting.id).where(Posting.account_id == house.accounts["yuan-a"])
        end_posting(current_session().scalars(mine).one(), Leaving.REVOKED, "试")


def cared_for(house: House) -> None:
    """A 片区, and a caretaker of a site in it."""
    site = house.site_of(A)
    with house.acting("suo-a"), unit_of_work():
        precinct = saving.save(Precinct(name="孟和街", note="东边"), Verb.CREATE).id
        assign(site, clock.today(), house.accounts["yuan-a"])
    with house.acting("suo-a"), unit_of_work():
        divide(fetch(Site, site, Verb.UPDATE), precinct)


def offered(house: House) -> None:
    """A site that is offered to the other station."""
    with house.acting("suo-a"):
        propose(house.site_of(A), house.offices[B], clock.today(), reason="辖区调整")


def assessed(house: House) -> None:
    """What a firm said of itself, returned by its station."""
    with house.acting("firm-a"):
        firm = current_session().scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        row = SelfAssessment(enterprise=firm, occasion=Occasion.YEARLY, year=clock.today().year)
        row.answers = {one.code: {"choice": "不适用", "reason": "试"} for one in data.self_points(EDITION)}
        key = saving.save(row, Verb.CREATE).id
        run(row, "submit")
    with house.acting("suo-a"):
        run(fetch(SelfAssessment, key), "return", reason="试")


def filled_up(house: House) -> None:
    """A census, a comparison, old cases."""
    with house.app.app_context():
        fill_up(house.accounts, {})


MADE = {"PostingProposalView": proposed, "HandoverView": handed_over, "CaretakerView": cared_for,
        "PrecinctView": cared_for, "SiteTransferView": offered, "SelfAssessmentView": assessed} | dict.fromkeys(
            ("PriorCaseView", "CensusRoundView", "CensusReturnView", "CensusLineView", "ReconciliationView",
             "ReconciliationLineView"), filled_up)  # fmt: skip


def row_to_read(house: House, view: Any) -> tuple[str, int] | None:
    """Somebody who reads a row of the view's entity, made where the bureau has none; None for those without rows."""
    name = type(view).__name__
    if name in MADE:
        MADE[name](house)
    found = reader(house, view)
    assert found is not None or name in WITHOUT_ROWS, "an entity of which the test's bureau has no row"
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_hidden_column_is_behind_no_door(small: House, name: str) -> None:
    view = view_of(small, name)
    found = row_to_read(small, view)
    if found is None:
        return
    username, key = found
    leaks: list[str] = []
    for number, target in enumerate(sample(list(columns_of(view)))):
        token = f"印隐{number:03}Q记"
        hide(small, username, target[0], target[1])
        marked = mark(small, username, key, target, token)
        leaks += walk(small, username, view, key, target, token if marked else "")
    assert not leaks, "\n".join(leaks)


def sample(columns: list[Target]) -> list[Target]:
    """All of them with SHOUZE_TEST_DEEP=1; else every fourth, from a place that moves on with the day."""
    start = clock.today().toordinal() % 4
    return columns if is_deep() else columns[start::4]


WITHOUT_ROWS = {"DelegationView"}


def walk(house: House, username: str, view: Any, key: int, target: Target, token: str) -> Iterator[str]:
    """The leaks of one column."""
    cls, name, relation = target
    client = house.client(username)
    with house.system() as session:
        public_id = session.get_one(view.model, key).public_id
    names = names_of(cls, name)
    for url in doors(view, key, public_id, token or "没有", name):
        text = told(client, url)
        if token and quote(token) not in url and token in text:
            yield f"{cls.__name__}.{name}: {url} says it"
        if token and "q=" in url and _found(text, view, key, public_id):
            yield f"{cls.__name__}.{name}: {url} finds it"
        inputs = [f'name="{one}{end}"' for one in names for end in ("", "_from", "_to")]
        inputs = [f'name="{relation}-0-{one}"' for one in names] if relation else inputs
        own = name == "name" and ("q=" in url or "?name" in url)  # the box for keeping a filter is called so too
        if any(one in text for one in inputs) and not (own or url.endswith("/filters") or "/do/" in url):
            yield f"{cls.__name__}.{name}: {url} has its input"
        links = text.replace(f"?order=-{name}", "")
        orders = [f"{lead}order={sign}{one}{end}" for lead in ("?", "&", "&amp;") for one in names
                  for sign in ("", "-") for end in ("&", '"')]  # fmt: skip
        if not relation and any(one in links for one in orders):
            yield f"{cls.__name__}.{name}: {url} offers its order"
    yield from walk_files(client, view, target, token)
    yield from walk_api(client, view, key, public_id, target, token)


def _found(text: str, view: Any, key: int, public_id: str) -> bool:
    return any(one in text for one in (f'{view.route_base}/{key}"', f'"id": {key},', public_id))


def names_of(cls: type[Entity], name: str) -> list[str]:
    """What a column is called in forms and lists: itself, and the relationship whose key it is."""
    ends = [one.key for one in inspect(cls).relationships if name in {c.key for c in one.local_columns}
            and one.direction.name == "MANYTOONE"]  # fmt: skip
    return [name, *ends]


def walk_files(client: FlaskClient, view: Any, target: Target, token: str) -> Iterator[str]:
    """Exports and the template of the import."""
    cls, name, relation = target
    label = str(inspect(cls).columns[name].info.get("label", ""))
    for form in ("csv", "xlsx"):
        answer = client.post(f"{view.route_base}/export", data={"format": form}, buffered=True)
        if answer.status_code != 200:
            continue
        if token and token in plain(answer.get_data()):
            yield f"{cls.__name__}.{name}: the {form} says it"
        if form == "xlsx" and not relation and label in headings(answer.get_data()) - others(view, name):
            yield f"{cls.__name__}.{name}: the {form} has its heading"
    answer = client.get(f"{view.route_base}/import/template.xlsx", buffered=True)
    if answer.status_code == 200 and not relation and label in headings(answer.get_data()) - others(view, name):
        yield f"{cls.__name__}.{name}: the template asks for it"


def headings(content: bytes) -> set[str]:
    sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    return {str(cell.value).rstrip("*") for row in sheet.iter_rows(max_row=4) for cell in row if cell.value}


def others(view: Any, name: str) -> set[str]:
    """Labels that another column of the entity has as well."""
    columns = inspect(view.model).columns
    titles = {str(view.model.__label__), str(view.title)}  # what the sheet itself is called
    return titles | {str(one.info.get("label")) for key, one in columns.items() if key != name}


def walk_api(client: FlaskClient, view: Any, key: int, public_id: str, target: Target, token: str) -> Iterator[str]:
    """Keys, schemas, orders, filters and searches of the API."""
    cls, name, relation = target
    base, names = f"/api/v1{view.route_base}", names_of(cls, name)
    one = client.get(f"{base}/{public_id}").get_json()
    rows = one.get(relation, []) if relation else [one]
    if any(set(names) & set(row) for row in rows):
        yield f"{cls.__name__}.{name}: the API shows it"
    for side in ("", "Input"):
        schema = client.get("/api/v1/openapi.json").get_json()["components"]["schemas"].get(f"{view.entity_name}{side}")
        inner = (schema or {}).get("properties", {})
        inner = inner.get(relation, {}).get("items", {}).get("properties", {}) if relation else inner
        if set(names) & set(inner):
            yield f"{cls.__name__}.{name}: OpenAPI {side} tells of it"
    if relation:
        return
    asked = client.get("/api/v1/openapi.json").get_json()["paths"].get(f"{base}/", {}).get("get", {})
    listed = {word for one in asked.get("parameters", []) for word in (one["name"], *one["schema"].get("enum", []))}
    if listed & {f"{sign}{one}{end}" for one in names for sign in ("", "-") for end in ("", "_from", "_to")}:
        yield f"{cls.__name__}.{name}: OpenAPI offers to filter or sort by it"
    for question in ("order={}", "order=-{}", f"{{}}={quote(token or 'x')}", "{}_from=2026-01-01",
                     "{}_to=2000-01-01", "{}=1"):  # fmt: skip
        if asked_of(client, base, question, name) != asked_of(client, base, question, "no_such_column"):
            yield f"{cls.__name__}.{name}: {question.format(name)} makes a difference"
    if token and public_id in ids(client, f"{base}/?q={quote(token)}"):
        yield f"{cls.__name__}.{name}: searching finds it"
    changed = client.patch(f"{base}/{public_id}", json={"version": one["version"], names[-1]: "x"})
    if changed.status_code < 400 or (token and token in plain(changed.get_data())):
        yield f"{cls.__name__}.{name}: the API takes it"


def asked_of(client: FlaskClient, base: str, question: str, name: str) -> tuple[int, dict[str, str], list[str]]:
    """How a list answers that is asked by a column: what is wrong with which argument, the column's name left out."""
    answer = client.get(f"{base}/?size=100&{question.format(name)}")
    told = answer.get_json()
    wrong = {one.replace(name, "{}", 1): why for one, why in told.get("fields", {}).items()}
    return answer.status_code, wrong, [one["id"] for one in told.get("items", [])]


def ids(client: FlaskClient, url: str) -> list[str]:
    return [one["id"] for one in client.get(url).get_json().get("items", [])]


def test_computed_values_say_what_they_are_made_of() -> None:
    """The walk hides each column; this is the list it must find, so that it is not empty."""
    from app.models.check import DailyCheck
    from app.models.licence import Closure, Licence

    found = {(cls.__name__, name): set(made_of(cls, name)) for cls, name in (
        (Licence, "expiry"), (Closure, "declared"), (DailyCheck, "summary"))}  # fmt: skip
    assert found == {("Licence", "expiry"): {"state", "valid_to"}, ("Closure", "declared"): {"made_at", "date_from"},
                     ("DailyCheck", "summary"): {"results"}}  # fmt: skip

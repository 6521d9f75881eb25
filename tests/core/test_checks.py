"""A policy table or a declaration that contradicts itself refuses to start, and says where."""

from __future__ import annotations

import cProfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.config import Settings
from app.core.access.checks import policy_problems
from app.core.access.policy import Coverage, Grant, grants
from app.core.errors import ConfigurationError
from app.core.fab.contradictions import require_consistent
from app.core.fab.forming import Part, RowsOf
from app.core.fab.showing import Children
from app.core.verbs import Verb
from app.core.workflow import Workflow
from app.models.inspection import Inspection
from app.models.rectification import Notice
from app.models.roles import ROLES
from app.views import enterprise, inspection, office, rectification
from tests.support.house import House

R, SUBTREE = (Verb.READ,), Coverage.SUBTREE


def built_in() -> dict[str, Any]:
    return {role.code: role.table() for role in ROLES}


def told(**roles: dict[str, Any]) -> str:
    return "\n".join(policy_problems(built_in() | roles))


def test_what_is_built_in_does_not_contradict_itself_and_is_checked_in_a_blink(small: House) -> None:
    views = small.app.extensions["shouze_shell"].views
    assert len(views) >= 15
    require_consistent(views, built_in())
    # Counted, not timed: about 130 calls for each grant of a role, however many roles and entities there are.
    cells = sum(len(cells) for table in built_in().values() for verbs in table.values() for cells in verbs.values())
    with cProfile.Profile() as profile:
        require_consistent(views, built_in())
    calls = sum(entry.callcount for entry in profile.getstats())
    assert 0 < calls < 300 * cells


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (grants([Grant("Enterprize", R, SUBTREE)]), "role x: unknown entity Enterprize"),
        ({"Enterprise": {"read": [["subtree", None]], "fly": [["subtree", None]]}}, "'fly' is not a valid Verb"),
        ({"Enterprise": {"read": [["everywhere", None]]}}, "'everywhere' is not a valid Coverage"),
        (grants([Grant("Notice", R, SUBTREE, ("已飞走",))]), "Notice.read: unknown state 已飞走"),
        (grants([Grant("Account", R, SUBTREE, ("外星人",))]), "Account.read: unknown state 外星人"),
        (grants([Grant("Area", R, Coverage.ALL, ("正常",))]), "Area.read: unknown state 正常"),
        (grants([Grant("Inspection", R, SUBTREE, ("待确认",))]), "Inspection.read: unknown state 待确认"),
        (grants([Grant("Notice", (Verb.UPDATE,), SUBTREE)]), "Notice: verbs without read"),
        ({"Notice": {"read": [["subtree", []]]}}, "an empty list of states"),
    ],
)
def test_a_role_that_grants_what_is_not_there(small: House, table: dict[str, Any], words: str) -> None:
    assert words in told(x=table)
    with pytest.raises(ConfigurationError, match="contradictory"):
        require_consistent([], built_in() | {"x": table})


def changed(flow: Workflow | None, step: str, **changes: Any) -> Workflow:
    assert flow is not None
    return replace(flow, transitions=tuple(replace(t, **changes) if t.name == step else t for t in flow.transitions))


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("submit", {"sources": ("没有的状态",)}, "Notice: unknown state 没有的状态"),
        ("submit", {"to": "没有的状态"}, "Notice: unknown state 没有的状态"),
        ("submit", {"verb": Verb.REVEAL}, "Notice: step submit: no role is granted reveal"),
        ("serve", {"sources": ("草稿",)}, "Notice: step serve: serve is granted in none of the states it leaves"),
        ("submit", {"name": "sign"}, "Notice: two steps called sign"),
    ],
)
def test_a_step_that_nobody_can_take(
    small: House, monkeypatch: pytest.MonkeyPatch, name: str, changes: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(Notice, "__workflow__", changed(Notice.__workflow__, name, **changes))
    assert words in told()


def test_a_workflow_that_begins_or_is_coloured_where_it_never_is(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Notice.__workflow__ is not None
    monkeypatch.setattr(Notice, "__workflow__", replace(Notice.__workflow__, initial="从前", tones={"彩色": "info"}))
    assert "Notice: unknown state 从前" in told() and "Notice: unknown state 彩色" in told()


def test_a_verb_taken_from_every_role_is_missed(small: House) -> None:
    roles = built_in()
    for table in roles.values():
        table.get(Inspection.__name__, {}).pop("complete", None)
    assert "Inspection: step complete: no role is granted complete" in policy_problems(roles)


@pytest.mark.parametrize(
    ("view", "name", "value", "words"),
    [
        (enterprise.EnterpriseView, "form_parts", [Part("x", ["name", "office_id"])], "office_id: set by the system"),
        (enterprise.EnterpriseView, "form_parts", [Part("x", ["search_text"])], "search_text: set by the system"),
        (enterprise.EnterpriseView, "form_parts", [Part("x", ["id_card"])], "form column id_card: no such column"),
        (enterprise.EnterpriseView, "form_parts", [Part("x", ["sites"])], "form column sites: no such column"),
        (inspection.InspectionView, "form_parts", [Part("x", [], [RowsOf("problems", ["fact"])])], "no such rows"),
        (inspection.InspectionView, "form_parts", [Part("x", [], [RowsOf("site", ["name"])])], "no such rows"),
        (inspection.InspectionView, "form_parts", [Part("x", [], [RowsOf("findings", ["position"])])], "position: set"),
        (enterprise.EnterpriseView, "children", [Children("shops", ["name"])], "children shops: no such relationship"),
        (enterprise.SiteView, "route_base", "/enterprises", "route base /enterprises: 2 views"),
        (enterprise.SiteView, "route_base", "/场所", "is no plain path"),
        (office.AreaView, "datamodel", rectification.DelegationView.datamodel, "entity Delegation: 2 views"),
        (rectification.NoticeView, "asks", {"fly": (rectification.ServeForm, [])}, "asks for fly, which is no step"),
        (rectification.NoticeView, "asks", {"serve": (rectification.ServeForm, ["x"])}, "step serve asks for x"),
    ],
)
def test_an_application_with_a_contradictory_screen_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: Any, name: str, value: Any, words: str
) -> None:
    original = view._init_forms

    def forgiving(self: Any) -> None:
        """Where the form itself can't be made, the check must still be what refuses."""
        try:
            original(self)
        except KeyError:
            self.edit_form = self.add_form = None

    monkeypatch.setattr("app.core.fab.view.require_sound", lambda _view: None)  # test_declarations is about that one
    monkeypatch.setattr(view, name, value)
    monkeypatch.setattr(view, "_init_forms", forgiving)
    with pytest.raises(ConfigurationError) as refused:
        create_app(Settings(data_dir=tmp_path, database_url="", testing=True))
    assert words in str(refused.value)

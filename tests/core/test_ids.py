"""An id is never given a second time: whoever gets it would get the dead row's history and assignments with it."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, select, text

from app.core.db import current_session
from app.core.deleting import erase
from app.core.entity import registry
from app.core.saving import save
from app.core.verbs import Verb
from app.models.check import RiskList
from app.models.enterprise import Site
from tests.support.house import House


def recipe(house: House, username: str, title: str) -> int:
    """A firm's own risk list, a draft."""
    with house.acting(username):
        site = current_session().scalars(select(Site)).first()
        return save(RiskList(title=title, line="餐饮服务", site=site, compiler=title[:1]), Verb.CREATE).id


def test_the_next_firms_list_does_not_inherit_a_deleted_ones_history(house: House) -> None:
    gone = recipe(house, "firm-a", "甲店绝密配方清单")
    with house.acting("firm-a"):
        erase(RiskList, gone)
    fresh = recipe(house, "firm-b", "乙店清单")
    assert fresh > gone
    page = house.client("firm-b").get(f"/risk-lists/{fresh}").get_data(as_text=True)
    assert "甲店绝密配方清单" not in page
    assert "删除" not in page.split('id="history"')[-1]


def test_every_table_of_ours_is_numbered_for_good(small: House) -> None:
    with small.system() as session:
        told = {
            name: sql for name, sql in session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        }
    for cls in registry().values():
        if "id" in inspect(cls).columns and cls.__table__.name in told:
            assert "AUTOINCREMENT" in told[cls.__table__.name], (
                f"{cls.__name__}: its migration lacks sqlite_autoincrement"
            )


@pytest.mark.parametrize("entity", sorted(registry()))
def test_a_new_table_is_declared_so(entity: str) -> None:
    assert registry()[entity].__table__.dialect_options["sqlite"]["autoincrement"] is True

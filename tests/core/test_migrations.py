"""Migrations go up and down on both databases with data in them; model and migration never drift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select

from app import create_app
from app.config import Settings
from app.core.db import db, metadata, unscoped
from app.models.enterprise import Enterprise
from app.services.demo import make_demo
from app.services.sync import sync
from tests.support.postgres import fresh_database


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database without any table."""
    url = ""
    if request.param == "postgres":
        server = str(request.getfixturevalue("postgres"))
        url = fresh_database(server).replace("postgresql://", "postgresql+psycopg://")
    app = create_app(Settings(data_dir=tmp_path, database_url=url, testing=True))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def tables(app: Flask) -> set[str]:
    with app.app_context():
        db.session.remove()
        return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_up_with_data_down_to_nothing_and_up_again(bare: Flask) -> None:
    with bare.app_context():
        upgrade()
        with unscoped("test"):
            sync()
        make_demo(firms=5, days=2, seed=3)
        db.session.remove()
        db.engine.dispose()
    assert tables(bare) == set(metadata.tables)
    with bare.app_context():
        downgrade(revision="base")
        db.engine.dispose()
    assert tables(bare) == set()
    with bare.app_context():
        upgrade()
        db.engine.dispose()
        with unscoped("test") as session:
            assert session.scalars(select(Enterprise)).all() == []
    assert {name for name in tables(bare) if name.startswith("ab_")}, "FAB's own tables are migrated too"


def test_each_step_goes_down_and_up_with_data(bare: Flask) -> None:
    with bare.app_context():
        steps = list(ScriptDirectory(bare.extensions["migrate"].directory).walk_revisions())
        upgrade()
        with unscoped("test"):
            sync()
        make_demo(firms=3, days=1, seed=3)
        db.session.remove()
        db.engine.dispose()
        for step in steps[:-1]:
            downgrade(revision=str(step.down_revision))
        upgrade()
        db.engine.dispose()
    assert tables(bare) == set(metadata.tables)


def test_model_and_migration_do_not_drift(bare: Flask) -> None:
    with bare.app_context():
        upgrade()
        with db.engine.connect() as connection:
            options = {"compare_type": True, "compare_server_default": True}
            found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        db.engine.dispose()
    assert found == []


def test_a_second_upgrade_changes_nothing(bare: Flask) -> None:
    with bare.app_context():
        upgrade()
        upgrade()
        with unscoped("test"):
            first, second = sync(), sync()
        db.engine.dispose()
    assert all(first.values())
    assert not any(second.values())

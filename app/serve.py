"""The production server: web workers and the job worker, forked from one built application, under one parent."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from app.config import Settings
from app.core import search_index, worker
from app.core.db import db
from app.core.errors import ConfigurationError
from app.core.fab.shell import the_shell
from app.core.pdf.engine import check
from app.core.setting import installation_flag
from app.models import setting

PR_SET_PDEATHSIG = 1
GRACE = 15  # seconds for a child to end before it is killed


class Web(BaseApplication):
    """gunicorn inside this process, serving the application that is already built."""

    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self.app, self.options = app, options
        super().__init__()

    def load_config(self) -> None:
        """Our options only; no configuration file, no environment."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application."""
        return self.app


def run_server(app: Flask, host: str, port: int, *, demo: bool) -> None:
    """Serve until a signal; when one of the two processes ends, so does the other. Raises ConfigurationError."""
    check()
    settings = _addressed(app, host, port)
    marked = installation_flag(setting.DEMO) == "1"
    if demo != marked:
        raise ConfigurationError("this database is marked as demo" if marked else "this database is not a demo one")
    prepare()
    db.session.remove()
    db.engine.dispose()  # connections must not be shared across the forks
    settle()
    children = [_fork(lambda: _web(app, settings, host, port)), _fork(lambda: worker.serve(app, settings))]
    _forward(children)
    if not marked and not os.environ.get("SHOUZE_BASE_URL"):
        click.echo(
            f"papers will name {settings.base_url} for verification; set SHOUZE_BASE_URL to the bureau's address"
        )
    click.echo(f"守责 http://{host}:{port}/login/{'   演示' if marked else ''}")
    pid, status = os.wait()
    children.remove(pid)
    _end(children)
    raise SystemExit(os.waitstatus_to_exitcode(status) or 1)


def _addressed(app: Flask, host: str, port: int) -> Settings:
    """The settings, with the address that is served where nobody said another: papers carry it in their code."""
    settings: Settings = app.extensions["shouze_settings"]
    if os.environ.get("SHOUZE_BASE_URL"):
        return settings
    settings = replace(settings, base_url=f"http://{host}:{port}")
    app.extensions["shouze_settings"] = settings
    trusted = app.config["TRUSTED_HOSTS"] or []
    app.config["TRUSTED_HOSTS"] = [*trusted, host]
    return settings


def prepare() -> None:
    """What the shell shows on every page, read once, and the search index whole; needs the schema: not in building."""
    shell = the_shell()
    shell.demo = installation_flag(setting.DEMO) == "1"
    shell.bureau = installation_flag(setting.BUREAU)
    for name, rows in search_index.mend_all().items():
        click.echo(f"search index: {name} made anew, {rows} rows")


def settle() -> None:
    """What stands now stands until the end: the collector walks through it no more (a third of a long export), and
    the forks go on sharing its memory."""
    gc.collect()
    gc.freeze()


def _web(app: Flask, settings: Settings, host: str, port: int) -> None:
    worker.install(app, settings)
    options = {
        "bind": f"{host}:{port}",
        "workers": settings.workers,
        "worker_class": "gthread",
        "threads": settings.threads,
        "timeout": 60,
        "graceful_timeout": 10,
        "control_socket_disable": True,
    }
    Web(app, options).run()


def _fork(run: Callable[[], None]) -> int:
    """A child that runs `run` and then ends, whatever happens in it."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _end_with(parent)
        run()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os._exit(code)


def _end_with(parent: int) -> None:
    """Let the kernel end this process when its parent is killed: nobody would be left to end it. Linux only."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)  # killed before the kernel was told


def _forward(children: list[int]) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        _end(children)
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _end(children: list[int]) -> None:
    """Ask each to end; kill what is still there after the grace time."""

    def kill(_number: int, _frame: FrameType | None) -> None:
        for pid in children:
            _kill(pid, signal.SIGKILL)

    for pid in children:
        _kill(pid, signal.SIGTERM)
    signal.signal(signal.SIGALRM, kill)
    signal.alarm(GRACE)
    for pid in children:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            continue
    signal.alarm(0)


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return

"""The production server: gunicorn and the worker under one parent that ends both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import FrameType
from typing import Any

import click
from flask import current_app

from app.config import Settings
from app.core.db import unscoped
from app.core.errors import ConfigurationError
from app.core.pdf.engine import check
from app.core.setting import installation_flag
from app.models.setting import DEMO


def run_server(host: str, port: int, *, demo: bool) -> None:
    """Serve until a signal; when one of the two processes ends, the other is ended too. Raises ConfigurationError."""
    check()
    settings: Settings = current_app.extensions["shouze_settings"]
    marked = _is_demo()
    if demo != marked:
        raise ConfigurationError("this database is marked as demo" if marked else "this database is not a demo one")
    environment = {**os.environ, "SHOUZE_DATA_DIR": str(settings.data_dir), "PYTHONUNBUFFERED": "1"}
    web = [sys.executable, "-m", "gunicorn", "app.wsgi:app", "--bind", f"{host}:{port}",
           "--workers", str(settings.workers), "--threads", str(settings.threads), "--worker-class", "gthread",
           "--timeout", "60", "--graceful-timeout", "10", "--access-logfile", "/dev/null",
           "--no-control-socket"]  # fmt: skip
    commands = (web, [sys.executable, "-m", "app", "worker"])
    processes = [subprocess.Popen(command, env=environment) for command in commands]
    _forward(processes)
    click.echo(f"守责 http://{host}:{port}/login/{'   演示' if marked else ''}", err=False)
    code = _wait_any(processes)
    _end(processes)
    raise SystemExit(code)


def _is_demo() -> bool:
    with unscoped("is this a demo database", quiet=True):
        return installation_flag(DEMO) == "1"


def _forward(processes: list[subprocess.Popen[bytes]]) -> None:
    def end(_number: int, _frame: FrameType | None) -> Any:
        _end(processes)
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _wait_any(processes: list[subprocess.Popen[bytes]]) -> int:
    """The exit code of whichever ends first."""
    pid, status = os.wait()
    for process in processes:
        if process.pid == pid:
            process.returncode = os.waitstatus_to_exitcode(status)
    return os.waitstatus_to_exitcode(status) or 1


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()

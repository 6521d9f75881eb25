"""What gunicorn loads in each worker: the application, with the bell that wakes the job worker, and the demo mark."""

from __future__ import annotations

from flask import Flask

from app import create_app
from app.core import worker
from app.core.fab.shell import the_shell
from app.core.setting import installation_flag
from app.models import setting


def make() -> Flask:
    """The application as a server runs it."""
    made = create_app()
    with made.app_context():
        shell = the_shell()
        shell.demo = installation_flag(setting.DEMO) == "1"
        shell.bureau = installation_flag(setting.BUREAU)
        worker.install(made, made.extensions["shouze_settings"])
    return made


app = make()

"""Each contestant's start, in a process that has imported nothing of it yet."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import timed


class Start:
    """Base: `load` imports, `begin` makes the application; the folder holds a finished database."""

    def __init__(self, folder: str, views: int) -> None:
        self.folder, self.views = folder, views

    def start(self) -> dict[str, Any]:
        """Times of the imports and of the making, statements of both."""
        heard: list[str] = []
        imports, making = timed(self.load), timed(lambda: self.begin(heard))
        return {"imports": imports, "making": making, "statements": len(heard), "sql": heard[:5]}

    def load(self) -> None:
        """Import the program."""
        raise NotImplementedError

    def begin(self, heard: list[str]) -> None:
        """Make the application, noting the statements."""
        raise NotImplementedError


class Ours(Start):
    """Ours."""

    def load(self) -> None:
        """Import the program."""
        from app import services, views
        from tests.bench import ours

        services.load()
        assert views.declared(), ours

    def begin(self, heard: list[str]) -> None:
        """Make the application."""
        from tests.bench import measure, ours

        with measure.counted() as mine:
            ours.application(self.folder, self.views)
        heard += mine


class Fab(Start):
    """Stock FAB."""

    def load(self) -> None:
        """Import the program."""
        from tests.bench import peer_fab

        assert peer_fab.COLUMNS

    def begin(self, heard: list[str]) -> None:
        """Make the application."""
        from tests.bench import measure, peer_fab

        with measure.counted() as mine:
            peer_fab.application(self.folder, self.views)
        heard += mine


class FlaskAdmin(Start):
    """Flask-Admin."""

    def load(self) -> None:
        """Import the program."""
        from tests.bench import peer_flask_admin

        assert peer_flask_admin.COLUMNS

    def begin(self, heard: list[str]) -> None:
        """Make the application."""
        from tests.bench import measure, peer_flask_admin

        with measure.counted() as mine:
            peer_flask_admin.application(self.folder, self.views)
        heard += mine


class Django(Start):
    """Django: set up, admin and URLs loaded."""

    def load(self) -> None:
        """Import what a project's settings do not name yet."""
        import django.core.wsgi
        import django.test

        assert django.VERSION

    def begin(self, heard: list[str]) -> None:
        """Make the application."""
        from tests.bench import peer_django

        peer_django.configure(self.folder, self.views)
        from django.core.wsgi import get_wsgi_application
        from django.db import connection
        from django.urls import get_resolver

        connection.force_debug_cursor = True
        get_wsgi_application()
        assert get_resolver().url_patterns
        heard += [one["sql"] for one in connection.queries]

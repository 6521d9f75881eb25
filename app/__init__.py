"""守责: food-safety responsibility of firms, kept by a county market-supervision bureau.

Importing the package costs nothing: render workers import `app.core.pdf` without the web stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application; settings default to the environment (`app.config`)."""
    from app.factory import build

    return build(settings)


def __getattr__(name: str) -> Any:
    """`app:app`, for servers that want a name instead of a factory."""
    if name == "app":
        return create_app()
    raise AttributeError(name)

"""What can go wrong, in words for the person who did it. Screens and the API turn each into its status."""

from __future__ import annotations

from typing import Any


class ShouzeError(Exception):
    """Base of all; `message` is shown to the user."""

    status = 400

    def __init__(self, message: Any = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return str(self.message)


class NotFound(ShouzeError):
    """The row does not exist, or not for this person: never tell which."""

    status = 404


class Forbidden(ShouzeError):
    """A reader who may not do this."""

    status = 403


class Invalid(ShouzeError):
    """Input refused; `fields` maps field name to its message."""

    status = 422

    def __init__(self, message: Any = "", fields: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class Conflict(ShouzeError):
    """Someone else wrote the row first, or its state no longer allows the act."""

    status = 409


class Outdated(Conflict):
    """Someone else wrote the row after it was opened."""


class Taken(Conflict):
    """The step has been taken already, by somebody else or by the person's own first click: no right is missing."""


class AccessRefused(ShouzeError):
    """The session met a statement or a write that the access rules do not cover. Fails closed."""

    status = 403


class NoContext(AccessRefused):
    """No person in context and no `unscoped(reason)`."""


class WriteOutsideUnit(RuntimeError):
    """A flush with changes outside `unit_of_work`: a programming error."""


class ConfigurationError(RuntimeError):
    """The program refuses to start; the message says what mends it."""

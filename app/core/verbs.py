"""The one enum of what can be done to a row."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """Generic acts, then one a workflow transition."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    EXPORT = "export"
    IMPORT = "import"
    PRINT = "print"
    ACTIVATE = "activate"  # open the account of a firm's person, print the card that begins it
    REVEAL = "reveal"  # see a masked column in full
    COMPLETE = "complete"
    SUBMIT = "submit"
    REVIEW = "review"
    RETURN = "return"
    SIGN = "sign"
    SERVE = "serve"
    REVOKE = "revoke"
    VOID = "void"
    CONFIRM = "confirm"
    END = "end"


WRITES = frozenset(Verb) - {Verb.READ, Verb.EXPORT, Verb.PRINT, Verb.REVEAL}

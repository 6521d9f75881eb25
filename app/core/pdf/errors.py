"""What can go wrong between a context and its PDF; every message is Chinese and may be shown to the user."""

from collections.abc import Iterator
from contextlib import contextmanager


class PdfError(Exception):
    """Base of all errors of this package."""


class NotReady(PdfError):
    """A library or the fonts are missing; the message names the command that mends it."""


class ContextError(PdfError):
    """A context that must not be printed. `fields` maps the field to one Chinese sentence."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        super().__init__("；".join(f"{field}：{text}" for field, text in fields.items()))


class MissingGlyph(PdfError):
    """No font of the set draws `character`; printing it would leave a hole in a legal document."""

    def __init__(self, character: str) -> None:
        self.character = character
        super().__init__(f"字体中没有“{character}”（U+{ord(character[0]):04X}），无法打印，请改用其他字")


class Blocked(PdfError):
    """The document asked for something outside itself: a file, an address, a stylesheet."""


class LayoutError(PdfError):
    """The layout engine complained, or a form that must stay on one page did not."""


class RenderError(PdfError):
    """The worker process could not deliver. `kind` is one of timeout, memory, recursion, died, closed, fault."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@contextmanager
def gathered() -> Iterator[dict[str, str]]:
    """What a document's `validate` finds wrong, by field; ContextError at the end unless nothing is.

    A field that is missing, or a structure that is not the document's, is a finding like any other.
    """
    errors: dict[str, str] = {}
    try:
        yield errors
    except KeyError as missing:
        errors[str(missing.args[0])] = "缺少该项"
    except (TypeError, AttributeError):
        errors[""] = "内容结构有误"
    if errors:
        raise ContextError(errors)

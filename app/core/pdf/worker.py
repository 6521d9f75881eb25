"""The process that renders: `python -m app.core.pdf.worker FD`, started and fed by `pool`; imports no web stack.

Over the socket FD it reads one JSON request {name, context, draft} at a time and answers `P` + PDF bytes, or `E` + JSON
[kind, payload]. It ends when the other side closes. Limits hold for it alone: a bad document takes down no server.
"""

import gc
import json
import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from . import engine
from .errors import Blocked, ContextError, LayoutError, MissingGlyph, NotReady

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 60
"""Processor time one document may take."""
COLLECT_EVERY = 20
"""Documents between two runs of the collector, which takes longer than a page."""
LARGE = 16_384
"""Bytes of a request from which on its boxes are collected at once: a list's pieces would pile up otherwise."""
PLAIN = {"blocked": Blocked, "layout": LayoutError, "not-ready": NotReady}


def main(descriptor: int) -> None:
    """Warm up, say so, serve until the pool closes the socket."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Connection(descriptor) as line:
        line.send_bytes(_answer(_warm))
        served = 0
        while True:
            try:
                request = line.recv_bytes()
            except (EOFError, OSError):
                return
            _allow_cpu(CPU_SECONDS)
            line.send_bytes(_answer(lambda: _render(request)))  # noqa: B023 - called before the next turn
            served += 1
            if served % COLLECT_EVERY == 0 or len(request) > LARGE:
                gc.collect()


def _warm() -> bytes:
    engine.check()
    for template in sorted((Path(__file__).parents[2] / "reports").glob("*/template.html")):
        engine.warm(template.parent.name)
    engine.settle()
    return b""


def _render(request: bytes) -> bytes:
    return engine.render(**json.loads(request))


def _allow_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answer(act: Any) -> bytes:
    try:
        return b"P" + bytes(act())
    except Exception as error:  # noqa: BLE001 - all must reach the pool: a silent worker looks dead
        return b"E" + json.dumps(_describe(error)).encode()


def _describe(error: Exception) -> tuple[str, Any]:
    """An error as (kind, payload) for `pool`."""
    match error:
        case ContextError():
            return "context", error.fields
        case MissingGlyph():
            return "glyph", error.character
        case MemoryError():
            return "memory", None
        case RecursionError():
            return "recursion", None
    for kind, plain in PLAIN.items():
        if isinstance(error, plain):
            return kind, str(error)
    return "fault", f"{type(error).__name__}: {error}"[:500]


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""A side: a class of one contestant in a process of its own, called from the bench by name.

The two talk in lines of JSON over the child's standard input and output; whatever a library prints there is moved to
standard error, which is kept in the temporary folder and shown only when the child dies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class SideFailed(RuntimeError):
    """The child died or an assertion of its own failed; carries the end of what it said."""


class Side:
    """A running child. `call` waits for the answer; `ask` and `answer` are its halves, so that sides start together."""

    def __init__(self, target: str, logs: Path, **arguments: Any) -> None:
        self.target = target
        self.heard = logs / f"{target.replace(':', '-')}-{id(self)}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SHOUZE_", "DJANGO_"))}
        kept = {name: os.environ[name] for name in ("SHOUZE_FONT_DIR", "SHOUZE_FONT_ORDER") if name in os.environ}
        with self.heard.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.side", target, json.dumps(arguments)], cwd=ROOT, stderr=errors,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean | kept | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def ask(self, method: str, **arguments: Any) -> None:
        """Have the child begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([method, arguments]).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """What the call that was asked for returned."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.end()
            raise SideFailed(f"{self.target}:\n{self.heard.read_text(errors='replace')[-3000:]}")
        return json.loads(line)

    def call(self, method: str, **arguments: Any) -> Any:
        """Run a method of the child's object."""
        self.ask(method, **arguments)
        return self.answer()

    def end(self) -> None:
        """End the child, politely first."""
        with suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Rig:
    """The temporary folder and the sides of one benchmark; all end with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sides: list[Side] = []

    def side(self, target: str, **arguments: Any) -> Side:
        """Start a child: `module:Class` of this package, made with `arguments`."""
        made = Side(target, self.folder, **arguments)
        self.sides.append(made)
        return made

    def place(self, name: str) -> str:
        """A folder of its own for a side's data."""
        (self.folder / name).mkdir(exist_ok=True)
        return str(self.folder / name)

    def close(self) -> None:
        """End every child."""
        for side in self.sides:
            side.end()
        self.sides.clear()


def serve() -> None:
    """Be a child: make the object, answer calls until the input ends."""
    line_out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    module, _colon, name = sys.argv[1].partition(":")
    made: Any = None
    for line in sys.stdin.buffer:
        method, arguments = json.loads(line)
        if made is None:
            made = getattr(import_module(f"tests.bench.{module}"), name)(**json.loads(sys.argv[2]))
        line_out.write(json.dumps(getattr(made, method)(**arguments)).encode() + b"\n")


if __name__ == "__main__":
    serve()

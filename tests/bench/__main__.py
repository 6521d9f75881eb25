"""`python -m tests.bench [NAME] [--json FILE]`: measure, print one table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.bench.scale import MINI, Scale
from tests.bench.side import Rig
from tests.bench.table import Line, show

NAMES = (
    "start", "list", "big", "huge", "register", "city", "search", "form", "predicate", "history", "log", "submit",
    "notice", "import", "rows", "export", "handover",
)  # fmt: skip


def measure(name: str, scale: Scale) -> Iterator[Line]:
    """The lines of one benchmark; its processes and files are gone afterwards."""
    with TemporaryDirectory(prefix="shouze-bench-") as folder:
        rig = Rig(Path(folder))
        try:
            yield from import_module(f"tests.bench.bench_{name}").run(rig, scale)
        finally:
            rig.close()


def main(words: list[str]) -> int:
    """Run what was asked for. Bars that are missed are told, not punished: a busy machine is no defect."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=NAMES, help="one benchmark; all of them unless given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there too")
    parser.add_argument("--mini", action="store_true", help="a few rows only, to see that it works")
    asked = parser.parse_args(words)
    scale = MINI if asked.mini else Scale()
    lines: list[Line] = []
    start = perf_counter()
    for name in [asked.name] if asked.name else NAMES:
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        before = perf_counter()
        lines += measure(name, scale)
        print(f"{perf_counter() - before:.0f} s", file=sys.stderr)
    print(show(lines))
    over = sum(line.verdict == "over" for line in lines)
    load, cores = os.getloadavg()[0], os.cpu_count()
    took = perf_counter() - start
    print(f"\n{len(lines)} lines, {over} over their bar; {took:.0f} s, load {load:.1f} on {cores} cores")
    print("Times: medians of processor time unless another is named; KB = 1,024 bytes.")
    if asked.json:
        told = {
            "scale": asdict(scale),
            "load": load,
            "cores": cores,
            "lines": [line.plain() for line in lines],
        }
        asked.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

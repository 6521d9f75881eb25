"""Several threads doing the same thing for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any


def load(act: Callable[[int], bool], seconds: float, threads: int) -> dict[str, Any]:
    """Call `act(number)` over and over from `threads` threads. False or an exception counts as an error."""
    start = time.perf_counter()
    lock = Lock()
    took: list[float] = []
    errors: list[str] = []

    def work(mine: int) -> None:
        number = mine
        while time.perf_counter() - start < seconds:
            begun = time.perf_counter()
            try:
                why = "" if act(number) else "refused"
            except Exception as error:  # noqa: BLE001 - what went wrong is the result
                why = repr(error)[:300]
            with lock:
                took.append((time.perf_counter() - begun) * 1000)
                if why:
                    errors.append(why)
            number += threads

    workers = [Thread(target=work, args=(mine,)) for mine in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"seconds": time.perf_counter() - start, "took": took, "errors": len(errors), "why": sorted(set(errors))[:3]}

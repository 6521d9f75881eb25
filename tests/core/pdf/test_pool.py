"""Worker processes: exact, limited, replaced."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.core.pdf import engine, pool
from app.core.pdf.errors import ContextError, RenderError
from app.core.pdf.pool import RenderPool
from tests.core.pdf.papers import context

ROOT = Path(pool.__file__).parents[3]


@pytest.fixture(scope="module")
def workers() -> Iterator[RenderPool]:
    made = RenderPool(size=2)
    yield made
    made.close()


@pytest.fixture
def worker() -> Iterator[RenderPool]:
    made = RenderPool(size=1, recycle=3)
    yield made
    made.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_pool_prints_what_the_engine_prints(workers: RenderPool) -> None:
    assert workers.render("notice", context()) == engine.render("notice", context())
    assert workers.render("notice", context(number=None), draft=True).startswith(b"%PDF")


def test_eight_threads_share_two_workers(workers: RenderPool) -> None:
    before = workers.pids
    names = [f"第{n}号餐饮店" for n in range(16)]
    with ThreadPoolExecutor(8) as threads:
        papers = list(threads.map(lambda name: workers.render("notice", context(party=name), timeout=120), names))
    assert len(set(papers)) == 16
    assert papers[3] == engine.render("notice", context(party=names[3]))
    assert workers.pids == before


def test_errors_of_the_engine_come_through(workers: RenderPool) -> None:
    before = workers.pids
    with pytest.raises(ContextError) as caught:
        workers.render("notice", context(conduct="甲\0", number="1"))
    assert list(caught.value.fields) == ["conduct"]
    with pytest.raises(ContextError, match="不是 JSON"):
        workers.render("notice", context(conduct=object()))
    assert workers.pids == before


def test_a_slow_document_is_killed_and_its_worker_replaced(worker: RenderPool) -> None:
    worker.render("notice", context())
    before = worker.pids
    with pytest.raises(RenderError, match="超时") as caught:
        worker.render("notice", context(), timeout=0.001)
    assert caught.value.kind in {"timeout", "busy"}
    assert not worker.pids & before
    assert all(gone(pid) for pid in before)
    assert worker.render("notice", context()).startswith(b"%PDF")


def test_a_dead_worker_is_replaced(worker: RenderPool) -> None:
    worker.render("notice", context())
    (before,) = worker.pids
    os.kill(before, signal.SIGKILL)
    with pytest.raises(RenderError, match="意外终止") as caught:
        worker.render("notice", context())
    assert caught.value.kind == "died"
    assert worker.render("notice", context()).startswith(b"%PDF")


def test_workers_are_recycled(worker: RenderPool) -> None:
    first = worker.pids
    for _ in range(3):
        assert worker.pids == first
        worker.render("notice", context())
    assert worker.pids != first
    assert all(gone(pid) for pid in first)


def test_a_full_pool_says_so(worker: RenderPool) -> None:
    taken = worker._idle.get()
    with pytest.raises(RenderError, match="过多") as caught:
        worker.render("notice", context(), timeout=0.05)
    worker._idle.put(taken)
    assert caught.value.kind == "busy"


def test_a_closed_pool_renders_nothing_and_leaves_no_process() -> None:
    made = RenderPool(size=1)
    pids = made.pids
    made.close()
    assert all(gone(pid) for pid in pids)
    with pytest.raises(RenderError) as caught:
        made.render("notice", context())
    assert caught.value.kind == "closed"


@pytest.mark.parametrize("kind", ["memory", "recursion", "fault"])
def test_failures_have_a_sentence(kind: str) -> None:
    error = pool._error(kind, None)
    assert isinstance(error, RenderError)
    assert (error.kind, str(error)) == (kind, pool.MESSAGES[kind])


def test_the_worker_tells_failures_apart() -> None:
    from app.core.pdf import worker

    def fail(error: Exception) -> Any:
        def act() -> bytes:
            raise error

        return worker._answer(act)

    assert fail(MemoryError()) == b'E["memory", null]'
    assert fail(RecursionError()) == b'E["recursion", null]'
    assert fail(KeyError("x")).startswith(b'E["fault", "KeyError')


def test_memory_is_limited() -> None:
    script = (
        "import resource; from app.core.pdf import worker;"
        "worker._allow_cpu(5); print(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 5 <= int(done.stdout) <= 15
    made = RenderPool(size=1)
    try:
        made.render("notice", context())
        (pid,) = made.pids
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert str(1536 * 1024 * 1024) in limits
    finally:
        made.close()


MAIN = """
import sys
import app.core.pdf.pool as pool
from app.reports import notice
print('main runs')
pdf = pool.render_in_pool('notice', notice.sample())
pids = pool._pool.pids
print(len(pdf), *pids)
"""


def test_any_main_module_may_use_it_and_workers_end_with_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MAIN)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-m", "program"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said, numbers = done.stdout.splitlines()
    assert said == "main runs"
    size, *pids = map(int, numbers.split())
    assert size == len(engine.render("notice", context()))
    end = time.monotonic() + 5
    while not all(gone(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert all(gone(pid) for pid in pids)


def test_a_forked_child_takes_a_pool_of_its_own(workers: RenderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_pool", workers)
    pool._after_fork()
    assert pool._pool is None


def test_workers_load_no_web_stack() -> None:
    script = (
        "import sys; from app.core.pdf import worker; worker._warm();"
        "print({'flask', 'sqlalchemy', 'app.factory', 'app.models'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

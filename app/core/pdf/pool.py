"""Worker processes that render, so that a bad document can be killed and web threads never wait on Python's lock.

Workers are fresh interpreters, never forks: the parent runs threads and may be any main module. One pool a process
serves all its threads through `render_in_pool`; it starts with the first document and ends with the process.
"""

import atexit
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from time import monotonic
from typing import Any

from .errors import ContextError, MissingGlyph, PdfError, RenderError
from .worker import PLAIN

ROOT = Path(__file__).parents[3]
START_SECONDS = 60
"""Time a worker has to import and warm up, on a machine that is busy."""
MESSAGES = {
    "timeout": "生成文书超时，已中止",
    "memory": "生成文书所需内存超出限制",
    "recursion": "文书内容嵌套过深，无法生成",
    "died": "生成文书的进程意外终止",
    "busy": "正在生成的文书过多，请稍后再试",
    "closed": "文书服务正在关闭",
    "fault": "生成文书时出错",
}
log = logging.getLogger(__name__)


class _Worker:
    """One process and the socket to it."""

    def __init__(self) -> None:
        here, there = socket.socketpair()
        with there:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.core.pdf.worker", str(there.fileno())],
                pass_fds=[there.fileno()],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                # of its own session, so that Ctrl-C in a terminal ends documents in order
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.line = Connection(here.detach())
        self.served = 0
        self.ready = False

    def ask(self, request: bytes, timeout: float) -> bytes:
        """Send a request, return the PDF; starting up is not counted. PdfError as worker or clock say."""
        if not self.ready:
            self._receive(START_SECONDS)
            self.ready = True
        self.line.send_bytes(request)
        self.served += 1
        return self._receive(timeout)

    def _receive(self, timeout: float) -> bytes:
        if not self.line.poll(timeout):
            raise _error("timeout", None)
        answer = self.line.recv_bytes()
        if answer[:1] == b"P":
            return answer[1:]
        raise _error(*json.loads(answer[1:]))

    def end(self) -> None:
        """Stop at once and leave no zombie."""
        self.line.close()
        self.process.kill()
        self.process.wait()


def _error(kind: str, payload: Any) -> PdfError:
    if kind == "context":
        return ContextError(payload)
    if kind == "glyph":
        return MissingGlyph(payload)
    if kind in PLAIN:
        return PLAIN[kind](payload)
    if payload:
        log.error("render worker: %s", payload)
    return RenderError(kind, MESSAGES[kind])


class RenderPool:
    """`size` warm workers. Safe for any number of threads; each document has a worker to itself.

    A worker is replaced after `recycle` documents and after any error that may have left it unwell.
    """

    def __init__(self, size: int = 2, recycle: int = 500) -> None:
        self._recycle = recycle
        self._lock = Lock()
        self._closed = False
        self._workers = {_Worker() for _ in range(size)}
        self._idle: LifoQueue[_Worker] = LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)

    @property
    def pids(self) -> set[int]:
        """Process ids of the present workers."""
        with self._lock:
            return {worker.process.pid for worker in self._workers}

    def render(self, name: str, context: Any, draft: bool = False, timeout: float = 30) -> bytes:
        """`engine.render` in a worker, within `timeout` seconds, waiting for one included.

        RenderError: too slow, too large, died. Otherwise the errors of `engine.render`.
        """
        request = _request(name, context, draft)
        end = monotonic() + timeout
        try:
            worker = self._idle.get(timeout=timeout)
        except Empty:
            raise _error("busy", None) from None
        if self._closed:
            self._idle.put(worker)
            raise _error("closed", None)
        return self._use(worker, request, max(end - monotonic(), 0.001))

    def _use(self, worker: _Worker, request: bytes, timeout: float) -> bytes:
        sound = False
        try:
            content = worker.ask(request, timeout)
            sound = worker.served < self._recycle
        except (EOFError, OSError):
            raise _error("died", None) from None
        except RenderError:
            raise
        except PdfError:
            sound = worker.ready and worker.served < self._recycle
            raise
        else:
            return content
        finally:
            self._idle.put(worker if sound else self._replace(worker))

    def _replace(self, worker: _Worker) -> _Worker:
        worker.end()
        with self._lock:
            self._workers.discard(worker)
            if self._closed:
                return worker
            fresh = _Worker()
            self._workers.add(fresh)
            return fresh

    def close(self) -> None:
        """End all workers; documents under way fail with RenderError."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
            with suppress(OSError):
                worker.line.close()


def _request(name: str, context: Any, draft: bool) -> bytes:
    try:
        return json.dumps({"name": name, "context": context, "draft": draft}).encode()
    except (TypeError, ValueError) as error:
        raise ContextError({"": "内容不是 JSON"}) from error


_pool: RenderPool | None = None
_pool_lock = Lock()


def render_in_pool(name: str, context: Any, draft: bool = False, timeout: float = 30) -> bytes:
    """`RenderPool.render` with the one pool of this process, which is started by the first call."""
    global _pool  # noqa: PLW0603 - one a process is the point
    with _pool_lock:
        if _pool is None:
            _pool = RenderPool()
    return _pool.render(name, context, draft, timeout)


def render_pieces(name: str, contexts: Iterable[Any], timeout: float = 60) -> Iterator[bytes]:
    """Render several contexts of one document, two at a time; the PDFs come in order. Errors as `RenderPool.render`.

    Who stops reading stops the rendering: what has not begun is given up.
    """
    threads = ThreadPoolExecutor(2)
    try:
        waiting = [threads.submit(render_in_pool, name, context, timeout=timeout * 2) for context in contexts]
        for one in waiting:
            yield one.result()
    finally:
        threads.shutdown(cancel_futures=True)


def close_pool() -> None:
    """End the pool of this process; the next document starts a new one."""
    global _pool
    with _pool_lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.close()


def _after_fork() -> None:
    # the workers belong to the parent; a child that used their sockets would mix up the papers
    global _pool, _pool_lock
    _pool, _pool_lock = None, Lock()


atexit.register(close_pool)
os.register_at_fork(after_in_child=_after_fork)

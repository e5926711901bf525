"""Several server processes on one socket."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from onnx_acts.serving.http.metrics import FOLDER_VARIABLE
from onnx_acts.serving.http.server import Settings, bound, run

__all__ = ["serve"]

_RESTART = 1.0
"""Seconds before a worker that has died is replaced."""


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; prints a line when requests are answered.

    Raises:
        OSError: the address cannot be had.
        ValueError, FileNotFoundError, RuntimeError: as in `onnx_acts.serving.app`; or a worker
            could not start.
    """
    with bound(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        line = f"serving {', '.join(settings.models)} at http://{shown}:{port}/v2"
        if settings.workers == 1:
            run(settings, listener, lambda: print(line, flush=True))
        else:
            _Workers(settings, listener, line).run()


@contextlib.contextmanager
def _shared_figures() -> Iterator[None]:
    """A folder in which processes started meanwhile share their figures."""
    with tempfile.TemporaryDirectory(prefix="onnx-acts-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER_VARIABLE]


class _Workers:
    """Processes, each of which accepts connections on the socket; one that dies is replaced."""

    def __init__(self, settings: Settings, listener: socket.socket, line: str) -> None:
        self._settings, self._listener, self._line = settings, listener, line
        self._context = multiprocessing.get_context("spawn")
        self._reports: SimpleQueue[str] = self._context.SimpleQueue()
        self._started = 0
        self._workers: list[BaseProcess] = []
        self._is_leaving = False

    def run(self) -> None:
        """Serves until all workers have left.

        Raises:
            RuntimeError: one could not start.
        """
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, self._leave)
        with _shared_figures():
            for _ in range(self._settings.workers):
                self._start()
            try:
                while self._workers:
                    self._wait()
            finally:
                for worker in self._workers:
                    worker.terminate()
                    worker.join()

    def _start(self) -> None:
        arguments = (self._settings, self._listener, self._reports)
        worker = self._context.Process(target=_work, args=arguments)
        worker.start()
        self._workers.append(worker)
        if self._is_leaving:  # it was told while this one was not among those that it tells
            worker.terminate()

    def _wait(self) -> None:
        """Waits for a worker to end, for a moment."""
        ended = wait([worker.sentinel for worker in self._workers], timeout=0.2)
        self._read_reports()
        for worker in [worker for worker in self._workers if worker.sentinel in ended]:
            self._workers.remove(worker)
            worker.join()
            mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
            if self._is_leaving:
                continue
            if self._started < self._settings.workers:
                raise RuntimeError(f"a worker has died ({worker.exitcode}) before it could start")
            print(f"onnx-acts: a worker has died ({worker.exitcode})", file=sys.stderr, flush=True)
            time.sleep(_RESTART)
            if not self._is_leaving:
                self._start()

    def _read_reports(self) -> None:
        """Counts the workers that answer requests, and tells when all do.

        Raises:
            RuntimeError: one could not start.
        """
        while not self._reports.empty():
            error = self._reports.get()
            if error:
                raise RuntimeError(error)
            self._started += 1
            if self._started == self._settings.workers:
                print(self._line, flush=True)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        """Hands a signal on."""
        self._is_leaving = True
        for worker in self._workers:
            if worker.pid is not None:
                os.kill(worker.pid, number)


def _work(settings: Settings, listener: socket.socket, reports: SimpleQueue[str]) -> None:
    """What a worker does; reports an empty line when requests are answered, or why it cannot."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        run(settings, listener, lambda: reports.put(""))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # whatever it is, the parent tells it
        reports.put(str(error) or type(error).__name__)
        sys.exit(1)


def _follow_parent() -> None:
    """Leaves when the parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

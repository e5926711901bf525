"""A foreign runtime's process, seen from the suite's."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from onnx_acts.text.spelling import printable

__all__ = ["NOT_ASKED", "NO_ANSWER", "Process", "time_limit"]

Array = NDArray[Any]

_WORKER = Path(__file__).with_name("worker.py")
"""Run as a file: it needs nothing of the package, and starts at once."""

_LAST_WORDS = 300
"""Characters of what a process has printed before it died."""

_LIMIT = "ONNX_ACTS_TIME_LIMIT"

NO_ANSWER = "it gave no answer within"
NOT_ASKED = "not asked any more"
"""How the messages begin of a call that hung, and of those after it."""


def time_limit(default: float = 300.0) -> float:
    """The seconds that a process has for an answer: what the environment says, or a default.

    Raises:
        ValueError: the environment says no such number.
    """
    text = os.environ.get(_LIMIT, "")
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise ValueError(f"{_LIMIT}={text}: expected a number of seconds above 0")
    return seconds


class Process:
    """Calls a function in a process of its own, started at the first call.

    Projects of this size bring threads, allocators and libraries that do not bear one another; and
    one that crashes must take nobody along. After a crash the next call starts another process. One
    that gives no answer in time is ended and not asked again: it might hang in every case. Calls
    from several threads wait for one another.

    Args:
        target: the function, as "module:callable".
        refusals: patterns of messages by which the runtime says that it has no such thing.
        environment: variables that the process has beside those of this one.
    """

    def __init__(
        self,
        target: str,
        refusals: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._first = (target, tuple(refusals))
        self._environment = dict(environment or {})
        self._running: subprocess.Popen[bytes] | None = None
        self._lock, self._given_up = threading.RLock(), ""

    def start(self) -> None:
        """Loads the function, where that has not been done.

        Raises:
            ValueError: there is no such function, or it cannot be loaded.
        """
        if self._given_up:
            raise ValueError(self._given_up)
        if self._running is not None:
            return
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
        command = [sys.executable, "-P", str(_WORKER)]
        self._running = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # to end it with all that it has started
            env={**os.environ, **self._environment},
        )
        self._stop = weakref.finalize(self, _stop, self._running, self._stderr)
        try:
            kind, content = self._exchange((*self._first, [*sys.path, os.getcwd()]))
        except RuntimeError as error:
            raise ValueError(f"it cannot be loaded: {error}") from error
        if kind == "error":
            self.stop()
            raise ValueError(f"it cannot be loaded: {printable(content)}")

    def call(
        self, operator: str, arrays: Sequence[Array], attributes: Mapping[str, float | int]
    ) -> list[Array]:
        """Returns the outputs.

        Raises:
            NotImplementedError: the runtime says that it has no such thing.
            RuntimeError: it raised an error, or its process died.
            ValueError: it cannot be loaded.
        """
        with self._lock:
            if self._given_up:
                raise RuntimeError(self._given_up)
            self.start()
            kind, content = self._exchange((operator, list(arrays), dict(attributes)))
        if kind == "not implemented":
            raise NotImplementedError(printable(content))
        if kind == "error":
            name, text = content
            raise RuntimeError(printable(f"{name}: {text}" if name != "RuntimeError" else text))
        return list(content)

    def stop(self) -> None:
        """Ends the process."""
        if self._running is not None:
            self._stop()
            self._running = None

    def _exchange(self, message: Any) -> tuple[str, Any]:
        """Sends a message and returns the answer."""
        running = self._running
        assert running is not None
        assert running.stdin is not None
        assert running.stdout is not None
        limit, is_late = time_limit(), threading.Event()

        def end() -> None:
            is_late.set()
            _kill(running)

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        try:
            pickle.dump(message, running.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            running.stdin.flush()
            kind, content = pickle.load(_answers(running, limit))
            return kind, content
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            if isinstance(error, TimeoutError):
                end()
            status = running.wait()
            words = self._last_words()
            self.stop()
            if is_late.is_set():
                self._given_up = f"{NOT_ASKED}: it gave no answer within {limit:g} s before"
                message = f"{NO_ANSWER} {limit:g} s, and is not asked again{words}"
                raise RuntimeError(message) from error
            raise RuntimeError(f"its process died{_cause(status)}{words}") from error
        finally:
            timer.cancel()
            if is_late.is_set():  # perhaps just after the answer
                self.stop()

    def _last_words(self) -> str:
        self._stderr.seek(0)
        text = printable(" ".join(self._stderr.read().decode(errors="replace").split()))
        return f": {text[-_LAST_WORDS:]}" if text else ""

    def __getstate__(self) -> tuple[tuple[str, tuple[str, ...]], dict[str, str]]:
        return self._first, self._environment

    def __setstate__(self, state: tuple[tuple[str, tuple[str, ...]], dict[str, str]]) -> None:
        (self._first, self._environment), self._running = state, None
        self._lock, self._given_up = threading.RLock(), ""


class _Waiting(io.RawIOBase):
    """What comes from a pipe until some time; then it is an error.

    A process that is ended may have left others that keep its pipe open.
    """

    def __init__(self, pipe: int, seconds: float) -> None:
        self._pipe, self._end = pipe, time.monotonic() + seconds

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Waits for bytes.

        Raises:
            TimeoutError: none came.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if not selector.select(max(0.0, self._end - time.monotonic())):
                raise TimeoutError
        found = os.read(self._pipe, len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _answers(running: subprocess.Popen[bytes], seconds: float) -> io.BufferedReader:
    """The next answer of a process; there is never more than one."""
    assert running.stdout is not None
    return io.BufferedReader(_Waiting(running.stdout.fileno(), seconds))


def _kill(running: subprocess.Popen[bytes]) -> None:
    """Ends a process with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)


def _stop(running: subprocess.Popen[bytes], stderr: Any) -> None:
    _kill(running)
    running.wait()
    for stream in (running.stdin, running.stdout, stderr):
        if stream is not None:
            with contextlib.suppress(OSError):  # what was not sent any more
                stream.close()


def _cause(status: int) -> str:
    """The signal, or the exit status, of a process that is gone."""
    if status >= 0:
        return f" with exit status {status}"
    try:
        return f" of {signal.Signals(-status).name}"
    except ValueError:
        return f" of signal {-status}"

"""A foreign runtime's process, seen from the suite's."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

__all__ = ["Process"]

Array = NDArray[Any]

_WORKER = Path(__file__).with_name("worker.py")
"""Run as a file: it needs nothing of the package, and starts at once."""

_LAST_WORDS = 300
"""Characters of what a process has printed before it died."""


class Process:
    """Calls a function in a process of its own, started at the first call.

    Projects of this size bring threads, allocators and libraries that do not bear one another; and
    one that crashes must take nobody along. After a crash the next call starts another process.

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

    def start(self) -> None:
        """Loads the function, where that has not been done.

        Raises:
            ValueError: there is no such function, or it cannot be loaded.
        """
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
            raise ValueError(f"it cannot be loaded: {content}")

    def call(
        self, operator: str, arrays: Sequence[Array], attributes: Mapping[str, float | int]
    ) -> list[Array]:
        """Returns the outputs.

        Raises:
            NotImplementedError: the runtime says that it has no such thing.
            RuntimeError: it raised an error, or its process died.
            ValueError: it cannot be loaded.
        """
        self.start()
        kind, content = self._exchange((operator, list(arrays), dict(attributes)))
        if kind == "not implemented":
            raise NotImplementedError(content)
        if kind == "error":
            name, text = content
            raise RuntimeError(f"{name}: {text}" if name != "RuntimeError" else text)
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
        try:
            pickle.dump(message, running.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            running.stdin.flush()
            kind, content = pickle.load(running.stdout)
            return kind, content
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            status = running.wait()
            words = self._last_words()
            self.stop()
            raise RuntimeError(f"its process died{_cause(status)}{words}") from error

    def _last_words(self) -> str:
        self._stderr.seek(0)
        text = " ".join(self._stderr.read().decode(errors="replace").split())
        return f": {text[-_LAST_WORDS:]}" if text else ""

    def __getstate__(self) -> tuple[tuple[str, tuple[str, ...]], dict[str, str]]:
        return self._first, self._environment

    def __setstate__(self, state: tuple[tuple[str, tuple[str, ...]], dict[str, str]]) -> None:
        (self._first, self._environment), self._running = state, None


def _stop(running: subprocess.Popen[bytes], stderr: Any) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
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

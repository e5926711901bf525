"""A process in which cases run, because some end it."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from tests.fuzz.case import Case
from tests.fuzz.oracle import Finding, Outcome, examine

__all__ = ["Worker"]

_TIMEOUT = 30.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.fuzz.oracle"])


class Worker:
    """Examines cases in another process, and starts a new one when that dies.

    Used as a context manager.
    """

    def __init__(self, prepare: Callable[[], None] | None = None) -> None:
        """`prepare`, a function of a module, runs first in each new process."""
        self._prepare = prepare
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._folder = tempfile.TemporaryDirectory()
        self._errors = Path(self._folder.name) / "stderr"

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._folder.cleanup()

    def examine(self, case: Case) -> Outcome:
        """Runs `examine` on a case; the end of the process, or of our patience, is a finding."""
        if self._pipe is None:
            self._start()
        assert self._pipe is not None
        check = "start"
        try:
            self._pipe.send(case)
            while self._pipe.poll(_TIMEOUT):
                answer = self._pipe.recv()
                if isinstance(answer, Outcome):
                    return answer
                check = answer
            reason = f"no answer in {_TIMEOUT:g} seconds"
        except (EOFError, ConnectionError):
            assert self._process is not None
            self._process.join(_TIMEOUT)
            reason = f"the process ended with {self._process.exitcode}: {self._last_words()}"
        self._stop()
        if check == "original":
            return Outcome(skipped="the original ends the process")
        return Outcome(findings=[Finding(check, "abort", reason)])

    def _start(self) -> None:
        ours, theirs = _CONTEXT.Pipe()
        arguments = (theirs, str(self._errors), self._prepare)
        self._process = _CONTEXT.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours

    def _stop(self) -> None:
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None

    def _last_words(self) -> str:
        text = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        return " / ".join(text.strip().splitlines()[-3:])


def _serve(pipe: Connection, errors: str, prepare: Callable[[], None] | None) -> None:
    """The other process: takes cases, says where it is, answers."""
    with open(errors, "w") as file:
        os.dup2(file.fileno(), 2)
    if prepare is not None:
        prepare()
    while True:
        try:
            case = pipe.recv()
        except EOFError:
            return
        pipe.send(examine(case, pipe.send))

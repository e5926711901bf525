"""Servers in processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tests.serving.load.clients import Address

__all__ = ["Process", "serving_process"]

ROOT = Path(__file__).parents[3]


class Process:
    """A server that is running.

    Attributes:
        address: where it listens.
        line: what it has printed when it was ready.
    """

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        """Waits until it is ready.

        Raises:
            RuntimeError: it ends before; the message has what it wrote.
        """
        assert process.stdout is not None
        self._process, self._errors = process, errors
        self.line = process.stdout.readline()
        if " at http://" not in self.line:
            process.wait(20)
            raise RuntimeError(f"no server: {self.line}{self._written()[-2000:]}")
        threading.Thread(target=process.stdout.read).start()  # a pipe that is full would stop it
        host, _, rest = self.line.split("http://")[1].partition(":")
        self.address: Address = (host, int(rest.split("/")[0]))

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def memory(self, what: str = "VmRSS") -> float:
        """Resident megabytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(text.split(f"{what}:")[1].split()[0]) / 1024

    def most_memory(self) -> float:
        """The most that it has had so far."""
        return self.memory("VmHWM")

    def seconds(self) -> float:
        """Processor time that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def tell(self, number: int) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends it, or waits for its end if the signal is 0; returns its status and its stderr."""
        if number and self._process.poll() is None:
            self.tell(number)
        return self._process.wait(30), self._written()

    def _written(self) -> str:
        self._errors.seek(0)
        return self._errors.read()


@contextlib.contextmanager
def serving_process(*words: str | Path, command: Sequence[str] = ()) -> Iterator[Process]:
    """Runs `onnx-acts serve` on a free port, or another command that prints such a line.

    Raises:
        RuntimeError: it does not come up.
    """
    usual = [sys.executable, "-m", "onnx_acts", "serve", "--port", "0"]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [*(command or usual), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield Process(process, errors)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # workers, too

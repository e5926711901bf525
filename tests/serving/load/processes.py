"""Servers in processes of their own."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.serving.load.clients import Address

__all__ = ["Process", "serving_process"]

ROOT = Path(__file__).parents[3]


class Process:
    """A server that is running.

    Attributes:
        address: where it listens.
        line: what it has printed when it was ready.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Waits until it is ready.

        Raises:
            RuntimeError: it ends before; the message has what it wrote.
        """
        assert process.stdout is not None
        self._process = process
        self.line = process.stdout.readline()
        if " at http://" not in self.line:
            _, errors = process.communicate(timeout=20)
            raise RuntimeError(f"no server: {self.line}{errors[-2000:]}")
        host, _, rest = self.line.split("http://")[1].partition(":")
        self.address: Address = (host, int(rest.split("/")[0]))

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def memory(self) -> float:
        """Resident megabytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def seconds(self) -> float:
        """Processor time that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def tell(self, number: int) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends it; returns its status and what it has written to stderr."""
        if self._process.poll() is None:
            self.tell(number)
        _, errors = self._process.communicate(timeout=30)
        return self._process.returncode, errors


@contextlib.contextmanager
def serving_process(*words: str | Path, command: Sequence[str] = ()) -> Iterator[Process]:
    """Runs `onnx-acts serve` on a free port, or another command that prints such a line.

    Raises:
        RuntimeError: it does not come up.
    """
    usual = [sys.executable, "-m", "onnx_acts", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*(command or usual), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield Process(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()

"""`python -m tests.mutants`: puts each fault into a copy of the sources and runs its check.

The sources stay as they are. First every check runs without a fault, and must pass.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import onnx_acts
from tests.building import CMAKE, ROOT
from tests.mutants.mutant import Mutant
from tests.mutants.source_mutants import MUTANTS

_LIBRARY = "libonnx_acts_ops.so"

# The environment's own finder of the package goes first wherever it is; here the copy must.
_START = """
import sys
sys.meta_path[:] = [f for f in sys.meta_path if "Redirecting" not in type(f).__name__]
sys.path.insert(0, sys.argv.pop(1))
kind = sys.argv.pop(1)
if kind == "pytest":
    import pytest
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    sys.exit(pytest.main([*options, *sys.argv[1:]]))
from onnx_acts.cli.main import main
sys.exit(main([kind, *sys.argv[1:]]))
"""


class Copy:
    """The sources in another folder; with a library of their own once that is built."""

    def __init__(self, folder: Path) -> None:
        self.sources, self._build = folder / "sources", folder / "build"
        self._library = onnx_acts.library_path()
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in listed.splitlines():
            if (ROOT / name).is_file():
                target = self.sources / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target)

    def build(self) -> str:
        """Builds the library as far as its sources have changed; what went wrong, or nothing."""
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DONNX_ACTS_CUDA=OFF"]
        options.append(f"-DPython_EXECUTABLE={sys.executable}")
        sources, folder = str(self.sources / "custom_ops"), str(self._build)
        configure = [CMAKE, "-S", sources, "-B", folder, *options]
        compile_ = [CMAKE, "--build", folder, "--parallel", "2", "--target", "onnx_acts_ops"]
        is_new = not (self._build / "CMakeCache.txt").exists()
        for command in [configure, compile_] if is_new else [compile_]:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return (done.stdout + done.stderr)[-2000:]
        self._library = str(self._build / _LIBRARY)
        return ""

    def check(self, killer: str) -> tuple[int, str]:
        """Runs a check on the copy: its exit status, and the end of what it said."""
        command = [sys.executable, "-c", _START, str(self.sources), *shlex.split(killer)]
        environment = {**os.environ, "ONNX_ACTS_LIBRARY": self._library}
        environment["PYTHONPATH"] = str(self.sources)
        done = subprocess.run(
            command, cwd=self.sources, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, (done.stdout + done.stderr)[-2000:]

    def put(self, mutant: Mutant) -> None:
        """Puts a fault in."""
        self._replace(mutant.path, mutant.before, mutant.after)

    def mend(self, mutant: Mutant) -> None:
        """Takes it out again."""
        shutil.copyfile(ROOT / mutant.path, self.sources / mutant.path)

    def _replace(self, path: str, before: str, after: str) -> None:
        text = (self.sources / path).read_text()
        (self.sources / path).write_text(text.replace(before, after))


def _survivors(copy: Copy, mutants: Sequence[Mutant]) -> list[str]:
    """Tries every fault; those that nothing noticed."""
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        start = time.monotonic()
        copy.put(mutant)
        try:
            error = copy.build() if mutant.is_native else ""
            status, said = (1, "") if error else copy.check(mutant.killer)
        finally:
            copy.mend(mutant)
        caught = (status == 1 or status < 0) and not error  # below 0: it crashed
        word = "caught" if caught else "DOES NOT BUILD" if error else f"SURVIVED (status {status})"
        seconds = time.monotonic() - start
        print(f"{number}/{len(mutants)} {word} in {seconds:.0f} s: {mutant.what}", flush=True)
        if not caught:
            print(f"    {mutant.path}; {mutant.killer}\n{error or said}", flush=True)
            survivors.append(mutant.what)
    return survivors


def main() -> int:
    """Exit status 0 when every fault is noticed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults whose description has these words")
    words = parser.parse_args().words
    mutants = [m for m in MUTANTS if all(word in f"{m.what} {m.path}" for word in words)]
    with tempfile.TemporaryDirectory(prefix="onnx_acts_mutants_") as folder:
        copy = Copy(Path(folder))
        error = copy.build() if any(mutant.is_native for mutant in mutants) else ""
        if error:
            print(f"the sources do not build:\n{error}")
            return 1
        for killer in dict.fromkeys(mutant.killer for mutant in mutants):
            status, said = copy.check(killer)
            if status != 0:
                print(f"without a fault, this fails with status {status}: {killer}\n{said}")
                return 1
        survivors = _survivors(copy, mutants)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} faults caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runtimes of other projects, each behind one function in a process of its own."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.runtimes.process import Process

__all__ = ["Custom", "Foreign"]

Array = NDArray[Any]


class Custom:
    """The user's own runtime: a function that is named as "module:callable".

    See `docs/guides/own_runtime.md` for what it takes and returns. It is judged by the promise of
    our kernels, random draws by their law, for it may have a generator of its own. Where it returns
    one array and the case has several outputs, that one is not implemented; of random draws it is
    judged by what it returned.
    """

    package, promise, own_draws = "", "measured", True

    def __init__(self, name: str, title: str = "", refusals: Sequence[str] = ()) -> None:
        self.name, self.title = name, title or f"the function {name}"
        self._process = Process(name, refusals)
        self._last: tuple[Case, list[Array] | Exception] | None = None

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""
        return self._load_error

    @functools.cached_property
    def _load_error(self) -> str:
        try:
            self._process.start()
        except ValueError as error:
            return str(error)
        return ""

    def unsupported(self, case: Case) -> str:
        """Why it has no answer to this case, or an empty string.

        Only a call can tell. `run` gives the same call's outputs if it comes next.
        """
        try:
            outputs: list[Array] | Exception = self._outputs(case)
        except NotImplementedError as refusal:
            return str(refusal)
        except Exception as error:
            outputs = error
        self._last = (case, outputs)
        return ""

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for.

        Raises:
            NotImplementedError: the runtime says that it has no such thing.
            RuntimeError: it raised an error, or its process died.
        """
        last, self._last = self._last, None
        if last is None or last[0] is not case:
            return self._outputs(case)
        if isinstance(last[1], Exception):
            raise last[1]
        return last[1]

    def _outputs(self, case: Case) -> list[Array]:
        outputs = self._process.call(case.operator, case.inputs, case.values)
        if len(outputs) == 1 < case.outputs and not case.training:
            raise NotImplementedError(f"it returned one output of {case.outputs}")
        return outputs[: case.outputs]


class Foreign(Custom):
    """A runtime of another project, of which we know that it does inference only.

    Args:
        name: its name on the command line, and of its module in `adapters/`.
        title: what it is, for people.
        package: the distribution whose version matters.
        needs: the modules that must be there.
        install: the command that installs it.
        refusals: patterns of what it says where it has no such thing; what matches is told.
    """

    def __init__(
        self,
        name: str,
        title: str,
        package: str,
        needs: Sequence[str],
        install: str,
        refusals: Sequence[str] = (),
    ) -> None:
        module = f"onnx_acts.conformance.runtimes.adapters.{name.replace('-', '_')}"
        super().__init__(f"{module}:run", title, refusals)
        self.name = name
        self.package = package
        self._needs, self._install = tuple(needs), install

    def missing(self) -> str:
        """Whether and how it is to be installed; tells quickly, without loading anything."""
        absent = [name for name in self._needs if importlib.util.find_spec(name) is None]
        return f"not installed: {self._install}" if absent else ""

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""
        return self._missing or self._load_error

    @functools.cached_property
    def _missing(self) -> str:
        return self.missing()

    def _outputs(self, case: Case) -> list[Array]:
        if case.spec.standard is None:
            raise NotImplementedError("there is no such standard operator")
        if case.training or case.outputs > 1:
            raise NotImplementedError(f"{case.spec.standard_name} computes inference only")
        return super()._outputs(case)

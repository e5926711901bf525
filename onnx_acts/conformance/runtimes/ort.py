"""ONNX Runtime on one of the models that a case gives, on one of its providers."""

from __future__ import annotations

import functools
import itertools
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.known_differences import missing_kernel
from onnx_acts.conformance.models import has_single_parameters
from onnx_acts.conformance.runtimes.runtime import keep, version_of
from onnx_acts.ort import sessions
from onnx_acts.ort.opsets import newest_opset
from onnx_acts.ort.profiles import ExecutedNode, executed_nodes
from onnx_acts.ort.provider import PROVIDER, add_provider, provider_error
from onnx_acts.ort.sessions import CPU, CUDA, cuda_error
from onnx_acts.ort.values import from_ort, to_ort

__all__ = ["OnnxRuntime"]

Array = NDArray[Any]
Model = onnx.ModelProto

_NUMBERS = itertools.count()
"""Of profiles."""

_SINGLE = "a FLOAT attribute has 32 bits"

_SHORT = 2048
"""Elements that no runtime gives to several threads."""

_TAKES_BFLOAT16 = hasattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type")


class OnnxRuntime:
    """ONNX Runtime on one of the models that a case gives.

    On another provider than the CPU, a node that lands elsewhere is an error.
    """

    package = "onnxruntime"

    def __init__(
        self,
        name: str,
        title: str,
        promise: str,
        model: Callable[[Case], Model],
        provider: str = CPU,
    ) -> None:
        self.name, self.title, self.promise, self._model = name, title, promise, model
        self._provider = provider
        self._sessions: dict[bytes, onnxruntime.InferenceSession] = {}

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""
        if self._provider == PROVIDER:
            return _library_missing() or provider_error()
        if self._provider not in onnxruntime.get_available_providers():
            return f"{self._provider} is not in this build of onnxruntime {onnxruntime.__version__}"
        missing = _library_missing() if self._accelerated else ""
        return missing or (cuda_error() if self._provider == CUDA else "")

    def unsupported(self, case: Case) -> str:
        """Why it has no answer to this case, or an empty string."""
        reason = _missing_type(case, self._provider)
        if reason or self.name not in ("standard", "provider"):
            return reason
        if case.spec.standard is None or case.dtype not in case.spec.standard.since:
            return "there is no such standard operator"
        if case.training or case.outputs > 1:
            return f"{case.spec.standard_name} computes inference only, and one output"
        if self._provider == PROVIDER:
            return _unsupported_by_provider(case, case.spec.standard.since[case.dtype])
        record = missing_kernel(self.name, version_of(self), case.spec, case.dtype)
        if record:
            return f"no kernel for {case.spec.standard_name} ({record.seen})"
        return "" if has_single_parameters(case) else _SINGLE

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for."""
        return _run(self._session(case), case)

    def inferred_shapes(self, case: Case) -> tuple[list[Any], list[Any]]:
        """The shapes that ONNX Runtime tells of the case's X and of its Y, before it has run."""
        session = self._session(case)
        return session.get_inputs()[0].shape, session.get_outputs()[0].shape

    @property
    def _accelerated(self) -> bool:
        return self.name in ("library", "cuda")

    def _session(self, case: Case) -> onnxruntime.InferenceSession:
        model = self._model(case)
        options = _options(case)
        key = model.SerializeToString(deterministic=True) + bytes([options.intra_op_num_threads])
        if key not in self._sessions:
            is_cpu = self._provider == CPU
            opened = self._open(model, options) if is_cpu else self._checked(model, case, options)
            keep(self._sessions, key, opened)
        return self._sessions[key]

    def _checked(
        self, model: Model, case: Case, options: onnxruntime.SessionOptions
    ) -> onnxruntime.InferenceSession:
        """A session that has run a case on this provider, as its profile says."""
        options.enable_profiling = True
        # A profile's own name has no more than the second in it.
        prefix = f"{os.getpid()}_{next(_NUMBERS)}"
        options.profile_file_prefix = os.path.join(_profiles().name, prefix)
        opened = self._open(model, options)
        _run(opened, case)
        _check_placement(executed_nodes(opened.end_profiling()), case, self._provider)
        return opened

    def _open(
        self, model: Model, options: onnxruntime.SessionOptions
    ) -> onnxruntime.InferenceSession:
        if self._provider == PROVIDER:
            add_provider(options, {"claim": "all"})
            return sessions.open_session(model, options)
        return sessions.session(
            model,
            providers=[self._provider],
            session_options=options,
            accelerated=self._accelerated,
        )


def _missing_type(case: Case, provider: str) -> str:
    """Why there is no way to run a case's element type."""
    if case.dtype == "bfloat16" and not _TAKES_BFLOAT16:
        return f"onnxruntime {onnxruntime.__version__} takes no bfloat16 arrays from Python"
    is_elsewhere = case.spec.is_quantized and provider == CUDA
    return "the operators on 8 bits run on the CPU alone" if is_elsewhere else ""


def _options(case: Case) -> onnxruntime.SessionOptions:
    """Threads where there is something to share: they cost a short case more than it takes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised; logging them too is noise
    options.intra_op_num_threads = 2 if case.inputs[0].size > _SHORT else 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _unsupported_by_provider(case: Case, since: int) -> str:
    """Why a standard node cannot say the case, or ONNX Runtime cannot read it."""
    if since > newest_opset():
        return f"onnxruntime {onnxruntime.__version__} does not read opset {since}"
    is_unsized = case.sizes in ("unnamed", "unknown") or case.surrounding.unsized
    if case.spec.parameter_source == "input" and is_unsized:
        return "it leaves alone a node whose slope might enlarge X"
    return "" if has_single_parameters(case) else _SINGLE


def _run(session: onnxruntime.InferenceSession, case: Case) -> list[Array]:
    """Runs a session on a case's inputs."""
    feeds = case.feeds
    if case.dtype != "bfloat16":
        return [np.asarray(array) for array in session.run(None, feeds)]
    values = {name: to_ort(array) for name, array in feeds.items()}
    return [from_ort(value) for value in session.run_with_ort_values(None, values)]


def _check_placement(nodes: Sequence[ExecutedNode], case: Case, provider: str) -> None:
    """Requires that the case's operator ran, and on this provider.

    Raises:
        RuntimeError: it did not.
    """
    operator = case.spec.standard_name if provider == PROVIDER else case.operator
    found = [node.provider for node in nodes if node.operator == operator]
    if set(found) != {provider}:
        where = ", ".join(found) or "nowhere"
        raise RuntimeError(f"{operator} {case.dtype} ran on {where}, not on {provider}")


def _library_missing() -> str:
    return _missing_library(os.environ.get("ONNX_ACTS_LIBRARY", ""))


@functools.cache
def _missing_library(named: str) -> str:
    """Why there is no library, asked once for each setting: every case asks."""
    try:
        sessions.library_path()
    except FileNotFoundError as error:
        return str(error)
    return ""


@functools.cache
def _profiles() -> tempfile.TemporaryDirectory[str]:
    """The folder of this process's profiles, as long as it runs."""
    return tempfile.TemporaryDirectory(prefix="onnx_acts_")

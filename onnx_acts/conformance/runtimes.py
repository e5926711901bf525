"""What can compute a case: ONNX Runtime in five ways, onnx.reference in two, PyTorch."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from onnx_acts.conformance.case import (
    Case,
    acts_model,
    has_single_parameters,
    standard_model,
)
from onnx_acts.conformance.known_differences import missing_kernel
from onnx_acts.ort import sessions
from onnx_acts.ort.evaluator import reference_evaluator
from onnx_acts.ort.opsets import newest_opset
from onnx_acts.ort.profiles import ExecutedNode, executed_nodes
from onnx_acts.ort.provider import PROVIDER, add_provider, provider_error
from onnx_acts.ort.sessions import CPU, CUDA, cuda_error
from onnx_acts.ort.values import from_ort, to_ort

__all__ = ["RUNTIMES", "Runtime", "runtime_of", "to_torch", "torch_parameter", "version_of"]

Array = NDArray[Any]
Model = onnx.ModelProto

_CACHE_SIZE = 64
"""Sessions kept open: cases that follow one another often share a model."""

_TAKES_BFLOAT16 = hasattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type")


class Runtime(Protocol):
    """Something that computes cases.

    Attributes:
        name: its name on the command line.
        title: what it is, for people.
        package: the distribution whose version matters.
        promise: what it must keep: the operator table's promise for the "kernel" or the "body",
            "exact" (correctly rounded), or the accuracy that was "measured" of other projects.
    """

    name: str
    title: str
    package: str
    promise: str

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""

    def unsupported(self, case: Case) -> str:
        """Why it has no answer to this case, or an empty string."""

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for."""


class _OnnxRuntime:
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
        if self._provider == PROVIDER:
            return _library_missing() or provider_error()
        if self._provider not in onnxruntime.get_available_providers():
            return f"{self._provider} is not in this build of onnxruntime {onnxruntime.__version__}"
        missing = _library_missing() if self._accelerated else ""
        return missing or (cuda_error() if self._provider == CUDA else "")

    def unsupported(self, case: Case) -> str:
        if case.dtype == "bfloat16" and not _TAKES_BFLOAT16:
            return f"onnxruntime {onnxruntime.__version__} takes no bfloat16 arrays from Python"
        if self.name not in ("standard", "provider"):
            return ""
        if case.spec.standard is None or case.dtype not in case.spec.standard.since:
            return "there is no such standard operator"
        if case.training or case.outputs > 1:
            return f"{case.spec.standard_name} computes inference only, and one output"
        if self._provider == PROVIDER:
            return _unsupported_by_provider(case, case.spec.standard.since[case.dtype])
        record = missing_kernel(self.name, version_of(self), case.spec, case.dtype)
        return f"no kernel for {case.spec.standard_name} ({record.seen})" if record else ""

    def run(self, case: Case) -> list[Array]:
        return _run(self._session(case), case)

    @property
    def _accelerated(self) -> bool:
        return self.name in ("library", "cuda")

    def _session(self, case: Case) -> onnxruntime.InferenceSession:
        model = self._model(case)
        key = model.SerializeToString(deterministic=True)
        if key not in self._sessions:
            is_cpu = self._provider == CPU
            opened = self._open(model, _options()) if is_cpu else self._checked(model, case)
            _keep(self._sessions, key, opened)
        return self._sessions[key]

    def _checked(self, model: Model, case: Case) -> onnxruntime.InferenceSession:
        """A session that has run a case on this provider, as its profile says.

        The profile is in a folder of its own: its name has no more than the time in it, and two
        processes may write one at once.
        """
        with tempfile.TemporaryDirectory(prefix="onnx_acts_") as folder:
            options = _options()
            options.enable_profiling = True
            options.profile_file_prefix = os.path.join(folder, "profile")
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


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised; logging them too is noise
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _unsupported_by_provider(case: Case, since: int) -> str:
    """Why a standard node cannot say the case, or ONNX Runtime cannot read it."""
    if since > newest_opset():
        return f"onnxruntime {onnxruntime.__version__} does not read opset {since}"
    return "" if has_single_parameters(case) else "a FLOAT attribute has 32 bits"


def _run(session: onnxruntime.InferenceSession, case: Case) -> list[Array]:
    """Runs a session on a case's inputs."""
    feeds = dict(zip(case.spec.inputs, case.inputs, strict=True))
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
    if found != [provider]:
        where = ", ".join(found) or "nowhere"
        raise RuntimeError(f"{operator} {case.dtype} ran on {where}, not on {provider}")


class _Reference:
    """The evaluator of the `onnx` package, which computes in NumPy."""

    package = "onnx"

    def __init__(
        self, name: str, title: str, promise: str, evaluator: Callable[[Model], ReferenceEvaluator]
    ) -> None:
        self.name, self.title, self.promise, self._evaluator = name, title, promise, evaluator
        self._evaluators: dict[bytes, ReferenceEvaluator] = {}

    def unavailable(self) -> str:
        return ""

    def unsupported(self, case: Case) -> str:
        return ""

    def run(self, case: Case) -> list[Array]:
        model = acts_model(case)
        key = model.SerializeToString(deterministic=True)
        if key not in self._evaluators:
            _keep(self._evaluators, key, self._evaluator(model))
        feeds = dict(zip(case.spec.inputs, case.inputs, strict=True))
        with np.errstate(all="ignore"):
            return [np.asarray(array) for array in self._evaluators[key].run(None, feeds)]


class _PyTorch:
    """The function in `torch.nn.functional`, eager, on the CPU."""

    name, title, package, promise = "pytorch", "PyTorch eager", "torch", "measured"

    def unavailable(self) -> str:
        return "" if importlib.util.find_spec("torch") else "PyTorch is not installed"

    def unsupported(self, case: Case) -> str:
        if not case.spec.torch:
            return "PyTorch has no such function"
        if case.training:
            return "PyTorch draws from a generator of its own"
        if case.outputs > 1:
            return "PyTorch returns one output"
        if any(torch_parameter(case.inputs[0], extra) is None for extra in case.inputs[1:]):
            return "PyTorch takes one slope, or one for each channel of dimension 1"
        return ""

    def run(self, case: Case) -> list[Array]:
        import torch

        function = getattr(torch.nn.functional, case.spec.torch)
        extra = (torch_parameter(case.inputs[0], array) for array in case.inputs[1:])
        tensors = [to_torch(array) for array in (case.inputs[0], *extra) if array is not None]
        with torch.no_grad():
            result = function(*tensors, *case.real_values)
        if case.dtype == "bfloat16":
            return [result.view(torch.int16).numpy().view(ml_dtypes.bfloat16)]
        return [result.numpy()]


def runtime_of(name: str) -> Runtime:
    """Returns the runtime of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    for item in RUNTIMES:
        if item.name == name:
            return item
    raise ValueError(f"unknown runtime {name!r}; there are {', '.join(r.name for r in RUNTIMES)}")


def version_of(runtime: Runtime) -> str:
    """The version of the package behind a runtime, empty where it is not installed."""
    return _version(runtime.package)


@functools.cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _keep(cache: dict[bytes, Any], key: bytes, value: Any) -> None:
    """Adds to a cache, dropping the oldest entry of a full one."""
    if len(cache) >= _CACHE_SIZE:
        cache.pop(next(iter(cache)))
    cache[key] = value


def _library_missing() -> str:
    try:
        sessions.library_path()
    except FileNotFoundError as error:
        return str(error)
    return ""


def torch_parameter(x: Array, slope: Array) -> Array | None:
    """Returns a slope in PyTorch's shape: one value, or those of dimension 1; else None."""
    if slope.size == 1:
        return slope.reshape(1)
    aligned = (1,) * (x.ndim - slope.ndim) + slope.shape
    channels = x.ndim >= 2 and all(size == 1 for i, size in enumerate(aligned) if i != 1)
    return slope.reshape(-1) if channels else None


def to_torch(array: Array) -> Any:
    """Returns a copy of an array as a tensor."""
    import torch

    packed = np.array(array)  # PyTorch takes no read-only memory and no negative strides
    if packed.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(packed.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(packed)


RUNTIMES: Sequence[Runtime] = (
    _OnnxRuntime("library", "ONNX Runtime, native library", "kernel", acts_model),
    _OnnxRuntime(
        "provider",
        "ONNX Runtime, standard nodes on our execution provider",
        "kernel",
        functools.partial(standard_model, fixed=True),
        PROVIDER,
    ),
    _OnnxRuntime("cuda", "ONNX Runtime, native library on CUDA", "kernel", acts_model, CUDA),
    _OnnxRuntime("bodies", "ONNX Runtime, function bodies", "body", acts_model),
    _OnnxRuntime("standard", "ONNX Runtime, standard nodes", "measured", standard_model),
    _Reference("reference", "onnx.reference, function bodies", "body", ReferenceEvaluator),
    _Reference("evaluator", "onnx_acts.reference_evaluator", "exact", reference_evaluator),
    _PyTorch(),
)
"""Every runtime, in the order of the report's columns."""

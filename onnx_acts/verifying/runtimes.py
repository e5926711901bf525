"""How the models are run: on the native library, on their function bodies, or on our provider."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import onnxruntime

from onnx_acts.files.reading import Model
from onnx_acts.ort import sessions
from onnx_acts.ort.provider import add_provider, provider_error
from onnx_acts.ort.sessions import CPU
from onnx_acts.serving.sessions import session

__all__ = ["KERNELS", "Kernels", "Runtime", "check_kernels", "plain"]

Kernels = Literal["library", "bodies", "standard"]
"""What runs the activations: the native operators for `onnx_acts` nodes; ONNX Runtime alone, on
function bodies; or the native kernels for standard nodes too, by our execution provider."""

KERNELS: tuple[Kernels, ...] = get_args(Kernels)

_QUIET = 4
"""ONNX Runtime's exceptions say what it would print."""


def check_kernels(given: str) -> None:
    """Requires one of `KERNELS`.

    Raises:
        ValueError: it is something else.
    """
    if given not in KERNELS:
        raise ValueError(f"kernels must be one of {', '.join(map(repr, KERNELS))}, got {given!r}")


@dataclasses.dataclass(frozen=True)
class Runtime:
    """How one of the two models is run.

    Attributes:
        kernels: see `Kernels`.
        providers: execution providers as ONNX Runtime takes them.
    """

    kernels: Kernels
    providers: tuple[str, ...] = (CPU,)

    def whole(self, model: Model, *, optimised: bool = True) -> onnxruntime.InferenceSession:
        """Opens a session on a whole model; errors as in `onnx_acts.session`."""
        options = _options(threads=0)
        if not optimised:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return session(
            model,
            providers=list(self.providers),
            session_options=options,
            accelerated=self.kernels != "bodies",
            standard=self.kernels == "standard",
        )

    def single(
        self, model: bytes, weights: dict[str, onnxruntime.OrtValue]
    ) -> onnxruntime.InferenceSession:
        """Opens a session on a model of one node, whose large weights are handed over beside it."""
        options = _options(threads=1)
        if weights:
            options.add_external_initializers(list(weights), list(weights.values()))
        if self.kernels != "bodies":
            sessions.register(options)
        if self.kernels == "standard" and self.providers == (CPU,) and not provider_error():
            add_provider(options)
            return onnxruntime.InferenceSession(model, options, enable_fallback=0)
        return onnxruntime.InferenceSession(model, options, providers=list(self.providers))


def plain(*, has_bodies: bool) -> Runtime:
    """What a reference runs on: ONNX Runtime alone, unless its own nodes have no bodies."""
    return Runtime("bodies" if has_bodies else "library")


def _options(*, threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    return options

"""Running both models as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from onnx_acts.files.reading import Model
from onnx_acts.ort.values import from_ort, to_ort
from onnx_acts.verifying import inputs
from onnx_acts.verifying.graphs import Graph
from onnx_acts.verifying.inputs import Feeds
from onnx_acts.verifying.runtimes import Runtime

__all__ = ["Plan", "fed_runs", "outputs_of"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """Which inputs are wanted.

    Attributes:
        given: the caller's; None for random ones.
        count: how many sets of random ones.
        seed: of the random ones.
        shapes: shapes that the caller wants for random ones, by input.
    """

    given: Mapping[str, Any] | None
    count: int
    seed: int
    shapes: Mapping[str, Sequence[int]]


def fed_runs(
    model: Model, graph: Graph, runtime: Runtime, plan: Plan, tell: Callable[[str], None]
) -> tuple[list[Feeds], list[list[NDArray[Any]]]]:
    """Runs the model on every set of inputs; returns the inputs and the outputs.

    Raises:
        ValueError: inputs that do not fit, or on which the model cannot run.
        RuntimeError, FileNotFoundError: as in `onnx_acts.session`.
    """
    tell("loading the model")
    session = _opened(model, runtime, "the model")
    if plan.given is not None:
        feeds = inputs.checked(plan.given, graph.inputs)
        tell("running the model")
        return [feeds], [_run(session, feeds, graph, "the model")]
    unknown = [name for name in plan.shapes if name not in {i.name for i in graph.inputs}]
    if unknown:
        names = ", ".join(repr(item.name) for item in graph.inputs)
        raise ValueError(f"the model has no input {unknown[0]!r} to give a shape; it has {names}")
    tell("running the model")
    choice, first, result = _first(session, graph, plan)
    feeds_of_runs, results = [first], [result]
    for run in range(1, plan.count):
        feeds = inputs.random_feeds(graph, plan.seed, run, choice, plan.shapes)
        try:
            result = _run(session, feeds, graph, "the model")
        except ValueError:  # of another batch size than the first, which it may not take
            feeds = inputs.random_feeds(graph, plan.seed + run, 0, choice, plan.shapes)
            result = _run(session, feeds, graph, "the model")
        feeds_of_runs.append(feeds)
        results.append(result)
    return feeds_of_runs, results


def _first(
    session: onnxruntime.InferenceSession, graph: Graph, plan: Plan
) -> tuple[int, Feeds, list[NDArray[Any]]]:
    """The first sizes of free dimensions that the model can run on."""
    problem: ValueError | None = None
    for choice in range(inputs.count_of_choices(graph)):
        feeds = inputs.random_feeds(graph, plan.seed, 0, choice, plan.shapes)
        try:
            return choice, feeds, _run(session, feeds, graph, "the model")
        except ValueError as error:
            problem = problem or error
    raise ValueError(
        f"{problem}; give inputs that it takes (--inputs FILE.npz), or their shapes (--shape"
        " NAME=1x3x224x224)"
    ) from problem


def outputs_of(
    model: Model,
    graph: Graph,
    runtime: Runtime,
    runs: Sequence[Feeds],
    what: str,
    *,
    optimised: bool = True,
) -> list[list[NDArray[Any]]]:
    """Runs a model on sets of inputs; errors as in `fed_runs`."""
    session = _opened(model, runtime, what, optimised=optimised)
    return [_run(session, feeds, graph, what) for feeds in runs]


def _opened(
    model: Model, runtime: Runtime, what: str, *, optimised: bool = True
) -> onnxruntime.InferenceSession:
    try:
        return runtime.whole(model, optimised=optimised)
    except (OSError, ImportError, ValueError, TypeError):
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise ValueError(f"ONNX Runtime cannot load {what}: {error}") from error


def _run(
    session: onnxruntime.InferenceSession, feeds: Feeds, graph: Graph, what: str
) -> list[NDArray[Any]]:
    names = [item.name for item in graph.outputs]
    try:
        values = session.run_with_ort_values(names, {k: to_ort(v) for k, v in feeds.items()})
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise ValueError(f"{what} cannot run on these inputs: {error}") from error
    for name, value in zip(names, values, strict=True):
        if not value.is_tensor():
            raise ValueError(
                f"output {name!r} of {what} is a {value.data_type()}; tensors alone are compared"
            )
    return [from_ort(value) for value in values]

"""Dynamic batch: the first dimension of every input is a symbol where the module allows it."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch

from onnx_acts.exporting.arguments import bound_arguments, shapes_of

__all__ = ["Limit", "batch_shapes", "name_batch", "settle_batch", "warn_limit"]

_UNLIMITED = 2**31
"""An upper bound from which on a dimension counts as free."""


def batch_shapes(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Makes the `dynamic_shapes` that ask for a free first dimension of every tensor.

    torch fixes or limits those dimensions on which the module's Python code depends.
    """

    def shape_of(leaf: Any) -> Any:
        is_array = isinstance(leaf, torch.Tensor) and leaf.ndim > 0
        return {0: torch.export.Dim.AUTO} if is_array else None

    return shapes_of(bound_arguments(module, args, kwargs), shape_of)


@dataclasses.dataclass(frozen=True)
class Limit:
    """A free batch dimension, and the sizes to which torch limits it.

    Attributes:
        name: the first input that has it.
        symbol: its name in the file.
        inputs: the places of all tensors that have it, in the order of the graph's inputs.
        lower: the smallest size that torch allows.
        upper: the largest one; None where there is none.
    """

    name: str
    symbol: str
    inputs: tuple[int, ...]
    lower: int
    upper: int | None

    @property
    def is_range(self) -> bool:
        """Whether torch's range alone leaves out a size."""
        return self.lower > 1 or self.upper is not None

    def allows(self, size: int) -> bool:
        """Whether torch's range has a size."""
        return self.lower <= size and (self.upper is None or size <= self.upper)


def settle_batch(
    model: onnx.ModelProto, tensors: Sequence[torch.Tensor], ranges: Mapping[Any, Any]
) -> list[Limit]:
    """Names free first dimensions, and writes fixed ones as numbers, with a warning.

    torch's exporter leaves a symbol even where the module works for one size only.

    Args:
        model: the exported model; it is changed.
        tensors: the example inputs, in the order of the graph's inputs.
        ranges: torch's symbols and their ranges.

    Returns:
        The free dimensions, which may be limited all the same. torch's ranges tell of a branch that
        was taken somewhere, which may be one between two ways to compute the same, and they do not
        tell of everything, such as sizes that must be even: to try is to know.
    """
    limits = {str(symbol): (found.lower, found.upper) for symbol, found in ranges.items()}
    symbols = _first_symbols(model, tensors)
    settled: dict[str, str | int] = {}
    free = []
    for i, (value, tensor) in enumerate(zip(model.graph.input, tensors, strict=False)):
        symbol = symbols[i]
        if symbol is None or symbol in settled:
            continue
        lower, upper = limits.get(symbol, (tensor.shape[0], tensor.shape[0]))
        if not symbol or lower == upper:
            settled[symbol] = int(lower)
            fact = f"fixes its first dimension to {lower}"
            warn_limit(value.name, f"{fact}; the exported model is right for no other batch size")
            continue
        free_name = f"{value.name}_batch" if "batch" in settled.values() else "batch"
        settled[symbol] = free_name
        is_limited = getattr(upper, "is_Integer", False) and upper < _UNLIMITED
        places = tuple(j for j, other in enumerate(symbols) if other == symbol)
        most = int(upper) if is_limited else None
        free.append(Limit(value.name, free_name, places, int(lower), most))
    settled.pop("", None)
    if settled:
        _rename(model.graph, settled)
    return free


def name_batch(model: onnx.ModelProto, tensors: Sequence[torch.Tensor]) -> None:
    """Names the free first dimensions of a program, whose limits are those that it was made for."""
    settled: dict[str, str | int] = {}
    for value, symbol in zip(model.graph.input, _first_symbols(model, tensors), strict=False):
        if symbol and symbol not in settled:
            settled[symbol] = f"{value.name}_batch" if settled else "batch"
    if settled:
        _rename(model.graph, settled)


def _first_symbols(model: onnx.ModelProto, tensors: Sequence[torch.Tensor]) -> list[str | None]:
    """The symbol of each input's first dimension, "" where it is a number; None without one."""
    return [
        value.type.tensor_type.shape.dim[0].dim_param if tensor.ndim else None
        for value, tensor in zip(model.graph.input, tensors, strict=False)
    ]


def warn_limit(name: str, fact: str) -> None:
    """Tells that a file is right for some batch sizes only."""
    warnings.warn(
        f"input {name!r}: the module {fact} (dynamic_shapes={{}} fixes all shapes without this"
        " warning)",
        stacklevel=2,
    )


def _rename(graph: onnx.GraphProto, settled: Mapping[str, str | int]) -> None:
    """Replaces symbols in every shape of the graph and its subgraphs, also inside expressions."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, settled))})\b")
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            found = set(pattern.findall(dimension.dim_param))
            sizes = [settled[symbol] for symbol in found]
            if any(isinstance(size, int) for size in sizes):
                is_whole = dimension.dim_param in settled
                dimension.ClearField("dim_param")
                if is_whole:
                    dimension.dim_value = int(sizes[0])
            elif found:
                dimension.dim_param = pattern.sub(
                    lambda match: str(settled[match.group()]), dimension.dim_param
                )
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, settled)

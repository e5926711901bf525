"""Dynamic batch: the first dimension of every input is a symbol where the module allows it."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch
from torch.utils import _pytree as pytree

__all__ = ["batch_shapes", "bound_arguments", "settle_batch", "tensors_of"]

_UNLIMITED = 2**31
"""An upper bound from which on a dimension counts as free."""


def tensors_of(*trees: Any) -> list[torch.Tensor]:
    """Lists the tensors in nested tuples, lists and dictionaries, in torch's order."""
    return [leaf for leaf in pytree.tree_leaves(trees) if isinstance(leaf, torch.Tensor)]


def bound_arguments(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments by the names that `module.forward` gives them.

    Raises:
        TypeError: there are too many or too few, or one has another name.
    """
    signature = inspect.signature(module.forward)
    try:
        return dict(signature.bind(*args, **kwargs).arguments)
    except TypeError as error:
        raise TypeError(
            f"the inputs do not fit {type(module).__name__}.forward{signature}: {error}"
        ) from error


def batch_shapes(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Makes the `dynamic_shapes` that ask for a free first dimension of every tensor.

    torch fixes or limits those dimensions on which the module's Python code depends.
    """

    def shape_of(leaf: Any) -> Any:
        is_array = isinstance(leaf, torch.Tensor) and leaf.ndim > 0
        return {0: torch.export.Dim.AUTO} if is_array else None

    return pytree.tree_map(shape_of, bound_arguments(module, args, kwargs))


def settle_batch(
    model: onnx.ModelProto, tensors: Sequence[torch.Tensor], ranges: Mapping[Any, Any]
) -> None:
    """Names free first dimensions, writes fixed ones as numbers, and warns where one is not free.

    torch's exporter leaves a symbol even where the module works for one size only.

    Args:
        model: the exported model; it is changed.
        tensors: the example inputs, in the order of the graph's inputs.
        ranges: torch's symbols and their ranges.
    """
    limits = {str(symbol): (found.lower, found.upper) for symbol, found in ranges.items()}
    settled: dict[str, str | int] = {}
    for value, tensor in zip(model.graph.input, tensors, strict=False):
        if tensor.ndim == 0:
            continue
        symbol = value.type.tensor_type.shape.dim[0].dim_param
        if symbol in settled:
            continue
        lower, upper = limits.get(symbol, (tensor.shape[0], tensor.shape[0]))
        if not symbol or lower == upper:
            settled[symbol] = int(lower)
            _warn(value.name, f"fixes its first dimension to {lower}")
            continue
        settled[symbol] = f"{value.name}_batch" if "batch" in settled.values() else "batch"
        is_limited = getattr(upper, "is_Integer", False) and upper < _UNLIMITED
        if lower > 1 or is_limited:
            most = f"to {upper}" if is_limited else "up"
            _warn(value.name, f"limits its first dimension: from {lower} {most}")
    settled.pop("", None)
    if settled:
        _rename(model.graph, settled)


def _warn(name: str, fact: str) -> None:
    warnings.warn(
        f"input {name!r}: the module {fact}; the exported model is right for no other batch size"
        " (dynamic_shapes={} fixes all shapes without this warning)",
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

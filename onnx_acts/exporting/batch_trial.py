"""Trying other sizes than the example's: of the batch, and of every dynamic dimension.

A batch dimension that was made free without being asked for is a guess, and what it is not right
for is a warning. A dimension that the caller made dynamic must be right for another size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from torch.utils import _pytree as pytree

from onnx_acts.comparing.limits import Limits
from onnx_acts.exporting import verification
from onnx_acts.exporting.arguments import tensors_of
from onnx_acts.exporting.dynamic import Limit, warn_limit
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.ranges import Dimension
from onnx_acts.exporting.result import VerificationError
from onnx_acts.exporting.runtimes import Sessions

__all__ = ["tell_range", "try_dimensions", "try_limits"]

_SMALL = (1, 2, 3)
"""Sizes that cost little: 1, an even one, an odd one."""

_OUTSIDE = re.compile("index.* out of (bounds|range)")
"""What PyTorch says of an index that is too large."""

_ANY_NOISE = 1e300
"""More than the tolerance allows: a limited batch is wrong by more than rounding."""


Trial = tuple[torch.nn.Module, tuple[Any, ...], dict[str, Any]]
"""The module and its example arguments."""


def try_dimensions(
    dimensions: Sequence[Dimension],
    opened: Sessions,
    outputs: Sequence[onnx.ValueInfoProto],
    call: Trial,
    operators: Collection[str],
    limits: Limits,
) -> dict[str, tuple[int, ...]]:
    """Compares the model with the module at a second size of each dynamic dimension.

    Args:
        dimensions: the dimensions.
        opened: the model, and its sessions.
        outputs: the graph's outputs.
        call: the module and its example arguments.
        operators: the activations in the model.
        limits: the caller's own tolerance.

    Returns:
        The sizes for which the model is right, of each dimension, the example's first. Only the
        example's where the module itself runs on no other size that was tried.

    Raises:
        VerificationError: the module runs on a size for which the model is not right.
    """
    if not dimensions:
        return {}
    tensors = tensors_of(call[1:])
    found: dict[str, tuple[int, ...]] = {}
    for dimension in dimensions:
        i, axis = dimension.places[0]
        own = tensors[i].shape[axis]
        found[dimension.name] = (own,)
        for size in _second_sizes(own, dimension) if own else ():
            args, kwargs = _with_size(call[1:], dimension.places, size)
            try:
                values = run_module(call[0], args, kwargs)
            except ValueError:  # the module takes no such size: the file need not
                continue
            told = f"with {dimension.name} = {size}"
            _compare_at(opened, outputs, values, (args, kwargs), operators, limits, told)
            found[dimension.name] = (own, size)
            break
    return found


def _second_sizes(own: int, dimension: Dimension) -> list[int]:
    """Sizes to try: networks that halve a size several times take multiples only."""
    sizes = (own + 1, 2 * own, own - 1, own + 8, own + 16, own + 32, own // 2)
    return [size for size in dict.fromkeys(sizes) if size > 0 and dimension.allows(size)]


def _compare_at(
    opened: Sessions,
    outputs: Sequence[onnx.ValueInfoProto],
    values: list[torch.Tensor],
    call: Any,
    operators: Collection[str],
    limits: Limits,
    told: str,
) -> None:
    """Compares at one size."""
    expected = [
        verification.Expectation(value, np.full(value.shape, _ANY_NOISE)) for value in values
    ]
    try:
        got = opened.run(call, accelerated=False)
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        raise VerificationError(
            f"{told} ONNX Runtime cannot run the exported model, and the module can: {error};"
            " verify='none' (--verify none) writes it all the same"
        ) from error
    try:
        verification.compare(
            outputs, expected, got, accelerated=False, operators=operators, limits=limits
        )
    except VerificationError as error:
        raise VerificationError(f"{told}: {error}") from error


def _with_size(call: Any, places: Sequence[tuple[int, int]], size: int) -> Any:
    """The arguments with another size of a dimension: the example's elements, again and again."""
    leaves, tree = pytree.tree_flatten(call)
    tensors = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
    for place, axis in places:
        leaf = leaves[tensors[place]].detach()
        chosen = torch.arange(size, device=leaf.device) % leaf.shape[axis]
        leaves[tensors[place]] = leaf.index_select(axis, chosen)
    return pytree.tree_unflatten(leaves, tree)


def tell_range(limit: Limit) -> None:
    """Warns of what torch's range leaves out, where nothing is to be run."""
    if limit.is_range:
        warn_limit(limit.name, f"limits its first dimension: {_range(limit)} (not tried)")


def try_limits(
    limits: Sequence[Limit],
    opened: Sessions,
    outputs: Sequence[onnx.ValueInfoProto],
    call: Trial,
    operators: Collection[str],
    tolerance: Limits,
) -> dict[str, tuple[int, ...]]:
    """Runs the module and the model with other batch sizes, and warns where they differ.

    Args:
        limits: the free dimensions.
        opened: the model, and its sessions.
        outputs: the graph's outputs.
        call: the module and its example arguments.
        operators: the activations in the model.
        tolerance: the caller's own.

    Returns:
        The sizes for which the model is right, of each free dimension.
    """
    if not limits:
        return {}
    found = {}
    for limit in limits:
        own = tensors_of(call[1:])[limit.inputs[0]].shape[0]
        if own == 0:  # there is nothing to make other sizes of
            tell_range(limit)
            continue

        def agrees(size: int, limit: Limit = limit) -> bool | None:
            resized = (call[0], *_resized(call[1:], limit, size))
            return _agrees(opened, outputs, resized, operators, tolerance)

        found[limit.symbol] = _try_limit(limit, own, agrees)
    return found


def _try_limit(limit: Limit, own: int, agrees: Callable[[int], bool | None]) -> tuple[int, ...]:
    """Tries the sizes of one dimension; `own` is the example's, for which the model is right."""
    sizes, rest = _sizes(limit, own)
    right, wrong = [own], list[int]()
    for size in sizes:
        if own == 1 and right == [1, 2] and not limit.is_range:
            break  # a run of 3 takes three times as long as all others of this example
        answer = agrees(size)
        if answer is None and limit.allows(size):
            if own + 1 not in sizes:
                sizes.append(own + 1)  # has everything that the example has
        else:
            (right if answer else wrong).append(size)
    if wrong:
        _tell(limit, right, wrong)
    elif rest:
        warn_limit(limit.name, f"limits its first dimension: {_range(limit)} (not tried)")
    return tuple(right)


def _sizes(limit: Limit, own: int) -> tuple[list[int], bool]:
    """The sizes to try beside the example's, and whether the next above torch's range is too large.

    Without a range, two small ones do, and beside a single element 2 alone where that is right: it
    is no longer broadcast, and even. A size beyond twice the example's could take too much time.
    """
    if not limit.is_range:
        return [2, 3] if own == 1 else [size for size in (1, 3, 2) if size != own][:2], False
    most = max(2 * own, *_SMALL) + 1
    after = None if limit.upper is None else limit.upper + 1
    sizes = {*_SMALL, limit.lower - 1, after or 1, own + 1} - {own}
    return sorted(size for size in sizes if 0 < size <= most), after is not None and after > most


def _resized(call: Any, limit: Limit, size: int) -> Any:
    """The arguments with `size` elements of the batch."""
    return _with_size(call, [(i, 0) for i in limit.inputs], size)


def _agrees(
    opened: Sessions,
    outputs: Sequence[onnx.ValueInfoProto],
    call: Trial,
    operators: Collection[str],
    tolerance: Limits,
) -> bool | None:
    """Whether module and model give the same; what one of them cannot run is no agreement.

    None where the example's values do not fit the size, as indices of elements that are left out.
    """
    try:
        expected = [
            verification.Expectation(value, np.full(value.shape, _ANY_NOISE))
            for value in run_module(*call)
        ]
        got = opened.run(call[1:], accelerated=False)
        verification.compare(
            outputs, expected, got, accelerated=False, operators=operators, limits=tolerance
        )
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        return None if _OUTSIDE.search(str(error.__cause__)) else False
    return True


def _tell(limit: Limit, right: list[int], wrong: list[int]) -> None:
    span = f"{_range(limit)}, " if limit.is_range else ""
    warn_limit(
        limit.name,
        f"limits its first dimension: {span}tried and right for {_listed(right)}, not for"
        f" {_listed(wrong)}",
    )


def _listed(sizes: list[int]) -> str:
    return ", ".join(map(str, sorted(sizes)))


def _range(limit: Limit) -> str:
    return f"from {limit.lower} {'up' if limit.upper is None else f'to {limit.upper}'}"

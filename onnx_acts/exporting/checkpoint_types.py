"""Element types of a file's tensors and a module's: what fits, and what a conversion rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

__all__ = ["misfits", "roundings"]

State = Mapping[str, torch.Tensor]


def misfits(tensors: State, wanted: State) -> list[str]:
    """Names the tensors whose kind of number the module's tensor cannot hold.

    A real parameter takes real numbers only: integers there are most probably quantised weights.
    An integer or a flag takes what keeps its value.
    """
    return [
        f"{name} is {_name(have)}, the module has {_name(want)}"
        for name, have, want in _differing(tensors, wanted)
        if not _fits(have, want.dtype)
    ]


def roundings(tensors: State, wanted: State) -> list[str]:
    """Names the real tensors with values that the module's element type does not have."""
    return [
        f"{name} from {_name(have)} to {_name(want)}{_overflow(have, want.dtype)}"
        for name, have, want in _differing(tensors, wanted)
        if have.is_floating_point() and not _keeps_values(have, want.dtype)
    ]


def _differing(tensors: State, wanted: State) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """The tensors that have another element type than the module's of the same name."""
    for name in sorted(tensors.keys() & wanted.keys()):
        if tensors[name].dtype != wanted[name].dtype:
            yield name, tensors[name], wanted[name]


def _fits(have: torch.Tensor, dtype: torch.dtype) -> bool:
    if dtype.is_floating_point:
        return have.is_floating_point()
    if dtype.is_complex:
        return have.is_complex()
    return not have.is_complex() and _keeps_values(have, dtype)


def _keeps_values(have: torch.Tensor, dtype: torch.dtype) -> bool:
    back = have.to(dtype).to(have.dtype)
    return bool(((back == have) | (back.isnan() & have.isnan())).all())


def _overflow(have: torch.Tensor, dtype: torch.dtype) -> str:
    return " (values overflow)" if (have.isfinite() & ~have.to(dtype).isfinite()).any() else ""


def _name(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")

"""A module in another element type, without a change to the caller's."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch.utils import _pytree as pytree

from onnx_acts.definition.specs import ELEMENT_TYPES
from onnx_acts.exporting.arguments import Call
from onnx_acts.exporting.subjects import Subject

__all__ = ["check_dtype", "converted"]


def check_dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    """The element type that is meant.

    Raises:
        ValueError: there is no such type, or the operators do not have it.
    """
    if dtype is None:
        return None
    name = str(dtype).removeprefix("torch.")
    if name not in ELEMENT_TYPES:
        raise ValueError(f"dtype must be one of {', '.join(ELEMENT_TYPES)}, got {dtype!r}")
    found = getattr(torch, name)
    assert isinstance(found, torch.dtype)
    return found


def converted(subject: Subject, call: Call, dtype: torch.dtype) -> tuple[Subject, Call]:
    """A copy of a module, and of its arguments, with all floating-point tensors of one type.

    Slopes and other parameters are rounded with the rest; what an activation has as plain numbers,
    such as ELU's alpha, is not.

    Raises:
        ValueError: a captured program, whose type is fixed, or a module that cannot be copied.
    """
    if subject.program is not None:
        raise ValueError("an exported program has its element type: leave dtype (--dtype) out")
    try:
        module = copy.deepcopy(subject.module)
    except Exception as error:  # a module may hold anything, locks and open files too
        raise ValueError(
            f"the module cannot be copied ({type(error).__name__}: {error}), so it cannot be"
            f" converted: convert it and the inputs with .to({dtype}), and leave dtype out"
        ) from error

    def changed(leaf: Any) -> Any:
        is_real = isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
        return leaf.detach().to(dtype) if is_real else leaf

    module._apply(  # type: ignore[no-untyped-call]  # Module.to makes complex buffers real
        lambda item: item.to(dtype) if item.is_floating_point() else item
    )
    args, kwargs = pytree.tree_map(changed, call)
    return Subject(module), (args, kwargs)

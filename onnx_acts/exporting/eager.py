"""Running a module in PyTorch on copies of its state and arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils import _pytree as pytree

from onnx_acts.definition.specs import ELEMENT_TYPES
from onnx_acts.exporting.arguments import bound_arguments, tensors_of
from onnx_acts.exporting.rrelu import RReLUMode, with_mean_slope
from onnx_acts.exporting.states import unchanged
from onnx_acts.exporting.user_code import user_place

__all__ = ["brief", "located", "run_module"]

_LARGE = 2**20
"""Bytes from which a copy is worth to be put off."""

_LONGEST_REASON = 600
"""Characters of torch's reason that are shown; some of its messages fill pages."""


def run_module(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    dtype: torch.dtype | None = None,
) -> list[torch.Tensor]:
    """Runs a module, leaving it as it was; an RReLU that would draw has the mean slope.

    Args:
        module: the module, in the mode in which it is to run.
        args: its positional arguments.
        kwargs: its keyword arguments.
        dtype: what all floating-point tensors are converted to; None leaves them as they are.

    Raises:
        ValueError: the module cannot run on these arguments; the message names their shapes.
    """
    try:
        return _run(module, args, kwargs, dtype)
    except (Exception, SystemExit) as error:  # a module may raise anything
        facts = "; ".join(_facts(module, args, kwargs))
        reason = located(brief(error), error)
        raise ValueError(
            f"the module cannot run on these inputs: {reason}{f' ({facts})' if facts else ''}"
        ) from error


def brief(error: BaseException) -> str:
    """An exception in one line that is not too long."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST_REASON]}"


def located(text: str, error: BaseException) -> str:
    """A reason with the user's line that it comes from, where there is one."""
    place = user_place(error)
    return f"{text} (at {place})" if place else text


def _run(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    dtype: torch.dtype | None,
) -> list[torch.Tensor]:
    def copied(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        if dtype is not None and leaf.is_floating_point():
            return leaf.detach().to(dtype, copy=True)
        return _copy_of(leaf.detach())

    # Compiling for one run takes many times as long as the run.
    eager = torch.compiler.set_stance("force_eager")
    mean = RReLUMode(with_mean_slope)
    with unchanged(module), torch.no_grad(), eager, mean, _half_of_the_threads():
        result = torch.func.functional_call(
            module,
            _copied_state(module, copied),
            pytree.tree_map(copied, args),
            pytree.tree_map(copied, kwargs),
            tie_weights=False,
        )
    return [tensor.detach().cpu() for tensor in tensors_of(result)]


def _copy_of(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of a tensor; of a large plain one, one that takes memory only when it is written to.

    Copying the weights of a large network takes longer than a run. torch's copies on write are for
    its own use, and refuse memory that is shared or not torch's own: then it is a copy at once.
    """
    lazily = getattr(torch, "_lazy_clone", None)
    is_plain = type(tensor) is torch.Tensor and tensor.layout == torch.strided
    if lazily and is_plain and tensor.device.type == "cpu" and tensor.nbytes >= _LARGE:
        with contextlib.suppress(RuntimeError):
            return lazily(tensor)  # type: ignore[no-any-return]  # it has no annotations
    return tensor.to(tensor.dtype, copy=True)


@contextlib.contextmanager
def _half_of_the_threads() -> Iterator[None]:
    """Runs on half of PyTorch's threads, at least one.

    Its threads wait for each other in a loop. Where other processes have some of the cores, a run
    on all of them takes up to ten times the processor time of one on a single core (seen with
    ResNet-34 on two cores).
    """
    own = torch.get_num_threads()
    torch.set_num_threads(max(1, own // 2))
    try:
        yield
    finally:
        torch.set_num_threads(own)


def _copied_state(
    module: torch.nn.Module, copied: Callable[[torch.Tensor], torch.Tensor]
) -> dict[str, torch.Tensor]:
    """A copy of every parameter and buffer, under one name for each module that has it.

    A submodule may be registered under several names. `functional_call` would replace its tensors
    once for each name and put a copy back in the end, so it gets one name and ties nothing itself;
    tensors that several modules share stay shared.
    """
    copies: dict[int, torch.Tensor] = {}
    state = {}
    for prefix, owner in module.named_modules(remove_duplicate=True):
        for own in (
            owner.named_parameters(prefix, recurse=False, remove_duplicate=False),
            owner.named_buffers(prefix, recurse=False, remove_duplicate=False),
        ):
            for name, tensor in own:
                if id(tensor) not in copies:
                    copies[id(tensor)] = copied(tensor)
                state[name] = copies[id(tensor)]
    return state


def _facts(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[str]:
    """What helps to see why inputs do not fit: shapes, and what is probably missing."""
    inputs = {
        name: tensors_of(tree) for name, tree in bound_arguments(module, args, kwargs).items()
    }
    for name, tensors in inputs.items():
        if tensors:
            kinds = (f"{_name(tensor.dtype)} {tuple(tensor.shape)}" for tensor in tensors)
            yield f"{name} is {', '.join(kinds)}"
    if not kwargs and args and isinstance(args[-1], dict) and _runs(module, args[:-1], args[-1]):
        yield "the dict at the end is passed as it is; it runs as kwargs=..."
    if not all(tensor.is_floating_point() for tensors in inputs.values() for tensor in tensors):
        yield f"activations take {', '.join(ELEMENT_TYPES)}"
    batch = pytree.tree_map(_as_batch, (args, kwargs))
    if _runs(module, *batch):
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors_of(batch))
        yield f"with a leading batch dimension it runs: {shapes}"


def _runs(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        _run(module, args, kwargs, None)
    except (Exception, SystemExit):  # a module may raise anything
        return False
    return True


def _as_batch(leaf: Any) -> Any:
    return leaf.unsqueeze(0) if isinstance(leaf, torch.Tensor) else leaf


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

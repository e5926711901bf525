"""The arguments of a module: as the caller gives them, and as torch's exporter takes them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.export.dynamic_shapes import _tree_map_with_path
from torch.utils import _pytree as pytree

__all__ = [
    "Call",
    "bound_arguments",
    "one_by_one",
    "settled",
    "shapes_of",
    "spread_arguments",
    "tensors_of",
]

Call = tuple[tuple[Any, ...], dict[str, Any]]
"""Positional and keyword arguments."""

_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def tensors_of(*trees: Any) -> list[torch.Tensor]:
    """Lists the tensors in nested tuples, lists and dictionaries, in torch's order."""
    return [leaf for leaf in pytree.tree_leaves(trees) if isinstance(leaf, torch.Tensor)]


def shapes_of(tree: Any, shape_of: Callable[[Any], Any]) -> Any:
    """The shapes of nested arguments as torch takes them: of a registered class, a list."""
    return _tree_map_with_path(lambda _, leaf: shape_of(leaf), tree)


def settled(module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> Call:
    """The arguments as a call has them, those by keyword in the order of `module.forward`.

    A dictionary at the end is an argument like any other; where `module.forward` takes it as
    keyword arguments only, it is these, as in `torch.onnx.export`.

    Raises:
        TypeError: neither a tensor nor a tuple or list, or a NumPy array.
    """
    if isinstance(args, torch.Tensor):
        args = (args,)
    if not isinstance(args, tuple | list | np.ndarray):
        raise TypeError(
            "args must be a tensor or a tuple of what module.forward takes (keyword arguments go to"
            f" kwargs), got {type(args).__name__}"
        )
    args = tuple(args)
    if any(isinstance(leaf, np.ndarray) for leaf in pytree.tree_leaves((args, kwargs))):
        raise TypeError("an input is a NumPy array: torch.from_numpy makes a tensor of it")
    if not kwargs and args and isinstance(args[-1], dict):
        named = args[-1]
        if not _binds(module, args, {}) and _binds(module, args[:-1], named):
            args, kwargs = args[:-1], named
    order = [name for name in inspect.signature(module.forward).parameters if name in kwargs]
    return args, {name: kwargs[name] for name in dict.fromkeys((*order, *kwargs))}


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


def _binds(module: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[Any, Any]) -> bool:
    try:
        inspect.signature(module.forward).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


@contextlib.contextmanager
def one_by_one(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: Any
) -> Iterator[tuple[Call, Any]]:
    """Yields arguments and shapes as torch's exporter takes them, with `module.forward` to match.

    torch gives no shapes to `**kwargs`: while this lasts, `forward` has one parameter for each of
    them, and for each of `*args`. It takes a dictionary at the end for keyword arguments, but for
    an empty one after it.
    """
    bound = bound_arguments(module, args, kwargs)
    parameters = _parameters(module, bound)
    if not shapes or not _has_open_keywords(parameters):
        is_dict = not kwargs and args and isinstance(args[-1], dict)
        yield (((*args, {}) if is_dict else args), kwargs), shapes
        return
    flat = _spread(parameters, bound)
    own = vars(module).get("forward")
    module.forward = _forward(module.forward, parameters, bound, list(flat))
    try:
        yield ((*flat.values(), {}), {}), _spread_shapes(parameters, bound, shapes)
    finally:
        del module.forward
        if own is not None:
            module.forward = own


def spread_arguments(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments as `one_by_one` names them; empty where it leaves them as they are."""
    bound = bound_arguments(module, args, kwargs)
    parameters = _parameters(module, bound)
    return _spread(parameters, bound) if _has_open_keywords(parameters) else {}


def _parameters(module: torch.nn.Module, bound: Mapping[str, Any]) -> list[inspect.Parameter]:
    """The parameters of `module.forward` that have arguments."""
    signature = inspect.signature(module.forward)
    return [item for item in signature.parameters.values() if item.name in bound]


def _has_open_keywords(parameters: list[inspect.Parameter]) -> bool:
    return any(item.kind == inspect.Parameter.VAR_KEYWORD for item in parameters)


def _spread(parameters: list[inspect.Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values one by one, with names for those of `*args`."""
    flat: dict[str, Any] = {}
    for item in parameters:
        value = values[item.name]
        if item.kind == inspect.Parameter.VAR_POSITIONAL:
            for i, one in enumerate(value):
                flat[_new(f"{item.name}_{i}", flat)] = one
        elif item.kind == inspect.Parameter.VAR_KEYWORD:
            for name, one in value.items():
                flat[_new(name, flat)] = one
        else:
            flat[item.name] = value
    return flat


def _new(name: str, taken: Container[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _spread_shapes(
    parameters: list[inspect.Parameter], bound: Mapping[str, Any], shapes: Any
) -> dict[str, Any]:
    """The caller's shapes for the spread arguments; those that are spread already stay."""
    names = [item.name for item in parameters]
    named = dict(shapes if isinstance(shapes, dict) else zip(names, shapes, strict=False))
    nothing: dict[str, Any] = {
        item.name: shapes_of(bound[item.name], lambda _: None)
        for item in parameters
        if item.name not in named
    }
    whole = _spread(parameters, {**nothing, **named})
    return {name: named.get(name, whole.get(name)) for name in _spread(parameters, bound)}


def _forward(
    forward: Callable[..., Any],
    parameters: list[inspect.Parameter],
    bound: Mapping[str, Any],
    names: list[str],
) -> Callable[..., Any]:
    """`forward` with a parameter for each of the names."""
    is_open = any(item.kind == inspect.Parameter.VAR_POSITIONAL for item in parameters)

    def call(*values: Any) -> Any:
        rest = list(values)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for item in parameters:
            count = len(bound[item.name]) if item.kind in _ANY else 1
            taken, rest = rest[:count], rest[count:]
            if item.kind == inspect.Parameter.VAR_KEYWORD:
                kwargs |= dict(zip(bound[item.name], taken, strict=True))
            elif item.kind == inspect.Parameter.KEYWORD_ONLY or not (
                is_open or item.kind == inspect.Parameter.POSITIONAL_ONLY
            ):
                kwargs[item.name] = taken[0]
            else:
                args += taken
        return forward(*args, **kwargs)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call

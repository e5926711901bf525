"""torch's long reports as one reason that names the user's line."""

from __future__ import annotations

import re
from typing import Any

import torch

from onnx_acts.exporting.dimensions import fixed
from onnx_acts.exporting.eager import brief, located, run_module
from onnx_acts.exporting.translations import TranslationError
from onnx_acts.exporting.user_code import chain, failed_node

__all__ = ["reason_of"]

_DATA = (
    "data-dependent Python, as an if, a loop, an index or int() of a tensor's values, has no place"
    " in a graph; use torch.where, torch.cond or masks"
)
_STATIC = re.compile(
    r"inferred a static shape of (?P<size>\d+) for dimension"
    r" inputs\['(?P<name>[^']+)'\]\.shape\[(?P<axis>\d+)\]"
)
"""What torch says of a dynamic dimension that the module fixes."""

_NO_TRANSLATION = (
    "; custom_translation_table (--translations) takes a function that writes ONNX for it"
)
_NO_OPTIMISER = "optimize=False (--no-optimize) leaves the optimiser out"


def reason_of(
    error: BaseException, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> ValueError:
    """Turns torch's report into its first reason; a refusal of ours is that reason.

    Of a module that cannot run at all, PyTorch itself speaks more clearly than its exporter.
    """
    causes = chain(error)
    for cause in causes:
        if isinstance(cause, TranslationError):
            return cause
    try:
        run_module(module, args, kwargs)
    except ValueError as reason:
        return reason
    static = _STATIC.search(brief(causes[0]))
    if static is not None:
        return ValueError(fixed(static["name"], static["axis"], static["size"]))
    return ValueError("PyTorch cannot export the module: " + _explained(error, causes, module))


def _explained(error: BaseException, causes: list[BaseException], module: torch.nn.Module) -> str:
    cause, kinds = causes[0], {type(item).__name__ for item in causes}
    text = brief(cause)
    if "PassError" in kinds:
        return f"its optimiser fails: {text}; {_NO_OPTIMISER}"
    if "data-dependent" in text or "DataDependent" in text:
        return located(f"{_DATA} ({type(cause).__name__}: {_first_sentence(cause)})", error)
    if isinstance(cause, AttributeError) and "'name'" in text:  # torch's words for such an output
        return f"{text} (a module must return tensors: make the numbers that it returns tensors)"
    node = failed_node(error)
    if node is not None:
        hint = _NO_TRANSLATION if "No ONNX function found" in text else ""
        return located(f"{text} (operator {node.target}){hint}", error)
    if "in output, which is not a known type" in text:
        kind = text.partition("<class '")[2].partition("'")[0]
        return (
            f"forward returns {kind}, which PyTorch cannot take apart: return a tuple or a dict of"
            " tensors, or register the class with torch.export.register_dataclass or"
            " torch.utils._pytree.register_pytree_node"
        )
    return located(text, error) + _scripted(module)


def _first_sentence(cause: BaseException) -> str:
    """What torch says before it comes to its own files and to links."""
    return " ".join(str(cause).split("\n\n")[0].split("(unhinted")[0].split())[:200]


def _scripted(module: torch.nn.Module) -> str:
    """What to do where a part of the module is TorchScript, which torch captures in part only."""
    names = [
        name for name, part in module.named_modules() if isinstance(part, torch.jit.ScriptModule)
    ]
    if not names:
        return ""
    return (
        f"; submodule {names[0]!r} is TorchScript, which cannot be captured: put the Python module"
        " in its place, with load_state_dict(scripted.state_dict())"
    )

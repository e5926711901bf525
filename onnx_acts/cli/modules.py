"""The module that a FACTORY of the command line gives, with its arguments, weights and type."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx_acts.cli.export_words import parse_factory_arguments
from onnx_acts.definition.specs import ELEMENT_TYPES

if TYPE_CHECKING:
    import torch

__all__ = ["add_module_arguments", "check_seed", "module_of"]

_LARGEST_SEED = 2**64 - 1
"""Of torch's generators."""


def add_module_arguments(group: argparse._ArgumentGroup) -> None:
    """Adds --weights, --factory-arg and --dtype."""
    group.add_argument("--weights", metavar="FILE", help="safetensors file with the state_dict")
    group.add_argument(
        "--factory-arg",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="factory_arguments",
        help="an argument for FACTORY, a Python literal or text; once for each",
    )
    group.add_argument(
        "--dtype", choices=ELEMENT_TYPES, help="convert the module (default: as in the weights)"
    )


def check_seed(seed: int) -> None:
    """Requires a seed that torch takes.

    Raises:
        ValueError: it takes no such number.
    """
    if not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"--seed must be from 0 to 2**64 - 1, got {seed}")


def module_of(factory: str, arguments: argparse.Namespace) -> tuple[torch.nn.Module, bool]:
    """Builds the module, in evaluation mode.

    Args:
        factory: its FACTORY.
        arguments: the arguments of `add_module_arguments`, and the seed of random weights: the
            same seed makes the same ones.

    Returns:
        The module; and whether it may have random weights: none were loaded, and FACTORY drew
        random numbers.
    """
    import torch

    from onnx_acts.exporting.checkpoints import load_weights
    from onnx_acts.exporting.factory import build_module

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(arguments.seed)
        before = torch.get_rng_state()
        module = build_module(factory, parse_factory_arguments(arguments.factory_arguments))
        draws = not torch.equal(before, torch.get_rng_state())
    if arguments.weights:
        load_weights(module, arguments.weights)
    if arguments.dtype:
        module.to(getattr(torch, arguments.dtype))
    return module.eval(), draws and not arguments.weights and bool(module.state_dict())

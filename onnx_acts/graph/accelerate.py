"""Standard nodes and known decompositions -> `onnx_acts` nodes with function bodies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import onnx

from onnx_acts.embed import default_opset, embed_functions
from onnx_acts.files import Model, read_model
from onnx_acts.graph.functions import inline_functions_with_matches
from onnx_acts.graph.replacing import Choice, Replacer
from onnx_acts.graph.view import View
from onnx_acts.inference import inferred
from onnx_acts.specs import DEFAULT_OPS, spec_of
from onnx_acts.structure import STANDARD_DOMAINS

__all__ = ["accelerate", "accelerate_counted"]


def accelerate(
    model: Model, *, ops: Sequence[str] = DEFAULT_OPS, approximate: bool = False
) -> onnx.ModelProto:
    """Returns a copy in which activations are `onnx_acts` nodes with their function bodies.

    Standard `PRelu` and `Elu` nodes become `PReLU` and `ELU`; so do the decompositions that
    `onnx_acts.graph.patterns` lists. `Relu` and `LeakyRelu` stay standard nodes, because ONNX
    Runtime fuses them with convolutions, and a decomposition equal to LeakyReLU becomes a standard
    `LeakyRelu`; unless `ops` names them, or the standard node has no CPU kernel for the element
    type (float64, bfloat16). Subgraphs are processed like the graph. A model-local function that
    holds an activation is inlined first, because its element types are those of its callers.

    Left alone are nodes whose element type is unknown or not supported, and those whose slope might
    enlarge x (see `onnx_acts.graph.standard`). Random slopes in training mode (RandomUniformLike +
    PRelu, from torch's old exporter) stay random slopes: only the PRelu is replaced. An alpha comes
    from a 32-bit attribute even in a float64 model; what the file lost is not brought back.

    Args:
        model: a path, the serialised bytes or a `ModelProto`.
        ops: the operators that become `onnx_acts` nodes. RReLU is taken and finds nothing: in
            inference the standard form of it is a LeakyRelu.
        approximate: also replace forms that are equal in exact arithmetic but round differently:
            x/a where a is no power of two, and p*x + q*abs(x).

    Returns:
        A new model; without any activation to replace, an equal copy. Names of values and nodes,
        metadata and references to external data are kept.

    Raises:
        ValueError: an unknown operator in `ops`, not a valid model, or an opset that is too old
            for the function bodies (9 for float32, 15 for other types).
        FileNotFoundError: no such file.
        TypeError: not a model.

    Example:
        >>> onnx_acts.accelerate("model.onnx", ops=("PReLU", "ELU", "LeakyReLU"))  # doctest: +SKIP
    """
    return accelerate_counted(model, ops=ops, approximate=approximate)[0]


def accelerate_counted(
    model: Model, *, ops: Sequence[str] = DEFAULT_OPS, approximate: bool = False
) -> tuple[onnx.ModelProto, Counter[str]]:
    """Like `accelerate`; also returns how often each form was replaced ("PRelu -> PReLU": 3)."""
    if isinstance(ops, str):
        raise TypeError(f"ops must be a sequence of operators, like ({ops!r},), got a text")
    choice = Choice(frozenset(spec_of(name).name for name in ops), approximate)
    original = read_model(model)
    if not any(item.domain in STANDARD_DOMAINS for item in original.opset_import):
        return original, Counter()
    changed = inline_functions_with_matches(original, choice)
    replacer = Replacer(choice)
    view = View(changed.graph, inferred(changed).graph, default_opset(changed))
    replacer.run(changed, view)
    if not replacer.replaced:
        return original, replacer.replaced
    embed_functions(changed)
    return changed, replacer.replaced

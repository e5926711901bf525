"""Standard nodes and known decompositions -> `onnx_acts` nodes with function bodies."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import onnx

from onnx_acts.definition.functions import form_of
from onnx_acts.definition.known import Known
from onnx_acts.definition.specs import DEFAULT_OPS, DOMAIN, spec_of
from onnx_acts.files.embedding import (
    OVERRIDABLE_IR_VERSION,
    default_opset,
    embed_functions,
    uses_of,
)
from onnx_acts.files.reading import Model, opened, opened_file
from onnx_acts.files.renaming import restore_names
from onnx_acts.files.saving import save_model
from onnx_acts.files.sources import Source
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_nodes
from onnx_acts.files.types import complete_scan_outputs, inferred, standardise_axes
from onnx_acts.graph.channels_last import move_channels_last
from onnx_acts.graph.deciding import Left, Report, Request
from onnx_acts.graph.local_functions import (
    functions_of_other_opsets,
    inline_functions_with_matches,
    inline_functions_with_nodes,
)
from onnx_acts.graph.names import rename_inlined_values
from onnx_acts.graph.ordering import sort_nodes
from onnx_acts.graph.quantized import fuse_quantized
from onnx_acts.graph.replacing import Replacer
from onnx_acts.graph.unsigned import make_unsigned
from onnx_acts.graph.view import View

__all__ = [
    "accelerate",
    "accelerate_counted",
    "accelerate_file",
    "accelerate_file_reported",
    "accelerate_reported",
    "accelerated",
    "request_for",
]

_KEPT_FIRST = ("float32", "float16", "float64", "bfloat16")
"""Which element type gets the body where there can be one for one type only."""

_WRONG_SHAPES = "ONNX Runtime finds wrong shapes for negative axes below opset 11"


def accelerate(
    model: Model,
    *,
    ops: Sequence[str] = DEFAULT_OPS,
    approximate: bool = False,
    unsigned: bool = False,
) -> onnx.ModelProto:
    """Returns a copy in which activations are `onnx_acts` nodes with their function bodies.

    Standard `PRelu` and `Elu` nodes become `PReLU` and `ELU`; so do nodes that compute the same,
    however they are written (`onnx_acts.graph.meaning`). `Relu` and `LeakyRelu` stay standard
    nodes, because ONNX Runtime fuses them with convolutions, and nodes equal to LeakyReLU become a
    standard `LeakyRelu`; unless `ops` names them, or the standard node has no CPU kernel for the
    element type (float64, bfloat16). So does a float32 `PRelu` of one slope after a convolution, or
    between DequantizeLinear and QuantizeLinear, where ONNX Runtime fuses it. Subgraphs are
    processed like the graph. A model-local function that holds an activation is inlined first,
    because its element types are those of its callers.

    In a quantized model DequantizeLinear, the activation and QuantizeLinear become one node,
    `QLinearPReLU` or `QLinearELU`, which has their bits: of uint8 with one scale, in the graph
    itself. After a convolution it is written on the last axis, between two Transposes, as ONNX
    Runtime convolves with the channels last; QuantizeLinear goes before a MaxPool.

    A model that has `onnx_acts` nodes already, without bodies or with bodies that do not fit any
    more (another tool changed its opset or element types, say), gets new ones; nodes that a tool
    has renamed (`onnx.compose` puts prefixes before names) get their names back.

    No nodes are put into subgraphs of subgraphs and into SequenceMap: ONNX Runtime (1.31)
    mixes up the names of function bodies there. Nor beside an If of a constant in a subgraph: it
    (1.17 to 1.32) loses what that If makes (docs/decisions/0002 says how).

    A file with negative axes below opset 11, where the standard has none, stays as it is where they
    cannot be counted from the front: ONNX Runtime would take wrong sizes for the function bodies.

    Left alone are nodes whose element type is unknown or not supported, and those whose slope might
    enlarge x (see `onnx_acts.graph.standard`). Random slopes in training mode (RandomUniformLike +
    PRelu, from torch's old exporter) stay random slopes: only the PRelu is replaced. An alpha comes
    from a 32-bit attribute even in a float64 model; what the file lost is not brought back.

    Args:
        model: a path, the serialised bytes or a `ModelProto`.
        ops: the operators that become `onnx_acts` nodes. RReLU is taken and finds nothing: in
            inference the standard form of it is a LeakyRelu.
        approximate: also replace forms that are equal in exact arithmetic but round differently, or
            differ at NaN, infinity or where something in them overflows: `x/a` where a is no power
            of two, `p*x + q*abs(x)`, masks, and ELU forms that give a number for NaN.
            docs/semantics.md says how each differs.
        unsigned: also make int8 activations of quantized models uint8, with the same results: only
            those are fast in ONNX Runtime on the CPU and have operators here. On a processor
            without VNNI instructions ONNX Runtime's products of uint8 and int8 may saturate.

    Returns:
        A new model; without anything to change, an equal copy. Names of values and nodes,
        metadata and references to external data are kept. Below opset 11, axes of Squeeze and
        Unsqueeze that ONNX Runtime's shape inference misunderstands are written in ascending order.

    Raises:
        ValueError: an unknown operator in `ops`, not a valid model, or an opset that is too old
            for the function bodies: 9 for a single element type (13 for bfloat16). Below 15, of an
            operator that meets several types, only the nodes of one type are replaced.
        FileNotFoundError: no such file.
        TypeError: not a model.

    Example:
        >>> onnx_acts.accelerate("model.onnx", ops=("PReLU", "ELU", "LeakyReLU"))  # doctest: +SKIP
    """
    return accelerate_counted(model, ops=ops, approximate=approximate, unsigned=unsigned)[0]


def accelerate_file(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    ops: Sequence[str] = DEFAULT_OPS,
    approximate: bool = False,
    unsigned: bool = False,
) -> Counter[str]:
    """Like `accelerate`, from file to file, in little memory: weights are copied and not loaded.

    Weights in the model's file stay in the model's file; external data stays where it is if
    `output` is in the same folder, and is copied to a new file beside `output` otherwise.

    Args:
        model: the path of the model.
        output: where to write the new one; it may be the same path. It is replaced whole or not at
            all.
        ops: as in `accelerate`.
        approximate: as in `accelerate`.
        unsigned: as in `accelerate`.

    Returns:
        How often each form was replaced, like {"PRelu -> PReLU": 3}.

    Raises:
        ValueError, FileNotFoundError, TypeError: as in `accelerate`; a `ValueError` also where
            `output` is a file of the model's external data, or a file changes meanwhile.
        OSError: `output` cannot be written.
    """
    report = accelerate_file_reported(
        model, output, ops=ops, approximate=approximate, unsigned=unsigned
    )
    return report.replaced


def accelerate_file_reported(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    ops: Sequence[str] = DEFAULT_OPS,
    approximate: bool = False,
    unsigned: bool = False,
) -> Report:
    """Like `accelerate_file`; also returns what stays with the reasons."""
    request = request_for(ops, approximate=approximate, unsigned=unsigned)
    with opened_file(model) as source:
        result, report = accelerated(source, request)
        save_model(result, output, source.weights)
    return report


def accelerate_counted(
    model: Model,
    *,
    ops: Sequence[str] = DEFAULT_OPS,
    approximate: bool = False,
    unsigned: bool = False,
) -> tuple[onnx.ModelProto, Counter[str]]:
    """Like `accelerate`; also returns how often each form was replaced ("PRelu -> PReLU": 3)."""
    result, report = accelerate_reported(model, ops=ops, approximate=approximate, unsigned=unsigned)
    return result, report.replaced


def accelerate_reported(
    model: Model,
    *,
    ops: Sequence[str] = DEFAULT_OPS,
    approximate: bool = False,
    unsigned: bool = False,
) -> tuple[onnx.ModelProto, Report]:
    """Like `accelerate`; also returns what was replaced, and what stays with the reasons."""
    request = request_for(ops, approximate=approximate, unsigned=unsigned)
    with opened(model) as source:
        result, report = accelerated(source, request)
        return source.weights.complete(result), report


def request_for(
    ops: Sequence[str], *, approximate: bool = False, unsigned: bool = False
) -> Request:
    """Makes a request of what `accelerate` takes."""
    if isinstance(ops, str):
        raise TypeError(f"ops must be a sequence of operators, like ({ops!r},), got a str")
    specs = [spec_of(name) for name in ops]
    for spec in specs:
        if spec.is_quantized:
            raise ValueError(
                f"ops names activations: {spec.name} takes the place of {spec.activation} in"
                f" quantized models; name {spec.activation}"
            )
    return Request(frozenset(spec.name for spec in specs), approximate, unsigned)


def accelerated(source: Source, request: Request) -> tuple[onnx.ModelProto, Report]:
    """Does what `accelerate` says, with the data where it is."""
    original = source.copy()
    if not any(item.domain in STANDARD_DOMAINS for item in original.opset_import):
        return original, Report()
    sort_nodes(original.graph)
    renamed = restore_names(original)
    had_nodes = {node.op_type for node in walk_nodes(original) if node.domain == DOMAIN}
    original = inline_functions_with_nodes(original)
    had_types = _types_of_nodes(original) if had_nodes else {}
    changed = inline_functions_with_matches(original, request, source.weights)
    fused = make_unsigned(changed, source.weights) if request.unsigned else Counter[str]()
    fused += fuse_quantized(changed, request, source.weights)
    replacer = Replacer(request)
    typed = inferred(changed).graph
    view = View(changed.graph, typed, default_opset(changed), weights=source.weights)
    if changed.ir_version < OVERRIDABLE_IR_VERSION:
        view = view.fixed() or view
    replacer.run(changed, view, functions_of_other_opsets(changed))
    report = replacer.report
    report.replaced.update(fused)
    report.replaced.update(move_channels_last(changed, source.weights))
    result = changed if report.replaced else original
    without_body = _without_body(result, had_types) | request.without_body
    if without_body != request.without_body:
        return accelerated(source, dataclasses.replace(request, without_body=without_body))
    before = _bodies(result)
    if report.replaced or had_nodes:
        is_understood = standardise_axes(result)
        if report.replaced and not had_nodes and not is_understood:
            # Bodies may ask for a shape that is wrong, and standard nodes pass it on farther.
            return source.copy(), _all_left(report)
    embed_functions(result)
    if report.replaced:
        rename_inlined_values(result)
        complete_scan_outputs(result)
    report.replaced.update({f"{name} renamed": n for name, n in renamed.items()})
    new = [name for name in _changed(before, _bodies(result)) if name in had_nodes]
    report.replaced.update(f"new body of {name}" for name in new)
    return result, report


def _all_left(report: Report) -> Report:
    """What is left of a report where nothing was replaced after all."""
    left = Counter(report.left)
    for replaced, count in report.replaced.items():
        form, _, operator = replaced.rpartition(" -> ")
        left[Left(form, operator, _WRONG_SHAPES)] += count
    return Report(left=left)


def _types_of_nodes(model: onnx.ModelProto) -> dict[str, list[str | None]]:
    """The element types that each operator of ours meets."""
    return {name: [use.known.dtype for use in uses] for name, uses in uses_of(model).items()}


def _without_body(
    model: onnx.ModelProto, had_types: Mapping[str, Sequence[str | None]]
) -> frozenset[tuple[str, str | None]]:
    """Operators and element types of which the model's opset can have no body.

    Up to opset 14 a body serves one element type. Where an operator meets several, one keeps it:
    that of the nodes that were there before, if there were any.
    """
    opset, found = default_opset(model), set()
    if _has_form(DEFAULT_OPS[0], opset, [Known()]):
        return frozenset()  # one body serves all types
    for name, found_uses in uses_of(model).items():
        uses = [use.known for use in found_uses]
        if _has_form(name, opset, uses):
            continue
        dtypes = {use.dtype for use in uses}
        first = [*had_types.get(name, ()), *_KEPT_FIRST]
        kept = [t for t in first if t in dtypes and _has_form(name, opset, [Known(t)])]
        if kept:  # else embedding says what the opset lacks
            found |= {(name, dtype) for dtype in dtypes - {kept[0]}}
    return frozenset(found)


def _has_form(name: str, opset: int, uses: Collection[Known]) -> bool:
    try:
        form_of(spec_of(name), opset, uses)
    except ValueError:
        return False
    return True


def _bodies(model: onnx.ModelProto) -> dict[str, bytes]:
    """The function bodies in a model, by operator."""
    own = (function for function in model.functions if function.domain == DOMAIN)
    return {function.name: function.SerializeToString(deterministic=True) for function in own}


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    return [name for name, body in after.items() if before.get(name) != body]

"""What is in a model: its activations, where they can run, and what `accelerate` would do."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx

from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DEFAULT_OPS, DOMAIN, spec_of
from onnx_acts.files.reading import Model, opened
from onnx_acts.files.sources import Source
from onnx_acts.files.structure import walk_graphs
from onnx_acts.files.types import scopes
from onnx_acts.files.user_metadata import read_metadata, record_of
from onnx_acts.graph.accelerate import accelerated, request_for
from onnx_acts.graph.deciding import Report, Request
from onnx_acts.graph.standard import standard_spec
from onnx_acts.ort.sessions import CUDA, library_info, plain_cuda_error

__all__ = ["Activation", "Overview", "overview"]

OF_CALLER = "of caller"
"""The element type of what is in a function."""


@dataclasses.dataclass(frozen=True)
class Activation:
    """Activation nodes of one kind.

    Attributes:
        operator: the operator; those of `onnx_acts` come with their domain.
        element_type: of x; "unknown" where the file does not tell, "of caller" in a function.
        count: how many there are.
        body: "present" or "missing"; None for standard operators, which need none.
        no_cpu: why the native operators cannot run it here, empty where they can; None for
            standard operators, which they do not run.
        no_cuda: the same for CUDA.
    """

    operator: str
    element_type: str
    count: int
    body: str | None = None
    no_cpu: str | None = None
    no_cuda: str | None = None


@dataclasses.dataclass(frozen=True)
class Overview:
    """A model, as far as activations go.

    Attributes:
        opsets: the versions of its operators, by domain.
        activations: what it has.
        report: what `accelerate` would do.
        refusal: why `accelerate` refuses the model, empty where it does not.
        metadata: what users and other tools have written into it.
        record: what this package has written about its export.
    """

    opsets: Mapping[str, int]
    activations: Sequence[Activation]
    report: Report
    refusal: str = ""
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    record: Mapping[str, str] = dataclasses.field(default_factory=dict)


def overview(
    model: Model,
    *,
    ops: Sequence[str] = DEFAULT_OPS,
    approximate: bool = False,
    unsigned: bool = False,
) -> Overview:
    """Describes a model, and what `accelerate` would do with these options.

    Raises:
        ValueError: not a valid model.
        FileNotFoundError: no such file.
    """
    with opened(model) as source:
        return _overview(source, request_for(ops, approximate=approximate, unsigned=unsigned))


def _overview(source: Source, request: Request) -> Overview:
    found = source.model
    bodies = {function.name for function in found.functions if function.domain == DOMAIN}
    counts = Counter(_kinds(found))
    library = library_info()
    activations = [
        _activation(kind, count, bodies, library) for kind, count in sorted(counts.items())
    ]
    opsets = {item.domain or "ai.onnx": item.version for item in found.opset_import}
    report, refusal = Report(), ""
    try:
        report = accelerated(source, request)[1]
    except (TypeError, ValueError) as error:
        refusal = str(error)
    metadata, record = read_metadata(found), record_of(found)
    return Overview(opsets, activations, report, refusal, metadata, record)


_Kind = tuple[str, str, str, str]
"""Domain, operator, element type, and why the library refuses the node."""


def _kinds(model: onnx.ModelProto) -> Iterator[_Kind]:
    """The kind of each activation node."""
    for graph, values, _ in scopes(model):
        for node in filter(_is_activation, graph.node):
            dtype = values[node.input[0]].dtype if node.input else None
            yield node.domain, node.op_type, dtype or "unknown", _refusal(node)
    for function in model.functions:
        if function.domain != DOMAIN:
            for graph in walk_graphs(function):
                for node in filter(_is_activation, graph.node):
                    yield node.domain, node.op_type, OF_CALLER, _refusal(node)


def _refusal(node: onnx.NodeProto) -> str:
    """Why no session takes a node of ours: there is no such operator, or a bad attribute.

    The library ignores attributes that it does not know (docs/decisions/0004).
    """
    if node.domain != DOMAIN:
        return ""
    try:
        known = {item.name for item in spec_of(node.op_type).attributes}
        read = onnx.NodeProto(op_type=node.op_type, name=node.name)
        read.attribute.extend(item for item in node.attribute if item.name in known)
        read_attributes(read)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def _is_activation(node: onnx.NodeProto) -> bool:
    return bool(node.domain == DOMAIN) or standard_spec(node) is not None


def _activation(kind: _Kind, count: int, bodies: set[str], library: dict[str, Any]) -> Activation:
    domain, operator, dtype, refusal = kind
    if domain != DOMAIN:
        return Activation(operator, dtype, count)
    reason = str(library.get("error") or library.get("isa_error") or "")
    reason = reason or refusal or _wrong_type(operator, dtype)
    return Activation(
        f"{DOMAIN}::{operator}",
        dtype,
        count,
        body="present" if operator in bodies else "missing",
        no_cpu=reason,
        no_cuda=reason or _no_cuda(operator, library),
    )


def _wrong_type(operator: str, dtype: str) -> str:
    """Why the native operator does not take an element type."""
    if dtype in (*spec_of(operator).element_types, OF_CALLER):
        return ""
    return "its element type is unknown" if dtype == "unknown" else f"there is none for {dtype}"


def _no_cuda(operator: str, library: Mapping[str, Any]) -> str:
    """Why CUDA cannot be used here."""
    import onnxruntime

    if spec_of(operator).is_quantized:
        return "the operators on 8 bits run on the CPU alone"
    if not library.get("cuda"):
        return plain_cuda_error(library)
    has_provider = CUDA in onnxruntime.get_available_providers()
    return "" if has_provider else "this onnxruntime is a build without CUDA (onnxruntime-gpu has)"

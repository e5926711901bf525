"""Making the finished model of a module, in memory."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any

import onnx
import torch
from torch.utils import _pytree as pytree

from onnx_acts.definition.nodes import attribute_proto, read_attributes
from onnx_acts.definition.specs import DOMAIN, spec_of
from onnx_acts.exporting import checks, metadata
from onnx_acts.exporting.arguments import bound_arguments
from onnx_acts.exporting.capture import capture
from onnx_acts.exporting.dimensions import check_dimensions
from onnx_acts.exporting.dynamic import Limit
from onnx_acts.exporting.names import check_output_names
from onnx_acts.exporting.options import Options
from onnx_acts.exporting.ranges import Dimension
from onnx_acts.exporting.styles import apply_style
from onnx_acts.exporting.subjects import Subject
from onnx_acts.files.structure import walk_nodes
from onnx_acts.graph.fusing import fuse_prelus
from onnx_acts.graph.older_opset import OLDER_OPSET, to_older_opset

__all__ = ["Built", "build", "count_nodes"]


@dataclasses.dataclass(frozen=True)
class Built:
    """A finished model and what its verification needs.

    Attributes:
        model: what is written.
        compared: what is compared: `model`, or the same with mean slopes where `model` draws them.
        operators: the activations that the module has.
        limits: the batch dimensions that may be free in part only.
        dimensions: the dynamic dimensions that the caller has asked for.
        fused: see `ExportResult`.
    """

    model: onnx.ModelProto
    compared: onnx.ModelProto
    operators: frozenset[str]
    limits: list[Limit]
    dimensions: list[Dimension]
    fused: Mapping[str, int]


def build(
    subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> Built:
    """Makes the finished model in memory."""
    own_args, own_kwargs = pytree.tree_map(_copied, (args, kwargs))
    captured = capture(subject, own_args, own_kwargs, options)
    model = captured.model
    if not model.graph.output:
        raise ValueError("the module's forward returns no tensor")
    check_output_names(model, options.output_names)
    if subject.program is None:
        shapes, bound = options.dynamic_shapes, bound_arguments(subject.module, args, kwargs)
        check_dimensions(model, shapes, bound)
    metadata.clean(model)
    if options.target_opset == OLDER_OPSET:
        model = to_older_opset(model)
    checks.check_activations(model, training=options.training)
    operators = frozenset(count_nodes(model))
    asks_for_both = options.style == "acts" and {"PReLU", "LeakyReLU"} <= set(options.ops)
    fused = {} if asks_for_both else fuse_prelus(model)
    mean = _with_mean_slopes(model)
    if options.training and mean is None:
        raise ValueError(
            "training=True (--training), but nothing draws: no RReLU module of the module is used"
            " in training mode"
        )
    built = apply_style(model, options.style, options.ops)
    metadata.lower_ir_version(built)
    compared = built if mean is None else apply_style(mean, options.style, options.ops)
    return Built(built, compared, operators, captured.limits, captured.dimensions, fused)


def _copied(leaf: Any) -> Any:
    return leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf


def _with_mean_slopes(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """A copy in which no node draws its slopes at run time; None where none does already."""
    if not any(map(_draws, walk_nodes(model))):
        return None
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in filter(_draws, walk_nodes(copy)):
        values = {**read_attributes(node), "training_mode": 0}
        del node.attribute[:]
        node.attribute.extend(
            attribute_proto(item, values[item.name]) for item in spec_of(node.op_type).attributes
        )
    return copy


def _draws(node: onnx.NodeProto) -> bool:
    return node.domain == DOMAIN and bool(read_attributes(node).get("training_mode"))


def count_nodes(model: onnx.ModelProto) -> Mapping[str, int]:
    """The number of `onnx_acts` nodes by operator."""
    names = (node.op_type for node in walk_nodes(model) if node.domain == DOMAIN)
    return dict(sorted(collections.Counter(names).items()))

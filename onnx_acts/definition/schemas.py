"""The operators as ONNX schemas, for `onnx.checker` and shape inference."""

from __future__ import annotations

import threading

import onnx
from onnx.defs import OpSchema

from onnx_acts.definition.specs import DOMAIN, OPERATORS, OPSET_VERSION, Attribute, Spec
from onnx_acts.definition.validation import range_text

__all__ = ["op_schema", "register_schemas"]

_TYPE_CONSTRAINT = "T"
_ONNX_NAMES = {"float32": "float", "float64": "double"}
_LOCK = threading.Lock()


def register_schemas() -> None:
    """Registers every operator with `onnx.defs`; does nothing for those already there."""
    with _LOCK:
        for spec in OPERATORS:
            if not onnx.defs.has(spec.name, DOMAIN):
                onnx.defs.register_schema(op_schema(spec))


def op_schema(spec: Spec) -> OpSchema:
    """Builds the schema of one operator, with type and shape inference (outputs are like X)."""
    schema = OpSchema(
        spec.name,
        DOMAIN,
        OPSET_VERSION,
        doc=f"{spec.summary} {spec.formula}. {spec.source}.",
        inputs=[OpSchema.FormalParameter(name, _input_type(spec, name)) for name in spec.inputs],
        outputs=[_output(name, optional=i > 0) for i, name in enumerate(spec.outputs)],
        type_constraints=[
            (
                _TYPE_CONSTRAINT,
                list(map(_tensor_type, spec.element_types)),
                "quantized tensors" if spec.is_quantized else "floating-point tensors",
            )
        ],
        attributes=[_attribute(attribute) for attribute in spec.attributes],
    )
    schema.set_type_and_shape_inference_function(_outputs_are_like_x)
    return schema


def _input_type(spec: Spec, name: str) -> str:
    return _tensor_type(spec.input_types[name]) if name in spec.input_types else _TYPE_CONSTRAINT


def _tensor_type(dtype: str) -> str:
    return f"tensor({_ONNX_NAMES.get(dtype, dtype)})"


def _output(name: str, optional: bool) -> OpSchema.FormalParameter:
    options = OpSchema.FormalParameterOption
    return OpSchema.FormalParameter(
        name, _TYPE_CONSTRAINT, param_option=options.Optional if optional else options.Single
    )


def _attribute(attribute: Attribute) -> OpSchema.Attribute:
    kinds = {"real": OpSchema.AttrType.TENSOR, "single": OpSchema.AttrType.FLOAT}
    kind = kinds.get(attribute.kind, OpSchema.AttrType.INT)
    accepted = range_text(attribute)
    facts = f"default {attribute.default!r}{f'; {accepted}' if accepted else ''}"
    return OpSchema.Attribute(attribute.name, kind, f"{attribute.doc} ({facts})", required=False)


def _outputs_are_like_x(context: onnx.shape_inference.InferenceContext) -> None:
    x_type = context.get_input_type(0) if context.get_num_inputs() else None
    if x_type is None:
        return  # nothing is known of X, so nothing of the outputs
    for i in range(context.get_num_outputs()):
        context.set_output_type(i, x_type)

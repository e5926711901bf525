"""Google's LiteRT (once TensorFlow Lite) with XNNPACK, on a file of one operator."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from onnx_acts.conformance.runtimes.adapters.call import (
    Array,
    Arrays,
    Attributes,
    Call,
    standard_call,
)

__all__ = ["run"]

_TYPES = {"float16": "FLOAT16", "bfloat16": "BFLOAT16", "float32": "FLOAT32", "float64": "FLOAT64"}
_CODES = {"Relu": "RELU", "LeakyRelu": "LEAKY_RELU", "PRelu": "PRELU", "Elu": "ELU"}


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    if call.name == "Elu" and call.alpha != 1:
        raise NotImplementedError("the operator ELU has no alpha")
    if any(size >= 2**31 for array in arrays for size in array.shape):
        raise NotImplementedError("its files have sizes of 32 bits")
    interpreter = Interpreter(model_content=_file(call), num_threads=2)
    interpreter.allocate_tensors()
    for details, array in zip(interpreter.get_input_details(), arrays, strict=True):
        interpreter.set_tensor(details["index"], array)
    interpreter.invoke()
    result: Array = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return result


def _file(call: Call) -> bytes:
    """The file's bytes: one operator; its inputs, then its output."""
    inputs = [call.x] if call.slope is None else [call.x, call.slope]
    operator = schema.OperatorT(inputs=list(range(len(inputs))), outputs=[len(inputs)])
    if call.name == "LeakyRelu":
        operator.builtinOptionsType = schema.BuiltinOptions.LeakyReluOptions
        operator.builtinOptions = schema.LeakyReluOptionsT(alpha=float(np.float32(call.alpha)))
    graph = schema.SubGraphT(
        tensors=[_tensor(array) for array in (*inputs, call.x)],
        inputs=operator.inputs,
        outputs=operator.outputs,
        operators=[operator],
    )
    code = getattr(schema.BuiltinOperator, _CODES[call.name])
    model = schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code)],
        subgraphs=[graph],
        buffers=[schema.BufferT()],
    )
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(array: Array) -> schema.TensorT:
    kind = getattr(schema.TensorType, _TYPES[array.dtype.name])
    return schema.TensorT(shape=np.array(array.shape, np.int32), type=kind, hasRank=True)

"""Writes op_table.inc, the operator table of the native library, from specs.py.

    python generate_table.py SPECS_PY OUTPUT

Whoever includes the file defines the macro of the list that is wanted; it ends with the list.

- ONNX_ACTS_ELEMENT(name, text, ONNX number, storage, compute)
- ONNX_ACTS_FUNCTOR(name)
- ONNX_ACTS_OP(name, functor, source, inputs, outputs, attribute count, {attribute}...)
- ONNX_ACTS_QUANTIZED_OP(ONNX_ACTS_QUANTIZED_TYPES(numbers of the inputs' types), the same...)
- ONNX_ACTS_STANDARD_OP, the same of the standard operators
- ONNX_ACTS_STANDARD_TYPE(standard operator, element, first opset, last opset, whether by default)

specs.py is loaded by its path, not as part of the package, which may not be installed yet.
"""

from __future__ import annotations

import importlib.util
import pathlib
import struct
import sys
from collections.abc import Iterable
from typing import Any

MAX_ATTRIBUTES = 8  # kMaxAttributes in op.h
MAX_INPUTS = 6  # kMaxInputs

ONNX_TYPES = {"uint8": 2, "float32": 1}
"""The numbers of the element types that operators on 8 bits have."""

KINDS = {"real": "Real", "single": "Real", "flag": "Flag", "seed": "Seed"}
"""Kinds of attributes in C++, which reads a real number of 32 bits as one of 64."""


def load_specs(path: pathlib.Path) -> Any:
    """Imports the module at `path` under a private name."""
    spec = importlib.util.spec_from_file_location("_onnx_acts_specs", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"generate_table.py: cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def element_row(element: Any) -> str:
    """One ONNX_ACTS_ELEMENT line."""
    return (
        f'ONNX_ACTS_ELEMENT({element_name(element)}, "{element.name}", {element.onnx}, '
        f"{element.storage}, {element.compute})"
    )


def element_name(element: Any) -> str:
    """Its name in C++: "bfloat16" is called BFloat16."""
    return str(element.name).replace("bfloat", "BFloat").replace("float", "Float")


def attribute_row(attribute: Any, names: list[str]) -> str:
    """One AttributeSpec; repr() of a float reads back as the same float64."""
    kind = KINDS[attribute.kind]
    is_real = kind == "Real"
    real = repr(float(attribute.default)) if is_real else "0.0"
    integer = "0" if is_real else repr(int(attribute.default))
    accepted = f"Range::k{attribute.range.capitalize()}"
    low = names.index(attribute.at_least) if attribute.at_least else -1
    return f'{{"{attribute.name}", AttributeKind::k{kind}, {real}, {integer}, {accepted}, {low}}}'


def op_row(spec: Any) -> str:
    """One ONNX_ACTS_OP line."""
    return f"ONNX_ACTS_OP({op_columns(spec)})"


def quantized_op_row(spec: Any) -> str:
    """One ONNX_ACTS_QUANTIZED_OP line."""
    if len(spec.inputs) > MAX_INPUTS:
        raise SystemExit(f"generate_table.py: {spec.name}: raise kMaxInputs in op.h")
    (x_type,) = spec.element_types
    types = (ONNX_TYPES[spec.input_types.get(name, x_type)] for name in spec.inputs)
    listed_types = ", ".join(map(str, types))
    return f"ONNX_ACTS_QUANTIZED_OP(ONNX_ACTS_QUANTIZED_TYPES({listed_types}), {op_columns(spec)})"


def op_columns(spec: Any) -> str:
    """What a line has of an operator; `{}` is "no attributes", as a macro needs an argument."""
    if len(spec.attributes) > MAX_ATTRIBUTES:
        raise SystemExit(f"generate_table.py: {spec.name}: raise kMaxAttributes in op.h")
    names = [attribute.name for attribute in spec.attributes]
    attributes = ", ".join(attribute_row(item, names) for item in spec.attributes) or "{}"
    return (
        f"{spec.name}, {spec.functor}, {spec.parameter_source.capitalize()}, "
        f"{len(spec.inputs)}, {len(spec.outputs)}, {len(spec.attributes)}, {attributes}"
    )


def standard_specs(specs: Any) -> list[Any]:
    """The records that a standard operator computes as it stands; RReLU's is LeakyReLU's."""
    return [s for s in specs.SPECS if s.standard and s.parameter_source != "draw"]


def single(value: float) -> float:
    """A number as a FLOAT attribute holds it."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return float(rounded)


def standard_op_row(spec: Any) -> str:
    """One ONNX_ACTS_STANDARD_OP line: our functor, and the attributes of the standard operator."""
    ours = {attribute.name: attribute for attribute in spec.attributes}
    attributes = []
    for item in spec.standard.attributes:
        (name,) = item.mean_of or (item.name,)
        accepted = f"Range::k{ours[name].range.capitalize()}"
        default = repr(single(item.default))
        attributes.append(f'{{"{item.name}", AttributeKind::kReal, {default}, 0, {accepted}, -1}}')
    return (
        f"ONNX_ACTS_STANDARD_OP({spec.standard.name}, {spec.functor}, "
        f"{spec.parameter_source.capitalize()}, {len(spec.inputs)}, 1, {len(attributes)}, "
        f"{', '.join(attributes) or '{}'})"
    )


def standard_type_rows(specs: Any) -> Iterable[str]:
    """The ONNX_ACTS_STANDARD_TYPE lines."""
    for spec in standard_specs(specs):
        for element in specs.ELEMENTS:
            since = spec.standard.since.get(element.name)
            if since is not None:
                by_default = not spec.is_fused or element.name not in spec.standard.kernels
                yield (
                    f"ONNX_ACTS_STANDARD_TYPE({spec.standard.name}, {element_name(element)}, "
                    f"{since}, {specs.NEWEST_OPSET}, {str(by_default).lower()})"
                )


def listed(macro: str, rows: Iterable[str]) -> list[str]:
    """The lines of a list, which are there for whoever has defined its macro."""
    return [f"#ifdef {macro}", *rows, f"#undef {macro}", "#endif"]


def main() -> None:
    """Reads the table and writes the include file, leaving an unchanged file alone."""
    specs_path, output = map(pathlib.Path, sys.argv[1:3])
    specs = load_specs(specs_path)
    functors = dict.fromkeys(spec.functor for spec in specs.SPECS)
    lines = [f"// Generated from {specs_path.name} by generate_table.py; do not edit."]
    lines += listed("ONNX_ACTS_ELEMENT", map(element_row, specs.ELEMENTS))
    lines += listed("ONNX_ACTS_FUNCTOR", (f"ONNX_ACTS_FUNCTOR({name})" for name in functors))
    lines += listed("ONNX_ACTS_OP", map(op_row, specs.SPECS))
    lines += listed("ONNX_ACTS_QUANTIZED_OP", map(quantized_op_row, specs.QUANTIZED))
    lines += listed("ONNX_ACTS_STANDARD_OP", map(standard_op_row, standard_specs(specs)))
    lines += listed("ONNX_ACTS_STANDARD_TYPE", standard_type_rows(specs))
    text = "\n".join(lines) + "\n"
    if not output.exists() or output.read_text(encoding="utf-8") != text:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

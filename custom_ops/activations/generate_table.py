"""Writes op_table.inc, the operator table of the native library, from specs.py.

    python generate_table.py SPECS_PY OUTPUT

One line per functor, ONNX_ACTS_FUNCTOR(name), and one per operator,
ONNX_ACTS_OP(name, functor, source, inputs, outputs, attribute count, {attribute}...). specs.py is
loaded by its path, not as part of the package, which may not be installed yet.
"""

from __future__ import annotations

import importlib.util
import pathlib
import sys
from typing import Any

MAX_ATTRIBUTES = 8  # kMaxAttributes in op.h


def load_specs(path: pathlib.Path) -> Any:
    """Imports the module at `path` under a private name."""
    spec = importlib.util.spec_from_file_location("_onnx_acts_specs", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"generate_table.py: cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def attribute_row(attribute: Any, names: list[str]) -> str:
    """One AttributeSpec; repr() of a float reads back as the same float64."""
    is_real = attribute.kind == "real"
    real = repr(float(attribute.default)) if is_real else "0.0"
    integer = "0" if is_real else repr(int(attribute.default))
    kind = attribute.kind.capitalize()
    accepted = f"Range::k{attribute.range.capitalize()}"
    low = names.index(attribute.at_least) if attribute.at_least else -1
    return f'{{"{attribute.name}", AttributeKind::k{kind}, {real}, {integer}, {accepted}, {low}}}'


def op_row(spec: Any) -> str:
    """One ONNX_ACTS_OP line; `{}` stands for "no attributes", as a macro needs an argument."""
    if len(spec.attributes) > MAX_ATTRIBUTES:
        raise SystemExit(f"generate_table.py: {spec.name}: raise kMaxAttributes in op.h")
    names = [attribute.name for attribute in spec.attributes]
    attributes = ", ".join(attribute_row(item, names) for item in spec.attributes) or "{}"
    return (
        f"ONNX_ACTS_OP({spec.name}, {spec.functor}, {spec.parameter_source.capitalize()}, "
        f"{len(spec.inputs)}, {len(spec.outputs)}, {len(spec.attributes)}, {attributes})"
    )


def main() -> None:
    """Reads the table and writes the include file, leaving an unchanged file alone."""
    specs_path, output = map(pathlib.Path, sys.argv[1:3])
    specs = load_specs(specs_path)
    functors = dict.fromkeys(spec.functor for spec in specs.SPECS)
    lines = [f"// Generated from {specs_path.name} by generate_table.py; do not edit."]
    lines += [f"ONNX_ACTS_FUNCTOR({name})" for name in functors]
    lines += [op_row(spec) for spec in specs.SPECS]
    text = "\n".join(lines) + "\n"
    if not output.exists() or output.read_text(encoding="utf-8") != text:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

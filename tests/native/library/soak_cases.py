"""Models of one bare node, and sizes to run them at, as files for the C++ program `soak`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from onnx_acts import make_node
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec
from tests.helpers import FIXED

# X's sizes, below and above the number from which threads share one tensor, and the slopes that go
# with them: one for all, per channel, per column, full, and one in which nothing collapses.
SHAPES = {
    ".": ["."],
    "1": ["1"],
    "5": ["5", "1"],
    "3,40,9": ["40,1", "9", "3,1,9", "3,40,9"],
    "2,64,8,8": ["64,1,1", "2,1,8,1"],
    "1,3,120,500": ["3,1,1", "500"],
}


def write_cases(folder: Path) -> Path:
    """Every operator, type and output at every size; the path of the list of cases."""
    lines = [
        line for spec in SPECS for dtype in ELEMENT_TYPES for line in _cases(spec, dtype, folder)
    ]
    path = folder / "cases.txt"
    path.write_text("\n".join(lines))
    return path


def _cases(spec: Spec, dtype: str, folder: Path) -> Iterator[str]:
    """One operator and type: saves the models, gives the lines."""
    for outputs in range(1, len(spec.outputs) + 1):
        for training in (0, 1) if len(spec.outputs) > 1 else (None,):
            attributes = {} if training is None else {"training_mode": training, "seed": 5}
            for x, slopes in SHAPES.items():
                for slope in slopes if len(spec.inputs) > 1 else ["-"]:
                    ranks = [_rank(sizes) for sizes in (x, slope) if sizes != "-"]
                    name = "-".join(map(str, [spec.name, dtype, outputs, training, *ranks]))
                    path = folder / f"{name}.onnx"
                    if not path.exists():
                        onnx.save_model(_model(spec, dtype, outputs, ranks, **attributes), path)
                    yield f"{path} {FIXED[dtype]} {outputs} {x} {slope}"


def _rank(sizes: str) -> int:
    return 0 if sizes == "." else sizes.count(",") + 1


def _model(
    spec: Spec, dtype: str, outputs: int, ranks: list[int], **attributes: Any
) -> onnx.ModelProto:
    """One node whose inputs have unknown sizes."""

    def value(name: str, rank: int) -> onnx.ValueInfoProto:
        sizes = [f"{name}{i}" for i in range(rank)]
        return helper.make_tensor_value_info(name, FIXED[dtype], sizes)

    names = ["X", "slope"][: len(spec.inputs)]
    output_names = ["Y", "noise"][:outputs]
    graph = helper.make_graph(
        [make_node(spec.name, names, output_names, **attributes)],
        "soak",
        [value(name, rank) for name, rank in zip(names, ranks, strict=True)],
        [value(name, ranks[0]) for name in output_names],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("onnx_acts", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)

"""Cases can be pasted into a test, and are what they are meant to be."""

import functools
import re
from collections import Counter
from typing import Any

import hypothesis
import numpy as np
import onnx
import onnx.parser
import onnx.printer
import pytest
from hypothesis import HealthCheck, Phase
from onnx import numpy_helper

from onnx_acts.files.axes import is_understood
from onnx_acts.files.structure import subgraphs, walk_graphs
from onnx_acts.graph.folding import FOLDED
from tests.fuzz.case import EXTRAS, Case, as_python
from tests.fuzz.pool import Worker
from tests.fuzz.strategy import OPSETS, cases

READING = ("Shape", "Slice", "Expand", "Size")
WANTED = {"Squeeze": 60, "Scan": 100, "sizes": 200, "axes": 100}
"""How often in 3,000 cases: half of what was counted, or less."""
FORMS = (r"^max\(", r"relu\(-x\)", r"^where\(", r"exp\(", r"abs\(x\)", "^PReLU body", "^Elu ")
"""What is in the names of forms that the generator draws."""


@functools.cache
def drawn(count: int) -> list[Case]:
    """Some cases, always the same."""
    found: list[Case] = []

    @hypothesis.seed(3)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases())
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def tensors(model: onnx.ModelProto) -> list[Any]:
    """All constants of a model, with their bits."""
    found = []
    for graph in walk_graphs(model.graph, *model.functions):
        stored = list(getattr(graph, "initializer", ()))
        stored += [item.t for node in graph.node for item in node.attribute if item.HasField("t")]
        for tensor in stored:
            array = numpy_helper.to_array(tensor)
            found.append((tensor.data_type, array.shape, array.tobytes()))
    return sorted(found)


def test_texts_can_be_parsed() -> None:
    """The text and the inputs of a report give the same model and numbers back."""
    names = {"np": np, "nan": np.nan, "inf": np.inf}
    for case in drawn(300):
        parsed = onnx.parser.parse_model(case.text)
        assert onnx.printer.to_text(parsed) == case.text
        assert tensors(parsed) == tensors(case.proto)
        for feeds in case.feeds:
            again = eval(as_python(feeds), names)
            assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in again.items()} == {
                name: (a.dtype, a.shape, a.tobytes()) for name, a in feeds.items()
            }


def squeezed_in_part(model: onnx.ModelProto) -> int:
    """Squeezes, below opset 13, of constants that keep some of their dimensions of 1."""
    found = 0
    for holder in (model, *model.functions):
        opset = next(item.version for item in holder.opset_import if item.domain == "")
        graphs = list(walk_graphs(holder.graph if holder is model else holder))
        ones: dict[str, int] = {}
        for graph in graphs:
            for tensor in getattr(graph, "initializer", ()):
                ones[tensor.name] = list(tensor.dims).count(1)
            for node in graph.node:
                if node.op_type == "Constant" and node.attribute[0].HasField("t"):
                    ones[node.output[0]] = list(node.attribute[0].t.dims).count(1)
        for node in (node for graph in graphs for node in graph.node if opset < 13):
            if node.op_type == "Squeeze" and node.attribute:
                found += ones.get(node.input[0], 0) > len(node.attribute[0].ints)
    return found


def has_open_scan(model: onnx.ModelProto) -> bool:
    """Whether a Scan's body has an output without a shape, and its sizes come from outside."""
    for node in (node for graph in walk_graphs(model.graph) for node in graph.node):
        for body in subgraphs(node) if node.op_type == "Scan" else ():
            own = {name for inner in body.node for name in inner.output}
            own.update(tensor.name for tensor in body.initializer)
            sized = [inner for inner in body.node if inner.op_type in ("Reshape", "Expand")]
            is_open = not body.output[0].type.tensor_type.HasField("shape")
            if is_open and any(inner.input[1] not in own for inner in sized):
                return True
    return False


def reads_unnamed_sizes(model: onnx.ModelProto) -> bool:
    """Whether x has a size without a name, and nodes ask for sizes."""
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    is_unnamed = any(size.WhichOneof("value") is None for size in sizes)
    return is_unnamed and any(node.op_type in READING for node in model.graph.node)


@pytest.mark.slow
def test_variety() -> None:
    """Every opset, type, folded operator and place occurs."""
    found: Counter[str] = Counter()
    for case in drawn(3000):
        model = case.proto
        found[f"opset {model.opset_import[0].version}"] += 1
        found[case.extra] += 1
        found["initializer as input"] += bool(
            {value.name for value in model.graph.input}
            & {tensor.name for tensor in model.graph.initializer}
        )
        found["other opset"] += any(
            item.version != model.opset_import[0].version
            for function in model.functions
            for item in function.opset_import
            if item.domain == ""
        )
        found["two inputs"] += len(case.feeds) > 1
        found.update(case.dtypes)
        for graph in walk_graphs(model.graph, *model.functions):
            for node in graph.node:
                found[node.op_type] += 1
                found[f"subgraph of {node.op_type}"] += any(True for _ in subgraphs(node))
    wanted = [f"opset {number}" for number in range(OPSETS[0], OPSETS[1] + 1)]
    wanted += ["subgraph of If", "subgraph of Loop", "subgraph of Scan", "other opset"]
    wanted += ["initializer as input", "two inputs", "float16", "float32", "float64"]
    rare = [name for name in (*wanted, *EXTRAS, *FOLDED) if found[name] < 5]
    assert not rare, f"hardly drawn: {rare}"


@pytest.mark.slow
def test_kinds_that_had_faults() -> None:
    """What mended faults need is no rarity, and few cases are copies of others."""
    chosen = drawn(3000)
    assert len({case.model for case in chosen}) > 0.95 * len(chosen)
    models = [case.proto for case in chosen]
    found = {
        "Squeeze": sum(map(squeezed_in_part, models)),
        "Scan": sum(map(has_open_scan, models)),
        "sizes": sum(map(reads_unnamed_sizes, models)),
        "axes": sum(not is_understood(model) for model in models),
    }
    rare = {name: count for name, count in found.items() if count < WANTED[name]}
    assert not rare, f"hardly drawn: {rare}"


@pytest.mark.slow
def test_forms_are_replaced() -> None:
    """Most forms are met in a thousand graphs, and most graphs run."""
    replaced: Counter[str] = Counter()
    skipped = 0
    chosen = drawn(3000)[:1000]  # drawn already, for the tests above
    with Worker() as worker:
        for case in chosen:
            outcome = worker.examine(case)
            skipped += bool(outcome.skipped)
            replaced.update(outcome.replaced)
    assert skipped < 0.3 * len(chosen)
    for form in FORMS:
        assert any(re.search(form, name) for name in replaced), f"{form} was never replaced"

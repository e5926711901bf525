"""Cases can be pasted into a test, and are what they are meant to be."""

from collections import Counter
from typing import Any

import hypothesis
import numpy as np
import onnx
import onnx.parser
import onnx.printer
from hypothesis import HealthCheck, Phase
from onnx import numpy_helper

from onnx_acts.files.structure import subgraphs, walk_graphs
from onnx_acts.graph.view import FOLDED
from tests.fuzz.case import EXTRAS, Case, as_python
from tests.fuzz.pool import Worker
from tests.fuzz.strategy import OPSETS, cases

FORMS = ("max(slope*x, x)", "relu(x) - w*relu(-x)", "slope*x", "expm1(x)", "PReLU body", "Elu")


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


def test_forms_are_replaced() -> None:
    """Most forms are met in a thousand graphs, and most graphs run."""
    replaced: Counter[str] = Counter()
    skipped = 0
    chosen = drawn(1000)
    with Worker() as worker:
        for case in chosen:
            outcome = worker.examine(case)
            skipped += bool(outcome.skipped)
            replaced.update(outcome.replaced)
    assert skipped < 0.3 * len(chosen)
    for form in FORMS:
        assert any(form in name for name in replaced), f"{form} was never replaced"

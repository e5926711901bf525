"""What exporters write is found as the table says, and keeps its values."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest

from onnx_acts.graph import accelerate_reported
from tests.building import ROOT
from tests.graph.exporters import APPROXIMATE, EXACT, EXPORTERS, NUMBERS, Form, with_table
from tests.graph.models import parsed
from tests.graph.test_spellings import check_values, inputs
from tests.helpers import ALL, FIXED

DECISION = ROOT / "docs" / "decisions" / "0008-meaning-instead-of-spelling.md"
CASES = [(exporter, name) for exporter, forms in EXPORTERS.items() for name in forms]
OTHER_TYPES = itertools.cycle(("float64", "float16"))


def model_of(form: Form, dtype: str) -> onnx.ModelProto:
    """The model of a form, with the constants that it uses."""
    largest = repr(float(np.finfo(dtype).max))
    body = form.body.replace("TYPE", str(FIXED[dtype]))
    model = parsed(body, dtype, constants=NUMBERS.replace("LARGEST", largest))
    used = {name for node in model.graph.node for name in node.input}
    for tensor in list(model.graph.initializer):
        if tensor.name not in used:
            model.graph.initializer.remove(tensor)
    return model


def check(form: Form, dtype: str) -> None:
    """It becomes one node where it is found; whatever is replaced, the values stay."""
    model, x = model_of(form, dtype), inputs(dtype)
    for approximate, found in ((False, (EXACT,)), (True, (EXACT, APPROXIMATE))):
        result, report = accelerate_reported(model, ops=ALL, approximate=approximate)
        operators = [replaced.rpartition(" -> ")[2] for replaced in report.replaced.elements()]
        assert (operators == [form.operator]) == (form.found in found), report
        if operators:
            check_values(model, result, x, loose=approximate)


@pytest.mark.parametrize(("exporter", "name"), CASES)
def test_float32(exporter: str, name: str) -> None:
    """In float32."""
    check(EXPORTERS[exporter][name], "float32")


@pytest.mark.parametrize(
    ("exporter", "name", "dtype"),
    [(*case, dtype) for case, dtype in zip(CASES, OTHER_TYPES, strict=False)],
)
def test_other_types(exporter: str, name: str, dtype: str) -> None:
    """In float64 and float16, taking turns; ONNX Runtime has Elu, Celu and Selu in float32 only."""
    form = EXPORTERS[exporter][name]
    if not any(f"{operator} " in form.body for operator in ("Elu", "Celu", "Selu")):
        check(form, dtype)


def test_table_is_current() -> None:
    """`python -m tests.graph.exporters` has written the decision's table."""
    text = DECISION.read_text()
    assert text.count("<!-- exporters: ") == 1
    assert with_table(text) == text

"""The index of vectors: what is damaged is refused in words."""

import json
from typing import Any

import pytest

from onnx_acts.conformance.vectors.index import INDEX, index_bytes, read_index
from tests.conformance.vectors.folders import part


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": []}, "has no outputs"),
        ({"ulp": "x"}, "ulp must be a finite number of at least 0; got 'x'"),
        ({"ulp": float("inf")}, "ulp must be a finite number"),
        ({"ulp": float("nan")}, "ulp must be a finite number"),
        ({"ulp": -1}, "ulp must be a finite number"),
        ({"ulp": True}, "ulp must be a finite number"),
        ({"steps": 1.5}, "steps must be a finite number"),
        ({"steps": None}, "steps must be a finite number"),
    ],
    ids=str,
)
def test_damaged_tests(changes: dict[str, Any], message: str) -> None:
    """No outputs, and bounds that are no bounds."""
    index = part(["ELU"], ["float32"], ["attributes"]).index
    content = json.loads(index_bytes(index))
    first = content["tests"][0]
    (first if "outputs" in changes else first["outputs"][0]).update(changes)
    with pytest.raises(ValueError, match=f"{INDEX} is no index of test vectors: .*{message}"):
        read_index(json.dumps(content).encode(), INDEX)

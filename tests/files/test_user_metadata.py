"""What users write into a file comes back, and other tools can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from onnx_acts import read_metadata, session
from onnx_acts.files.user_metadata import record_of, write_metadata

VALUES: dict[str, Any] = {
    "labels": ["cat", "hond", "Käse", '"quoted"\n'],
    "names": {0: "cat", 1: "dog", -1: "none"},
    "stride": 32,
    "scale": 0.1,
    "flag": True,
    "nothing": None,
    "text": "plain",
    "looks like a number": "32",
    "empty": "",
    "nested": {"mean": [0.1, 0.2], "steps": [{"resize": [224, 224]}]},
    "empty dictionary": {},
}


def model() -> onnx.ModelProto:
    """A model of one node."""
    value = [helper.make_tensor_value_info(name, 1, [2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", value[:1], value[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_there_and_back(tmp_path: Path) -> None:
    """From a path, from bytes and from memory; texts are as they were for ONNX Runtime, too."""
    written, path = model(), tmp_path / "m.onnx"
    write_metadata(written, VALUES)
    onnx.save(written, path)
    for given in (written, written.SerializeToString(), path):
        assert read_metadata(given) == VALUES
    seen = session(path).get_modelmeta().custom_metadata_map
    assert seen["text"] == "plain"
    assert seen["stride"] == "32"
    assert record_of(written) == {}


def test_tuples_become_lists() -> None:
    """JSON has no tuples."""
    written = model()
    write_metadata(written, {"size": (3, 4)})
    assert read_metadata(written) == {"size": [3, 4]}


def test_beside_others() -> None:
    """What another tool has written is text and stays; this package's own record is left out."""
    written = model()
    helper.set_model_props(written, {"author": "[1]", "onnx_acts.version": "1", "stride": "8"})
    write_metadata(written, {"stride": 16})
    assert read_metadata(written) == {"author": "[1]", "stride": 16}
    assert record_of(written) == {"version": "1"}
    assert len({item.key for item in written.metadata_props}) == len(written.metadata_props)


WRONG: tuple[tuple[Any, type[Exception], str], ...] = (
    ([1], TypeError, "must be a dictionary, got list"),
    ({1: "a"}, TypeError, "a key must be a str, got 1"),
    ({"": 1}, ValueError, "cannot be a key"),
    ({"onnx_acts.version": "2"}, ValueError, "do not begin with 'onnx_acts.'"),
    ({"a": np.zeros(2)}, TypeError, r"metadata 'a': .*array.tolist\(\)"),
    ({"a": [1, float("nan")]}, ValueError, "numbers must be finite"),
    ({"a": {"b": {1: 2}}}, TypeError, "the key 1 must be a str"),
    ({"a": {1: 2, "b": 3}}, TypeError, "the key 1 must be a str"),
    ({"a": {0: {True: 2}}}, TypeError, "the key True must be a str"),
)


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_refused(wrong: Any, kind: type[Exception], message: str) -> None:
    """What would not come back as it was is refused, by its key."""
    written = model()
    with pytest.raises(kind, match=message):
        write_metadata(written, wrong)
    assert not written.metadata_props


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("stride", "32]", "'stride' is no JSON"),
        ("names", "[1]", "'names' has keys that are no numbers"),
        ("names", '{"a": 1}', "'names' has keys that are no numbers"),
        ("onnx_acts.metadata", "[", "is no JSON"),
        ("onnx_acts.metadata", "[]", "is no JSON object"),
    ],
)
def test_damaged(key: str, text: str, message: str) -> None:
    """A value that another tool has changed is named."""
    written = model()
    write_metadata(written, VALUES)
    for item in written.metadata_props:
        if item.key == key:
            item.value = text
    with pytest.raises(ValueError, match=message):
        read_metadata(written)

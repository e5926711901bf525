"""Saving models: names, sidecars, and what happens to the old files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

import onnx_acts
from onnx_acts.files import saving, writing
from onnx_acts.files.reading import load_model
from onnx_acts.files.saving import save_model
from tests.files.models import WEIGHT, external, listing, model_of, weight_of, with_external

NAMES = ["with space.onnx", "modèle-été.onnx", "模型.onnx", "-x.onnx", "l" * 240 + ".onnx"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_large", [False, True])
def test_names(name: str, is_large: bool, tmp_path: Path, monkeypatch: Any) -> None:
    """Any name works, with and without a sidecar."""
    if is_large:
        monkeypatch.setattr(saving, "_INLINE_LIMIT", 100)
    folder = tmp_path / "dossier à part"
    folder.mkdir()
    save_model(model_of(), folder / name)
    assert len(listing(folder)) == 1 + is_large
    assert weight_of(folder / name) == list(WEIGHT)
    monkeypatch.chdir(folder)
    assert weight_of(name) == list(WEIGHT)
    save_model(model_of(), name)


def test_unloaded_reference(tmp_path: Path) -> None:
    """A model whose external data is not in the target's folder is not written there."""
    light = load_model(with_external(tmp_path, external()), load_external_data=False)
    save_model(light, tmp_path / "copy.onnx")
    (tmp_path / "else").mkdir()
    with pytest.raises(ValueError, match=r"there is no file .*else/w\.data; copy it beside"):
        save_model(light, tmp_path / "else" / "copy.onnx")
    assert listing(tmp_path / "else") == []


def test_sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights beyond the limit go to a sidecar, which ONNX Runtime and onnx read."""
    monkeypatch.setattr(saving, "_INLINE_LIMIT", 100)
    model = model_of()
    tensor = model.graph.initializer.add(name="f", dims=[2000], data_type=TensorProto.FLOAT)
    tensor.float_data.extend(WEIGHT)
    tensor.doc_string = "kept"
    small = model.graph.initializer.add()
    small.CopyFrom(numpy_helper.from_array(np.array(1, np.float32), "small"))
    before = model.SerializeToString()
    save_model(model, tmp_path / "m.onnx")
    assert model.SerializeToString() == before
    model_name, sidecar = sorted(listing(tmp_path), key=len)
    assert sidecar.startswith("m.onnx.")
    assert sidecar.endswith(".data")
    assert (tmp_path / "m.onnx").stat().st_size < 1000
    light = load_model(tmp_path / model_name, load_external_data=False)
    assert [t.data_location for t in light.graph.initializer] == [1, 1, 0]
    assert all(int(t.external_data[1].value) % 4096 == 0 for t in light.graph.initializer[:2])
    for loaded in (load_model(tmp_path / "m.onnx"), onnx.load_model(tmp_path / "m.onnx")):
        for got, wanted in zip(loaded.graph.initializer, model.graph.initializer, strict=True):
            assert (got.name, got.doc_string) == (wanted.name, wanted.doc_string)
            np.testing.assert_array_equal(numpy_helper.to_array(got), numpy_helper.to_array(wanted))
    session = onnx_acts.session(tmp_path / "m.onnx", accelerated=False)
    y = session.run(None, {"x": np.array(1, np.float32)})[0]
    np.testing.assert_array_equal(y, WEIGHT + 1)


def test_old_sidecar_stays_until_the_model_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save that breaks off between sidecar and model leaves the old pair whole, and no litter."""
    monkeypatch.setattr(saving, "_INLINE_LIMIT", 100)
    path = tmp_path / "m.onnx"
    save_model(model_of(), path)
    before = listing(tmp_path)

    write = saving._write

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_model(model_of(WEIGHT + 1), path)
    monkeypatch.setattr(saving, "_write", write)
    assert listing(tmp_path) == before
    assert weight_of(path) == list(WEIGHT)
    save_model(model_of(WEIGHT + 1), path)
    assert weight_of(path) == list(WEIGHT + 1)


def test_serialising_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that protobuf cannot write is refused, and the old file stays."""
    path = tmp_path / "m.onnx"
    save_model(model_of(), path)

    class Unwritable:
        def SerializeToString(self) -> bytes:  # noqa: N802  # protobuf's name
            raise ValueError("too large")

    with pytest.raises(ValueError, match=r"cannot write .*m\.onnx.*Constant nodes"):
        saving._encoded(Unwritable(), path)  # type: ignore[arg-type]  # 2 GiB would be slow
    assert load_model(path) == model_of()


def test_session_on_a_model_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `ModelProto` that protobuf cannot serialise is sent by way of a file."""
    onnx_acts.session(model_of())
    monkeypatch.setattr(saving, "_INLINE_LIMIT", 100)
    with pytest.raises(ValueError, match=r"above 2 GiB.*onnx_acts\.files\.save_model and give"):
        onnx_acts.session(model_of())


# Models in memory


def odd_models() -> dict[str, onnx.ModelProto]:
    """Models whose weights are stored in different ways, or that have fields unknown to onnx."""
    told, typed, two, small = model_of(), model_of(), model_of(), model_of([1.0])
    told.graph.initializer[0].data_location = TensorProto.DEFAULT
    told.graph.initializer[0].doc_string = "kept"
    told.graph.initializer.add().CopyFrom(model_of(WEIGHT + 1, "v").graph.initializer[0])
    typed.graph.initializer[0].ClearField("raw_data")
    typed.graph.initializer[0].float_data.extend(WEIGHT)
    two.graph.initializer[0].float_data.extend(WEIGHT)
    found = {"raw": model_of(), "told": told, "typed": typed, "two": two, "small": small}
    for name in ("model", "graph", "tensor"):
        found[f"unknown in {name}"] = model_of()
    for name, part in (
        ("model", found["unknown in model"]),
        ("graph", found["unknown in graph"].graph),
        ("tensor", found["unknown in tensor"].graph.initializer[0]),
    ):
        part.MergeFromString(b"\xfa\x7f\x03abc")
        assert b"\xfa\x7f\x03abc" in found[f"unknown in {name}"].SerializeToString()
    return found


@pytest.mark.parametrize("name", odd_models())
@pytest.mark.parametrize("chunk", [999, 2**22])
def test_weights_are_written_one_by_one(
    name: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large model is written tensor by tensor, and its bytes are protobuf's."""
    monkeypatch.setattr(saving, "_COPIED", 0)
    monkeypatch.setattr(writing, "_CHUNK", chunk)
    model = odd_models()[name]
    before = model.SerializeToString()
    encoded = saving._encoded
    sizes = []

    def encoding(light: onnx.ModelProto, target: Path) -> Any:
        sizes.append(light.ByteSize())
        return encoded(light, target)

    monkeypatch.setattr(saving, "_encoded", encoding)
    save_model(model, tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == before
    assert model.SerializeToString() == before
    assert (sizes[0] < 1000) == (name in ("raw", "told", "small"))


def _saved(path: Path, value: float) -> Path:
    """Saves a model whose weights are in a sidecar; returns that."""
    before = set(path.parent.glob("*.data"))
    model = model_of()
    tensor = numpy_helper.from_array(np.full(2000, value, np.float32), "w2")
    model.graph.initializer.append(tensor)
    save_model(model, path, inline_limit=0)
    (found,) = set(path.parent.glob("*.data")) - before
    return found


def test_sidecars_do_not_pile_up(tmp_path: Path) -> None:
    """The sidecar of a model that is replaced goes, even where the new one needs none."""
    path = tmp_path / "m.onnx"
    for value in (1, 2, 3):
        sidecar = _saved(path, value)
        assert list(tmp_path.glob("*.data")) == [sidecar]
    save_model(load_model(path), path)  # of the same weights, in one file
    assert listing(tmp_path) == ["m.onnx"]


@pytest.mark.parametrize("other", ["copy.onnx", "no suffix", "../above.onnx"])
def test_sidecars_that_others_need(other: str, tmp_path: Path) -> None:
    """A sidecar that another file names stays, and so does what has another name."""
    folder = tmp_path / "models"
    folder.mkdir()
    first = _saved(folder / "m.onnx", 1)
    (folder / other).write_bytes((folder / "m.onnx").read_bytes())
    for stranger in ("m.onnx.data", f"n{first.name}", "m.onnx.0123456789abcdef.data"):
        (folder / stranger).write_bytes(b"theirs")
    _saved(folder / "m.onnx", 2)
    assert first.exists()
    assert (folder / "m.onnx.data").exists()
    assert (folder / f"n{first.name}").exists()
    assert (folder / "m.onnx.0123456789abcdef.data").exists()


def test_sidecar_of_a_failed_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new model cannot be written, the old one keeps its weights."""
    path = tmp_path / "m.onnx"
    first = _saved(path, 1)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "_write", fails)
    with pytest.raises(OSError, match="No space"):
        save_model(model_of(), path)
    assert first.exists()

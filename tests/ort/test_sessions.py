"""Sessions open with the native operators, and say what is wrong when they cannot."""

from __future__ import annotations

import ctypes
import locale
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, SPECS, Spec, spec_of
from onnx_acts.ort.sessions import library_info
from tests.helpers import feeds, in_type, one_node_model

X = np.linspace(-4, 4, 30).reshape(2, 3, 5)
SLOPE = np.array([[0.5], [0.25], [-2.0]])


@pytest.mark.parametrize("bodies", [True, False])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_native_kernel_runs(spec: Spec, dtype: str, bodies: bool) -> None:
    """With the library every operator and type is correctly computed, bodies or not.

    Without bodies only the native kernel can have run.
    """
    model = one_node_model(spec, dtype, bodies=bodies)
    inputs = [in_type(X, dtype), in_type(SLOPE, dtype)][: len(spec.inputs)]
    got = onnx_acts.session(model).run(None, feeds(spec, *inputs))[0]
    want = onnx_acts.reference.evaluate(spec, inputs)[0]
    np.testing.assert_array_max_ulp(
        in_type(got, dtype).astype(dtype if dtype != "bfloat16" else np.float32),
        want.astype(dtype if dtype != "bfloat16" else np.float32),
        maxulp=1,
    )


def nodes_run(
    session_options: onnxruntime.SessionOptions, model: onnx.ModelProto, **more: Any
) -> set[str]:
    """The operator types that a profiled run executed."""
    session_options.enable_profiling = True
    opened = onnx_acts.session(model, session_options=session_options, **more)
    opened.run(None, feeds(spec_of("ELU"), X))
    profile = Path(opened.end_profiling())
    text = profile.read_text()
    profile.unlink()
    return {name for name in ("ELU", "Tanh") if f'"op_name" : "{name}"' in text}


@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"])
def test_kernel_is_preferred_to_body(level: str, tmp_path: Path) -> None:
    """One file: the kernel runs where the library is, the body where it is not."""
    model = one_node_model(spec_of("ELU"), "float32")
    found = []
    for accelerated in (True, False):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        options.profile_file_prefix = str(tmp_path / "profile")
        found.append(nodes_run(options, model, accelerated=accelerated))
    assert found == [{"ELU"}, {"Tanh"}]


def test_sources(tmp_path: Path) -> None:
    """A path, bytes and a ModelProto are taken; names may have spaces and other letters."""
    model = one_node_model(spec_of("ReLU"), "float32")
    path = tmp_path / "a modèle \N{SNOWMAN}.onnx"
    onnx.save_model(model, path)
    for source in (path, str(path), model.SerializeToString(), model):
        got = onnx_acts.session(source).run(None, {"x_in": X})[0]
        assert got.min() == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a valid ONNX file: its 0 bytes"),
        (b"\x08\x09random", "not a valid ONNX file: its 8 bytes"),
        (os.urandom(1000), "not a valid ONNX file: its 1000 bytes"),
    ],
    ids=["empty", "short", "random"],
)
def test_file_that_is_no_model(content: bytes, message: str, tmp_path: Path) -> None:
    """The message has the path and the size."""
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        onnx_acts.session(path)
    assert str(path) in str(caught.value)


def test_truncated_file(tmp_path: Path) -> None:
    """A file cut anywhere is refused by us or by ONNX Runtime, never run."""
    data = one_node_model(spec_of("RReLU"), "float32").SerializeToString()
    path = tmp_path / "cut.onnx"
    for length in range(1, len(data), 37):
        path.write_bytes(data[:length])
        with pytest.raises(Exception, match=r"(?i)valid|protobuf|invalid|fail|graph"):
            onnx_acts.session(path)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    """A missing file and a directory are named."""
    with pytest.raises(FileNotFoundError, match="there is no ONNX file at"):
        onnx_acts.session(tmp_path / "none.onnx")
    with pytest.raises(ValueError, match="it is a directory"):
        onnx_acts.session(tmp_path)


def test_library_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message has the path that was tried and how to mend it."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(tmp_path / "gone.so"))
    with pytest.raises(FileNotFoundError, match=r"gone\.so; ONNX_ACTS_LIBRARY names it"):
        onnx_acts.library_path()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x7fELF\x02\x01\x01" + bytes(100)])
def test_library_damaged(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ONNX Runtime's reason, the path and the mending command are in the message."""
    path = tmp_path / "damaged.so"
    path.write_bytes(content)
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(path))
    with pytest.raises(RuntimeError, match=r"not register .*damaged\.so.*--no-deps .*onnx-acts`"):
        onnx_acts.register(onnxruntime.SessionOptions())


def test_bare_node_without_library() -> None:
    """Without library and without body, ONNX Runtime names the operator that it lacks."""
    model = one_node_model(spec_of("ELU"), "float32", bodies=False)
    with pytest.raises(RuntimeError, match=r"onnx_acts.*onnx_acts\.register\(session_options\)"):
        onnx_acts.session(model, accelerated=False)


def test_provider_that_is_not_there() -> None:
    """A provider that this build lacks is an error that lists those it has."""
    model = one_node_model(spec_of("ELU"), "float32")
    missing = "TensorrtExecutionProvider"
    with pytest.raises(ValueError, match=rf"{missing} is not in this build .*CPUExecutionProvider"):
        onnx_acts.session(model, providers=[missing, "CPUExecutionProvider"])
    with pytest.raises(ValueError, match=missing):
        onnx_acts.session(model, providers=[(missing, {"device_id": 0})])


CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class FakeSession:
    """A session of an ONNX Runtime that has CUDA, where CUDA does not start."""

    def __init__(self, source: object, options: object, providers: list[str]) -> None:
        self.asked = providers

    def get_providers(self) -> list[str]:
        """What has started."""
        return [CPU]


@pytest.fixture
def runtime_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime says that it has the CUDA provider; sessions are fake."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", FakeSession)


def cuda_library(monkeypatch: pytest.MonkeyPatch, **info: object) -> None:
    """The native library says this of itself."""
    monkeypatch.setattr("onnx_acts.ort.sessions.library_info", lambda: info)


@pytest.mark.usefixtures("runtime_with_cuda")
@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"cuda": False, "cuda_error": "cudaErrorNoDevice (none)"}, "there is no NVIDIA GPU here"),
        ({"cuda": False, "cuda_error": "cudaErrorX (other)"}, r"cudaErrorX \(other\)"),
        ({"cuda": False, "cuda_error": "no kernel for device 0"}, "no kernel for device 0"),
        ({"error": "the native library is not at x"}, "the native library is not at x"),
        ({"cuda": False}, "the library has no CUDA kernels"),
    ],
)
def test_cuda_that_the_library_cannot_use(
    info: dict[str, object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is in the message; bodies run without it, and the CPU may be asked for too."""
    cuda_library(monkeypatch, **info)
    model = one_node_model(spec_of("ELU"), "float32")
    with pytest.raises(RuntimeError, match=f"cannot run on CUDA: {reason}; to run them on the CPU"):
        onnx_acts.session(model, providers=[CUDA])
    with pytest.raises(RuntimeError, match=f"cannot run on CUDA: {reason}"):
        onnx_acts.session(model, providers=[(CUDA, {"device_id": 0})])
    assert onnx_acts.session(model, providers=[CUDA, CPU]).asked == [CUDA, CPU]
    with pytest.raises(RuntimeError, match=rf"{CUDA} could not be started \({reason}"):
        onnx_acts.session(model, providers=[CUDA], accelerated=False)


@pytest.mark.usefixtures("runtime_with_cuda")
def test_cuda_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library can use CUDA and ONNX Runtime cannot, only its log knows why."""
    cuda_library(monkeypatch, cuda=True, cuda_error=None)
    model = one_node_model(spec_of("ELU"), "float32")
    with pytest.raises(RuntimeError, match=r"could not be started \(ONNX Runtime logs the reason"):
        onnx_acts.session(model, providers=[CUDA])


def test_cuda_that_this_build_lacks() -> None:
    """Neither alone nor with the CPU beside it: install a build that has it."""
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    model = one_node_model(spec_of("ELU"), "float32")
    for providers in ([CUDA], [CUDA, CPU]):
        with pytest.raises(ValueError, match=rf"{CUDA} is not in this build .*onnxruntime-gpu"):
            onnx_acts.session(model, providers=providers)


def test_options_are_used_and_may_be_shared() -> None:
    """The caller's options are used, and may be handed in again for a second session."""
    model = one_node_model(spec_of("ReLU"), "float32")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for _ in range(2):
        opened = onnx_acts.session(model, session_options=options)
        assert opened.get_session_options().intra_op_num_threads == 1
        assert opened.run(None, {"x_in": X})[0].min() == 0


def test_sessions_from_many_threads() -> None:
    """Sessions made, run and dropped in eight threads at once all give the same bits."""
    model = one_node_model(spec_of("ELU"), "float32")
    want = onnx_acts.session(model).run(None, {"x_in": X})[0].tobytes()
    results: list[bytes] = []

    def work() -> None:
        for _ in range(10):
            results.append(onnx_acts.session(model).run(None, {"x_in": X})[0].tobytes())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80
    assert set(results) == {want}


def use_in_child(source: bytes, results: multiprocessing.SimpleQueue[bytes]) -> None:
    """Opens a session and hands back what it computes."""
    results.put(onnx_acts.session(source).run(None, {"x_in": X})[0].tobytes())


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_fork_after_load() -> None:
    """A forked child opens a session of its own, while the parent's goes on."""
    source = one_node_model(spec_of("ELU"), "float32").SerializeToString()
    opened = onnx_acts.session(source)
    want = opened.run(None, {"x_in": X})[0].tobytes()
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=use_in_child, args=(source, results))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert results.get() == want
    assert opened.run(None, {"x_in": X})[0].tobytes() == want


@pytest.fixture
def decimal_comma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A locale that writes one half as 0,5; made here where none is installed."""
    name, before = "de_DE.UTF-8", locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        if not (shutil.which("localedef") and Path("/usr/share/i18n/locales/de_DE").exists()):
            pytest.skip("no locale with a decimal comma is installed, nor what makes one")
        command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / name)]
        subprocess.run(command, check=False, capture_output=True)
        monkeypatch.setenv("LOCPATH", str(tmp_path))
        locale.setlocale(locale.LC_ALL, name)
    assert locale.localeconv()["decimal_point"] == ","
    yield
    locale.setlocale(locale.LC_ALL, before)


def test_decimal_comma(decimal_comma: None) -> None:
    """Parameters, bodies, results and texts do not depend on the locale."""
    node = onnx_acts.make_node("ELU", ["x"], ["y"], alpha=0.5)
    assert read_attributes(node) == {"alpha": 0.5}
    model = one_node_model(spec_of("ELU"), "float32", alpha=0.5)
    for accelerated in (True, False):
        got = onnx_acts.session(model, accelerated=accelerated).run(None, {"x_in": X - 99})[0]
        assert got.max() == -0.5
    assert library_info()["ops"] == [spec.name for spec in OPERATORS]


def test_dimension_too_large() -> None:
    """Declared sizes whose product overflows are refused when the session is opened.

    Of the operators only PReLU looks at declared sizes; no tensor of such a shape can be made.
    """
    spec, sizes = spec_of("PReLU"), (2**40, 2**40)
    model = one_node_model(spec, "float32", x_shape=sizes, slope_shape=(1,))
    with pytest.raises(Exception, match=r"dimension too large in shape \(1099511627776, 109951"):
        onnx_acts.session(model)


def test_library_that_a_model_names_is_not_loaded(tmp_path: Path) -> None:
    """A model can name a library in any text that it carries; none of them is opened."""
    named = tmp_path / "named.so"
    shutil.copyfile(onnx_acts.library_path(), named)
    model = one_node_model(spec_of("ELU"), "float32")
    for key in ("custom_ops_library", "ort_config", "session.custom_ops", "ep_context"):
        model.metadata_props.add(key=key, value=str(named))
    model.graph.node[1].metadata_props.add(key="library", value=str(named))
    model.graph.doc_string = model.producer_name = str(named)
    onnx.save_model(model, tmp_path / "m.onnx")
    for accelerated in (True, False):
        opened = onnx_acts.session(tmp_path / "m.onnx", accelerated=accelerated)
        opened.run(None, {"x_in": X})
    onnx_acts.lower(onnx_acts.accelerate(model))
    maps = Path("/proc/self/maps")
    assert str(named) not in maps.read_text()
    ctypes.CDLL(str(named))
    assert str(named) in maps.read_text(), "the test would not see a library that is loaded"


def test_sources_that_hide_the_package(tmp_path: Path) -> None:
    """In a clone, whose sources come first and have no library, the message says so."""
    (tmp_path / "custom_ops").mkdir()
    (tmp_path / "custom_ops" / "CMakeLists.txt").touch()
    package = Path(onnx_acts.__file__).parent
    shutil.copytree(package, tmp_path / "onnx_acts", ignore=shutil.ignore_patterns("*.so"))
    # An editable install would be found first.
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path"
        " if 'ScikitBuild' not in str(type(f))]"
        "; import onnx_acts; onnx_acts.library_path()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert f"imports onnx_acts from the sources in {tmp_path}" in done.stderr
    assert "run it in another folder" in done.stderr
    assert "reinstall" not in done.stderr

"""The execution provider in a process: registered, chosen, shared, forked, unloaded."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.ort.provider import PROVIDER, register_provider
from onnx_acts.ort.sessions import CPU
from tests.standard_models import standard_model

pytestmark = pytest.mark.skipif(
    bool(onnx_acts.provider_error()), reason=onnx_acts.provider_error() or "none"
)

X = np.linspace(-4, 4, 30, dtype=np.float32).reshape(2, 3, 5)
START = """
import sys
import numpy as np, onnxruntime as ort
path, library = sys.argv[1:]
NAME = "OnnxActsExecutionProvider"
x = np.load(path + ".npy")
def devices():
    return [device for device in ort.get_ep_devices() if device.ep_name == NAME]
def opened(options=None, **more):
    options = options or ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, **more)
    session.run(None, {"x": x})
    return session
def provided():
    options = ort.SessionOptions()
    options.add_provider_for_devices(devices(), {})
    return opened(options)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A model of one Elu, with an input beside it."""
    saved = tmp_path / "elu.onnx"
    onnx.save_model(standard_model("Elu", "float32", 17, X.shape), saved)
    np.save(f"{saved}.npy", X)
    return saved


def said(path: Path, program: str) -> list[str]:
    """The lines of a program in a process of its own, which must end well and quietly."""
    text = START + textwrap.dedent(program)
    command = [sys.executable, "-c", text, str(path), onnx_acts.library_path()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def test_plain_calls(path: Path) -> None:
    """ONNX Runtime's own calls; at exit everything is unloaded."""
    program = """
        ort.register_execution_provider_library("a name", library)
        print(provided().get_providers())
        print(opened(providers=["CPUExecutionProvider"]).get_providers())
        print(opened().get_providers())
    """
    first, *others = said(path, program)
    assert first == str([PROVIDER, CPU])
    assert others == [str([CPU])] * 2, "sessions that do not ask for it do not get it"


def test_by_name(path: Path) -> None:
    """By its name, since 1.26; the custom operators then have to be registered by the caller."""
    if onnxruntime.__version__ < "1.26":
        pytest.skip("ONNX Runtime knows it by its devices alone")
    program = """
        ort.register_execution_provider_library("a name", library)
        print(opened(providers=[NAME, "CPUExecutionProvider"]).get_providers())
        print(opened(providers=[(NAME, {"claim": "all"})]).get_providers())
    """
    assert said(path, program) == [str([PROVIDER, CPU])] * 2


@pytest.mark.parametrize("policy", ["DEFAULT", "PREFER_CPU", "PREFER_GPU", "MAX_PERFORMANCE"])
def test_device_policies(policy: str, path: Path) -> None:
    """A policy takes any CPU provider that is registered, as the guide for servers says."""
    program = f"""
        def chosen():
            options = ort.SessionOptions()
            options.set_provider_selection_policy(ort.OrtExecutionProviderDevicePolicy.{policy})
            return opened(options).get_providers()
        print(chosen())
        ort.register_execution_provider_library("a name", library)
        print(chosen())
        ort.unregister_execution_provider_library("a name")
        print(chosen())
    """
    assert said(path, program) == [str([CPU]), str([PROVIDER, CPU]), str([CPU])]


def test_registered_twice(path: Path) -> None:
    """Under the same name it is an error, under another one more device; nothing crashes."""
    program = """
        ort.register_execution_provider_library("one", library)
        try:
            ort.register_execution_provider_library("one", library)
        except Exception as error:
            print("already" in str(error))
        ort.register_execution_provider_library("two", library)
        print(len(devices()))
        for device in devices():
            options = ort.SessionOptions()
            options.add_provider_for_devices([device], {})
            print(opened(options).get_providers()[0])
        ort.unregister_execution_provider_library("one")
        print(provided().get_providers()[0])
        ort.unregister_execution_provider_library("two")
        print(len(devices()))
        ort.register_execution_provider_library("one", library)
        print(provided().get_providers()[0])
    """
    assert said(path, program) == ["True", "2", PROVIDER, PROVIDER, PROVIDER, "0", PROVIDER]


def test_register_provider_is_done_once() -> None:
    """Called again it gives the same device, from any number of threads."""
    found = [register_provider() for _ in range(3)]
    assert [len(devices) for devices in found] == [1, 1, 1]
    assert {devices[0].ep_name for devices in found} == {PROVIDER}
    assert {devices[0].ep_vendor for devices in found} == {"onnx_acts"}


@pytest.mark.slow
def test_sessions_from_many_threads_do_not_grow(path: Path) -> None:
    """Made, run and destroyed in 16 threads: nothing is left."""
    program = """
        import ctypes, threading
        ort.register_execution_provider_library("a name", library)
        wanted = provided().run(None, {"x": x})[0].tobytes()
        different = []
        def work():
            for _ in range(20):
                if provided().run(None, {"x": x})[0].tobytes() != wanted:
                    different.append(1)
        def resident():
            ctypes.CDLL(None).malloc_trim(0)
            return int(open("/proc/self/statm").read().split()[1]) * 4096
        sizes = []
        for _ in range(6):
            threads = [threading.Thread(target=work) for _ in range(16)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            sizes.append(resident())
        print(len(different), max(sizes[2:]) - sizes[1] < 4 * 2**20 or sizes)
    """
    assert said(path, program) == ["0 True"]


def use_in_child(source: str, results: multiprocessing.SimpleQueue[bytes]) -> None:
    """Opens a session and hands back what it computes."""
    opened = onnx_acts.session(source, standard=True)
    assert opened.get_providers()[0] == PROVIDER
    results.put(opened.run(None, {"x": X})[0].tobytes())


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_fork_after_load(path: Path) -> None:
    """A forked child opens a session of its own, while the parent's goes on."""
    opened = onnx_acts.session(path, standard=True)
    want = opened.run(None, {"x": X})[0].tobytes()
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=use_in_child, args=(str(path), results))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert results.get() == want
    assert opened.run(None, {"x": X})[0].tobytes() == want


def test_session_that_outlives_everything(path: Path) -> None:
    """A session that is alive at exit ends well."""
    program = """
        ort.register_execution_provider_library("a name", library)
        import builtins
        builtins.kept = provided()
        print("end")
    """
    assert said(path, program) == ["end"]

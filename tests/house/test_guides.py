"""The guides do what they say: their Python runs, their C and C++ compile, link and run."""

import os
import re
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import onnx_acts
from onnx_acts.cli.main import main
from tests.building import ROOT
from tests.standard_models import standard_model

GUIDES = ROOT / "docs" / "guides"
OFFICIAL = ["/usr/include/onnxruntime", "/usr/local/include/onnxruntime"]
SLICE = ROOT / "tests" / "native" / "library" / "slice"

SERVE_MAIN = """
#include <cstdio>
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "serve");
  const Ort::Session session = Open(env, argv[1], argv[2]);
  std::puts("open");
}
"""

PROVIDER_MAINS = {
    "c": """
#include <stdio.h>
#include <stdlib.h>
static const OrtApi* api;
static void must(OrtStatus* status) {
  if (status == NULL) return;
  puts(api->GetErrorMessage(status));
  exit(1);
}
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  api = OrtGetApiBase()->GetApi(24);
  OrtEnv* env;
  OrtSessionOptions* options;
  OrtSession* session;
  must(api->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "serve", &env));
  must(register_provider(api, env, argv[1]));
  must(api->CreateSessionOptions(&options));
  must(add_provider(api, env, options));
  must(api->CreateSession(env, argv[2], options, &session));
  puts("open");
  api->ReleaseSession(session);
  api->ReleaseSessionOptions(options);
  api->ReleaseEnv(env);
  return 0;
}
""",
    "cpp": """
#include <cstdio>
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "serve");
  env.RegisterExecutionProviderLibrary("onnx_acts", argv[1]);
  Ort::SessionOptions options;
  AddProvider(env, options);
  const Ort::Session session(env, argv[2], options);
  std::puts("open");
}
""",
}
"""Of the guide's second blocks, which add the provider to a session's options."""


def blocks(guide: str, language: str) -> list[str]:
    """The blocks of one language in a guide."""
    text = (GUIDES / guide).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def elu_model() -> onnx.ModelProto:
    """One ELU from x to y, both of 4 float32."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [onnx_acts.make_node("ELU", ["x"], ["y"])],
        "elu",
        [value("x", TensorProto.FLOAT, [4])],
        [value("y", TensorProto.FLOAT, [4])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("onnx_acts", 1)]
    return onnx_acts.accelerate(helper.make_model(graph, opset_imports=opsets, ir_version=8))


@pytest.mark.parametrize("guide", ["export.md", "serving.md", "conformance.md", "verify.md"])
def test_python(guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks run one after another."""
    monkeypatch.chdir(tmp_path)
    onnx.save_model(elu_model(), "model.onnx")
    names: dict[str, object] = {}
    assert blocks(guide, "python")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, text in enumerate(blocks(guide, "python")):
            exec(compile(text, f"{guide}, block {number}", "exec"), names)


def test_ulps_of_the_guide() -> None:
    """What the guide computes is the error of ELU in float32, and sees a wrong result."""
    names: dict[str, Any] = {}
    for text in blocks("conformance.md", "python"):
        exec(compile(text, "conformance.md", "exec"), names)
    got, wanted = names["got"], names["wanted"]
    assert 0 < names["ulps"](got, wanted) <= 8
    assert names["ulps"](got + np.float32(0.01), wanted) > 1000


def test_verify_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command of the guide says what the guide shows, and ends as it says."""
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("verify.md", "python")[0], "verify.md", "exec"), {})
    (words,) = re.findall(
        r"    onnx-acts (verify wrong.*)", (GUIDES / "verify.md").read_text("utf-8")
    )
    assert main(words.split()) == 1
    shown = capsys.readouterr().out.splitlines()
    for line in blocks("verify.md", "text")[0].splitlines():
        assert line in shown
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")


def headers() -> list[Path]:
    """Where headers are: the official ones if they are at hand, and our slice of them."""
    folders = [os.environ.get("ONNX_ACTS_ORT_INCLUDE", ""), *OFFICIAL]
    found = [Path(f) for f in folders if f and Path(f, "onnxruntime_cxx_api.h").exists()]
    return [*found[:1], SLICE]


def build_and_run(
    language: str, folder: Path, text: str, model: onnx.ModelProto, tmp_path: Path
) -> str:
    """Compiles a program without warnings, and runs it in the wheel's own runtime."""
    source = tmp_path / f"serve.{'c' if language == 'c' else 'cc'}"
    source.write_text(text)
    (runtime,) = Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*")
    compiler = os.environ.get("CC", "cc") if language == "c" else os.environ.get("CXX", "c++")
    flags = ["-std=c11"] if language == "c" else ["-std=c++17"]
    program = tmp_path / "serve"
    command: list[str | Path] = [
        compiler,
        *flags,
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-isystem{folder}",
        source,
    ]
    # The wheel has no libonnxruntime.so.1, the name that programs are linked to.
    (tmp_path / "libonnxruntime.so.1").symlink_to(runtime)
    command += ["-o", program, tmp_path / "libonnxruntime.so.1", f"-Wl,-rpath,{tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "model.onnx"
    onnx.save_model(model, path)
    done = subprocess.run(
        [program, onnx_acts.library_path(), path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("folder", headers(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("language", ["c", "cpp"])
def test_native(language: str, folder: Path, tmp_path: Path) -> None:
    """The programs that register the custom operators."""
    text = blocks("serving.md", language)[0] + ("" if language == "c" else SERVE_MAIN)
    wanted = "-0.864664733 -9.99999994e-09 0 3" if language == "c" else "open"
    assert build_and_run(language, folder, text, elu_model(), tmp_path) == wanted


@pytest.mark.skipif(bool(onnx_acts.provider_error()), reason="no providers in this runtime")
@pytest.mark.parametrize("folder", headers(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("language", ["c", "cpp"])
def test_native_provider(language: str, folder: Path, tmp_path: Path) -> None:
    """Those that register the execution provider open a model that ONNX Runtime alone cannot."""
    if "RegisterExecutionProviderLibrary" not in (folder / "onnxruntime_c_api.h").read_text():
        pytest.skip("this header is older than execution providers from outside")
    model = standard_model("Elu", "float64", 13, (4,))
    with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    text = blocks("serving.md", language)[1] + PROVIDER_MAINS[language]
    assert build_and_run(language, folder, text, model, tmp_path).splitlines()[-1] == "open"

"""docs/guides/http.md does what it says: its commands, programs, and descriptions for clusters."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

import onnx_acts
from onnx_acts.cli.main import command_parser
from onnx_acts.serving import app
from tests.building import ROOT
from tests.environments import environment, large_environment
from tests.serving.http import test_triton_client
from tests.serving.http.running import ask, elu_model, outputs, serving
from tests.serving.load.messages import json_body

TEXT = (ROOT / "docs" / "guides" / "http.md").read_text("utf-8")


def program(name: str) -> str:
    """A Python program of the guide."""
    (found,) = re.findall(rf"```python\n# file: {name}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the guide's model."""
    monkeypatch.chdir(tmp_path)
    onnx.save(elu_model(shape=(4,)), tmp_path / "model.onnx")
    return tmp_path


def test_commands() -> None:
    """Every command's words are taken."""
    lines = re.findall(r"^    onnx-acts (.*?)(?: +#.*)?$", TEXT, re.MULTILINE)
    lines += [" ".join(found.split(", ")) for found in re.findall(r"args: \[(.*?)\]", TEXT)]
    assert len(lines) == 6
    for line in lines:
        words = shlex.split(line)
        assert command_parser(words).parse_args(words)


def test_client(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The client in plain Python."""
    with serving(app(["model.onnx"])) as port:
        exec(compile(program("client.py").replace("8000", str(port)), "client.py", "exec"), {})
    assert capsys.readouterr().out == "[0.0,-0.63212055,0.5,2.0]\n".replace(",", ", ")


def test_application(folder: Path) -> None:
    """The application for one's own server."""
    names: dict[str, object] = {}
    exec(compile(program("application.py"), "application.py", "exec"), names)
    with serving(names["application"]) as port:  # type: ignore[arg-type]  # it is the guide's
        body = json_body({"x": np.ones(4, np.float32)})
        for name in ("model", "other"):
            found = outputs(ask(port, f"/v2/models/{name}/infer", body))
            assert found["y"].tolist() == [1, 1, 1, 1]


def run_in(python: Path, *words: str | Path, **more: str) -> str:
    """Runs a program in an environment that has not the package: it is imported from here."""
    added = {
        "PYTHONPATH": str(ROOT),
        "ONNX_ACTS_LIBRARY": onnx_acts.library_path(),
        "HOME": os.getcwd(),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }
    done = subprocess.run(
        [str(python), *map(str, words)],
        env=os.environ | added | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
def test_tritonclient(folder: Path) -> None:
    """The client with NVIDIA's package."""
    python = environment("tritonclient", *test_triton_client.REQUIREMENTS)
    with serving(app(["model.onnx"])) as port:
        text = program("triton_client.py").replace("8000", str(port))
        found = run_in(python, "-c", text)
    assert np.allclose(np.array(found.strip("[]\n").split(), float), [0, np.expm1(-1), 0.5, 2])


USE_RAY_SERVE = """
import json, threading, urllib.request
import ray
from ray import serve
import ray_serve
ray.init(num_cpus=3, include_dashboard=False)
serve.start(http_options={"host": "127.0.0.1", "port": PORT})

def ask():
    inputs = [{"name": "x", "shape": [4], "datatype": "FP32", "data": [0.0, -1.0, 0.5, 2.0]}]
    text = json.dumps({"inputs": inputs}).encode()
    request = urllib.request.Request("http://127.0.0.1:PORT/v2/models/model/infer", text)
    request.add_header("Content-Type", "application/json")
    return json.load(urllib.request.urlopen(request, timeout=30))["outputs"][0]["data"]

def ask_on():
    while not over.is_set():
        try:
            found.append(ask())
        except Exception as error:
            found.append(["lost", str(error)])

serve.run(ray_serve.application)
found, over = [], threading.Event()
threads = [threading.Thread(target=ask_on, daemon=True) for _ in range(2)]
[thread.start() for thread in threads]
new = {"runtime_env": {"env_vars": {"RELEASE": "2"}}}
serve.run(ray_serve.Replica.options(ray_actor_options=new).bind())
over.set()
[thread.join() for thread in threads]
print("ANSWERS", len(found) > 10, {tuple(item) for item in found})
serve.shutdown()
"""


@pytest.mark.slow
def test_ray_serve(folder: Path) -> None:
    """Two replicas answer, and being replaced lose no request."""
    python = large_environment("ray")
    text = program("ray_serve.py").replace('"model.onnx"', repr(str(folder / "model.onnx")))
    (folder / "ray_serve.py").write_text(text)
    use = USE_RAY_SERVE.replace("PORT", "18765")
    printed = run_in(python, "-c", use, PYTHONPATH=f"{ROOT}:{folder}")
    assert "ANSWERS True {(0.0, -0.63212055, 0.5, 2.0)}" in printed


ROWS = """
import sys, numpy as np, pandas
x = np.linspace(-3, 3, 4000, dtype=np.float32).reshape(1000, 4)
pandas.DataFrame({"x": list(x)}).to_parquet(sys.argv[1])
"""

CHECK = """
import sys, numpy as np, pandas, onnx_acts
found = pandas.read_parquet(sys.argv[2])
x = np.stack(found["x"])
(y,) = onnx_acts.session(sys.argv[1]).run(None, {"x": x})
print(len(found), np.stack(found["y"]).tobytes() == y.tobytes())
"""


@pytest.mark.slow
def test_ray_data(folder: Path) -> None:
    """A folder of Parquet files becomes one with results: those of a session."""
    python = large_environment("ray")
    onnx.save(elu_model(), folder / "rows.onnx")
    (folder / "rows").mkdir()
    run_in(python, "-c", ROWS, folder / "rows" / "a.parquet")
    (folder / "ray_data.py").write_text(program("ray_data.py"))
    run_in(python, "ray_data.py", folder / "rows.onnx", folder / "rows", folder / "results")
    assert run_in(python, "-c", CHECK, "rows.onnx", folder / "results") == "1000 True\n"


VALIDATE = """
import sys, yaml, kserve, kubernetes_validate, kubernetes.client
KINDS = []

def check(value, kind, where):
    '''Requires every member to be one that the SDK's class has.'''
    if kind.lower().startswith("list["):
        [check(item, kind[5:-1], f"{where}[]") for item in value]
    elif kind.lower().startswith("dict") or kind in ("str", "int", "bool", "float", "object"):
        pass
    else:
        model = getattr(kserve, kind, None) or getattr(kubernetes.client, kind, None)
        if model is None:
            return
        KINDS.append(kind)
        names = {wire: name for name, wire in model.attribute_map.items()}
        for key, item in value.items():
            assert key in names, f"{where}: {kind} has no {key}"
            check(item, model.openapi_types[names[key]], f"{where}.{key}")

for item in yaml.safe_load_all(sys.stdin.read() if len(sys.argv) < 2 else open(sys.argv[1])):
    if item["apiVersion"].startswith("serving.kserve.io"):
        check(item, "V1beta1InferenceService", "")
        assert {"V1Container", "V1ContainerPort", "V1Probe"} <= set(KINDS), KINDS
    else:
        kubernetes_validate.validate(item, "1.37", strict=True)
    print(item["kind"])
"""


@pytest.mark.slow
def test_kubernetes(folder: Path) -> None:
    """The descriptions for clusters are what the schemas want; one with a wrong word is not."""
    python = large_environment("kubernetes")
    found = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (folder / "all.yaml").write_text("---\n".join(found))
    printed = run_in(python, "-c", VALIDATE, "all.yaml")
    assert printed.split() == ["Deployment", "Service", "InferenceService"]
    for text in found:
        (folder / "wrong.yaml").write_text(text.replace("containerPort", "containerport"))
        with pytest.raises(AssertionError, match="containerport"):
            run_in(python, "-c", VALIDATE, "wrong.yaml")


def test_names() -> None:
    """The guide's paths are the server's."""
    with serving(app({"NAME": elu_model()})) as port:
        for path in re.findall(r"`(?:GET )?(/\S+)`", TEXT.partition("## Requests")[0]):
            if "..." not in path and "infer" not in path:
                assert ask(port, path).status == 200, path

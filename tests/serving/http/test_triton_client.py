"""The protocol as NVIDIA's own client speaks it: tritonclient, blocking and with asyncio."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import onnx_acts
from onnx_acts.ort.values import from_ort, to_ort
from onnx_acts.serving import app
from tests.environments import environment
from tests.serving.http.running import elu_model, serving
from tests.serving.load.messages import DATATYPES

REQUIREMENTS = ("tritonclient[all]==2.73.0", "ml-dtypes==0.5.4")
PROGRAM = Path(__file__).with_name("triton_client.py")


@pytest.mark.slow
def test_tritonclient(tmp_path: Path) -> None:
    """All types as bytes, FP32 and FP64 as JSON too, compressed or not: the right bits."""
    python = environment("tritonclient", *REQUIREMENTS)
    models = {datatype: elu_model(datatype) for datatype in DATATYPES}
    for datatype, dtype in DATATYPES.items():
        x = np.linspace(-3, 3, 12).reshape(3, 4).astype(dtype)
        session = onnx_acts.session(models[datatype])
        (y,) = session.run_with_ort_values(["y"], {"x": to_ort(x)})
        for name, array in (("x", x), ("y", from_ort(y))):
            plain = array.view(np.uint16) if datatype == "BF16" else array
            np.save(tmp_path / f"{datatype}-{name}.npy", plain)
    with serving(app(models)) as port:
        command = [str(python), str(PROGRAM), str(port), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    kinds = [f"{datatype} bytes" for datatype in sorted(DATATYPES)] + ["FP32 JSON", "FP64 JSON"]
    wanted = [f"{way} {kind}" for way in ("blocking", "asyncio") for kind in kinds]
    refused = [line for line in lines if line.startswith("refused")]
    assert sorted(set(lines) - set(refused)) == sorted(wanted)
    assert refused == ["refused 404: there is no model 'none'; GET /v2 lists the models"]

"""The same model behind KServe's own Python server, to compare with: KSERVE_PYTHON runs this file.

python kserve_server.py MODEL.onnx LIBRARY.so PORT
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import kserve
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse


class Served(kserve.Model):  # type: ignore[misc]  # kserve is not in the project's environment
    """A session with the native library."""

    def __init__(self, path: str, library: str) -> None:
        super().__init__(Path(path).stem)
        options = onnxruntime.SessionOptions()
        options.register_custom_ops_library(library)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self.ready = True

    def predict(self, payload: InferRequest, *_: Any, **__: Any) -> InferResponse:
        """Runs the model on what KServe has decoded."""
        feeds = {item.name: item.as_numpy() for item in payload.inputs}
        outputs = []
        results = self.session.run(None, feeds)
        for item, array in zip(self.session.get_outputs(), results, strict=True):
            output = InferOutput(item.name, list(array.shape), "FP32")
            output.set_data_from_numpy(array, binary_data=True)
            outputs.append(output)
        wants_bytes = payload.use_binary_outputs
        name = payload.id or "none"
        return InferResponse(name, self.name, outputs, use_binary_outputs=wants_bytes)


if __name__ == "__main__":
    model, library, port = sys.argv[1:]
    for name in ("kserve.trace", "uvicorn.access"):  # it would write four lines a request
        logging.getLogger(name).disabled = True
    served = Served(model, library)
    print(f"serving {served.name} at http://127.0.0.1:{port}/v2", flush=True)
    kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1).start([served])

"""What tritonclient makes of the server: run by the Python of an environment that has it.

    python triton_client.py PORT FOLDER

FOLDER has DATATYPE-x.npy and DATATYPE-y.npy: inputs and right outputs, of bfloat16 the bits.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import tritonclient.http as blocking
import tritonclient.http.aio as waiting
from tritonclient.utils import InferenceServerException

BITS = {"BF16": ml_dtypes.bfloat16}


def loaded(path: Path, datatype: str) -> Any:
    """An array, of bfloat16 too, which NumPy's files do not know."""
    array = np.load(path)
    return array.view(BITS[datatype]) if datatype in BITS else array


def request(module: Any, x: Any, datatype: str, as_bytes: bool) -> tuple[Any, Any]:
    """An input and an output."""
    given = module.InferInput("x", list(x.shape), datatype)
    given.set_data_from_numpy(x, binary_data=as_bytes)
    return [given], [module.InferRequestedOutput("y", binary_data=as_bytes)]


def same(found: Any, wanted: Any) -> bool:
    """Whether an output has the right bits; the client gives bfloat16 as float32 or as itself."""
    if found.dtype == wanted.dtype:
        return bool(found.tobytes() == wanted.tobytes())
    return wanted.dtype == ml_dtypes.bfloat16 and bool(
        found.astype(ml_dtypes.bfloat16).tobytes() == wanted.tobytes()
    )


def cases(folder: Path) -> Any:
    """Types, with bytes and, where the client has that, JSON."""
    for path in sorted(folder.glob("*-x.npy")):
        datatype = path.name.split("-")[0]
        x, y = loaded(path, datatype), loaded(folder / f"{datatype}-y.npy", datatype)
        for as_bytes in (True, False) if datatype in ("FP32", "FP64") else (True,):
            yield datatype, x, y, as_bytes


def check_blocking(url: str, folder: Path) -> None:
    """The client that waits."""
    client = blocking.InferenceServerClient(url)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    for datatype, x, y, as_bytes in cases(folder):
        assert client.is_model_ready(datatype)
        assert client.is_model_ready(datatype, "1")
        described = client.get_model_metadata(datatype)
        assert described["inputs"] == [{"name": "x", "datatype": datatype, "shape": [-1, 4]}]
        inputs, outputs = request(blocking, x, datatype, as_bytes)
        for more in ({}, {"request_compression_algorithm": "gzip"}, {"model_version": "1"},
                     {"response_compression_algorithm": "deflate", "request_id": "7"}):  # fmt: skip
            result = client.infer(datatype, inputs, outputs=outputs, **more)
            assert same(result.as_numpy("y"), y), (datatype, as_bytes, more)
            assert result.get_response().get("id") == more.get("request_id")
        assert same(client.infer(datatype, inputs).as_numpy("y"), y)
        print(f"blocking {datatype} {'bytes' if as_bytes else 'JSON'}")
    handles = [client.async_infer(datatype, inputs, outputs=outputs) for _ in range(5)]
    assert all(same(handle.get_result().as_numpy("y"), y) for handle in handles)
    assert not client.is_model_ready("none")
    try:
        client.infer("none", inputs)
    except InferenceServerException as error:
        print(f"refused {error.status()}: {error.message()}")
    client.close()


async def check_waiting(url: str, folder: Path) -> None:
    """The client for asyncio."""
    async with waiting.InferenceServerClient(url) as client:
        assert await client.is_server_ready()
        for datatype, x, y, as_bytes in cases(folder):
            inputs, outputs = request(waiting, x, datatype, as_bytes)
            asked = [client.infer(datatype, inputs, outputs=outputs) for _ in range(8)]
            for result in await asyncio.gather(*asked):
                assert same(result.as_numpy("y"), y), (datatype, as_bytes)
            print(f"asyncio {datatype} {'bytes' if as_bytes else 'JSON'}")


if __name__ == "__main__":
    address = f"127.0.0.1:{sys.argv[1]}"
    check_blocking(address, Path(sys.argv[2]))
    asyncio.run(check_waiting(address, Path(sys.argv[2])))

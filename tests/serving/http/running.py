"""A server in a thread, and clients that may send it anything."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from fastapi import FastAPI
from numpy.typing import NDArray
from onnx import helper

from onnx_acts.definition.nodes import make_node
from onnx_acts.graph import accelerate
from onnx_acts.serving.http.server import bound, server_of
from tests.serving.load.messages import read_answer

__all__ = ["Reply", "ask", "elu_model", "outputs", "serving", "talk"]

ONNX_TYPES = {"FP16": 10, "BF16": 16, "FP32": 1, "FP64": 11}


def elu_model(datatype: str = "FP32", shape: Any = ("N", 4)) -> onnx.ModelProto:
    """One ELU from x to y."""
    kind = ONNX_TYPES[datatype]
    graph = helper.make_graph(
        [make_node("ELU", ["x"], ["y"])],
        "elu",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("onnx_acts", 1)]
    return accelerate(helper.make_model(graph, opset_imports=opsets, ir_version=9))


@contextlib.contextmanager
def serving(made: FastAPI) -> Iterator[int]:
    """Serves an application in a thread; gives the port."""
    is_ready = threading.Event()
    with bound("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        server = server_of(made, 1.0, is_ready.set)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert is_ready.wait(10)
            yield port
        finally:
            server.should_exit = True
            thread.join()


class Reply:
    """An answer: its status, headers and body."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def text(self) -> str:
        """The body, as text."""
        return self.body.decode()


def ask(
    port: int,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    method: str = "",
) -> Reply:
    """One request on a connection of its own: a POST where there is a body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        verb = method or ("GET" if body is None else "POST")
        connection.request(verb, path, body, dict(headers or {}))
        return Reply(connection.getresponse())


def talk(port: int, content: bytes, timeout: float = 20) -> Reply:
    """Sends bytes, whatever they are, and reads an answer.

    Raises:
        http.client.HTTPException, OSError: there was none.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(content)
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()
        return Reply(answer)


def outputs(reply: Reply) -> dict[str, NDArray[Any]]:
    """The outputs of an answer that is right in form."""
    assert reply.status == 200, reply.text
    return read_answer(reply.body, reply.headers["Inference-Header-Content-Length"])


def same_bits(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Whether two arrays have one type, shape and content."""
    return (
        first.dtype == second.dtype
        and first.shape == second.shape
        and np.ascontiguousarray(first).tobytes() == np.ascontiguousarray(second).tobytes()
    )

"""From an HTTP request for inference to its answer."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from onnx_acts.serving.http.answers import Answer
from onnx_acts.serving.http.bodies import check_length, count_in, inflated, read_body
from onnx_acts.serving.http.metrics import Metrics, ModelMetrics
from onnx_acts.serving.http.models import VERSION, ServedModel
from onnx_acts.serving.http.pace import Room, Share
from onnx_acts.serving.http.refusals import RefusalError, quoted
from onnx_acts.serving.http.sending import sendable

__all__ = ["PATHS", "Inference", "Limits", "found"]

PATHS = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")
"""Where a model is."""

_HEADER_LENGTH = "inference-header-content-length"

_CONTENT_TYPES = ("", "application/json", "application/octet-stream")

_LARGE_AT_ONCE = 4
"""Requests of more than a megabyte that are in memory at the same time."""

_BYTES_PER_NUMBER = 8
"""About, in JSON."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may have.

    Attributes:
        body: bytes, inflated.
        json: bytes of JSON among them, and of the JSON of an answer, about.
    """

    body: int
    json: int


def found(request: Request, served: Mapping[str, ServedModel]) -> ServedModel:
    """The model that a URL names.

    Raises:
        RefusalError: there is no such model or version.
    """
    name = request.path_params["name"]
    version = request.path_params.get("version", VERSION)
    if name not in served:
        raise RefusalError(f"there is no model {quoted(name)}; GET /v2 lists the models", 404)
    if version != VERSION:
        raise RefusalError(
            f"model {quoted(name)} has version {VERSION}, not {quoted(version)}", 404
        )
    return served[name]


def _processors() -> int:
    """The processors that this process may use; those of the machine where no one tells."""
    affinity = getattr(os, "sched_getaffinity", None)  # of Linux
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


class Inference:
    """The route for inference."""

    def __init__(self, served: Mapping[str, ServedModel], metrics: Metrics, limits: Limits) -> None:
        self._served, self._metrics, self._limits = served, metrics, limits
        self._room = Room(_LARGE_AT_ONCE)
        # ONNX Runtime, NumPy and zlib leave Python's lock to others while they work.
        self._threads = ThreadPoolExecutor(_processors(), "onnx-acts")

    async def infer(self, request: Request) -> Response:
        """Answers a request.

        Raises:
            RefusalError: what is wrong with it.
        """
        model = found(request, self._served)
        metrics, start, status = self._metrics.models[model.name], time.perf_counter(), 500
        self._metrics.waiting.inc()
        share = Share(self._room)
        try:
            answer = await self._answer(request, model, metrics, share)
            status = 200
            return sendable(answer, share)
        except RefusalError as refusal:
            status = refusal.status
            raise
        except ClientDisconnect:
            status = 499
            return Response(status_code=status)
        finally:
            if status != 200:
                share.give_back()
            self._metrics.waiting.dec()
            metrics.answered(status, time.perf_counter() - start)

    async def _answer(
        self, request: Request, model: ServedModel, metrics: ModelMetrics, share: Share
    ) -> Answer:
        headers, limits = request.headers, self._limits
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _CONTENT_TYPES:
            raise RefusalError(
                f"Content-Type must be {' or '.join(_CONTENT_TYPES[1:])}, not {quoted(kind)}", 415
            )
        header_length = count_in(headers, _HEADER_LENGTH)
        check_length(headers, limits.body)
        encoding = headers.get("content-encoding", "")
        body = await read_body(request.stream(), limits.body, share)

        def work() -> Answer:
            content = memoryview(inflated(body, encoding, limits.body))
            length = len(content) if header_length is None else header_length
            if min(length, len(content)) > limits.json:
                raise RefusalError(
                    f"the JSON is longer than the server's limit of {limits.json} bytes;"
                    " send tensors as bytes after it (binary_data_size)",
                    413,
                )
            most = limits.json // _BYTES_PER_NUMBER
            return model.infer(content, header_length, most, metrics.ran)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

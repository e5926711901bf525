"""The ASGI application."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import onnxruntime
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onnx_acts.definition.version import version
from onnx_acts.serving.http.draining import Draining, Lifecycle
from onnx_acts.serving.http.hosts import Hosts, checked_hosts
from onnx_acts.serving.http.inference import PATHS, Inference, Limits, found
from onnx_acts.serving.http.metrics import Metrics
from onnx_acts.serving.http.models import Models, ServedModel, named_models
from onnx_acts.serving.http.refusals import RefusalError, quoted
from onnx_acts.serving.sessions import session

__all__ = ["MAX_BODY", "MAX_JSON", "app", "default_options"]

MAX_BODY = 256 * 2**20
MAX_JSON = 8 * 2**20


def app(
    models: Models,
    *,
    standard: bool = False,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    session_options: onnxruntime.SessionOptions | None = None,
    max_body: int = MAX_BODY,
    max_json: int = MAX_JSON,
    hosts: Collection[str] | None = None,
) -> FastAPI:
    """An ASGI application that serves models by the Open Inference Protocol, version 2, over HTTP.

    It has the routes for health, metadata and inference, and /metrics for Prometheus: nothing that
    changes a model, loads or unloads one. Requests that are wrong are answered with a status of 400
    to 499 and {"error": "one line"}.

    Args:
        models: models or sessions by name; or paths, whose names are those of the files.
        standard: run standard activations on the native kernels too, as `onnx_acts.session` does.
        providers: as `onnx_acts.session` takes them.
        session_options: as `onnx_acts.session` takes them; where not given, threads of ONNX Runtime
            do not spin while they wait, as they would take processors from each other.
        max_body: bytes that a request may have.
        max_json: bytes that its JSON may have. Python reads JSON in one go, at about 10 ns a byte,
            and does nothing else meanwhile: large tensors go as bytes.
        hosts: names that requests may have in `Host` beside addresses and localhost; others, and
            pages of other origins, are refused. None, or "*" among them, takes every name, since
            only what stands before an application (a proxy, Ray Serve, KServe) knows by which names
            it is asked. **Give `hosts=[]` where browsers of this machine or network can reach the
            server**: else a web page can point a name of its own at it and ask it (DNS rebinding).
            `onnx-acts serve` does so by itself.

    Raises:
        TypeError: `hosts` is a text.
        ValueError: no model, two of one name, a model that is not valid, one whose inputs or
            outputs are not tensors of numbers, or a host that is no name.
        FileNotFoundError, RuntimeError: as in `onnx_acts.session`.
    """
    names = None if hosts is None else checked_hosts(hosts)
    options = session_options or default_options()
    served = named_models(
        models,
        lambda model: session(
            model, providers=providers, session_options=options, standard=standard
        ),
    )
    metrics, lifecycle = Metrics(served), Lifecycle()
    made = FastAPI(title="onnx-acts", docs_url=None, redoc_url=None, openapi_url=None)
    made.state.lifecycle = lifecycle
    made.add_middleware(Draining, lifecycle=lifecycle)
    if names is not None:
        made.add_middleware(Hosts, names=names)
    made.add_exception_handler(HTTPException, _http_error)
    made.add_exception_handler(RefusalError, _refusal)
    made.add_exception_handler(Exception, _fault)
    _add_health(made, lifecycle, metrics)
    _add_metadata(made, served, lifecycle)
    inference = Inference(served, metrics, Limits(max_body, max_json))
    for path in PATHS:
        made.add_route(f"{path}/infer", inference.infer, methods=["POST"])
    return made


def _add_health(made: FastAPI, lifecycle: Lifecycle, metrics: Metrics) -> None:
    """Routes that say how the server is."""

    @made.get("/v2/health/live")
    async def live() -> JSONResponse:
        return JSONResponse({"live": True})

    @made.get("/v2/health/ready")
    async def ready() -> JSONResponse:
        is_ready = not lifecycle.is_draining
        return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)

    @made.get("/metrics")
    async def figures() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _add_metadata(made: FastAPI, served: Mapping[str, ServedModel], lifecycle: Lifecycle) -> None:
    """Routes that say what there is."""

    @made.get("/v2")
    async def server() -> JSONResponse:
        about = {"name": "onnx-acts", "version": version("onnx-acts") or "unknown"}
        return JSONResponse({**about, "extensions": ["binary_tensor_data"], "models": [*served]})

    async def model(request: Request) -> JSONResponse:
        return JSONResponse(found(request, served).metadata())

    async def model_ready(request: Request) -> JSONResponse:
        name = found(request, served).name
        is_ready = not lifecycle.is_draining
        return JSONResponse({"name": name, "ready": is_ready}, 200 if is_ready else 503)

    for path in PATHS:
        made.add_route(path, model, methods=["GET"])
        made.add_route(f"{path}/ready", model_ready, methods=["GET"])


def default_options() -> onnxruntime.SessionOptions:
    """Session options for a server: threads of ONNX Runtime that wait leave their processor."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _http_error(request: Request, error: Exception) -> Response:
    """A path or method that there is not."""
    assert isinstance(error, HTTPException)
    path = quoted(request.url.path)
    known = {
        404: f"there is nothing at {path}; GET /v2 lists the models",
        405: f"{path} does not take {quoted(request.method)}",
    }
    text = known.get(error.status_code, str(error.detail))
    return JSONResponse({"error": text}, error.status_code, headers=error.headers)


def _refusal(_: Request, error: Exception) -> Response:
    """A request that is wrong."""
    assert isinstance(error, RefusalError)
    headers = {"connection": "close"} if error.status == 408 else None
    return JSONResponse({"error": error.message}, error.status, headers)


def _fault(_: Request, error: Exception) -> Response:
    """A fault of ours; the log has it in full."""
    return JSONResponse({"error": f"internal error: {type(error).__name__}"}, 500)

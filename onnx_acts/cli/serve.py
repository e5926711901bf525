"""`onnx-acts serve`: models behind HTTP."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["add_serve", "run"]

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_MOST_WORKERS = 64
_MOST_THREADS = 1024
_LAST_PORT = 65535


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts serve`."""
    parser.description = (
        "Serves models over HTTP by the Open Inference Protocol, version 2 (that of KServe and"
        " Triton): metadata, health, inference, and /metrics for Prometheus. On SIGTERM it lets its"
        " clients finish, tells them to connect elsewhere, and leaves. Needs the extra `serve`."
    )
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="+",
        help="an ONNX file, or NAME=FILE; without a name, the file's name is the model's",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; 0.0.0.0 lets every machine in that reaches this one",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that clients use for this server, beside addresses, localhost and that of"
        " --host; may be repeated; * takes any. Requests for other names are refused: a web page"
        " may have made them",
    )
    parser.add_argument("--port", type=int, default=8000, help="the port; 0 takes a free one")
    kernels = parser.add_mutually_exclusive_group()
    kernels.add_argument(
        "--library",
        dest="standard",
        action="store_false",
        help="onnx_acts nodes run on the native library, others on ONNX Runtime: the usual way",
    )
    kernels.add_argument(
        "--provider",
        dest="standard",
        action="store_true",
        help="standard PRelu and Elu nodes run on the native library too, as in"
        " `onnx_acts.session(model, standard=True)`",
    )
    parser.add_argument(
        "--max-body",
        type=_size,
        default="256M",
        metavar="BYTES",
        help="the longest request; k, M and G are taken",
    )
    parser.add_argument(
        "--max-json",
        type=_size,
        default="8M",
        metavar="BYTES",
        help="the longest JSON in it; reading that stops a worker, at about 10 ns a byte",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes, each with all models")
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        help="threads of one run in ONNX Runtime; 0 takes one for each core",
    )
    parser.add_argument(
        "--drain",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="the time that clients have to go elsewhere after SIGTERM",
    )
    parser.set_defaults(run=run, standard=False)


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to leave.

    Raises:
        ImportError: the packages of the extra `serve` are missing.
        OSError, RuntimeError, ValueError: bad usage, or a model that cannot be served.
    """
    if not 1 <= arguments.workers <= _MOST_WORKERS:
        raise ValueError(f"--workers: 1 to {_MOST_WORKERS}, not {arguments.workers}")
    if not 0 <= arguments.drain < float("inf"):
        raise ValueError(f"--drain: seconds, 0 or more and finite, not {arguments.drain}")
    if not 0 <= arguments.threads <= _MOST_THREADS:
        raise ValueError(f"--threads: 0 to {_MOST_THREADS}, not {arguments.threads}")
    if not 0 <= arguments.port <= _LAST_PORT:
        raise ValueError(f"--port: 0 to {_LAST_PORT}, not {arguments.port}")
    try:
        from onnx_acts.serving.http.server import Settings
        from onnx_acts.serving.http.workers import serve
    except ImportError as error:
        raise ImportError(
            f"{error}; `onnx-acts serve` needs its extra: pip install 'onnx-acts[serve]'"
        ) from error
    serve(
        Settings(
            models=_named(arguments.models),
            host=arguments.host,
            port=arguments.port,
            standard=arguments.standard,
            threads=arguments.threads,
            max_body=arguments.max_body,
            max_json=arguments.max_json,
            workers=arguments.workers,
            drain=arguments.drain,
            hosts=tuple(arguments.allow_host),
        )
    )
    return 0


def _named(words: Iterable[str]) -> dict[str, str]:
    """Files by name."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or os.path.exists(word):
            name, path = Path(word).stem, word
        if name in found:
            raise ValueError(f"two models have the name {name!r}; give them names: NAME=FILE")
        found[name] = path
    return found


def _size(text: str) -> int:
    """Bytes, of a text like "64M"."""
    found = re.fullmatch(r"(\d{1,15})([kmg]?)(i?b)?", text.strip().lower())
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"expected a size like 1000000, 512k or 64M, got {text!r}")
    return int(found[1]) * _UNITS[found[2]]

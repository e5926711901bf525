"""`onnx-acts triton`: a model repository for Triton Inference Server."""

from __future__ import annotations

import argparse

from onnx_acts.serving.triton import USUAL_BATCH, write_repository

__all__ = ["add_triton", "run"]


def add_triton(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts triton`."""
    parser.description = (
        "Writes a model into a model repository for Triton Inference Server: DIR/NAME with the"
        " model, its external data, the native library if the model has onnx_acts nodes, and"
        " config.pbtxt with types, sizes and batching."
    )
    parser.add_argument("model", metavar="MODEL.onnx", help="an ONNX file")
    parser.add_argument("folder", metavar="DIR", help="the repository; it is made if need be")
    parser.add_argument("--name", help="the model's name (default: its file's)")
    parser.add_argument(
        "--max-batch",
        type=int,
        metavar="N",
        help=f"requests that Triton may run as one; 0 for none (default: {USUAL_BATCH} where every"
        " input and output has the same named first axis, else 0)",
    )
    parser.add_argument(
        "--mounted",
        metavar="PATH",
        help="the path that the server sees DIR under, /models say (default: that of DIR here)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the model; errors as in `write_repository`."""
    written = write_repository(
        arguments.model,
        arguments.folder,
        name=arguments.name,
        max_batch=arguments.max_batch,
        mounted=arguments.mounted,
    )
    print(written)
    return 0

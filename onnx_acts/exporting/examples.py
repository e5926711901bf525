"""Example inputs: from a file, or made of a shape, an element type and a range."""

from __future__ import annotations

import dataclasses
import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx_acts.definition.specs import ELEMENT_TYPES

if TYPE_CHECKING:
    import torch

__all__ = ["Example", "check_example_file", "load_examples", "parse_example"]

Call = tuple[tuple[Any, ...], dict[str, Any]]

_INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "bool")
_TYPES = (*ELEMENT_TYPES, *_INTEGERS)
_SUFFIXES = (".npz", ".pt", ".safetensors")
_POSITION = re.compile(r"arr_(\d+)")
"""What NumPy calls arrays that were saved without names."""

_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?"
_FORM = re.compile(
    r"(?:(?P<name>[^\W\d]\w*)=)?(?P<shape>[^:=]*)"
    rf"(?::(?P<dtype>\w*))?(?::(?P<range>{_NUMBER}\.\.{_NUMBER}))?"
)


@dataclasses.dataclass(frozen=True)
class Example:
    """One input as the command line describes it.

    Attributes:
        text: the description.
        name: the parameter that it goes to; "" where it has a place only.
        shape: its shape.
        dtype: its element type; "" is the module's.
        low: the smallest value; None where no range is given.
        high: the largest one.
    """

    text: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float | None
    high: float | None

    def tensor(self, default: torch.dtype, generator: torch.Generator) -> torch.Tensor:
        """Makes the tensor.

        With a range, its values are spread over it, the bounds included for integers. Without one,
        real numbers are standard normal and integers 0, which is valid as an index.

        Raises:
            ValueError: the range does not fit the element type.
        """
        import torch

        dtype = getattr(torch, self.dtype) if self.dtype else default
        if dtype.is_floating_point:
            return self._real(dtype, generator)
        if self.low is None or self.high is None:
            return torch.zeros(self.shape, dtype=dtype)
        low, high = int(self.low), int(self.high)
        bounds = (0, 1) if dtype == torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
        is_whole = low == self.low and high == self.high
        if not is_whole or not bounds[0] <= low <= high <= bounds[1]:
            raise ValueError(
                f"--input {self.text!r}: the range of {str(dtype).removeprefix('torch.')} must be"
                f" two whole numbers from {bounds[0]} to {bounds[1]}"
            )
        return torch.randint(low, high + 1, self.shape, generator=generator).to(dtype)

    def _real(self, dtype: torch.dtype, generator: torch.Generator) -> torch.Tensor:
        import torch

        if self.low is None or self.high is None:
            values = torch.randn(self.shape, generator=generator, dtype=torch.float64)
        else:
            values = torch.rand(self.shape, generator=generator, dtype=torch.float64)
            values = self.low + (self.high - self.low) * values
            if max(-self.low, self.high) > torch.finfo(dtype).max:
                raise ValueError(
                    f"--input {self.text!r}: {str(dtype).removeprefix('torch.')} ends at"
                    f" {torch.finfo(dtype).max:g}"
                )
        return values.to(dtype)


def parse_example(text: str) -> Example:
    """Reads `[NAME=]SHAPE[:DTYPE[:LOW..HIGH]]`; needs no torch.

    Raises:
        ValueError: not of this form, an unknown element type, or a range that is not finite or in
            the wrong order.
    """
    found = _FORM.fullmatch(text)
    shape = found["shape"] if found else text
    if found is None or not re.fullmatch(r"(\d+(x\d+)*)?", shape):
        raise ValueError(
            f"--input {text!r}: the shape must be numbers joined by x, as in 1x3x32x32, or"
            " NAME=1x16:int64:0..999 with a name, an element type and a range"
        )
    dtype = found["dtype"] or ""
    if dtype and dtype not in _TYPES:
        raise ValueError(f"--input {text!r}: {dtype!r} is not one of {', '.join(_TYPES)}")
    low, high = None, None
    if found["range"]:
        low, high = map(float, found["range"].split(".."))
        if not math.isfinite(high - low):
            raise ValueError(f"--input {text!r}: the range must be of finite numbers")
        if low > high:
            raise ValueError(f"--input {text!r}: the range ends below its start")
    sizes = tuple(int(size) for size in shape.split("x") if size)
    return Example(text, found["name"] or "", sizes, dtype, low, high)


def check_example_file(path: Path) -> None:
    """Requires a file that can have example inputs; needs no torch.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it has another suffix.
    """
    if path.suffix not in _SUFFIXES:
        raise ValueError(f"--inputs {path}: must be one of {', '.join(_SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"--inputs: there is no file {path}")


def load_examples(path: Path) -> Call:
    """Loads example inputs, as positional and keyword arguments.

    Args:
        path: an .npz file of NumPy, a .pt file of a tensor, a list of tensors or a dictionary of
            tensors by name, or a .safetensors file. Arrays with names are keyword arguments, those
            that NumPy has numbered are positional. Nothing in the file can run code: no pickled
            objects in an .npz file, weights-only mode for a .pt file.

    Raises:
        ValueError: not such a file, or something else in it than tensors.
    """
    import torch

    loaders = {".npz": _load_npz, ".pt": _load_pt, ".safetensors": _load_safetensors}
    found = loaders[path.suffix](path)
    items = list(found.items()) if isinstance(found, Mapping) else list(enumerate(found))
    for name, item in items:
        if not isinstance(item, torch.Tensor):
            raise ValueError(f"--inputs {path}: {name!r} is a {type(item).__name__}, not a tensor")
        if isinstance(found, Mapping) and not isinstance(name, str):
            raise ValueError(f"--inputs {path}: the name {name!r} is not a text")
    if not items:
        raise ValueError(f"--inputs {path}: there is no tensor in it")
    if isinstance(found, Mapping):
        return (), dict(found)
    return tuple(found), {}


def _load_npz(path: Path) -> Mapping[str, Any] | list[Any]:
    import numpy as np
    import torch

    try:
        with (
            open(path, "rb") as stream,  # NumPy leaves a damaged file open
            np.load(stream, allow_pickle=False) as archive,
        ):
            found = {name: torch.from_numpy(archive[name]) for name in archive.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"--inputs {path} cannot be read as arrays of numbers: {_line(error)}"
        ) from error
    places = [_POSITION.fullmatch(name) for name in found]
    if not all(places):
        return found
    return [found[f"arr_{i}"] for i in sorted(int(place[1]) for place in places if place)]


def _load_pt(path: Path) -> Any:
    import torch

    try:
        found = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(
            f"--inputs {path}: only tensors are loaded, in a list or in a dictionary by name;"
            f" save them with torch.save: {_line(error)}"
        ) from error
    if isinstance(found, torch.Tensor):
        return [found]
    if isinstance(found, Mapping | list | tuple):
        return found
    raise ValueError(f"--inputs {path}: it has a {type(found).__name__}, not tensors")


def _load_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"--inputs {path} is no complete safetensors file: {error}") from error


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

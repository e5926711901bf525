"""What kind of file a checkpoint is, told from its first bytes and the list of names of a zip.

Nothing here opens a pickle: reading one can run any code.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

__all__ = ["check_kind", "hint"]

_HEADER = 8
"""Bytes of a safetensors file before its header, which is JSON: the header's length."""

_PROTOCOLS = b"\x02\x03\x04\x05"
"""The second byte of a pickle that begins with 0x80."""

_OLD_PICKLE_STARTS = b"(}]c"
"""How pickles of the protocols 0 and 1 begin; they end in a full stop."""

_PYTORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".tar")
_ZIP_START = b"PK\x03\x04"
_OTHERS = {b"\x89HDF": "an HDF5 file", b"GGUF": "a GGUF file", b"\x93NUM": "a NumPy array"}

_CONVERT = (
    "convert it where you trust it: `import torch, safetensors.torch`; `{step}`;"
    " `state = next((state[k] for k in ('state_dict', 'model_state_dict', 'model') if k in state),"
    " state)`; `state = {{k: v.clone(memory_format=torch.contiguous_format) for k, v in"
    " state.items() if torch.is_tensor(v)}}`; `safetensors.torch.save_file(state, {name!r})`"
)
"""Copies, because safetensors takes neither tensors that share memory nor other memory layouts."""

_WHOLE = "; if it holds a whole module, save module.state_dict() where the class is defined"


def check_kind(source: Path) -> None:
    """Refuses everything that is recognisably no safetensors file, without opening it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a folder, a pickle, a TorchScript archive, an exported program, or a file of
            another kind; the message says how to convert it.
    """
    if source.is_dir():
        raise ValueError(f"{source} is a directory; give a .safetensors file")
    if not source.is_file():
        raise FileNotFoundError(f"there is no weights file at {source}")
    start, end = _ends(source)
    if start[_HEADER:] == b"{":  # the low byte of the length may be anything, 0x80 too
        return
    if start.startswith(_ZIP_START):
        _refuse_zip(source)
    if _is_pickle(start, end):
        _refuse_pickle(source)
    if start[:4] in _OTHERS:
        raise ValueError(f"{source} is {_OTHERS[start[:4]]}; give a .safetensors file")


def hint(source: Path) -> str:
    """What a damaged file probably is that is called as PyTorch's are."""
    if source.suffix not in _PYTORCH_SUFFIXES:
        return ""
    return f"; if it is a checkpoint of PyTorch, {_conversion(source)}"


def _ends(source: Path) -> tuple[bytes, bytes]:
    """The first nine bytes and the last one."""
    with source.open("rb") as stream:
        start = stream.read(_HEADER + 1)
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 1))
        return start, stream.read(1)


def _is_pickle(start: bytes, end: bytes) -> bool:
    if len(start) <= _HEADER:  # too short for either
        return False
    if start[0] == 0x80:
        return start[1] in _PROTOCOLS
    return start[0] in _OLD_PICKLE_STARTS and end == b"."


def _refuse_pickle(source: Path) -> None:
    raise ValueError(
        f"{source} is a pickle, which can run code when it is read, so it is not opened; "
        + _conversion(source)
        + _WHOLE
    )


def _refuse_zip(source: Path) -> None:
    """Refuses a zip file by what its names say; `torch.save` writes pickles into zip files."""
    try:
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:  # a damaged one, most probably of torch.save
        names = []
    if any("/code/" in name for name in names):
        load = f"torch.jit.load({source.name!r}).state_dict()"
        raise ValueError(
            f"{source} is a TorchScript archive, which holds code; " + _conversion(source, load)
        )
    if any(name.endswith(("models/model.json", "exported_program.json")) for name in names):
        load = f"torch.export.load({source.name!r}).state_dict"
        raise ValueError(
            f"{source} is an exported program, which can run code when it is read; "
            + _conversion(source, load)
            + "; or export the program itself"
        )
    if names and all(name.endswith(".npy") for name in names):
        raise ValueError(f"{source} holds NumPy arrays; give a .safetensors file")
    _refuse_pickle(source)


def _conversion(source: Path, load: str | None = None) -> str:
    """How to make a safetensors file of another one, in lines that run as they stand."""
    name, target = source.name, source.with_suffix(".safetensors").name
    opening = ""
    if name == target:  # torch.load goes by the name; a stream has none
        opening, target = f"with open({name!r}, 'rb') as stream: ", f"{source.stem}-1.safetensors"
    place = "stream" if opening else repr(name)
    pickled = f"torch.load({place}, map_location='cpu', weights_only=True)"
    step = f"state = {load}" if load else f"{opening}state = {pickled}"
    return _CONVERT.format(step=step, name=target)

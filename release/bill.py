"""The bill of materials of a release: what is in the files, and what they need, in CycloneDX."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import ziglang

from release.building import run

__all__ = ["completed", "write_bill"]

_NOT_OURS = ("pip", "setuptools")
"""What an environment has before anything is installed."""

_LLVM = "Apache-2.0 WITH LLVM-exception"


def write_bill(python: Path, out: Path) -> Path:
    """Writes the bill of the files in a folder.

    Args:
        python: of an environment with one of the wheels, and nothing that it does not need.
        out: the folder.

    Raises:
        SystemExit: it is not valid, or lacks something.
    """
    said = run(
        *(sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"),
        *("--output-format", "JSON", "--output-file", "-", python),
    )
    bill = completed(json.loads(said[said.index("{") :]), [*out.glob("*.whl"), *out.glob("*.gz")])
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    _check(text)
    path = out / f"onnx_acts-{bill['metadata']['component']['version']}.cdx.json"
    path.write_text(text, "utf-8")
    return path


def completed(bill: dict[str, Any], files: list[Path]) -> dict[str, Any]:
    """A bill of an environment as that of files: they are what it is about, with what is inside of
    them; where they lay when they were installed is nobody's concern.
    """
    parts = {part["name"]: part for part in bill["components"] if part["name"] not in _NOT_OURS}
    missing = {"onnx-acts", "onnxruntime", "onnx", "numpy"} - parts.keys()
    if missing:
        raise SystemExit(f"the bill of materials lacks {sorted(missing)}; it has {sorted(parts)}")
    ours = parts.pop("onnx-acts")
    ours["purl"] = f"pkg:pypi/onnx-acts@{ours['version']}"
    ours["components"] = _inside()
    ours["externalReferences"] = [_file(path) for path in sorted(files)]
    known = {ours["bom-ref"], *(part["bom-ref"] for part in parts.values())}
    needs = [one for one in bill["dependencies"] if one["ref"] in known]
    return {
        **bill,
        "metadata": {**bill["metadata"], "component": ours},
        "components": [*parts.values()],
        "dependencies": needs,
    }


def _file(path: Path) -> dict[str, Any]:
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    hashes = [{"alg": "SHA-256", "content": content}]
    return {"type": "distribution", "url": path.name, "hashes": hashes}


def _inside() -> list[dict[str, Any]]:
    """What the linker puts into the wheels' libraries."""
    library = Path(ziglang.__file__).parent / "lib"
    config = (library / "libcxx/include/__config").read_text("utf-8")
    (number,) = re.findall(r"define _LIBCPP_VERSION (\d+)\b", config)
    llvm = f"{int(number) // 10000}.{int(number) // 100 % 100}.{int(number) % 100}"
    windows = library / "libc/include/any-windows-any/_mingw_mac.h"
    mingw = ".".join(
        re.findall(r"define __MINGW64_VERSION_(?:MAJOR|MINOR) (\d+)", windows.read_text("utf-8"))
    )
    found = [("libc++", llvm, _LLVM), ("libc++abi", llvm, _LLVM), ("libunwind", llvm, _LLVM)]
    found.append(("mingw-w64", mingw, "ZPL-2.1"))
    return [
        {
            "type": "library",
            "bom-ref": f"{name}=={version}",
            "name": name,
            "version": version,
            "description": "only in the wheel for Windows" if name == "mingw-w64" else "LLVM's",
            "licenses": [{"expression": licence}],
        }
        for name, version, licence in found
    ]


def _check(text: str) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    version = SchemaVersion.from_version(json.loads(text)["specVersion"])
    fault = JsonStrictValidator(version).validate_str(text)
    if fault is not None:
        raise SystemExit(f"the bill of materials is not valid: {str(fault).splitlines()[0]}")

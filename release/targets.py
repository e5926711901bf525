"""The platforms that wheels are made for."""

from __future__ import annotations

import dataclasses

__all__ = ["TARGETS", "Target"]


@dataclasses.dataclass(frozen=True)
class Target:
    """A platform.

    Attributes:
        name: what it is called here.
        zig: the target as Zig spells it, with the C library that it must run with.
        system: CMake's name of the operating system.
        processor: CMake's name of the processor.
        tag: the platform tag of the wheel.
        library: the file of the native library in the wheel.
        experimental: built and tried, but not on the system itself.
    """

    name: str
    zig: str
    system: str
    processor: str
    tag: str
    library: str = "libonnx_acts_ops.so"
    experimental: bool = False

    @property
    def wheel_tags(self) -> list[str]:
        """The library has no Python interface, so one wheel is for every Python 3."""
        return [f"py3-none-{tag}" for tag in self.tag.split(".")]


# ONNX Runtime's own wheels need glibc 2.27 (1.17.3) or 2.28 (1.31.1). 2.17
# (manylinux2014) is the oldest that tools still support, and costs us nothing.
TARGETS = (
    Target(
        "linux-x86_64", "x86_64-linux-gnu.2.17", "Linux", "x86_64",
        "manylinux2014_x86_64.manylinux_2_17_x86_64",
    ),
    Target(
        "linux-aarch64", "aarch64-linux-gnu.2.17", "Linux", "aarch64",
        "manylinux2014_aarch64.manylinux_2_17_aarch64",
    ),
    Target(
        "windows-x86_64", "x86_64-windows-gnu", "Windows", "AMD64", "win_amd64",
        library="libonnx_acts_ops.dll", experimental=True,
    ),
)  # fmt: skip

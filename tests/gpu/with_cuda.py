"""Runs a command of ours with CUDA's libraries loaded from PyTorch's packages.

python tests/gpu/with_cuda.py conform --runtimes cuda
python tests/gpu/with_cuda.py pytest tests/gpu
"""

import sys


def main() -> int:
    """Loads the libraries, then hands over."""
    import onnxruntime

    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    if sys.argv[1:2] == ["pytest"]:
        import pytest

        return int(pytest.main(sys.argv[2:]))
    from onnx_acts.cli.main import main as command

    return command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

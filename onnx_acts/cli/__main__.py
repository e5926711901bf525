"""`python -m onnx_acts.cli`: the same as `python -m onnx_acts`."""

import sys

from onnx_acts.cli.main import main

sys.exit(main())

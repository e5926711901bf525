"""`python -m onnx_acts`: the command line."""

import sys

from onnx_acts.cli.main import main

sys.exit(main())

"""`python -m tests.native.accuracy`: see `measuring`."""

import sys

from tests.native.accuracy.measuring import main

sys.exit(main())

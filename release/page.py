"""The project's page on a package index: the README without what only a clone has.

An index shows the text alone, so it has no picture and no relative link.
"""

from __future__ import annotations

import re
from pathlib import Path

from docs.tables import operator_table

__all__ = ["index_page"]

_TEXT = Path(__file__).with_suffix(".md")


def index_page(readme: str) -> str:
    """Returns the page, with the example of the README and the operators as they are now."""
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    return _TEXT.read_text("utf-8").format(example=example, operators=operator_table().strip())

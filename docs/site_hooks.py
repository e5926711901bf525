"""MkDocs hooks: the pages of the site that are made when it is built.

The commands come from the parsers, the forms from examples and what `accelerate` says to an
example of each, the public names from the package; README, CHANGELOG and their like are copied. The
links of all pages are turned so that they hold in the site as they do in the repository.
"""

from __future__ import annotations

import os
import posixpath
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from docs import pages  # noqa: E402  # the path is set first

COPIES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "models/README.md": "models.md",
}
"""Documents outside docs/, and the pages that they become."""

_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made, and the pictures of the copied ones."""
    made = {page: (ROOT / name).read_text("utf-8") for name, page in COPIES.items()}
    made["commands.md"] = pages.commands()
    made["forms.md"] = pages.forms()
    made["api.md"] = pages.public_names()
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for picture in sorted((ROOT / "models" / "figures").glob("*.png")):
        name = f"models/figures/{picture.name}"
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    return files


def on_page_markdown(text: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links that hold in the repository into links that hold in the site."""
    sources = {made: source for source, made in COPIES.items()}
    own = page.file.src_uri
    source = sources.get(own, f"docs/{own}")
    parts, end = [], 0
    for fence in _FENCED.finditer(text):
        parts += [_turned(text[end : fence.start()], source, own), fence[0]]
        end = fence.end()
    return "".join([*parts, _turned(text[end:], source, own)])


def _turned(text: str, source: str, page: str) -> str:
    return _LINK.sub(lambda link: _link(link, source, page), text)


def _link(link: re.Match[str], source: str, page: str) -> str:
    """One link; a file that is not in the site keeps its name and loses the link."""
    target, _, anchor = link[2].partition("#")
    if re.match(r"[a-z]+:", link[2]) or not target:
        return link[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if not os.path.exists(ROOT / path):
        return link[0]  # MkDocs says that it leads nowhere
    place = _place(path)
    if place is None:
        return link[1].removesuffix("](").lstrip("!")[1:]
    relative = posixpath.relpath(place, posixpath.dirname(page) or ".")
    return f"{link[1]}{relative}{'#' + anchor if anchor else ''}{link[3]}"


def _place(path: str) -> str | None:
    """Where a file of the repository is in the site; None where it is not."""
    if path in COPIES:
        return COPIES[path]
    if path == "docs/decisions":
        return "decisions/0001-parameters-travel-as-float64-tensors.md"
    if path.startswith("docs/") and path.endswith((".md", ".png", ".svg")):
        return path.removeprefix("docs/")
    return path if path.startswith("models/figures/") else None

"""Documents: their links lead somewhere, their journeys go through places that are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import onnx_acts
from tests.building import ROOT

PAGES = sorted(
    path
    for folder, pattern in ((ROOT, "*.md"), (ROOT / "docs", "**/*.md"), (ROOT / "models", "*.md"))
    for path in folder.glob(pattern)
)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """Relative links name files that are there, and sections of them."""
    text = CODE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


HOPS = re.findall(
    r"^   \|  (\S+) +(\S+)  ", (ROOT / "docs" / "journeys.md").read_text("utf-8"), re.MULTILINE
)


def test_journeys() -> None:
    """Each hop names a file, and something that it defines."""
    assert len(HOPS) > 30
    for file, name in HOPS:
        text = (ROOT / file).read_text("utf-8")
        python = rf"^ *(def|class) {name}\b|^{name}\b.* = "
        native = rf"^(template <.*> )?[\w:<>*& ]*\b(\w+::)?{name}[ (]|(struct|class) {name}\b"
        pattern = python if file.endswith(".py") else native
        assert re.search(pattern, text, re.MULTILINE), f"{file} does not define {name}"


@pytest.mark.slow
def test_site(tmp_path: Path) -> None:
    """The site builds without a warning, and holds what is made when it is built."""
    pytest.importorskip("mkdocs")
    command = (sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = (tmp_path / "api.html").read_text("utf-8")
    for name in set(onnx_acts.__all__) - {"__version__"}:
        assert names.count(f'id="onnx_acts.{name}"') == 1, name
    assert "--no-optimize" in (tmp_path / "commands.html").read_text("utf-8")
    assert "Elu → ELU" in (tmp_path / "forms.html").read_text("utf-8").replace("&gt;", ">")

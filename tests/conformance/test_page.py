"""The HTML report in a browser: no errors, no requests, and a click leads to the cases."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from onnx_acts.conformance import reports
from onnx_acts.ort.environment import environment
from tests.conformance.test_report import RESULT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

AFTER = """<script>
document.addEventListener("securitypolicyviolation", () => console.error("refused"));
const out = document.createElement("pre");
out.id = "seen";
document.body.append(out);
const key = "ELU-float32-standard";
const closed = document.getElementById(key).open;
document.querySelector(`.matrix a[href="#${key}"]`).click();
setTimeout(() => {
  const entry = document.getElementById(key);
  const box = (name) => document.querySelector(name).getBoundingClientRect();
  out.textContent = JSON.stringify({
    closed, open: entry.open, row: entry.parentElement.open,
    text: entry.innerText, height: entry.getBoundingClientRect().height,
    curve: box("svg.curve").width, bars: document.querySelectorAll("svg.bars rect").length,
    crosses: document.querySelectorAll("svg .cross").length,
    wide: document.documentElement.scrollWidth > innerWidth,
    requests: performance.getEntriesByType("resource").map((one) => one.name),
  });
}, 50);
</script></body>"""
"""What a reader does, and what is seen then."""


def browser() -> str:
    """A Chromium; the test is skipped where there is none."""
    asked = os.environ.get("ONNX_ACTS_CHROMIUM", "")
    found = asked or next(filter(None, map(shutil.which, NAMES)), "")
    if not found:
        pytest.skip("there is no Chromium here; ONNX_ACTS_CHROMIUM may name one")
    return found


def opened(path: Path, tmp_path: Path, *options: str) -> tuple[str, str]:
    """The page's document after its scripts, and what the browser logged."""
    command = [
        browser(),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
    ]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", *options]
    done = subprocess.run(
        [*command, "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_in_chromium(tmp_path: Path, width: int) -> None:
    """A click on a cell of the matrix opens its cases; nothing is fetched, nothing complains."""
    page = tmp_path / "page.html"
    text = reports.html_text(RESULT, environment(), "onnx-acts conform --html page.html")
    page.write_text(text.replace("</body>", AFTER), encoding="utf-8")
    document, log = opened(page, tmp_path, f"--window-size={width},900")
    assert not [line for line in log.splitlines() if "CONSOLE" in line]
    found = re.search(r'<pre id="seen">(.*?)</pre>', document, re.DOTALL)
    assert found, document[-2000:]
    seen = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert (seen["closed"], seen["open"], seen["row"]) == (False, True, True)
    assert "one <b>" in seen["text"]
    assert "got <1>?, exact 2" in seen["text"]
    assert "import numpy" in seen["text"]
    assert seen["height"] > 100
    assert seen["curve"] > 100
    assert (seen["bars"], seen["crosses"]) == (10, 1)
    assert seen["requests"] == []
    assert not seen["wide"], "the page does not scroll sideways"


@pytest.mark.slow
def test_errors_would_show(tmp_path: Path) -> None:
    """The test above can fail: a script that raises is in the browser's log."""
    page = tmp_path / "page.html"
    page.write_text("<script>throw new Error('broken on purpose')</script>")
    _, log = opened(page, tmp_path)
    assert [line for line in log.splitlines() if "CONSOLE" in line]

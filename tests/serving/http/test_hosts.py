"""By which names an application may be asked."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi import FastAPI

from onnx_acts.serving import app
from onnx_acts.serving.http.draining import Lifecycle
from tests.serving.http.running import ask, elu_model, serving
from tests.serving.load.messages import json_body

REBOUND = {"Host": "evil.example", "Origin": "http://evil.example"}
"""What a page sends whose name has become an address of this machine."""


def test_allowed_hosts() -> None:
    """A name that is given is served; others are not."""
    made = app({"m": elu_model()}, hosts=["Models.example"])
    with serving(made) as port:
        for host, status in (("models.example:80", 200), ("other.example", 421)):
            assert ask(port, "/v2", None, {"Host": host}).status == status


@pytest.mark.parametrize(
    ("hosts", "status"),
    [(None, 200), (["*"], 200), (["a", "*"], 200), ([], 421), (["a", "A.example."], 421)],
)
def test_hosts_of_an_application(hosts: list[str] | None, status: int) -> None:
    """By default an application leaves names to what stands before it; with any list it does not.
    Mounted in another application it is the same.
    """
    outer = FastAPI()
    outer.mount("/inner", app({"m": elu_model()}, hosts=hosts))
    outer.state.lifecycle = Lifecycle()
    with serving(outer) as port:
        assert ask(port, "/inner/v2", None, REBOUND).status == status
        for host in ("127.0.0.1", f"localhost:{port}", "[::1]", "a"):
            expected = 200 if host != "a" or hosts is None or hosts else 421
            assert ask(port, "/inner/v2", None, {"Host": host}).status == expected
        body = json_body({"x": np.ones((1, 4), "f")})
        assert ask(port, "/inner/v2/models/m/infer", body, REBOUND).status == status


@pytest.mark.parametrize("name", ["a:80", "http://a", "*.a", "a/b", "user@a", "a b", "[::1]"])
def test_hosts_that_are_no_names(name: str) -> None:
    """A host that no request could match, or that means something else elsewhere, is an error."""
    with pytest.raises(ValueError, match="is no host's name"):
        app({"m": elu_model()}, hosts=[name])


def test_hosts_as_a_text() -> None:
    """One name without a list would be a list of letters."""
    with pytest.raises(TypeError, match=r"hosts is a list of names, such as \['a.example'\]"):
        app({"m": elu_model()}, hosts="a.example")

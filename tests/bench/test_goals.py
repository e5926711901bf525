"""Goals: their arithmetic, on rows made by hand."""

import dataclasses

import pytest

from onnx_acts.bench.goals import ASKS, GOALS, goal_table
from onnx_acts.bench.peers import PEERS
from onnx_acts.bench.workload import SIZES
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS
from tests.bench.rows import NETWORK, row

SMALL, LARGE = "1x64x112x112", "32x64x112x112"


@pytest.mark.parametrize(
    ("name", "dtype", "size", "times", "lines"),
    [
        ("PReLU", "float32", LARGE, {"copy": 10, "library": 10.9}, ["at most 1.1 | 1.09 | yes"]),
        ("PReLU", "float32", LARGE, {"copy": 10, "library": 11.2}, ["at most 1.1 | 1.12 | no"]),
        (
            "PReLU",
            "float32",
            LARGE,
            {"copy": 12, "parallel copy": 8, "library": 12},  # the faster copy is the yardstick
            ["at most 1.1 | 1.5 | no"],
        ),
        ("PReLU", "float32", SMALL, {"copy": 10, "library": 14}, ["at most 1.5 | 1.4 | yes"]),
        ("ReLU", "float32", SMALL, {"copy": 10, "library": 14}, []),
        ("RReLU", "float16", LARGE, {"copy": 10, "library": 12}, ["at most 1.3 | 1.2 | yes"]),
        ("ELU", "bfloat16", LARGE, {"copy": 10, "library": 21}, ["at most 2 | 2.1 | no"]),
        ("PReLU", "float64", SMALL, {"copy": 10, "library": 14}, ["at most 1.5 | 1.4 | yes"]),
        ("ELU", "float64", SMALL, {"pytorch": 19, "library": 10}, ["at least 2 | 1.9 | no"]),
        ("PReLU", "float32", SMALL, {"standard": 180, "library": 10}, ["at least 18 | 18 | yes"]),
        ("LeakyReLU", "float32", LARGE, {"standard": 9, "library": 10}, ["at least 1 | 0.9 | no"]),
        ("ELU", "float32", "chain-16K", {"standard": 5, "library": 1}, ["at least 5 | 5 | yes"]),
        ("ELU", "float32", "chain-1", {"standard": 5, "library": 1}, []),
        (
            "PReLU",
            "float32",
            "chain-16K",
            {"ort-relu": 10, "library": 12.5},
            ["ours / ONNX Runtime's Relu: at most 1.2 | 1.25 | no"],
        ),
        (
            "PReLU",
            "float32",
            "chain-1",
            {"ort-relu": 0.2, "library": 0.34},
            ["at most 0.15 µs a node | 0.14 | yes"],
        ),
        (
            "ELU",
            "float16",
            "chain-1",
            {"library": 0.3, "provider": 0.5},
            ["provider - ours: at most 0.15 µs a node | 0.2 | no"],
        ),
        (
            "iresnet18-elu",
            "float32",
            "1x3x112x112",
            {"library": 10, "provider": 10.2},
            ["provider / ours: at most 1.03 | 1.02 | yes"],
        ),
        (
            "PReLU",
            "float32",
            LARGE,
            {"library": 10, "slope-last": 13.5, "slope-full": 18},
            ["per channel: at most 1.3 | 1.35 | no", "by bytes: at most 1.3 | 1.2 | yes"],
        ),
        (
            "RReLU",
            "float32",
            "16K",
            {"library": 10, "pytorch": 9.8, "compiled": 9.6, "openvino": 30},
            ["0.97 | 0.98 | yes", "0.97 | 0.96 | no", "0.97 | 3 | yes"],
        ),
    ],
)
def test_goals(name: str, dtype: str, size: str, times: dict[str, float], lines: list[str]) -> None:
    """Each goal is compared with the number of the rows that it is about."""
    table = goal_table([row(name, dtype, size, times)], "v2")
    assert len(table) == (4 + len(lines) if lines else 0)
    for line, wanted in zip(table[4:], lines, strict=True):
        assert line.startswith(f"| {name} | {dtype} | {size} | 1 |")
        assert wanted in line
    assert goal_table([row(name, dtype, size, {})], "v2") == []


@pytest.mark.parametrize(
    ("level", "lines"),
    [("v4", ["1.25 | 1.5 | no"]), ("v3", ["2 | 1.5 | yes"]), ("v2", []), ("", [])],
)
def test_goals_of_an_instruction_set_level(level: str, lines: list[str]) -> None:
    """What is asked of ELU depends on the level."""
    table = goal_table([row("ELU", "float32", LARGE, {"copy": 10, "library": 15})], level)
    assert len(table[4:]) == len(lines)
    assert all(wanted in line for line, wanted in zip(table[4:], lines, strict=True))


def test_goals_of_networks() -> None:
    """Speed-up over both runtimes of the standard file, and the activations' share."""
    lines = goal_table([NETWORK], "v4")
    assert lines[0] == "1 of 3 reached."
    for line, wanted in zip(
        lines[4:], ("1.8 | 1.5 | no", "1 | 0.8 | no", "3 % | 2.1 | yes"), strict=True
    ):
        assert wanted in line
    without = dataclasses.replace(NETWORK, times={}, shares={})
    assert goal_table([without], "v4") == []


def test_goals_are_about_what_is_measured() -> None:
    """Every name, element type, size and ask of the table exists."""
    networks = pytest.importorskip("onnx_acts.bench.networks").NETWORKS
    names = {spec.name for spec in SPECS} | {network.name for network in networks}
    for goal in GOALS:
        assert set(goal.names) <= names
        assert set(goal.dtypes) <= set(ELEMENT_TYPES)
        assert set(goal.sizes) <= set(SIZES)
        assert goal.ask in ASKS
    asked = {goal.ask for goal in GOALS}
    assert asked == set(ASKS)
    differences = {"above ort-relu", "provider above ours", "share"}
    assert asked - differences <= {peer.name for peer in PEERS}

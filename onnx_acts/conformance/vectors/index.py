"""`vectors.json`: what each test is, and what its outputs must keep.

JSON has no NaN and no infinity: such an attribute is a string there, "nan", "inf" or "-inf".
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FORMAT", "INDEX", "RULES", "Index", "Output", "Test", "index_bytes", "read_index"]

FORMAT = 1
"""The version of this file's layout; a reader refuses a newer one."""

INDEX = "vectors.json"
"""The file's name. It is written last: a folder without it is not whole."""

RULES = {
    "float": (
        "NaN where the expected output has NaN, of any sign and payload; nowhere else. Everywhere"
        " else the sign bit of the expected output, of zeros too; an infinity where the exact value"
        " is infinite, a zero where it is zero; and at most `ulp` units in the last place between"
        " the output and the exact value before rounding; where ulp is 0.5, the bits of the"
        " expected output. Without the exact values: the bits of output and expected output, as"
        " unsigned integers, differ by at most `steps`."
    ),
    "integer": "At most `ulp` between the output and the expected output.",
    "drawn": (
        "The numbers come from Philox 4x32-10, keyed by the node's seed and counted by elements, so"
        " the rule for floats holds. A runtime that draws from a generator of its own is held"
        " against the law of the draws instead. Noise is 1 where X is not negative. Where X < 0 it"
        " is in `support`, both ends included, and its values are independent draws of the uniform"
        " distribution there, rounded. So these are such as chance gives them but once in 1e9:"
        " their mean, their Kolmogorov-Smirnov distance, their covariances at every distance, a run"
        " of them that comes again bit by bit, how near they come to each end, pairs of equal ones,"
        " and steps as of fewer than 23 bits, as far as the element type shows them. Tests that"
        " differ in the seed alone have independent noise, not the same one and not the same one"
        " moved; all 64 bits of a seed count. Noise of which a third or more is that of Philox, in"
        " any order, is Philox with a fault. Y is noise * X within one unit, and what half a unit"
        " of noise makes of it. Where both ends of `support` are equal, noise is that number, and Y"
        " is the product, correctly rounded."
    ),
}
"""The rules that outputs name, for people who write a reader."""


@dataclasses.dataclass(frozen=True)
class Output:
    """What an output must be.

    Attributes:
        name: its name in the model.
        dtype: its element type, by NumPy's (ml_dtypes') name.
        shape: its sizes.
        rule: one of `RULES`.
        ulp: the largest error allowed, in units in the last place.
        steps: the same as a number of neighbours, for readers without the exact values.
        support: the bounds of drawn slopes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    rule: str
    ulp: float
    steps: int
    support: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Test:
    """One folder.

    Attributes:
        name: the folder's name.
        form: how the model says it: "acts", a node of this project with its function body;
            "standard", the standard operator; "lowered", the function body in place of the node.
        operator: the name in the operator table.
        dtype: the element type of X.
        group: the group of cases.
        case: the case's name there.
        attributes: every attribute of the operator.
        outputs: see `Output`.
        quick: whether it is the first of its operator, type, group and form.
    """

    __test__ = False  # pytest takes classes of this name for its own

    name: str
    form: str
    operator: str
    dtype: str
    group: str
    case: str
    attributes: Mapping[str, float | int]
    outputs: tuple[Output, ...]
    quick: bool = False


@dataclasses.dataclass(frozen=True)
class Index:
    """All tests of a folder.

    Attributes:
        vectors: the set and its version, such as "vectors 1".
        tests: the tests, by name.
    """

    vectors: str
    tests: Sequence[Test]


def index_bytes(index: Index) -> bytes:
    """The index as the bytes of `vectors.json`."""
    tests = [_as_json(test) for test in index.tests]
    content = {"format": FORMAT, "vectors": index.vectors, "rules": RULES, "tests": tests}
    return (json.dumps(content, indent=1, allow_nan=False, ensure_ascii=True) + "\n").encode()


def read_index(data: bytes, where: str) -> Index:
    """Reads `vectors.json`.

    Args:
        data: its bytes.
        where: its path, for messages.

    Raises:
        ValueError: it is damaged, or of a newer format.
    """
    try:
        content = json.loads(data)
        version = content["format"]
        if version == FORMAT:
            return Index(str(content["vectors"]), [_test(item) for item in content["tests"]])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{where} is no index of test vectors: {error!r}") from error
    raise ValueError(f"{where} has format {version!r}; this onnx-acts reads format {FORMAT}")


def _as_json(test: Test) -> dict[str, Any]:
    found = dataclasses.asdict(test)
    found["attributes"] = {
        name: value if math.isfinite(value) else str(float(value))
        for name, value in test.attributes.items()
    }
    for output in found["outputs"]:
        if output["support"] is None:
            del output["support"]
    return found


def _test(item: dict[str, Any]) -> Test:
    given = dict(item)
    given["attributes"] = {
        name: float(value) if isinstance(value, str) else value
        for name, value in item["attributes"].items()
    }
    given["outputs"] = tuple(_output(output) for output in item["outputs"])
    if not given["outputs"]:
        raise ValueError(f"{item['name']!r} has no outputs")
    name = given["name"]
    if not str(name).startswith("test_") or not str(name).isidentifier():
        raise ValueError(f"{name!r} is no name of a test")
    return Test(**given)


def _output(item: dict[str, Any]) -> Output:
    given = {**item, "shape": tuple(item["shape"])}
    if "support" in item:
        low, high = item["support"]
        given["support"] = (float(low), float(high))
    if item["rule"] not in RULES:
        raise ValueError(f"there is no rule {item['rule']!r}")
    for name, least in (("ulp", float), ("steps", int)):
        value = item[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value < math.inf or least(value) != value:
            raise ValueError(f"{name} must be a finite number of at least 0; got {value!r}")
    return Output(**given)

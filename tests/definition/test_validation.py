"""Bad types, shapes and attributes get messages that name what is wrong."""

import dataclasses
import math

import pytest

from onnx_acts.definition.nodes import make_node, read_attributes
from onnx_acts.definition.schemas import op_schema
from onnx_acts.definition.specs import Attribute, spec_of
from onnx_acts.definition.validation import check_attributes, check_element_types, check_slope_shape

GOOD_SLOPES = [
    ((2, 3, 4), ()),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (3, 1)),
    ((2, 3, 4), (2, 3, 4)),
    ((2, 3, 4), (2, 1, 1)),
    ((), ()),
    ((0, 3), (3,)),
    ((0, 3), (0, 1)),
]
BAD_SLOPES = [
    ((2, 3, 4, 5), (3,)),  # the classic mistake: channels are not the last dimension
    ((2, 1), (3,)),  # would enlarge x
    ((2, 3), (0,)),  # empty slope for an x with elements
    ((3,), (1, 3)),  # more dimensions than x
    ((), (1,)),
]


@pytest.mark.parametrize(("x", "slope"), GOOD_SLOPES)
def test_slope_that_broadcasts(x: tuple[int, ...], slope: tuple[int, ...]) -> None:
    """Every unidirectionally broadcastable slope is accepted."""
    check_slope_shape(x, slope)


@pytest.mark.parametrize(("x", "slope"), BAD_SLOPES)
def test_slope_that_does_not(x: tuple[int, ...], slope: tuple[int, ...]) -> None:
    """The message names both shapes."""
    with pytest.raises(ValueError, match="PReLU") as caught:
        check_slope_shape(x, slope)
    assert str(x) in str(caught.value)
    assert str(slope) in str(caught.value)


@pytest.mark.parametrize("dtype", ["int32", "complex64", "float8_e4m3fn", "bool"])
def test_unsupported_type(dtype: str) -> None:
    """The message lists the supported types."""
    with pytest.raises(TypeError, match=f"X is {dtype}; .*float16, bfloat16, float32, float64"):
        check_element_types(spec_of("ELU"), [dtype])


def test_types_that_differ() -> None:
    """X and slope must have one type."""
    with pytest.raises(TypeError, match="X is float32 and slope is float64; convert slope"):
        check_element_types(spec_of("PReLU"), ["float32", "float64"])


def test_wrong_number_of_inputs() -> None:
    """The message says which inputs there are."""
    with pytest.raises(TypeError, match=r"PReLU takes 2 input\(s\) \(X, slope\), got 1"):
        check_element_types(spec_of("PReLU"), ["float32"])


def test_defaults_are_filled_in() -> None:
    """Attributes that are left out have the table's defaults; 0.0 is a value."""
    assert check_attributes(spec_of("ELU"), {}) == {"alpha": 1.0}
    assert check_attributes(spec_of("ELU"), {"alpha": 0.0}) == {"alpha": 0.0}


@pytest.mark.parametrize(
    ("lower", "upper"), [(0.5, 0.25), (math.nan, 1.0), (0.0, math.inf), (-math.inf, 0.0)]
)
def test_bad_bounds(lower: float, upper: float) -> None:
    """Both bounds are in the message."""
    with pytest.raises(ValueError, match=f"lower = {lower!r} and upper = {upper!r}"):
        check_attributes(spec_of("RReLU"), {"lower": lower, "upper": upper})


SEED = r"^RReLU: seed must be an int from -2\*\*63 to 2\*\*63 - 1, "


@pytest.mark.parametrize("seed", [-(2**63), 2**63 - 1])
def test_extreme_seeds(seed: int) -> None:
    """All of int64 is accepted, and comes back from the node."""
    node = make_node("RReLU", ["x"], ["y"], seed=seed)
    assert read_attributes(node)["seed"] == seed


@pytest.mark.parametrize(
    ("name", "attributes", "error", "message"),
    [
        (
            "ELU",
            {"beta": 1.0},
            ValueError,
            "ELU has no attribute 'beta'; its attributes are: alpha",
        ),
        ("ReLU", {"alpha": 1.0}, ValueError, "its attributes are: none"),
        ("ELU", {"alpha": "1"}, TypeError, r"^ELU: alpha must be an int or a float .*, got '1'$"),
        ("RReLU", {"training_mode": 2}, ValueError, "training_mode must be 0 or 1, got 2"),
        ("RReLU", {"training_mode": "on"}, TypeError, "training_mode must be 0 or 1, got 'on'"),
        ("RReLU", {"seed": 1.5}, TypeError, SEED + r"got 1\.5$"),
        ("RReLU", {"seed": 2**70}, ValueError, SEED + f"got {2**70}$"),
        ("RReLU", {"seed": 2**63}, ValueError, SEED + f"got {2**63}$"),
        ("RReLU", {"seed": -(2**63) - 1}, ValueError, SEED + f"got {-(2**63) - 1}$"),
        ("ELU", {"alpha": 10**400}, ValueError, "alpha must be .* that float64 can hold, got 1000"),
        ("RReLU", {"upper": 10**400}, ValueError, "upper must be .* that float64 can hold"),
    ],
)
def test_bad_attribute(
    name: str, attributes: dict[str, float], error: type[Exception], message: str
) -> None:
    """A wrong attribute is named, with its value."""
    with pytest.raises(error, match=message):
        check_attributes(spec_of(name), attributes)


RANGED = dataclasses.replace(
    spec_of("ELU"),
    attributes=(
        Attribute("alpha", "real", 1.0, "scale", "positive"),
        Attribute("beta", "real", 0.0, "shift", "finite"),
        Attribute("gamma", "real", 2.0, "end", "positive", "alpha"),
    ),
)
"""An operator whose attributes have ranges."""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alpha": 0.0}, r"alpha must be a finite number > 0, got 0\.0"),
        ({"alpha": -0.5}, r"alpha must be a finite number > 0, got -0\.5"),
        ({"alpha": math.nan}, "needs finite bounds with alpha <= gamma, got alpha = nan"),
        ({"beta": math.inf}, "beta must be a finite number, got inf"),
        ({"beta": math.nan}, "beta must be a finite number, got nan"),
        ({"gamma": 0.5}, r"needs finite bounds with alpha <= gamma, got alpha = 1\.0 and gamma"),
    ],
)
def test_ranges(values: dict[str, float], message: str) -> None:
    """A number outside of its range is refused by operator, node, attribute, value and range."""
    with pytest.raises(ValueError, match=rf"^ELU: {message}"):
        check_attributes(RANGED, values)
    with pytest.raises(ValueError, match=rf"^ELU \(node 'act3'\): {message}"):
        check_attributes(RANGED, values, "act3")


def test_ranges_accept() -> None:
    """Everything inside: the smallest number, equal bounds, any shift."""
    values = {"alpha": 5e-324, "beta": -1e308, "gamma": 5e-324}
    assert check_attributes(RANGED, values) == values


def test_ranges_are_in_the_schema() -> None:
    """The schema's documentation names them."""
    found = {name: item.description for name, item in op_schema(RANGED).attributes.items()}
    assert found == {
        "alpha": "scale (default 1.0; a finite number > 0)",
        "beta": "shift (default 0.0; a finite number)",
        "gamma": "end (default 2.0; a finite number > 0, at least alpha)",
    }

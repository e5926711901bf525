"""Parameters that went through decimal text: the C library reads it, too."""

import ctypes

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.decimal_parameters import (
    from_text,
    read_from_text,
    with_parameter_from_text,
)
from onnx_acts.conformance.explaining import elements_of

TIES = [(1 + (2 * i + 1) * 2.0**-24) * 2.0**j for i in range(40) for j in (-150, -20, -1, 0, 7, 99)]
OTHERS = [0.1, 1 / 3, -5e-324, 1e-46, 2.0**-150, 3.4028235e38, 2.5]


@pytest.mark.parametrize("sign", [1, -1])
def test_as_the_c_library(sign: int) -> None:
    """Its strtof rounds the text once; of many ties it takes the other one than the even one."""
    strtof = ctypes.CDLL(None).strtof
    strtof.restype, strtof.argtypes = ctypes.c_float, [ctypes.c_char_p, ctypes.c_void_p]
    others = 0
    for value in (sign * v for v in (*TIES, *OTHERS)):
        right = strtof(repr(value).encode(), None)
        assert from_text(value) == right, value
        others += right != np.float32(value)
    assert others > 50


@pytest.mark.parametrize(
    ("x", "got", "is_explained"),
    [
        (-3.0, -3.0 * (1 + 2**-23), True),
        (-3.0, -3.0, True),
        (-3.0, -3.000002, False),
        (-3.4028234663852886e38, -np.inf, True),
        (-3.4028234663852886e38, np.inf, False),
        (-3e38, -np.inf, False),
    ],
)
def test_what_it_explains(x: float, got: float, is_explained: bool) -> None:
    """The product with 1 + 2**-23 to a few units; infinity where that is out of range."""
    values = np.array([x], np.float32)
    case = Case("LeakyReLU", "float32", [values], {"alpha": 1 + 2**-24})
    with np.errstate(all="ignore"):
        elements = elements_of(case, np.array([got], np.float32), case.exact()[0])
        assert with_parameter_from_text(elements).tolist() == [is_explained]


@pytest.mark.parametrize(
    ("alpha", "can_show"),
    [
        (1 + 2**-24, True),
        (0.1, False),
        (np.nan, False),
        (np.inf, False),
        (1e39, False),
        (1e-60, False),
    ],
)
def test_where_it_can_show(alpha: float, can_show: bool) -> None:
    """Where the parameter is midway between two numbers, and x below zero."""
    x = np.array([-1.0, 2.0], np.float32)
    case = Case("LeakyReLU", "float32", [x], {"alpha": alpha})
    with np.errstate(all="ignore"):
        elements = elements_of(case, x, case.exact()[0])
        assert read_from_text(elements).tolist() == [can_show, False]

"""The operator table: the one place where an activation is defined.

Schemas, ONNX functions, reference operators, the native registration, conformance cases, benchmark
rows and documentation tables are all derived from `SPECS`. Adding an activation is adding one
record here (and one functor in `custom_ops/activations/functors.h` where none fits); see
`docs/adding_an_activation.md`.

This module imports nothing but the standard library: the native build reads it too.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Literal

__all__ = [
    "DEFAULT_OPS",
    "DOMAIN",
    "ELEMENTS",
    "ELEMENT_TYPES",
    "OPSET_VERSION",
    "SPECS",
    "Attribute",
    "ElementType",
    "Promise",
    "Spec",
    "spec_of",
]

DOMAIN = "onnx_acts"
OPSET_VERSION = 1


@dataclasses.dataclass(frozen=True)
class ElementType:
    """One element type, which every operator has.

    Attributes:
        name: its NumPy (ml_dtypes) name.
        onnx: its number in ONNX (and ONNX Runtime).
        storage: the C++ type of an element.
        compute: the C++ type in which it is computed.
    """

    name: str
    onnx: int
    storage: str
    compute: str


ELEMENTS = (
    ElementType("float16", 10, "Half", "float"),
    ElementType("bfloat16", 16, "BFloat16", "float"),
    ElementType("float32", 1, "float", "float"),
    ElementType("float64", 11, "double", "double"),
)

ELEMENT_TYPES = tuple(element.name for element in ELEMENTS)
"""The names of the element types."""

DEFAULT_OPS = ("PReLU", "RReLU", "ELU")
"""The operators that become `onnx_acts` nodes where the caller does not say which.

ReLU and LeakyReLU stay standard nodes: ONNX Runtime fuses those, and no nodes of another domain,
with the convolution before them.
"""


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One attribute of an operator.

    Attributes:
        name: its name in the ONNX node.
        kind: "real" is a float64 scalar in a TENSOR attribute (a FLOAT attribute has 32 bits and
            cannot carry the parameter of a float64 model); "flag" is an INT 0 or 1; "seed" any INT.
        default: its value where the node has none.
        doc: one sentence.
    """

    name: str
    kind: Literal["real", "flag", "seed"]
    default: float | int
    doc: str


@dataclasses.dataclass(frozen=True)
class Promise:
    """The largest error, in units in the last place (ULP) of the element type, by element type.

    0.5 means correctly rounded. `kernel` is the native library; `body` the ONNX function as
    ONNX Runtime computes it on the CPU, over normal (not subnormal) results.
    """

    kernel: Mapping[str, float]
    body: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Spec:
    """One operator.

    Attributes:
        name: the operator's name in the domain `onnx_acts`.
        summary: what it is, in one sentence.
        formula: y in terms of x, for documentation.
        inputs: input names; the first is always "X", all have X's element type.
        outputs: output names, the first is always "Y"; later ones are optional.
        attributes: see `Attribute`.
        parameter_source: where the number that scales the negative branch comes from: nowhere, an
            attribute, an input tensor, or a random draw.
        functor: the C++ functor that computes one element.
        reference: the function in `onnx_acts.reference` that says what is true.
        body: the ONNX function's nodes in the ONNX text syntax. `x_c` is the input X in the compute
            type, `alpha_c` the attribute alpha in it, `alpha_64` the attribute in float64; so for
            every input and real attribute, by its lower-case name. Other attributes have their own
            names. `$C` stands for the compute type ("float" or "double"), `$to` for its number;
            constants in it are lines `name = Constant <value = $C {number}> ()`: they get as many
            dimensions as X needs. The body defines `y_c` for the output Y, and so for further
            outputs.
        training_body: the same where the training form differs, else empty.
        standard: the standard ONNX operator that computes the same in inference, "" if none does.
        torch: the function in `torch.nn.functional`, "" if there is none.
        promise: see `Promise`.
        source: the paper that introduced it.
    """

    name: str
    summary: str
    formula: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    parameter_source: Literal["none", "attribute", "input", "draw"]
    functor: str
    reference: str
    body: str
    training_body: str
    standard: str
    torch: str
    promise: Promise
    source: str


_EXACT = types.MappingProxyType(dict.fromkeys(ELEMENT_TYPES, 0.5))

# The product is exact to within one rounding in float32 and float64. A 16-bit result is rounded
# twice (to float32, then to 16 bits), which can cost a little more than half a unit.
_ONE_PRODUCT = Promise(
    kernel=_EXACT, body=types.MappingProxyType({**_EXACT, "float16": 0.501, "bfloat16": 0.501})
)

# ONNX Runtime's Where (1.31) loses the sign of a zero that comes from its second input. A product
# can underflow to -0, so bodies choose the factor, 1 or the parameter, and multiply last.
_SCALE_BODY = """
    zero = Constant <value = $C {0}> ()
    one = Constant <value = $C {1}> ()
    negative = Less (x_c, zero)
    factor = Where (negative, PARAMETER, one)
    y_c = Mul (x_c, factor)
"""

_RRELU_MEAN = """
    half_64 = Constant <value = double {0.5}> ()
    total_64 = Add (lower_64, upper_64)
    mean_64 = Mul (total_64, half_64)
    MEAN = Cast <to = $to> (mean_64)
"""

_RRELU_SELECT = """
    zero = Constant <value = $C {0}> ()
    one = Constant <value = $C {1}> ()
    negative = Less (x_c, zero)
    noise_c = Where (negative, negative_slope, one)
    y_c = Mul (x_c, noise_c)
"""

# A slope is drawn from U[lower, upper) in float64, then rounded to x's element type; only before
# the rounding is it below upper.
#
# Philox 4x32-10 in standard operators. Element i takes word i % 4 of block i / 4. Words 0 and 2 of
# a block travel in `even`, words 1 and 3 in `odd`: one Scan step is one round on both halves.
# Products of two 32-bit numbers are formed in int64 (ONNX Runtime multiplies no uint64 on the CPU)
# and wrap, which keeps all 64 bits.
_RRELU_DRAW = """
    count = Size (x_c)
    zero_i = Constant <value = int64 {0}> ()
    one_i = Constant <value = int64 {1}> ()
    three_i = Constant <value = int64 {3}> ()
    four_i = Constant <value = int64 {4}> ()
    mask_i = Constant <value = int64 {4294967295}> ()
    wide = Constant <value = uint64 {32}> ()
    padded = Add (count, three_i)
    blocks = Div (padded, four_i)
    block = Range (zero_i, blocks, one_i)
    block_low = BitwiseAnd (block, mask_i)
    block_bits = Cast <to = 13> (block)
    block_high_bits = BitShift <direction = "RIGHT"> (block_bits, wide)
    block_high = Cast <to = 7> (block_high_bits)
    nothing = Sub (block, block)
    rows = Constant <value = int64[1] {0}> ()
    block_low_row = Unsqueeze (block_low, rows)
    block_high_row = Unsqueeze (block_high, rows)
    nothing_row = Unsqueeze (nothing, rows)
    even0 = Concat <axis = 0> (block_low_row, nothing_row)
    odd0 = Concat <axis = 0> (block_high_row, nothing_row)
    seed_low = BitwiseAnd (seed, mask_i)
    seed_bits = Cast <to = 13> (seed)
    seed_high_bits = BitShift <direction = "RIGHT"> (seed_bits, wide)
    seed_high = Cast <to = 7> (seed_high_bits)
    pair = Constant <value = int64[2] {2, 1}> ()
    single = Constant <value = int64[1] {1}> ()
    seed_low1 = Reshape (seed_low, single)
    seed_high1 = Reshape (seed_high, single)
    key0 = Concat <axis = 0> (seed_low1, seed_high1)
    key_column = Reshape (key0, pair)
    weyl = Constant <value = int64[2, 1] {2654435769, 3144134277}> ()
    round_number = Constant <value = int64[10, 1, 1] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}> ()
    weyl_steps = Mul (weyl, round_number)
    key_sums = Add (key_column, weyl_steps)
    keys = BitwiseAnd (key_sums, mask_i)
    even, odd = Scan <num_scan_inputs = 1, body = philox_round
        (int64[P, Q] even_in, int64[P, Q] odd_in, int64[P, R] key)
        => (int64[P, Q] even_out, int64[P, Q] odd_out)
    {
        multiplier = Constant <value = int64[2, 1] {3528531795, 3449720151}> ()
        mask = Constant <value = int64 {4294967295}> ()
        shift = Constant <value = uint64 {32}> ()
        swap = Constant <value = int64[2] {1, 0}> ()
        product = Mul (even_in, multiplier)
        product_bits = Cast <to = 13> (product)
        high_bits = BitShift <direction = "RIGHT"> (product_bits, shift)
        high = Cast <to = 7> (high_bits)
        low = BitwiseAnd (product, mask)
        high_swapped = Gather <axis = 0> (high, swap)
        odd_out = Gather <axis = 0> (low, swap)
        mixed = BitwiseXor (high_swapped, odd_in)
        even_out = BitwiseXor (mixed, key)
    }> (even0, odd0, keys)
    halves = Concat <axis = 0> (even, odd)
    word_order = Constant <value = int64[4] {0, 2, 1, 3}> ()
    words = Gather <axis = 0> (halves, word_order)
    by_block = Transpose <perm = [1, 0]> (words)
    flat_shape = Constant <value = int64[1] {-1}> ()
    flat = Reshape (by_block, flat_shape)
    count1 = Reshape (count, single)
    drawn = Slice (flat, rows, count1)
    drawn_64 = Cast <to = 11> (drawn)
    unit = Constant <value = double {2.3283064365386962890625e-10}> ()
    uniform = Mul (drawn_64, unit)
    width_64 = Sub (upper_64, lower_64)
    offset = Mul (width_64, uniform)
    slope_64 = Add (lower_64, offset)
    shape = Shape (X)
    shaped_64 = Reshape <allowzero = 1> (slope_64, shape)
    slope = Cast <to = $to> (shaped_64)
    slope_in_type = CastLike (slope, X)
    drawn_slope = Cast <to = $to> (slope_in_type)
    is_training = Cast <to = 9> (training_mode)
    negative_slope = Where (is_training, drawn_slope, mean_slope)
"""

SPECS: tuple[Spec, ...] = (
    Spec(
        name="ReLU",
        summary="Rectified linear unit.",
        formula="y = 0 where x < 0, else x",
        inputs=("X",),
        outputs=("Y",),
        attributes=(),
        parameter_source="none",
        functor="Relu",
        reference="relu",
        body="""
    zero = Constant <value = $C {0}> ()
    negative = Less (x_c, zero)
    y_c = Where (negative, zero, x_c)
""",
        training_body="",
        standard="Relu",
        torch="relu",
        promise=Promise(kernel=_EXACT, body=_EXACT),
        source="Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
    ),
    Spec(
        name="LeakyReLU",
        summary="Rectifier with a fixed slope on the negative side.",
        formula="y = alpha * x where x < 0, else x",
        inputs=("X",),
        outputs=("Y",),
        attributes=(Attribute("alpha", "real", 0.01, "slope for x < 0"),),
        parameter_source="attribute",
        functor="NegativeSlope",
        reference="leaky_relu",
        body=_SCALE_BODY.replace("PARAMETER", "alpha_c"),
        training_body="",
        standard="LeakyRelu",
        torch="leaky_relu",
        promise=_ONE_PRODUCT,
        source=(
            "Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic"
            " models"
        ),
    ),
    Spec(
        name="PReLU",
        summary="Rectifier with a learned slope on the negative side.",
        formula="y = slope * x where x < 0, else x; slope broadcasts to x's shape",
        inputs=("X", "slope"),
        outputs=("Y",),
        attributes=(),
        parameter_source="input",
        functor="NegativeSlope",
        reference="prelu",
        body=_SCALE_BODY.replace("PARAMETER", "slope_c"),
        training_body="",
        standard="PRelu",
        torch="prelu",
        promise=Promise(kernel=_EXACT, body=_EXACT),
        source="He, Zhang, Ren and Sun 2015, Delving deep into rectifiers",
    ),
    Spec(
        name="RReLU",
        summary="Rectifier with a random slope in training and the mean slope in inference.",
        formula=(
            "y = s * x where x < 0, else x; inference: s = (lower + upper) / 2;"
            " training: s drawn per element from U[lower, upper)"
        ),
        inputs=("X",),
        outputs=("Y", "noise"),
        attributes=(
            Attribute("lower", "real", 1 / 8, "lower bound of the slope"),
            Attribute("upper", "real", 1 / 3, "upper bound of the slope"),
            Attribute("training_mode", "flag", 0, "1 draws a slope for each element"),
            Attribute("seed", "seed", 0, "key of the Philox generator"),
        ),
        parameter_source="draw",
        functor="NegativeSlope",
        reference="rrelu",
        body=_RRELU_MEAN.replace("MEAN", "negative_slope") + _RRELU_SELECT,
        training_body=_RRELU_MEAN.replace("MEAN", "mean_slope") + _RRELU_DRAW + _RRELU_SELECT,
        standard="LeakyRelu",
        torch="rrelu",
        promise=_ONE_PRODUCT,
        source="Xu, Wang, Chen and Li 2015, Empirical evaluation of rectified activations",
    ),
    Spec(
        name="ELU",
        summary="Exponential linear unit.",
        formula="y = alpha * expm1(x) where x < 0, else x",
        inputs=("X",),
        outputs=("Y",),
        attributes=(Attribute("alpha", "real", 1.0, "scale for x < 0; y tends to -alpha"),),
        parameter_source="attribute",
        functor="Elu",
        reference="elu",
        # tanh(x/2) * (exp(x) + 1) is expm1(x) without the cancellation of exp(x) - 1. Next to zero
        # expm1(x) is x, and ONNX Runtime's Tanh loses digits where its polynomial meets subnormals.
        body="""
    zero = Constant <value = $C {0}> ()
    half = Constant <value = $C {0.5}> ()
    one = Constant <value = $C {1}> ()
    x_half = Mul (x_c, half)
    tangent = Tanh (x_half)
    power = Exp (x_c)
    power_plus_one = Add (power, one)
    product = Mul (tangent, power_plus_one)
    minus_tiny = Constant <value = $C {-1e-20}> ()
    curved = Less (x_c, minus_tiny)
    expm1 = Where (curved, product, x_c)
    negative = Less (x_c, zero)
    factor = Where (negative, alpha_c, one)
    y_c = Mul (expm1, factor)
""",
        training_body="",
        standard="Elu",
        torch="elu",
        promise=Promise(
            kernel=types.MappingProxyType(
                {"float16": 0.5, "bfloat16": 0.5, "float32": 1.0, "float64": 1.0}
            ),
            body=types.MappingProxyType(
                {"float16": 0.501, "bfloat16": 0.501, "float32": 8.0, "float64": 12.0}
            ),
        ),
        source=(
            "Clevert, Unterthiner and Hochreiter 2016, Fast and accurate deep network learning by"
            " exponential linear units"
        ),
    ),
)

_BY_NAME = {spec.name: spec for spec in SPECS}


def spec_of(name: str) -> Spec:
    """Returns the record of the operator `name`.

    Raises:
        ValueError: there is no such operator; the message lists those there are, and says which
            is meant where the name is nearly right.
    """
    if name not in _BY_NAME:
        from onnx_acts.text.spelling import suggestion  # not where the native build reads

        meant = suggestion(name, _BY_NAME)
        raise ValueError(f"unknown operator {name!r}{meant}; onnx_acts has {', '.join(_BY_NAME)}")
    return _BY_NAME[name]

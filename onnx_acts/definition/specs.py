"""The operator table: the one place where an activation is defined.

Schemas, ONNX functions, reference operators, the native registration, exports, conformance cases,
accuracy sweeps, benchmark rows and documentation tables are all derived from `SPECS`. Adding an
activation is adding one record here (and one functor in `custom_ops/activations/functors.h` where
none fits); see `docs/adding_an_activation.md`.

This module imports nothing but the standard library: the native build reads it too.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import pathlib
import types
from collections.abc import Mapping
from typing import Literal

__all__ = [
    "DEFAULT_OPS",
    "DOMAIN",
    "ELEMENTS",
    "ELEMENT_TYPES",
    "NEWEST_OPSET",
    "OPERATORS",
    "OPSET_VERSION",
    "QUANTIZED",
    "QUANTIZED_TYPES",
    "SPECS",
    "Attribute",
    "Difference",
    "ElementType",
    "Promise",
    "Spec",
    "Standard",
    "StandardAttribute",
    "spec_of",
    "ulp",
]

DOMAIN = "onnx_acts"
OPSET_VERSION = 1

NEWEST_OPSET = 28
"""The newest version of the standard operators of which it is known that they mean the same."""


@dataclasses.dataclass(frozen=True)
class ElementType:
    """One floating-point element type, which every operator of `SPECS` has.

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
"""The names of the floating-point element types."""

QUANTIZED_TYPES = ("uint8",)
"""The element types of quantized tensors."""

_BODIES = pathlib.Path(__file__).with_name("bodies")


def ulp(**larger: float) -> Mapping[str, float]:
    """The largest error by element type: 0.5, correctly rounded, where no other is given."""
    return types.MappingProxyType({**dict.fromkeys(ELEMENT_TYPES, 0.5), **larger})


def body(*names: str, **renamed: str) -> str:
    """The text files `bodies/NAME.onnxtxt` one after another, without comments.

    Args:
        *names: of the files.
        **renamed: what stands for a name of theirs.
    """
    texts = [(_BODIES / f"{name}.onnxtxt").read_text(encoding="utf-8") for name in names]
    lines = [line for text in texts for line in text.splitlines() if not line.startswith("#")]
    text = "\n".join(lines) + "\n"
    for name, value in renamed.items():
        text = text.replace(name, value)
    return text


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One attribute of an operator.

    Attributes:
        name: its name in the ONNX node.
        kind: "real" is a float64 scalar in a TENSOR attribute (a FLOAT attribute has 32 bits and
            cannot carry the parameter of a float64 model); "single" is a FLOAT, of an operator that
            computes in float32 alone; "flag" is an INT 0 or 1; "seed" any INT.
        default: its value where the node has none.
        doc: one sentence.
        range: which real numbers are accepted: "any", NaN and infinities too; "finite"; "positive",
            which is finite and above 0. Other values are refused wherever a node is read.
        at_least: the attribute, one before this, that this one may not be less than; "" for none.
    """

    name: str
    kind: Literal["real", "single", "flag", "seed"]
    default: float | int
    doc: str
    range: Literal["any", "finite", "positive"] = "any"
    at_least: str = ""


@dataclasses.dataclass(frozen=True)
class StandardAttribute:
    """One attribute of a standard operator, a FLOAT.

    Attributes:
        name: its name in the standard node.
        default: its value where the node has none.
        mean_of: our attributes whose mean it is; by default the one of the same name.
    """

    name: str
    default: float
    mean_of: tuple[str, ...] = ()

    @property
    def ours(self) -> tuple[str, ...]:
        """The attributes of our operator that it stands for."""
        return self.mean_of or (self.name,)

    def value(self, values: Mapping[str, float]) -> float:
        """Its value for those of ours; of -0 it is -0, which a sum that starts at 0 would lose."""
        given = [values[name] for name in self.ours]
        return functools.reduce(operator.add, given) / len(given)


@dataclasses.dataclass(frozen=True)
class Standard:
    """The standard ONNX operator that computes the same in inference.

    Attributes:
        name: its name.
        since: the first opset that has it for an element type, by the type.
        kernels: the element types for which ONNX Runtime's CPU provider can be counted on to run
            it. float16 runs through float32, if the operator takes it.
        attributes: see `StandardAttribute`.
    """

    name: str
    since: Mapping[str, int]
    kernels: tuple[str, ...] = ("float16", "float32")
    attributes: tuple[StandardAttribute, ...] = ()


@dataclasses.dataclass(frozen=True)
class Promise:
    """The largest error, in units in the last place (ULP) of the element type, by element type.

    0.5 means correctly rounded; of integers it is the largest difference. `kernel` is the native
    library; `body` the ONNX function as ONNX Runtime computes it on the CPU, over normal (not
    subnormal) results.
    """

    kernel: Mapping[str, float]
    body: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Difference:
    """What another runtime does differently, which is not ours to mend.

    It has either groups of cases, in which results differ by more than an error, or an error.

    Attributes:
        runtime: its name, one of `onnx-acts conform`.
        reason: what happens and why.
        seen: the version and the date of the observation.
        operators: those that it concerns; a difference in the record of an operator is about that
            operator, and names none.
        dtypes: the element types that it concerns.
        groups: the groups of cases that are expected to fail.
        cases: shell pattern for their names.
        where: the elements that differ for sure, one of the conditions of the conformance suite; ""
            for every element. A case is named if it has such an element, and has to differ then.
        loose: whether other cases of the pattern may differ too, by a rounding error that chance
            makes large or small; else they must not.
        explains: the kind of fault, one of the conformance suite's `KINDS`, or "refusal" for an
            error; each element that breaks the promise must be of it. "" for whatever is wrong.
        ulp: the runtime's largest error, rounded up, where it has this and nothing worse.
        since: the first version of the runtime's package whose cases fail.
        until: the last one; None while there is no fix.
    """

    runtime: str
    reason: str
    seen: str
    operators: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ELEMENT_TYPES
    groups: tuple[str, ...] = ()
    cases: str = "*"
    where: str = ""
    loose: bool = False
    explains: str = ""
    ulp: float | None = None
    since: str = "0"
    until: str | None = None


@dataclasses.dataclass(frozen=True)
class Spec:
    """One operator.

    Attributes:
        name: the operator's name in the domain `onnx_acts`.
        summary: what it is, in one sentence.
        formula: y in terms of x, for documentation.
        source: the paper that introduced it.
        functor: the C++ functor that computes one element.
        reference: the function in `onnx_acts.reference` that says what is true.
        body: the ONNX function's nodes in the ONNX text syntax. `x_c` is the input X in the compute
            type, `alpha_c` the attribute alpha in it, `alpha_64` the attribute in float64; so for
            every input and real attribute, by its lower-case name. Other attributes have their own
            names. `$C` stands for the compute type ("float" or "double"), `$to` for its number;
            constants in it are lines `name = Constant <value = $C {number}> ()`: they get as many
            dimensions as X needs. The body defines `y_c` for the output Y, and so for further
            outputs.
        promise: see `Promise`.
        element_types: the element types of X and of the outputs.
        input_types: the element types of the inputs that do not have X's, by name.
        activation: the operator in floating point that this one computes on quantized tensors; ""
            for those in floating point.
        inputs: input names; the first is always "X".
        outputs: output names, the first is always "Y"; later ones are optional.
        attributes: see `Attribute`.
        parameter_source: where the number that scales the negative branch comes from: nowhere, an
            attribute, an input tensor, or a random draw.
        training_body: the same as `body` where the training form differs, else empty.
        standard: the standard ONNX operator that computes the same, None if none does.
        torch: the function in `torch.nn.functional`, "" if there is none. It is exported where its
            ATen operator takes the inputs and then real attributes, or has a translation of its own
            in `onnx_acts/exporting/translations.py`.
        torch_names: the names that its arguments have there, where they differ from the attributes'
            (argument to attribute).
        is_fused: whether ONNX Runtime fuses the standard node with the convolution before it, as it
            does with no node of another domain. Then the standard node is preferred: one stays, and
            a decomposition becomes one, where the caller does not ask for this operator.
        is_product: whether the negative side is one product with a number, 0 among them. Then the
            sweeps demand the bits of the correctly rounded product; else they measure the error.
        samples: values of the real attributes, beside the defaults, that tests and sweeps try.
        chain: values with which 200 nodes, each on the result of the one before, stay in the range
            of normal numbers: the benchmark's chains have them.
        differences: see `Difference`.
    """

    name: str
    summary: str
    formula: str
    source: str
    functor: str
    reference: str
    body: str
    promise: Promise
    element_types: tuple[str, ...] = ELEMENT_TYPES
    input_types: Mapping[str, str] = dataclasses.field(default_factory=dict)
    activation: str = ""
    inputs: tuple[str, ...] = ("X",)
    outputs: tuple[str, ...] = ("Y",)
    attributes: tuple[Attribute, ...] = ()
    parameter_source: Literal["none", "attribute", "input", "draw"] = "none"
    training_body: str = ""
    standard: Standard | None = None
    torch: str = ""
    torch_names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    is_fused: bool = False
    is_product: bool = False
    samples: tuple[Mapping[str, float], ...] = ({},)
    chain: Mapping[str, float] = dataclasses.field(default_factory=dict)
    differences: tuple[Difference, ...] = ()

    @property
    def standard_name(self) -> str:
        """The name of the standard operator, "" if none computes the same."""
        return self.standard.name if self.standard else ""

    @property
    def is_quantized(self) -> bool:
        """Whether X holds integers with a scale and a zero point."""
        return bool(self.activation)


def _since(bfloat16: int) -> Mapping[str, int]:
    """An operator of the first opset that took bfloat16 later."""
    return {**dict.fromkeys(ELEMENT_TYPES, 1), "bfloat16": bfloat16}


# The product is exact to within one rounding in float32 and float64. A 16-bit result is rounded
# twice (to float32, then to 16 bits), which can cost a little more than half a unit.
_ONE_PRODUCT = Promise(kernel=ulp(), body=ulp(float16=0.501, bfloat16=0.501))

SPECS: tuple[Spec, ...] = (
    Spec(
        name="ReLU",
        summary="Rectified linear unit.",
        formula="y = 0 where x < 0, else x",
        source="Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
        functor="Relu",
        reference="relu",
        body=body("relu"),
        promise=Promise(kernel=ulp(), body=ulp()),
        standard=Standard("Relu", _since(bfloat16=13), kernels=("float16", "float32", "float64")),
        torch="relu",
        is_fused=True,
        is_product=True,
    ),
    Spec(
        name="LeakyReLU",
        summary="Rectifier with a fixed slope on the negative side.",
        formula="y = alpha * x where x < 0, else x",
        source=(
            "Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic"
            " models"
        ),
        functor="NegativeSlope",
        reference="leaky_relu",
        body=body("scale", PARAMETER="alpha_c"),
        promise=_ONE_PRODUCT,
        attributes=(Attribute("alpha", "real", 0.01, "slope for x < 0"),),
        parameter_source="attribute",
        standard=Standard(
            "LeakyRelu", _since(bfloat16=16), attributes=(StandardAttribute("alpha", 0.01),)
        ),
        torch="leaky_relu",
        torch_names={"negative_slope": "alpha"},
        is_fused=True,
        is_product=True,
        samples=({"alpha": 0.1},),
        chain={"alpha": 0.99},
    ),
    Spec(
        name="PReLU",
        summary="Rectifier with a learned slope on the negative side.",
        formula="y = slope * x where x < 0, else x; slope broadcasts to x's shape",
        source="He, Zhang, Ren and Sun 2015, Delving deep into rectifiers",
        functor="NegativeSlope",
        reference="prelu",
        body=body("scale", PARAMETER="slope_c"),
        promise=Promise(kernel=ulp(), body=ulp()),
        inputs=("X", "slope"),
        parameter_source="input",
        standard=Standard("PRelu", _since(bfloat16=16)),
        torch="prelu",
        is_product=True,
    ),
    Spec(
        name="RReLU",
        summary="Rectifier with a random slope in training and the mean slope in inference.",
        formula=(
            "y = s * x where x < 0, else x; inference: s = (lower + upper) / 2;"
            " training: s drawn per element from U[lower, upper)"
        ),
        source="Xu, Wang, Chen and Li 2015, Empirical evaluation of rectified activations",
        functor="NegativeSlope",
        reference="rrelu",
        body=body("rrelu_mean", "rrelu_select", MEAN="negative_slope"),
        promise=_ONE_PRODUCT,
        outputs=("Y", "noise"),
        attributes=(
            Attribute("lower", "real", 1 / 8, "lower bound of the slope", "finite"),
            Attribute("upper", "real", 1 / 3, "upper bound of the slope", "finite", "lower"),
            Attribute("training_mode", "flag", 0, "1 draws a slope for each element"),
            Attribute("seed", "seed", 0, "key of the Philox generator"),
        ),
        parameter_source="draw",
        training_body=body("rrelu_mean", "rrelu_draw", "rrelu_select", MEAN="mean_slope"),
        standard=Standard(
            "LeakyRelu",
            _since(bfloat16=16),
            attributes=(StandardAttribute("alpha", 0.01, mean_of=("lower", "upper")),),
        ),
        torch="rrelu",
        is_product=True,
        samples=({"lower": 0.1, "upper": 0.3},),
        chain={"lower": 0.98, "upper": 1.0},
    ),
    Spec(
        name="ELU",
        summary="Exponential linear unit.",
        formula="y = alpha * expm1(x) where x < 0, else x",
        source=(
            "Clevert, Unterthiner and Hochreiter 2016, Fast and accurate deep network learning by"
            " exponential linear units"
        ),
        functor="Elu",
        reference="elu",
        body=body("elu"),
        promise=Promise(
            kernel=ulp(float32=1.0, float64=0.6),
            body=ulp(float16=0.501, bfloat16=0.501, float32=8.0, float64=12.0),
        ),
        attributes=(Attribute("alpha", "real", 1.0, "scale for x < 0; y tends to -alpha"),),
        parameter_source="attribute",
        standard=Standard(
            "Elu", _since(bfloat16=22), attributes=(StandardAttribute("alpha", 1.0),)
        ),
        torch="elu",
        samples=({"alpha": 0.7},),
    ),
)

DEFAULT_OPS = tuple(spec.name for spec in SPECS if not spec.is_fused)
"""The operators that become `onnx_acts` nodes where the caller does not say which."""

_SCALES = ("x_scale", "x_zero_point", "y_scale", "y_zero_point")
_SINGLE = types.MappingProxyType(dict.fromkeys(("x_scale", "y_scale", "slope"), "float32"))

QUANTIZED: tuple[Spec, ...] = (
    Spec(
        name="QLinearPReLU",
        summary="PReLU of a quantized tensor.",
        formula="y = quantize(PReLU(dequantize(x), slope)), in float32",
        source="He, Zhang, Ren and Sun 2015, Delving deep into rectifiers",
        functor="NegativeSlope",
        reference="qlinear_prelu",
        body=body("qlinear", ACTIVATION="PRelu (real, slope)"),
        promise=Promise(kernel={"uint8": 0.0}, body={"uint8": 0.0}),
        element_types=QUANTIZED_TYPES,
        input_types=_SINGLE,
        activation="PReLU",
        inputs=("X", *_SCALES, "slope"),
        parameter_source="input",
    ),
    Spec(
        name="QLinearELU",
        summary="ELU of a quantized tensor.",
        formula="y = quantize(ELU(dequantize(x), alpha)), in float32",
        source=(
            "Clevert, Unterthiner and Hochreiter 2016, Fast and accurate deep network learning by"
            " exponential linear units"
        ),
        functor="Elu",
        reference="qlinear_elu",
        body=body("qlinear", ACTIVATION="Elu <alpha: float = @alpha> (real)"),
        promise=Promise(kernel={"uint8": 0.0}, body={"uint8": 1.0}),
        element_types=QUANTIZED_TYPES,
        input_types=_SINGLE,
        activation="ELU",
        inputs=("X", *_SCALES),
        attributes=(Attribute("alpha", "single", 1.0, "scale for x < 0; y tends to -alpha"),),
        parameter_source="attribute",
        samples=({"alpha": 0.75},),
        differences=(
            Difference(
                "reference",
                "onnx.reference refuses attributes of the function in operators of one input",
                "onnx 1.23.2, 2026-11-26",
                dtypes=QUANTIZED_TYPES,
                groups=("quantized",),
                loose=True,  # without elements too
                explains="refusal",
            ),
        ),
    ),
)
"""The activations of tensors of 8 bits, of which those in floating point know nothing."""

OPERATORS = (*SPECS, *QUANTIZED)
"""Every operator of the domain."""

_BY_NAME = {spec.name: spec for spec in OPERATORS}


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

"""What 8 and 16 bits hide is found in the files, and nobody is accused for a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.verifying.attributes import attributes
from onnx_acts.verifying.words import summary

SIZE = 16
FLOAT = TensorProto.FLOAT


def value(name: str, kind: int = FLOAT, shape: Sequence[Any] = ("N", SIZE)) -> Any:
    """An input or an output."""
    return helper.make_tensor_value_info(name, kind, list(shape))


def made(
    nodes: list[onnx.NodeProto],
    inputs: list[Any],
    outputs: list[Any],
    stored: dict[str, Any] | None = None,
) -> onnx.ModelProto:
    """A model of opset 18."""
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in (stored or {}).items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def activation(operator: str, x: str, y: str, parameter: float | None) -> onnx.NodeProto:
    """A node; the slope of a PRelu is the initializer `slope`."""
    if operator == "PRelu":
        return helper.make_node(operator, [x, "slope"], [y])
    attributes: dict[str, Any] = {} if parameter is None else {"alpha": parameter}
    return helper.make_node(operator, [x], [y], **attributes)


def network(
    operator: str, parameter: float | None, *, quantized: bool, scale: float = 0.02
) -> onnx.ModelProto:
    """MatMul and activation, two times; all between Q and DQ where it is quantized."""
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal((SIZE, SIZE)).astype(np.float32) / 4 for _ in range(2)]
    stored: dict[str, Any] = {"w0": weights[0], "w1": weights[1]}
    stored |= {"s": np.float32(scale), "z": np.uint8(128)}
    if operator == "PRelu":
        stored["slope"] = np.full(SIZE, parameter, np.float32)
    nodes: list[onnx.NodeProto] = []

    def short(x: str) -> str:
        if not quantized:
            return x
        q, d = f"{x}_QuantizeLinear_Output", f"{x}_DequantizeLinear_Output"
        nodes.append(helper.make_node("QuantizeLinear", [x, "s", "z"], [q]))
        nodes.append(helper.make_node("DequantizeLinear", [q, "s", "z"], [d]))
        return d

    x = short("x")
    for i in range(2):
        nodes.append(helper.make_node("MatMul", [x, f"w{i}"], [f"m{i}"]))
        nodes.append(activation(operator, short(f"m{i}"), f"a{i}", parameter))
        x = short(f"a{i}")
    nodes.append(helper.make_node("Identity", [x], ["y"]))
    return made(nodes, [value("x")], [value("y")], stored)


FAULTS = [
    ("LeakyRelu", 0.25, 0.2501),
    ("LeakyRelu", 0.25, 0.35),
    ("LeakyRelu", None, 0.02),
    ("PRelu", 0.25, 0.27),
    ("Elu", 1.0, 0.95),
    ("Elu", None, 1.02),
]


@pytest.mark.parametrize(("operator", "right", "wrong"), FAULTS)
def test_eight_bits_hide_nothing(operator: str, right: float | None, wrong: float) -> None:
    """A wrong slope or alpha is named, against floats and 8 bits, in either order."""
    got = network(operator, wrong, quantized=True)
    for reference in (network(operator, right, quantized=q) for q in (True, False)):
        for result in (onnx_acts.verify(got, reference), onnx_acts.verify(reference, got)):
            assert not result.same
            assert {cause.counterpart for cause in result.causes} == {"a0", "a1"}
            assert all(cause.operator == operator for cause in result.causes)
    same = network(operator, right, quantized=True)
    assert onnx_acts.verify(same, network(operator, right, quantized=False)).same
    assert onnx_acts.verify(same, same).same


def quantized_node(operator: str, parameter: Any) -> onnx.ModelProto:
    """Q, PRelu or Elu on 8 bits, DQ, as `accelerate` writes them: one QLinear node of ours."""
    stored = {"s": np.float32(0.02), "z": np.uint8(128)}
    slope = {"slope": np.asarray(parameter, np.float32)} if operator == "PRelu" else {}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        activation(operator, "d", "p", None if slope else parameter),
        helper.make_node("QuantizeLinear", ["p", "s", "z"], ["r"]),
        helper.make_node("DequantizeLinear", ["r", "s", "z"], ["y"]),
    ]
    return onnx_acts.accelerate(made(nodes, [value("x")], [value("y")], stored | slope))


def test_a_slope_of_a_quantized_node() -> None:
    """It is an input behind the scales; it is compared with that of a float node."""
    right = np.linspace(0.1, 0.3, SIZE)
    got = quantized_node("PRelu", right)
    assert "QLinearPReLU" in [node.op_type for node in got.graph.node]
    slope = {"slope": np.asarray(right, np.float32)}
    want = made([activation("PRelu", "x", "y", None)], [value("x")], [value("y")], slope)
    assert onnx_acts.verify(got, want).same
    assert onnx_acts.verify(want, got).same
    wrong = quantized_node("PRelu", right * 1.02)
    for result in (onnx_acts.verify(wrong, want), onnx_acts.verify(want, wrong)):
        assert not result.same
        assert [cause.operator for cause in result.causes] == ["onnx_acts.QLinearPReLU"]
        assert result.causes[0].reasons[0].startswith("its slope ")


def test_an_alpha_of_a_quantized_node() -> None:
    """That of a QLinearELU is compared with that of an Elu."""
    want = made([activation("Elu", "x", "y", 0.9)], [value("x")], [value("y")])
    assert onnx_acts.verify(quantized_node("Elu", 0.9), want).same
    result = onnx_acts.verify(quantized_node("Elu", 0.91), want)
    assert not result.same
    assert [cause.operator for cause in result.causes] == ["onnx_acts.QLinearELU"]


def test_the_order_of_the_words() -> None:
    """Where the reference is the coarser one, its nodes are walked; "here" is not said of it."""
    result = onnx_acts.verify(
        network("Elu", 1.0, quantized=False), network("Elu", 0.5, quantized=True)
    )
    assert result.walked == "reference"
    assert result.causes[0].reasons == ("alpha is 0.5 in the reference, 1 in the model",)


def test_a_default_is_no_difference() -> None:
    """An attribute that is left out is the same as its default, and 0.1 the same as 0.1."""
    for operator, usual in (("LeakyRelu", 0.01), ("Elu", 1.0)):
        short = network(operator, None, quantized=True)
        assert onnx_acts.verify(short, network(operator, usual, quantized=False)).same
        assert onnx_acts.verify(network(operator, usual, quantized=True), short).same


def test_another_operator() -> None:
    """A Relu for a LeakyRelu of a small slope is another network, on 8 bits too; a Celu as well."""
    right = network("LeakyRelu", 0.01, quantized=False)
    wrong = network("LeakyRelu", 0.01, quantized=True)
    for node in wrong.graph.node:
        if node.op_type == "LeakyRelu":
            node.op_type = "Relu"
            del node.attribute[:]
    result = onnx_acts.verify(wrong, right)
    assert {cause.operator for cause in result.causes} == {"Relu"}
    assert result.causes[0].reasons == ("Relu here, LeakyRelu in the reference",)
    celu = network("Elu", 1.1, quantized=True)
    for node in celu.graph.node:
        node.op_type = node.op_type.replace("Elu", "Celu")
    assert not onnx_acts.verify(celu, network("Elu", 1.1, quantized=False)).same


def one_axis(operator: str, quantized: bool, **attributes: Any) -> onnx.ModelProto:
    """Relu, then one node with an axis; on 8 bits around it where that is wanted."""
    stored = {"s": np.float32(0.05), "z": np.uint8(128)}
    nodes = [helper.make_node("Relu", ["x"], ["r"])]
    x = "r"
    if quantized:
        nodes.append(helper.make_node("QuantizeLinear", ["r", "s", "z"], ["r_QuantizeLinear"]))
        names = ["r_QuantizeLinear", "s", "z"]
        nodes.append(helper.make_node("DequantizeLinear", names, ["r_DequantizeLinear"]))
        x = "r_DequantizeLinear"
    nodes.append(helper.make_node(operator, [x], ["y"], **attributes))
    return made(nodes, [value("x")], [value("y")], stored)


def test_another_spelling() -> None:
    """`axis=-1` is `axis=1` of two dimensions: such a difference has no effect and is none."""
    got, want = one_axis("Softmax", True, axis=-1), one_axis("Softmax", False, axis=1)
    assert onnx_acts.verify(got, want).same
    got = one_axis("LpNormalization", True, p=1, axis=1)
    assert not onnx_acts.verify(got, one_axis("LpNormalization", False, p=2, axis=1)).same


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_sixteen_bits_hide_nothing(kind: int) -> None:
    """A slope that differs by less than the type rounds is another slope all the same."""

    def short(operator: str, alpha: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Cast", ["x"], ["h"], to=kind),
            helper.make_node("Cast", ["h"], ["f"], to=FLOAT),
            helper.make_node(operator, ["f"], ["e"], alpha=alpha),
            helper.make_node("Cast", ["e"], ["g"], to=kind),
            helper.make_node("Cast", ["g"], ["y"], to=FLOAT),
        ]
        return made(nodes, [value("x")], [value("y")])

    for operator in ("LeakyRelu", "Elu"):
        alone = made(
            [helper.make_node(operator, ["x"], ["e"], alpha=0.5)], [value("x")], [value("e")]
        )
        assert onnx_acts.verify(short(operator, 0.5), alone).same
        result = onnx_acts.verify(short(operator, 0.5004), alone)
        assert [cause.operator for cause in result.causes] == [operator]


def stored_slope(kind: int, slope: Any) -> onnx.ModelProto:
    """A PRelu whose slope and values are of a type, between float32."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=kind),
        helper.make_node("PRelu", ["h", "slope"], ["p"]),
        helper.make_node("Cast", ["p"], ["y"], to=FLOAT),
    ]
    stored = np.asarray(slope).astype(helper.tensor_dtype_to_np_dtype(kind))
    return made(nodes, [value("x")], [value("y")], {"slope": stored})


@pytest.mark.parametrize("slope", [[0.1], [0.1] * SIZE, np.linspace(0.1, 0.3, SIZE)])
def test_a_slope_that_sixteen_bits_round(slope: Any) -> None:
    """The slope of a float16 file is the nearest one of float16, as a tensor or an attribute."""
    right, wrong = (stored_slope(TensorProto.FLOAT16, np.multiply(slope, k)) for k in (1, 1.02))
    want = stored_slope(FLOAT, slope)
    for reference in (want, onnx_acts.accelerate(want)):
        for got in (right, onnx_acts.accelerate(right)):
            for result in (onnx_acts.verify(got, reference), onnx_acts.verify(reference, got)):
                assert result.same, result.causes
        for got in (wrong, onnx_acts.accelerate(wrong)):
            for result in (onnx_acts.verify(got, reference), onnx_acts.verify(reference, got)):
                assert [cause.operator.split(".")[-1] for cause in result.causes] in (
                    [["PRelu"], ["PReLU"], ["LeakyRelu"], ["LeakyReLU"]]
                )


def integers(slope: float, scale: float = 0.05, zero: int = 128) -> onnx.ModelProto:
    """LeakyRelu, quantized: the output is of 8 bits."""
    nodes = [
        helper.make_node("LeakyRelu", ["x"], ["l"], alpha=slope),
        helper.make_node("QuantizeLinear", ["l", "s", "z"], ["y"]),
    ]
    stored = {"s": np.float32(scale), "z": np.uint8(zero)}
    return made(nodes, [value("x")], [value("y", TensorProto.UINT8)], stored)


def test_outputs_of_eight_bits() -> None:
    """They differ by steps; a difference always has its node."""
    want = integers(0.25)
    assert onnx_acts.verify(integers(0.25), want).same
    for wrong in (0.26, 0.3, 0.5, 2.0):
        result = onnx_acts.verify(integers(wrong), want)
        assert not result.same
        assert [cause.operator for cause in result.causes] == ["LeakyRelu"]
    for other in (integers(0.25, zero=129), integers(0.25, scale=0.06)):
        result = onnx_acts.verify(other, want)
        assert not result.same
        assert [cause.operator for cause in result.causes] == ["QuantizeLinear"]


def test_classes_of_eight_bits() -> None:
    """A uint8 that is an index is no number with a step: the next class is another class."""

    def classes(shift: int) -> onnx.ModelProto:
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
            helper.make_node("ArgMax", ["d"], ["i"], axis=1, keepdims=0),
            helper.make_node("Add", ["i", "k"], ["j"]),
            helper.make_node("Cast", ["j"], ["y"], to=TensorProto.UINT8),
        ]
        stored = {"s": np.float32(0.05), "z": np.uint8(128), "k": np.int64(shift)}
        return made(nodes, [value("x")], [value("y", TensorProto.UINT8, ["N"])], stored)

    rng = np.random.default_rng(0)
    x = {"x": np.eye(4, SIZE, dtype=np.float32) * 2 + rng.uniform(0, 0.1, (4, SIZE)).astype("f4")}
    assert onnx_acts.verify(classes(0), classes(0), inputs=x).same
    result = onnx_acts.verify(classes(1), classes(0), inputs=x)
    assert not result.same
    assert [cause.operator for cause in result.causes] == ["Add"]


def chain(*steps: tuple[str, list[str], str], **stored: Any) -> onnx.ModelProto:
    """Nodes from x to y."""
    nodes = [helper.make_node(operator, inputs, [output]) for operator, inputs, output in steps]
    return made(nodes, [value("x")], [value("y")], {k: np.float32(v) for k, v in stored.items()})


def test_names_that_coincide() -> None:
    """Two sums that are grouped in other ways: the values between have a name in common, no more.

    The large numbers cancel, and with them the digits of x, in one of the two.
    """
    got = chain(("Mul", ["x", "b"], "p"), ("Add", ["p", "x"], "q"), ("Sub", ["q", "p"], "y"), b=1e6)
    want = chain(
        ("Mul", ["x", "b"], "p"), ("Sub", ["p", "p"], "q"), ("Add", ["q", "x"], "y"), b=1e6
    )
    result = onnx_acts.verify(got, want)
    assert len(result.causes) == 1
    (cause,) = result.causes
    assert cause.nodes == ("Add that makes 'q'", "Sub that makes 'y'")
    assert cause.difference.max_abs < 1
    assert [record.status for record in result.nodes] == ["same", "inside", "causes"]
    # The same kinds of nodes, and names, with other inputs; a fault behind them is found.
    got = chain(
        ("Add", ["x", "b"], "q"), ("Add", ["q", "c"], "r"), ("Mul", ["r", "f"], "y"),
        b=1000, c=-999, f=1.5,
    )  # fmt: skip
    want = chain(
        ("Add", ["x", "c"], "q"), ("Add", ["q", "b"], "r"), ("Mul", ["r", "f"], "y"),
        b=1000, c=-999, f=1.0,
    )  # fmt: skip
    result = onnx_acts.verify(got, want)
    assert [cause.operator for cause in result.causes] == ["Mul"]
    assert "1.5 here, 1 there" in result.causes[0].reasons[0]


def numbered(nodes: list[tuple[str, list[str], str]], outputs: list[str]) -> onnx.ModelProto:
    """A network of a and b, with the numbers zero to three."""
    steps = [helper.make_node(operator, inputs, [output]) for operator, inputs, output in nodes]
    words = ("zero", "one", "two", "three")
    stored = {word: np.float32(i) for i, word in enumerate(words)}
    return made(steps, [value("a"), value("b")], [value(name) for name in outputs], stored)


def test_names_that_are_numbers() -> None:
    """A suspect that looked harmless is one again when the walk goes back before what cleared it.

    1 and 2 are other values in the two files; w is right, v is not: 2 (a + b) for 3 (a + b).
    """
    got = numbered(
        [
            ("Neg", ["a"], "1"),
            ("Add", ["a", "b"], "2"),
            ("Add", ["1", "2"], "w"),
            ("Mul", ["2", "two"], "v"),
        ],
        ["w", "v"],
    )
    want = numbered(
        [
            ("Mul", ["b", "one"], "w"),
            ("Mul", ["a", "three"], "1"),
            ("Mul", ["b", "three"], "2"),
            ("Add", ["1", "2"], "v"),
        ],
        ["w", "v"],
    )
    result = onnx_acts.verify(got, want)
    assert not result.same
    assert [cause.output for cause in result.causes] == ["v"]


def test_nodes_behind_a_name() -> None:
    """The values are numbered in another order, and Add stands for Sub: that one alone is named.

    Its value has the number of a Neg; what stands behind it is one Neg off, so a Tanh of the same
    input as the reference's is given another one.
    """
    got = numbered(
        [
            ("Neg", ["a"], "0"),
            ("Add", ["b", "a"], "1"),
            ("Neg", ["1"], "3"),
            ("Neg", ["3"], "4"),
            ("Neg", ["4"], "5"),
            ("Add", ["5", "4"], "y"),
            ("Tanh", ["5"], "z"),
        ],
        ["y", "z"],
    )
    want = numbered(
        [
            ("Neg", ["a"], "2"),
            ("Sub", ["b", "a"], "0"),
            ("Neg", ["0"], "1"),
            ("Neg", ["1"], "3"),
            ("Neg", ["3"], "5"),
            ("Add", ["5", "3"], "y"),
            ("Tanh", ["5"], "z"),
        ],
        ["y", "z"],
    )
    result = onnx_acts.verify(got, want)
    assert [cause.output for cause in result.causes] == ["1"]
    assert [record.status for record in result.nodes if record.output == "z"] == ["not judged"]
    # A fault of its own is named all the same.
    got.graph.node[-1].op_type = "Sigmoid"
    result = onnx_acts.verify(got, want)
    assert [cause.output for cause in result.causes] == ["1", "z"]


def test_several_nodes_for_one() -> None:
    """Of nodes that are judged together nobody says that all in them is the reference's."""
    got = chain(("Neg", ["x"], "p"), ("Tanh", ["p"], "y"))
    want = chain(("Exp", ["x"], "q"), ("Tanh", ["q"], "y"))
    (cause,) = onnx_acts.verify(got, want).causes
    assert cause.nodes == ("Neg that makes 'p'", "Tanh that makes 'y'")
    (reason,) = cause.reasons
    assert reason.startswith("one of several nodes is at fault")


def test_two_wrong_wires() -> None:
    """A second wrong wire is named behind a first one: both nodes are of the reference's kinds."""
    steps = [
        ("Sigmoid", ["x"], "a"),
        ("Tanh", ["x"], "b"),
        ("Add", ["a", "b"], "c"),
        ("Exp", ["c"], "d"),
        ("Mul", ["d", "a"], "y"),
    ]
    wrong = [*steps[:2], ("Add", ["a", "a"], "c"), steps[3], ("Mul", ["d", "b"], "y")]
    result = onnx_acts.verify(chain(*wrong), chain(*steps))
    assert [cause.output for cause in result.causes] == ["c", "y"]
    other = [*steps[:2], ("Sub", ["a", "b"], "c"), *wrong[3:]]
    result = onnx_acts.verify(chain(*other), chain(*steps))
    assert [cause.output for cause in result.causes] == ["c", "y"]


def test_a_wrong_wire() -> None:
    """A node that reads another value than the reference's is named, though its inputs differ."""
    steps = [
        ("Sigmoid", ["x"], "a"),
        ("Tanh", ["x"], "b"),
        ("Add", ["a", "b"], "c"),
        ("Neg", ["c"], "d"),
        ("Exp", ["d"], "y"),
    ]
    wrong = [*steps[:2], ("Add", ["a", "a"], "c"), *steps[3:]]
    result = onnx_acts.verify(chain(*wrong), chain(*steps))
    assert [cause.output for cause in result.causes] == ["c"]


def test_inputs_in_another_order() -> None:
    """Inputs are paired by name; a fault is found where the files list them in another order."""

    def two(names: list[str], alpha: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Elu", ["a"], ["e"], alpha=alpha),
            helper.make_node("Tanh", ["b"], ["t"]),
            helper.make_node("Sub", ["e", "t"], ["y"]),
        ]
        return made(nodes, [value(name) for name in names], [value("y")])

    assert onnx_acts.verify(two(["a", "b"], 1.0), two(["b", "a"], 1.0)).same
    result = onnx_acts.verify(two(["a", "b"], 1.5), two(["b", "a"], 1.0))
    assert [cause.operator for cause in result.causes] == ["Elu"]


def test_outputs_in_another_order() -> None:
    """Two outputs that have changed places are named, with the note that says so."""

    def pair(first: str, second: str) -> onnx.ModelProto:
        nodes = [helper.make_node("Relu", ["x"], [first]), helper.make_node("Neg", ["x"], [second])]
        return made(nodes, [value("x")], [value("y"), value("z")])

    result = onnx_acts.verify(pair("y", "z"), pair("z", "y"))
    assert {cause.operator for cause in result.causes} == {"Relu", "Neg"}
    assert any("'y' has the values of the reference's 'z'" in note for note in result.notes)


def test_strings_and_random_numbers() -> None:
    """A difference of strings, or of what random numbers are drawn from, has its node, too."""

    def text(word: str) -> onnx.ModelProto:
        tensor = numpy_helper.from_array(np.array([word], object))
        node = helper.make_node("Constant", [], ["y"], value=tensor)
        return made([node], [], [value("y", TensorProto.STRING, [1])])

    assert onnx_acts.verify(text("a"), text("a")).same
    result = onnx_acts.verify(text("a"), text("b"))
    assert result.causes[0].reasons == ("value is ['a'] here, ['b'] in the reference",)

    def noisy(high: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("RandomUniformLike", ["x"], ["r"], high=high),
            helper.make_node("Add", ["x", "r"], ["y"]),
        ]
        return made(nodes, [value("x")], [value("y")])

    result = onnx_acts.verify(noisy(2000.0), noisy(1.0))
    assert [cause.operator for cause in result.causes] == ["RandomUniformLike"]


def branches(operator: str, kind: int, **attributes: Any) -> onnx.ModelProto:
    """The same node in both branches of an If, with a type of few digits, or none, before it."""
    inner = [
        helper.make_graph(
            [activation_in(operator, "h", f"o{i}", attributes)],
            f"b{i}",
            [],
            [value(f"o{i}", kind)],
        )
        for i in range(2)
    ]
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=kind),
        helper.make_node("If", ["c"], ["o"], then_branch=inner[0], else_branch=inner[1]),
        helper.make_node("Cast", ["o"], ["y"], to=FLOAT),
    ]
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    stored = {"slope": np.asarray(attributes.get("slope", 0), dtype)}
    inputs = [value("x", shape=[2, SIZE]), value("c", TensorProto.BOOL, [])]
    return made(nodes, inputs, [value("y", shape=[2, SIZE])], stored)


def activation_in(operator: str, x: str, y: str, attributes: dict[str, Any]) -> onnx.NodeProto:
    """A node of a branch; the slope of a PRelu is stored outside."""
    if operator == "PRelu":
        return helper.make_node(operator, [x, "slope"], [y])
    return helper.make_node(operator, [x], [y], **attributes)


def masked(how: str, kind: int, fill: float) -> onnx.ModelProto:
    """Softmax, or a maximum, of values some of which do not count, as a large number says."""
    steps = {
        "where": [("Where", ["m", "s", "fill"], "t"), ("Softmax", ["t"], "y")],
        "constant": [("Where", ["m", "s", "filled"], "t"), ("Softmax", ["t"], "y")],
        "shape": [
            ("Shape", ["s"], "n1"),
            ("ConstantOfShape", ["n1"], "full"),
            ("Where", ["m", "s", "full"], "t"),
            ("Softmax", ["t"], "y"),
        ],
        "add": [
            ("Cast", ["n"], "k"),
            ("Mul", ["k", "fill"], "a"),
            ("Add", ["s", "a"], "t"),
            ("Softmax", ["t"], "y"),
        ],
        "pad": [("Pad", ["s", "p", "fill"], "t"), ("ReduceMax", ["t", "axes"], "y")],
    }
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    number = numpy_helper.from_array(np.array(fill, dtype))
    extra: dict[str, dict[str, Any]] = {
        "Cast": {"to": kind},
        "ConstantOfShape": {"value": numpy_helper.from_array(np.array([fill], dtype))},
    }
    nodes = [
        helper.make_node("Constant", [], ["filled"], value=number),
        helper.make_node("MatMul", ["x", "w"], ["s"]),
        helper.make_node("Greater", ["s", "z"], ["m"]),
        helper.make_node("Not", ["m"], ["n"]),
        *(
            helper.make_node(op, inputs, [output], **extra.get(op, {}))
            for op, inputs, output in steps[how]
        ),
    ]
    weight = np.random.default_rng(1).standard_normal((SIZE, SIZE)) / 4
    stored = {"w": weight.astype(dtype), "z": np.array(0, dtype), "fill": np.array(fill, dtype)}
    stored |= {"p": np.array([0, 2, 0, 2]), "axes": np.array([1])}
    shape = [4, 1 if how == "pad" else SIZE]
    return made(nodes, [value("x", kind, [4, SIZE])], [value("y", kind, shape)], stored)


@pytest.mark.parametrize("how", ["where", "constant", "shape", "add", "pad"])
def test_numbers_that_float16_cannot_hold(how: str) -> None:
    """A converter writes another large number for them; where nothing shows that, it is none."""
    for fill in (-1e9, float(np.finfo(np.float32).min), -np.inf, -50000.0):
        if how == "add" and not np.isfinite(fill):  # infinity times 0 is NaN
            continue
        want = masked(how, FLOAT, fill)
        for held in (-1e4, -65504.0):
            if held < fill:
                continue
            result = onnx_acts.verify(masked(how, TensorProto.FLOAT16, held), want)
            assert result.same, (fill, held, [(str(c), c.reasons) for c in result.causes])
            assert not any(record.status == "causes" for record in result.nodes)
    # A mask that lets things through, and one that float16 can hold, are other ones.
    for held in (-1.0, 1e4):
        result = onnx_acts.verify(masked(how, TensorProto.FLOAT16, held), masked(how, FLOAT, -1e9))
        assert [cause.operator for cause in result.causes][:1] == (
            [{"add": "Mul", "pad": "Pad", "shape": "ConstantOfShape"}.get(how, "Where")]
        )
    result = onnx_acts.verify(masked(how, TensorProto.FLOAT16, -500.0), masked(how, FLOAT, -700.0))
    assert not result.same


def test_a_number_that_float16_cannot_hold_and_needs() -> None:
    """Where the number itself is wanted, its node is the cause, and the number is the reason."""
    got, want = (
        made(
            [
                helper.make_node("Mul", ["x", "k"], ["m"]),
                helper.make_node("Mul", ["m", "j"], ["y"]),
            ],
            [value("x", kind)],
            [value("y", kind)],
            {"k": np.array(k, dtype), "j": np.array(1e-3, dtype)},
        )
        for kind, dtype, k in ((TensorProto.FLOAT16, "f2", 1e4), (FLOAT, "f4", 1e6))
    )
    result = onnx_acts.verify(got, want)
    assert not result.same
    assert result.cause is not None
    assert result.cause.output == "m"
    assert any("10000 here, 1e+06 there" in reason for reason in result.cause.reasons)


CONDITION = np.array(True)


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("Elu", {}),
        ("Elu", {"alpha": 0.7}),
        ("LeakyRelu", {"alpha": 0.1}),
        ("PRelu", {"slope": 0.1}),
        ("Relu", {}),
    ],
)
def test_accelerated_branches(operator: str, attributes: dict[str, Any]) -> None:
    """An operator of ours in a subgraph is the standard one that it stands for."""
    feeds = {"x": np.linspace(-2, 2, 2 * SIZE).reshape(2, SIZE).astype("f4"), "c": CONDITION}
    plain = branches(operator, TensorProto.FLOAT16, **attributes)
    single = branches(operator, FLOAT, **attributes)
    for got in (plain, onnx_acts.accelerate(plain)):
        for want in (plain, single, onnx_acts.accelerate(single)):
            result = onnx_acts.verify(got, want, inputs=feeds)
            assert result.same, result.causes


@pytest.mark.parametrize(
    ("operator", "right", "wrong"),
    [
        ("Elu", {"alpha": 1.0}, {"alpha": 1.0004}),
        ("LeakyRelu", {"alpha": 0.1}, {"alpha": 0.1001}),
        ("PRelu", {"slope": 0.25}, {"slope": 0.255}),
        ("Softmax", {"axis": 1}, {"axis": 0}),
    ],
)
def test_faults_in_branches(operator: str, right: dict[str, Any], wrong: dict[str, Any]) -> None:
    """Another parameter in a subgraph is a difference, for our operator and the standard one."""
    feeds = {"x": np.linspace(-2, 2, 2 * SIZE).reshape(2, SIZE).astype("f4"), "c": CONDITION}
    got, want = (branches(operator, TensorProto.FLOAT16, **kind) for kind in (wrong, right))
    for pair in ((got, want), (onnx_acts.accelerate(got), want), (want, got)):
        result = onnx_acts.verify(*pair, inputs=feeds)
        assert [cause.operator for cause in result.causes] == ["If"]
        assert "in its subgraph" in result.causes[0].reasons[0]


def test_another_spelling_in_branches() -> None:
    """`axis=-1` for 1 is none; another activation is one."""
    feeds = {"x": np.linspace(-2, 2, 2 * SIZE).reshape(2, SIZE).astype("f4"), "c": CONDITION}
    short = [branches("Softmax", TensorProto.FLOAT16, axis=axis) for axis in (-1, 1)]
    for pair in (short, short[::-1], (short[0], branches("Softmax", FLOAT, axis=1))):
        result = onnx_acts.verify(*pair, inputs=feeds)
        assert result.same, result.causes
    relu = branches("Relu", TensorProto.FLOAT16)
    result = onnx_acts.verify(relu, branches("LeakyRelu", FLOAT, alpha=1e-4), inputs=feeds)
    assert [cause.operator for cause in result.causes] == ["If"]


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_random_numbers_of_another_type(kind: int) -> None:
    """Noise in another element type is the same noise, as values of another type are."""

    def noisy(kind: int, high: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Cast", ["x"], ["h"], to=kind),
            helper.make_node("RandomUniformLike", ["h"], ["r"], dtype=kind, high=high),
            helper.make_node("Cast", ["r"], ["f"], to=FLOAT),
            helper.make_node("Mul", ["f", "zero"], ["n"]),
            helper.make_node("Add", ["x", "n"], ["y"]),
        ]
        return made(nodes, [value("x")], [value("y")], {"zero": np.float32(0)})

    for got, want in ((kind, FLOAT), (FLOAT, kind), (kind, TensorProto.FLOAT16)):
        result = onnx_acts.verify(noisy(got, 1.0), noisy(want, 1.0))
        assert result.same, result.causes
    result = onnx_acts.verify(noisy(TensorProto.FLOAT16, 2.0), noisy(FLOAT, 1.0))
    assert [cause.operator for cause in result.causes] == ["RandomUniformLike"]
    assert all("high" in reason for cause in result.causes for reason in cause.reasons)


def softmax(opset: int, axis: int | None) -> onnx.ModelProto:
    """Softmax of three dimensions."""
    attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
    node = helper.make_node("Softmax", ["x"], ["y"], **attributes)
    shape = [2, 3, 4]
    model = made([node], [value("x", shape=shape)], [value("y", shape=shape)])
    model.opset_import[0].version = opset
    return model


@pytest.mark.parametrize(
    ("got", "want", "reason"),
    [
        ((11, None), (11, -1), "axis is not given (1) here, -1 in the reference"),
        ((11, -1), (11, None), "axis is -1 here, not given (1) in the reference"),
        ((13, None), (13, 1), "axis is not given (-1) here, 1 in the reference"),
        ((11, None), (13, None), "axis is not given (1) here, not given (-1) in the reference"),
    ],
)
def test_the_default_of_the_opset(
    got: tuple[int, int | None], want: tuple[int, int | None], reason: str
) -> None:
    """What an attribute is where it is not given is a matter of the model's own opset."""
    result = onnx_acts.verify(softmax(*got), softmax(*want))
    assert [cause.operator for cause in result.causes] == ["Softmax"]
    assert reason in result.causes[0].reasons
    if got[0] == want[0]:
        assert result.causes[0].reasons == (reason,)
    assert onnx_acts.verify(softmax(11, None), softmax(11, 1)).same
    assert onnx_acts.verify(softmax(11, None), softmax(12, None)).same


def test_an_attribute_of_a_later_opset() -> None:
    """An operator that has got an attribute computes what it did where its default is not asked."""
    own, other = (helper.make_node("Reshape", ["x", "s"], ["y"]) for _ in range(2))
    assert not [*attributes(own, other, (13, 14))]
    assert not [*attributes(own, other, (14, 13))]
    own.attribute.append(helper.make_attribute("allowzero", 0))
    assert not [*attributes(own, other, (14, 13))]
    assert not [*attributes(other, own, (13, 14))]
    own.attribute[0].i = 1
    assert len([*attributes(own, other, (14, 13))]) == 1


def test_nothing_compared() -> None:
    """Empty outputs, and outputs that are NaN in both, show nothing: that is said."""
    elu, other = (
        made([helper.make_node("Elu", ["x"], ["y"], alpha=a)], [value("x")], [value("y")])
        for a in (1.0, 9.0)
    )
    empty = onnx_acts.verify(elu, other, shapes={"x": [0, SIZE]})
    nan = onnx_acts.verify(elu, other, inputs={"x": np.full((2, SIZE), np.nan, np.float32)})
    for result, what in ((empty, "it is empty"), (nan, "all 32 elements are NaN in both")):
        assert not result.is_compared
        assert not result.same
        assert f"output 'y': nothing was compared, {what}" in result.notes
        assert summary(result).splitlines()[0].endswith(": nothing was compared")
    x = np.full((2, SIZE), np.nan, np.float32)
    x[0, 3] = 1
    partly = onnx_acts.verify(elu, elu, inputs={"x": x})
    assert partly.same
    assert partly.outputs[0].difference.compared == 1
    assert "31 of 32 elements: NaN in both, not compared" in summary(partly)


def test_empty_on_one_side() -> None:
    """A detector that finds nothing, where the reference finds much, is another one."""

    def found(threshold: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Greater", ["x", "t"], ["m"]),
            helper.make_node("NonZero", ["m"], ["i"]),
        ]
        output = value("i", TensorProto.INT64, [2, None])
        return made(nodes, [value("x")], [output], {"t": np.float32(threshold)})

    nothing, much = found(100.0), found(0.0)
    for pair in ((nothing, much), (much, nothing)):
        result = onnx_acts.verify(*pair)
        assert result.is_compared
        assert not result.same
        assert [cause.operator for cause in result.causes] == ["Greater"]
        assert not any(word in summary(result) for word in ("nothing was", "not compared", "NaN"))


def test_other_element_types() -> None:
    """Outputs and inputs of another element type may have the same numbers; it is said."""

    def cast(kind: int) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Cast", ["x"], ["f"], to=FLOAT),
            helper.make_node("Relu", ["f"], ["r"]),
            helper.make_node("Cast", ["r"], ["y"], to=kind),
        ]
        return made(nodes, [value("x", kind)], [value("y", kind)])

    want = made([helper.make_node("Relu", ["x"], ["y"])], [value("x")], [value("y")])
    for kind, name in ((TensorProto.DOUBLE, "float64"), (TensorProto.BFLOAT16, "bfloat16")):
        result = onnx_acts.verify(cast(kind), want)
        assert result.same
        assert f"output 'y' is {name} here, float32 in the reference" in result.notes
        assert f"input 'x' is {name} here, float32 in the reference" in result.notes


def test_ties_of_eight_bits() -> None:
    """A right pair whose numbers lie between two steps may round to either: one step is allowed."""

    def scaled(operator: str, number: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node(operator, ["x", "k"], ["m"]),
            helper.make_node("QuantizeLinear", ["m", "s", "z"], ["y"]),
        ]
        stored = {"k": np.float32(number), "s": np.float32(0.05), "z": np.uint8(128)}
        return made(nodes, [value("x")], [value("y", TensorProto.UINT8)], stored)

    x = (np.arange(-64, 64).reshape(8, SIZE) * 0.25 + 0.125).astype(np.float32) * 2
    result = onnx_acts.verify(scaled("Mul", 0.1), scaled("Div", 10.0), inputs={"x": x})
    assert result.outputs[0].difference.max_abs == 1
    assert result.same

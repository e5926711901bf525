"""A case as a folder of files, as ONNX lays out its node tests, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.models import acts_model, has_single_parameters, standard_model
from onnx_acts.conformance.vectors.index import Output, Test
from onnx_acts.conformance.vectors.tensors import read_tensor, tensor_bytes
from onnx_acts.definition.reference import rounded
from onnx_acts.definition.specs import spec_of
from onnx_acts.graph.lower import lower

__all__ = [
    "DATA_SET",
    "FORMS",
    "FORM_TITLES",
    "case_of",
    "files_of",
    "forms_of",
    "steps_of",
    "test_of",
]

Array = NDArray[Any]
Files = Mapping[str, bytes]

DATA_SET = "test_data_set_0"
"""The folder of the inputs and outputs: a test has one."""

FORMS: dict[str, Callable[[Case], onnx.ModelProto]] = {
    "acts": acts_model,
    "standard": standard_model,
    "lowered": lambda case: lower(acts_model(case), exact=True),
}
"""The models that say a case; see `Test`."""

FORM_TITLES = {
    "acts": "its outputs of models with our nodes and their function bodies",
    "standard": "its outputs of models with the standard operator",
    "lowered": "its outputs of models with the function bodies in place of our nodes",
}
"""What reports say of outputs in files."""


def forms_of(case: Case) -> tuple[str, str]:
    """The forms of a case: our node, and one that is read without knowing our domain."""
    return "acts", "standard" if _is_standard(case) else "lowered"


def _is_standard(case: Case) -> bool:
    """Whether the standard operator says the same."""
    standard = case.spec.standard
    if standard is None or case.dtype not in standard.since:
        return False
    return not case.training and case.outputs == 1 and has_single_parameters(case)


def test_of(case: Case, form: str) -> Test:
    """What the index says of a case in a form."""
    words = (form, case.operator, case.dtype, case.group, _slug(case.name))
    name = "_".join(["test", *(word.lower() for word in words if word)])
    outputs = tuple(_outputs(case, form))
    attributes = dict(case.values)
    return Test(name, form, case.operator, case.dtype, case.group, case.name, attributes, outputs)


test_of.__test__ = False  # type: ignore[attr-defined]  # pytest takes functions of this name, too


def _slug(name: str) -> str:
    """A case's name as part of a file's; a minus sign counts."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("-", " minus ")).strip("_")


def _outputs(case: Case, form: str) -> Iterator[Output]:
    """What computes the body must keep the body's promise, a standard node our kernel's.

    In 16 bits, where most compute in float32 and round again, it is the body's, too.
    """
    is_wide = numpy_type(case.dtype).itemsize > 2
    promise = case.spec.promise
    ulp = (promise.kernel if form == "standard" and is_wide else promise.body)[case.dtype]
    rule = "integer" if case.spec.is_quantized else "drawn" if case.training else "float"
    support = None
    if case.training:
        low, high = (float(value) for value in case.real_values)
        support = (low, high)
    for name in case.spec.outputs[: case.outputs]:
        yield Output(
            name, case.dtype, case.inputs[0].shape, rule, ulp, steps_of(ulp, rule), support
        )


def steps_of(ulp: float, rule: str) -> int:
    """How many numbers an output may be from the expected one.

    That is rounded, by half a unit at most. Below a power of two numbers are twice as dense.
    """
    if rule == "integer" or ulp <= 0.5:
        return math.floor(ulp)
    return math.floor(2 * ulp + 1)


def files_of(case: Case, form: str) -> dict[str, bytes]:
    """The files of a test by their paths in its folder; the same bytes for the same case.

    Raises:
        ValueError: the case is a model of several nodes, which is no test.
    """
    if case.within:
        raise ValueError(f"{case.name}: a model of several nodes is no test")
    model = FORMS[form](case)
    _fix_sizes(model, case)
    files = {"model.onnx": model.SerializeToString(deterministic=True)}
    for number, (name, array) in enumerate(case.feeds.items()):
        files[f"{DATA_SET}/input_{number}.pb"] = tensor_bytes(array, name)
    kind = numpy_type(case.dtype)
    for number, (name, exact) in enumerate(zip(case.spec.outputs, case.exact(), strict=False)):
        files[f"{DATA_SET}/output_{number}.pb"] = tensor_bytes(rounded(exact, kind), name)
    return files


def _fix_sizes(model: onnx.ModelProto, case: Case) -> None:
    """Writes the sizes into the model: many runtimes take no others."""
    shapes = [array.shape for array in case.feeds.values()]
    shapes += [case.inputs[0].shape] * len(model.graph.output)
    for item, shape in zip((*model.graph.input, *model.graph.output), shapes, strict=True):
        kind = item.type.tensor_type.elem_type
        item.CopyFrom(helper.make_tensor_value_info(item.name, kind, shape))


def case_of(test: Test, files: Files) -> Case:
    """The case that a test was made of.

    Args:
        test: what the index says of it.
        files: its files by their paths in its folder.

    Raises:
        ValueError: an input is missing or damaged, or the operator refuses the attributes.
    """
    inputs: list[Any] = []
    while (path := f"{DATA_SET}/input_{len(inputs)}.pb") in files:
        try:
            inputs.append(read_tensor(files[path]))
        except ValueError as error:
            raise ValueError(f"{test.name}/{path}: {error}") from error
    count = len(test.outputs)
    held = _held(test, files) if len(inputs) == 1 else []
    case = Case(
        test.operator,
        test.dtype,
        [*inputs, *held],
        test.attributes,
        count,
        test.group,
        test.case,
        held=bool(held),
    )
    if len(case.inputs) != len(case.spec.inputs):
        wanted = len(case.spec.inputs)
        raise ValueError(f"{test.name} has {len(inputs)} inputs; {test.operator} takes {wanted}")
    return case


def _held(test: Test, files: Files) -> list[Array]:
    """The inputs that a test's model holds, in the operator's order."""
    graph = onnx.load_from_string(files.get("model.onnx", b"")).graph
    found = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    return [found[name] for name in spec_of(test.operator).inputs if name in found]

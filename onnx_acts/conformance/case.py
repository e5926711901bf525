"""One input to try, and what is true of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.dtypes import limits_of, numpy_type, onnx_type
from onnx_acts.conformance.surroundings import BARE, SURROUNDINGS, Surrounding
from onnx_acts.definition import reference
from onnx_acts.definition.specs import Spec, spec_of
from onnx_acts.definition.validation import check_attributes

__all__ = ["Case", "Sizes", "Written", "limits_of", "numpy_type", "onnx_type"]

Array = NDArray[Any]
Sizes = Literal["named", "fixed", "unnamed", "unknown"]
Written = Literal["tensor", "FLOAT", "INT", "numbers", "vector"]


@dataclasses.dataclass(frozen=True)
class Case:
    """One call of one operator.

    Attributes:
        operator: its name in the operator table.
        dtype: the element type of X, one of the record's.
        inputs: its inputs, of that element type or of those that the record says.
        attributes: those that differ from their defaults.
        outputs: how many of its outputs are asked for.
        group: the group of cases that this one belongs to.
        name: its name, unique for one operator, element type and group.
        sizes: what the model says of its inputs' sizes: a name for each ("named"), the numbers
            ("fixed"), that they are there ("unnamed"), or not even how many ("unknown"). But for
            "named", of Y the model says nothing: a runtime has to infer it.
        bare: the model has no function bodies, and its node has no attributes but those given:
            bodies need all of them written out.
        within: what stands around the operator, one of `SURROUNDINGS`; "" for nothing.
        refused: a regular expression; where there is one, the operator must refuse this, with an
            error that it matches. There are no true outputs then.
        law: judged by the law of random draws, beside the bits that most runtimes owe.
        seeds: generators of another kind are asked for other seeds, too.
        held: the model holds all inputs but X, as a network holds its weights.
        written: how a bare case's real attributes are written: as tensors of float64, as tensors
            that hold "numbers" in place of bytes or are a "vector" of one, or as ONNX's own kinds
            of attributes, which other tools write.
        runs: how often it is run; all outputs count.
        shared: threads run it at the same time, on X and on X turned around.
        blank: outputs that are not asked for stand in the node, without a name.
        vectors: the first set of test vectors that it may belong to.
    """

    operator: str
    dtype: str
    inputs: Sequence[Array]
    attributes: Mapping[str, float | int] = dataclasses.field(default_factory=dict)
    outputs: int = 1
    group: str = ""
    name: str = ""
    sizes: Sizes = "named"
    bare: bool = False
    within: str = ""
    refused: str = ""
    law: bool = False
    seeds: bool = False
    held: bool = False
    written: Written = "tensor"
    runs: int = 1
    shared: bool = False
    blank: bool = False
    vectors: int = 1

    @property
    def spec(self) -> Spec:
        """The operator's record."""
        return spec_of(self.operator)

    @property
    def values(self) -> dict[str, float | int]:
        """Every attribute, defaults filled in."""
        return check_attributes(self.spec, self.attributes)

    @property
    def has_defaults(self) -> bool:
        """Whether every attribute has its default, given or not."""
        return self.values == {item.name: item.default for item in self.spec.attributes}

    @property
    def training(self) -> bool:
        """Whether the outputs are drawn at random."""
        return any(self.values[item.name] for item in self.spec.attributes if item.kind == "flag")

    @property
    def real_values(self) -> list[float]:
        """The attributes that are real numbers, in the table's order."""
        return [self.values[item.name] for item in self.spec.attributes if item.kind == "real"]

    @property
    def surrounding(self) -> Surrounding:
        """What stands around the operator."""
        return SURROUNDINGS[self.within] if self.within else BARE

    @property
    def is_one_node(self) -> bool:
        """Whether the case is one call of the operator, and not about the model around it."""
        is_plain = not (self.within or self.held or self.blank or self.shared)
        return is_plain and self.sizes == "named"

    @property
    def feeds(self) -> dict[str, Array]:
        """The inputs that the model asks for, by name."""
        given = self.inputs[:1] if self.held else self.inputs
        return dict(zip(self.spec.inputs, given, strict=not self.held))

    @property
    def is_certain(self) -> bool:
        """Whether the rounding of the true values is known, so that equal bits can be demanded.

        The reference's products are; what else it computes in float64 has a margin of 11 bits.
        """
        return self.spec.is_product or self.dtype != "float64"

    def exact(self) -> tuple[Array, ...]:
        """The true outputs in a wider type; of what follows the operator, sizes are integers.

        Raises:
            ValueError: the operator refuses the case.
        """
        x, *others = self.inputs
        with np.errstate(all="ignore"):
            arranged = [self.surrounding.arrange(x), *others]
            found = reference.exact(self.spec, arranged, self.attributes)[: self.outputs]
        return self.shown(found)

    def shown(self, found: Sequence[Array]) -> tuple[Array, ...]:
        """What the model gives, where the operator gives this."""
        hidden = self.surrounding.hides
        return (*found[hidden:], *self.surrounding.expected(*found[: max(1, hidden)]))

    def type_of(self, exact: Array) -> np.dtype[Any]:
        """The element type that an output must have, by its true values."""
        is_integer = np.issubdtype(exact.dtype, np.integer)
        return exact.dtype if is_integer else numpy_type(self.dtype)

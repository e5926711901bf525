"""From PyTorch's operators to nodes of the domain `onnx_acts`, one for one.

Every activation becomes an `onnx_acts` node here; `styles` decides later which stay. The nodes
carry no bodies yet, because torch's exporter inlines functions when it optimises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from onnxscript import ir
from onnxscript.values import Opset

from onnx_acts.definition.specs import DOMAIN, OPSET_VERSION, SPECS, Spec, spec_of
from onnx_acts.definition.validation import check_attributes

__all__ = ["TranslationError", "check_table", "seeds", "slope_shape", "translation_table"]

_Translation = Callable[..., object]


class TranslationError(ValueError):
    """An activation in a form that has no translation."""


def translation_table(opset: int, seed: int) -> dict[Callable[..., object], Callable[..., object]]:
    """Makes the `custom_translation_table` for `torch.onnx.export`.

    Args:
        opset: the version of the standard operators.
        seed: the nodes' seeds are derived from it.
    """
    translations = _Translations(opset, seed)
    aten = torch.ops.aten
    table: dict[Callable[..., object], Callable[..., object]] = {}
    for spec in SPECS:
        operator = getattr(getattr(aten, spec.torch, None), "default", None)
        translation = getattr(translations, spec.torch, None) or _one_for_one(spec, operator)
        if operator is not None and translation is not None:
            table[operator] = translation
    table[aten.rrelu_with_noise.default] = translations.rrelu_with_noise
    table[aten.rrelu_with_noise_functional.default] = translations.rrelu_with_noise_functional
    return table


def check_table(table: Mapping[Any, Any] | None) -> None:
    """Requires a table of a caller that torch's exporter can look into.

    Raises:
        TypeError: no mapping from operators with their overload, like `torch.ops.my.op.default`, to
            functions or lists of functions.
    """
    if table is None:
        return
    if not isinstance(table, Mapping):
        raise TypeError(
            f"custom_translation_table must be a dictionary, got {type(table).__name__}"
        )
    for operator, translation in table.items():
        if isinstance(operator, torch._ops.OpOverloadPacket):
            names = operator.overloads()  # type: ignore[no-untyped-call]
            overloads = ", ".join(f"{operator}.{name}" for name in names)
            raise TypeError(
                f"custom_translation_table: {operator} names no overload; take one of {overloads}"
            )
        if not callable(operator):
            raise TypeError(
                "custom_translation_table: a key must be an operator, like"
                f" torch.ops.my.op.default, got {operator!r}"
            )
        functions = translation if isinstance(translation, list | tuple) else [translation]
        if not functions or not all(map(callable, functions)):
            raise TypeError(
                f"custom_translation_table: {operator} needs a function of ONNX values, got"
                f" {translation!r}"
            )


def seeds(seed: int) -> Iterator[int]:
    """Yields an endless series of 64-bit seeds that depends on nothing but `seed`."""
    index = 0
    while True:
        state = np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)
        yield int(state.view(np.int64)[0])
        index += 1


def slope_shape(rank: int | None, *, shared: bool) -> list[int] | None:
    """Returns the shape that PReLU's slope needs in ONNX, or None where it may stay as it is.

    PyTorch's C slopes belong to dimension 1; ONNX aligns shapes at the last dimension.

    Args:
        rank: the number of dimensions of x, None where unknown.
        shared: whether there is one slope for all channels, rather than C.

    Raises:
        TranslationError: the rank is unknown, or there are C slopes for fewer than 2 dimensions.
    """
    if rank is None:
        raise TranslationError(
            "PReLU: the number of dimensions of its input is not known, so its slopes cannot be"
            " aligned; give the module an input with a fixed number of dimensions"
        )
    if shared:
        return [] if rank == 0 else None
    if rank < 2:
        raise TranslationError(
            f"PReLU: a slope for each channel belongs to dimension 1, but the input has {rank}"
            " dimension(s); use one slope, or an input with 2 or more dimensions"
        )
    return [-1] + [1] * (rank - 2) if rank > 2 else None


def _one_for_one(spec: Spec, operator: torch._ops.OpOverload | None) -> _Translation | None:
    """The translation of an ATen operator that takes X and the operator's real attributes.

    None where it takes something else: then networks with it cannot be exported, others can.
    """
    arguments = operator._schema.arguments[1:] if operator is not None else []
    defaults: dict[str, Any] = {
        spec.torch_names.get(item.name, item.name): item.default_value for item in arguments
    }
    is_same = set(defaults) == {item.name for item in spec.attributes}
    if not is_same or len(spec.inputs) > 1 or any(item.kind != "real" for item in spec.attributes):
        return None

    def translation(x: ir.Value, *values: float, **named: float) -> ir.Value:
        given = {spec.torch_names.get(name, name): value for name, value in named.items()}
        attributes = defaults | dict(zip(defaults, values, strict=False)) | given
        try:
            check_attributes(spec, attributes)
        except ValueError as error:
            raise TranslationError(str(error)) from None
        return _emit(spec.name, x, **attributes)

    return translation


class _Translations:
    """Translations that are not one for one, by the name of the ATen operator."""

    def __init__(self, opset: int, seed: int) -> None:
        self._standard = Opset("", opset)
        self._seeds = seeds(seed)

    def prelu(self, x: ir.Value, weight: ir.Value) -> ir.Value:
        """aten::prelu(Tensor self, Tensor weight)."""
        rank = None if x.shape is None else len(x.shape)
        shape = slope_shape(rank, shared=all(size == 1 for size in weight.shape or ()))
        if shape is not None:
            target = ir.tensor(np.array(shape, dtype=np.int64))
            weight = self._standard.Reshape(weight, self._standard.Constant(value=target))
        return _emit("PReLU", x, weight)

    def rrelu(
        self,
        x: ir.Value,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        training: bool = False,
        generator: str | None = None,
    ) -> ir.Value:
        """aten::rrelu(Tensor self, Scalar lower, Scalar upper, bool training, Generator?)."""
        seed = next(self._seeds) if training else 0
        mode = int(training)
        return _emit("RReLU", x, lower=lower, upper=upper, training_mode=mode, seed=seed)

    def rrelu_with_noise(
        self, x: ir.Value, noise: ir.Value, *rest: object, **options: object
    ) -> ir.Value:
        """aten::rrelu_with_noise: what programs have that were decomposed before."""
        return self.rrelu(x, *rest, **options)  # type: ignore[arg-type]

    def rrelu_with_noise_functional(
        self, x: ir.Value, noise: ir.Value, *rest: object, **options: object
    ) -> tuple[ir.Value, ir.Value]:
        """The same, and the noise, which gradients alone need."""
        return self.rrelu_with_noise(x, noise, *rest, **options), noise

    def elu(
        self, x: ir.Value, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0
    ) -> ir.Value:
        """aten::elu: scale * x where x > 0, else scale * alpha * expm1(input_scale * x)."""
        if scale == 1 and input_scale == 1:
            return _emit("ELU", x, alpha=alpha)
        largest = np.finfo(np.float64 if x.dtype == ir.DataType.DOUBLE else np.float32).max
        if not (abs(scale) <= largest and 0 < input_scale <= largest):
            raise TranslationError(
                f"ELU: needs a finite scale and a finite input_scale > 0, got scale = {scale!r}"
                f" and input_scale = {input_scale!r} (the largest number is {largest:.3g})"
            )
        return self._scaled_elu(x, alpha * scale, scale, input_scale)

    def _scaled_elu(self, x: ir.Value, alpha: float, scale: float, input_scale: float) -> ir.Value:
        """Where(x < 0, ELU(input_scale * x), scale * x) in the compute type, as in PyTorch."""
        op = self._standard
        compute = ir.DataType.DOUBLE if x.dtype == ir.DataType.DOUBLE else ir.DataType.FLOAT

        def constant(value: float) -> ir.Value:
            node_output: ir.Value = op.Constant(value=ir.tensor(value, dtype=compute))
            return node_output

        wide = op.Cast(x, to=compute)
        negative = _emit("ELU", op.Mul(wide, constant(input_scale)), alpha=alpha)
        positive = op.Mul(wide, constant(scale))
        chosen = op.Where(op.Less(wide, constant(0.0)), negative, positive)
        y: ir.Value = op.Cast(chosen, to=x.dtype)
        return y


def _emit(name: str, *inputs: ir.Value, **attributes: float) -> ir.Value:
    """Adds a node to the graph that torch is building and returns its first output.

    Real attributes become float64 tensors: a FLOAT attribute has 32 bits.
    """
    encoded = {
        attribute.name: ir.tensor(np.float64(attributes[attribute.name]))
        if attribute.kind == "real"
        else attributes[attribute.name]
        for attribute in spec_of(name).attributes
    }
    outputs = getattr(Opset(DOMAIN, OPSET_VERSION), name)(*inputs, **encoded)
    y: ir.Value = outputs[0] if isinstance(outputs, Sequence) else outputs
    return y

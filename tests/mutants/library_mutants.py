"""Faults for what lies between the kernels and ONNX Runtime."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, conform

__all__ = ["LIBRARY"]

_PROVIDER = "pytest tests/ort/test_provider.py -k"

LIBRARY: tuple[Mutant, ...] = (
    Mutant(
        "an absent parameter's default goes through float32",
        "custom_ops/ort/attributes.cc",
        "return spec.real_default;",
        "return static_cast<double>(static_cast<float>(spec.real_default));",
        conform("LeakyReLU", "float64", "attributes"),
    ),
    Mutant(
        "an absent flag is on",
        "custom_ops/ort/attributes.cc",
        "    return spec.int_default;",
        "    return spec.kind == AttributeKind::kFlag ? 1 : spec.int_default;",
        conform("RReLU", "float32", "attributes"),
    ),
    Mutant(
        "a flag may have any value",
        "custom_ops/ort/attributes.cc",
        "if (spec.kind == AttributeKind::kFlag && value != 0 && value != 1) {",
        "if (spec.kind == AttributeKind::kFlag && value < -9) {",
        conform("RReLU", "float32", "refused"),
    ),
    Mutant(
        "bounds may be the wrong way round",
        "custom_ops/ort/attributes.cc",
        "if (std::isfinite(low) && std::isfinite(value) && low <= value) return;",
        "if (std::isfinite(low) && std::isfinite(value)) return;",
        conform("RReLU", "float32", "refused"),
    ),
    Mutant(
        "a size without a name is told to ONNX Runtime as -1",
        "custom_ops/library/domain.cc",
        "if (shape.sizes()[i] < 0 && !is_named) return false;",
        "if (shape.sizes()[i] < -1 && !is_named) return false;",
        conform("ELU", "float32", "sizes"),
    ),
    Mutant(
        "no size is told to ONNX Runtime",
        "custom_ops/library/domain.cc",
        "if (rank == 0 || !IsEverySizeKnown(op.api, x)) return;",
        "if (rank < 99 || !IsEverySizeKnown(op.api, x)) return;",
        conform("ELU", "float32", "sizes"),
    ),
    Mutant(
        "the noise may be written over X",
        "custom_ops/library/domain.cc",
        "  static int first = 0;\n  *input_index = &first;\n  *output_index = &first;",
        "  static int first = 0, second = 1;\n  *input_index = &first;\n  *output_index = &second;",
        conform("RReLU", "float32", "sizes"),
    ),
    Mutant(
        "Y has the shape of the last input, says inference",
        "custom_ops/library/domain.cc",
        "ShapeInferContext_GetInputTypeShape(op.api, context, 0, &x));",
        "ShapeInferContext_GetInputTypeShape(\n"
        "      op.api, context, static_cast<std::size_t>(op.spec->input_count - 1), &x));",
        conform("PReLU", "float32", "sizes"),
    ),
    Mutant(
        "of 17 dimensions and more one is not counted",
        "custom_ops/ort/tensor.h",
        "count_ = Product(sizes);",
        "count_ = Product(sizes) / (rank_ > kInline ? 2 : 1);",
        conform("ReLU", "float32", "shapes"),
    ),
    Mutant(
        "an attribute that is an INT counts as absent",
        "custom_ops/ort/attributes.cc",
        "    return static_cast<double>(integer);",
        "    return spec.real_default;",
        conform("LeakyReLU", "float32", "attributes"),
    ),
    Mutant(
        "the provider claims the PRelu of opset 6 with its slope",
        "custom_ops/provider/claims.cc",
        "constexpr int kFirstAligned = 7;",
        "constexpr int kFirstAligned = 1;",
        f"{_PROVIDER} before_opset_7",
    ),
    Mutant(
        "the provider takes a slope that enlarges X",
        "custom_ops/provider/claims.cc",
        "if (size >= 0) return size == x.shape.sizes()[j];",
        "if (size >= 0) return true;",
        f"{_PROVIDER} slope_that_enlarges",
    ),
)

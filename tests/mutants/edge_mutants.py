"""Faults for the native sources that show at one length, in one layout or for one number."""

from __future__ import annotations

from tests.mutants.mutant import FULL, Mutant, conform

__all__ = ["EDGES"]

EDGES: tuple[Mutant, ...] = (
    Mutant(
        "a tail is computed as the end of one more vector, which may be done already",
        "custom_ops/cpu/cpu_node.cc",
        "[&](int64_t at, char* y, int64_t count) "
        "{ body(call.x + (begin + at) * size, y, count); });",
        "[&](int64_t at, char* y, int64_t count) {\n"
        "           const char* const x = call.x + (begin + at) * size;\n"
        "           body(x, y, count);\n"
        "           const int64_t last = count - 8;\n"
        "           if (last > 0 && last % 8 != 0) body(x + last * size, y + last * size, 8);\n"
        "         });",
        conform("LeakyReLU", "float32", "sizes"),
    ),
    Mutant(
        "slopes are drawn where the noise is asked for",
        "custom_ops/ort/node.cc",
        "if (training_ || call.noise != nullptr) return ComputeDraw(call);",
        "if (call.noise != nullptr) return ComputeDraw(call);",
        conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "the noise is written where nobody asks for it",
        "custom_ops/cpu/cpu_node.cc",
        "    if (call.noise != nullptr) own_.noise(x,",
        "    own_.noise(x,",
        conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "the seed's sign is dropped",
        "custom_ops/ort/node.cc",
        "seed_ = static_cast<uint64_t>(attributes.Integer(spec_.attributes[3]));",
        "seed_ = static_cast<uint64_t>(attributes.Integer(spec_.attributes[3]) & INT64_MAX);",
        conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "the tensor of an attribute must have no dimensions",
        "custom_ops/ort/attributes.cc",
        "if (shape.type() != ort::kDouble || shape.count() != 1) {",
        "if (shape.type() != ort::kDouble || shape.rank() != 0) {",
        conform("LeakyReLU", "float64", "attributes"),
    ),
    Mutant(
        "a parameter of float64 is never beyond 1e300",
        "custom_ops/ort/attributes.cc",
        "  return *static_cast<const double*>(TensorData(api_, tensor));",
        "  const double value = *static_cast<const double*>(TensorData(api_, tensor));\n"
        "  return std::isfinite(value) && std::fabs(value) > 1e300 ? std::copysign(1e300, value)\n"
        "                                                          : value;",
        conform("ELU", "float64", "attributes"),
    ),
    Mutant(
        "slopes repeat beyond the eighth dimension",
        "custom_ops/activations/broadcast.h",
        "const bool repeats = i > slope_rank || slope[slope_rank - i] == 1;",
        "const bool repeats = i > slope_rank || i > 8 || slope[slope_rank - i] == 1;",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "a run of slope 0 is ReLU",
        "custom_ops/cpu/slope_walk.h",
        "    if (layout.stride[0] == 0) {\n      loops.one(",
        "    bool zero = true;\n"
        "    for (int64_t i = 0; i < slope_size; ++i) zero = zero && here[i] == 0;\n"
        "    if (layout.stride[0] == 0 && zero && loops.slope_size == loops.element_size) {\n"
        "      loops.one(x + at * size, here, y + at * size, run);\n"
        "      for (int64_t i = at; i < at + run; ++i) {\n"
        "        if ((x[(i + 1) * size - 1] & 0x80) == 0) continue;\n"
        "        std::fill(y + i * size, y + (i + 1) * size, '\\0');\n"
        "      }\n"
        "    } else if (layout.stride[0] == 0) {\n      loops.one(",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "in 8 bits what is infinite is the lowest step",
        "custom_ops/cpu/quantization.h",
        "  steps = steps < high ? steps : high;",
        "  steps = steps < 3e38f ? (steps < high ? steps : high) : low;",
        conform("QLinearPReLU", "uint8", "quantized"),
    ),
    Mutant(
        "elements are counted in 20 bits",
        "custom_ops/cpu/cpu_node.cc",
        "  ForEachChunk(api_, call.context, call.count, kChunkElements,",
        "  const int64_t count = call.count > 0xfffff ? call.count & 0xfffff : call.count;\n"
        "  ForEachChunk(api_, call.context, count, kChunkElements,",
        conform("ReLU", "float32", "shapes", FULL),
    ),
)

"""Faults for the kernels: what one element becomes, and the loops over many."""

from __future__ import annotations

from tests.mutants.mutant import FULL, Mutant, conform

__all__ = ["KERNELS"]

KERNELS: tuple[Mutant, ...] = (
    Mutant(
        "a Philox block's number has 18 bits",
        "custom_ops/activations/philox.h",
        "{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0}",
        "{static_cast<uint32_t>(block & 0x3ffff), static_cast<uint32_t>(block >> 32), 0, 0}",
        conform("RReLU", "float32", "training", FULL),
    ),
    Mutant(
        "the seed's high half is dropped",
        "custom_ops/activations/philox.h",
        "static_cast<uint32_t>(seed >> 32) + round",
        "0u + round",
        conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "the slope applies at zero too",
        "custom_ops/activations/functors.h",
        "return x < Real(0) ? slope * NegativeFactor(x) : x;",
        "return x <= Real(0) ? slope * NegativeFactor(x) : x;",
        conform("LeakyReLU", "float32", "attributes"),
    ),
    Mutant(
        "ReLU loses NaN",
        "custom_ops/activations/functors.h",
        "return x < Real(0) ? Real(0) : x;",
        "return x > Real(0) ? x : Real(0);",
        conform("ReLU", "float32", "special"),
    ),
    Mutant(
        "ELU at 16 bits forgets on which side of a tie it is",
        "custom_ops/activations/functors.h",
        "return near_zero || far_below ? y * (1.0 - 0x1p-45) : y;",
        "return near_zero && far_below ? y * (1.0 - 0x1p-45) : y;",
        conform("ELU", "float16", "attributes"),
    ),
    Mutant(
        "ELU in float32 is -alpha too early",
        "custom_ops/activations/real.h",
        "kLowestPower = -24.0f, kLowestX = -18.5f;",
        "kLowestPower = -24.0f, kLowestX = -15.5f;",
        conform("ELU", "float32", "dense"),
    ),
    Mutant(
        "bfloat16 rounds ties away from zero",
        "custom_ops/activations/float16.h",
        "const uint32_t rounded = (all + 0x7fffu + (all >> 16 & 1u)) >> 16;",
        "const uint32_t rounded = (all + 0x8000u) >> 16;",
        conform("PReLU", "bfloat16", "boundaries"),
    ),
    Mutant(
        "float16 overflows to the largest number's neighbour",
        "custom_ops/activations/float16.h",
        "result = magnitude >= 0x47800000u ? 0x7c00u : result;",
        "result = magnitude >= 0x47800000u ? 0x7bffu : result;",
        conform("LeakyReLU", "float16", "special"),
    ),
    Mutant(
        "a slope may have more dimensions than X",
        "custom_ops/activations/broadcast.h",
        "if (slope_rank > x_rank) return false;",
        "if (slope_rank > x_rank) return true;",
        conform("PReLU", "float32", "refused"),
    ),
    Mutant(
        "a slope may be larger than X where X has 1",
        "custom_ops/activations/broadcast.h",
        "if (slope_size != 1 && slope_size != x_size && slope_size >= 0 && x_size >= 0)",
        "if (slope_size != 1 && slope_size != x_size && slope_size >= 0 && x_size > 1)",
        conform("PReLU", "float32", "refused"),
    ),
    Mutant(
        "the last chunk of many is left out",
        "custom_ops/cpu/chunks.h",
        "const auto total = static_cast<std::size_t>((count + chunk - 1) / chunk);",
        "const auto total = static_cast<std::size_t>(count / chunk);",
        conform("ELU", "float32", "shapes"),
    ),
    Mutant(
        "noise is written after Y, which may be X",
        "custom_ops/cpu/cpu_node.cc",
        "    if (call.noise != nullptr) own_.noise(x, slopes, call.noise + at * size, count);\n"
        "    if (training_) {\n"
        "      own_.each_slope(x, slopes, y, count);\n"
        "    } else {\n"
        "      own_.uniform[static_cast<int>(spec_.functor)](x, y, count, parameter_);\n"
        "    }\n",
        "    if (training_) {\n"
        "      own_.each_slope(x, slopes, y, count);\n"
        "    } else {\n"
        "      own_.uniform[static_cast<int>(spec_.functor)](x, y, count, parameter_);\n"
        "    }\n"
        "    if (call.noise != nullptr) own_.noise(x, slopes, call.noise + at * size, count);\n",
        conform("RReLU", "float32", "sizes"),
    ),
    Mutant(
        "every block of draws is the first one",
        "custom_ops/cpu/cpu_node.cc",
        "own_.draw(seed_, at, count, lower, width, slopes);",
        "own_.draw(seed_, begin, count, lower, width, slopes);",
        conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "slopes of 14 bits count as short",
        "custom_ops/activations/functors.h",
        "return (bits & 0x7ffu) == 0 &&",
        "return (bits & 0x3ffu) == 0 &&",
        conform("LeakyReLU", "float16", "boundaries", FULL),
    ),
    Mutant(
        "short slopes may be tiny",
        "custom_ops/activations/functors.h",
        "(slope >= Real(0.0625) || slope <= Real(-0.0625))",
        "(slope >= Real(0x1p-14) || slope <= Real(-0x1p-14))",
        conform("LeakyReLU", "bfloat16", "boundaries", FULL),
    ),
    Mutant(
        "ELU's ties are looked at below 2^-60 alone",
        "custom_ops/activations/functors.h",
        "x > -0x1p-44;",
        "x > -0x1p-60;",
        conform("ELU", "bfloat16", "dense", FULL),
    ),
    Mutant(
        "draws by a fused multiply-add",
        "custom_ops/activations/philox.h",
        "return lower + width * (word * 0x1p-32);",
        "return __builtin_fma(width, word * 0x1p-32, lower);",
        conform("RReLU", "float64", "training"),
    ),
    Mutant(
        "a pattern of slopes as long as X counts as shorter",
        "custom_ops/activations/broadcast.h",
        "if (i < layout.rank - 1 || layout.stride[i] != 0) period",
        "if (i < layout.rank - 2 || layout.stride[i] != 0) period",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "slopes that come again are cut within their pattern",
        "custom_ops/cpu/slope_walk.h",
        "length_(std::min(kBufferElements / period * period, count)),",
        "length_(std::min(kBufferElements, count)),",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "each thread begins with the first slope of a pattern",
        "custom_ops/cpu/slope_walk.h",
        "    SlopeCursor cursor(layout, first);\n    LayOut(cursor, layout, loops.slope_size,"
        " slopes, buffer_.bytes, length_);",
        "    SlopeCursor cursor(layout, 0);\n    LayOut(cursor, layout, loops.slope_size,"
        " slopes, buffer_.bytes, length_);",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "each thread's blocks begin with the first slope",
        "custom_ops/cpu/slope_walk.h",
        "body(x + (begin + at) * size, to, begin + at, n);",
        "body(x + (begin + at) * size, to, at, n);",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "a slope of known size does not fit an unknown one of X",
        "custom_ops/activations/broadcast.h",
        "slope_size >= 0 && x_size >= 0) return false;",
        "slope_size >= 0) return false;",
        conform("PReLU", "float32", "slopes"),
    ),
    Mutant(
        "threads of 8 bits write to the front",
        "custom_ops/cpu/quantized_node.cc",
        "loops_.lookup(call.x + begin, call.y + begin, end - begin, table.data());",
        "loops_.lookup(call.x + begin, call.y, end - begin, table.data());",
        conform("QLinearELU", "uint8", "quantized"),
    ),
    Mutant(
        "threads of 8 bits begin with the first slope",
        "custom_ops/cpu/quantized_node.cc",
        "reinterpret_cast<char*>(call.y), begin,\n                       end);",
        "reinterpret_cast<char*>(call.y), 0,\n                       end - begin);",
        conform("QLinearPReLU", "uint8", "quantized"),
    ),
    Mutant(
        "factors of constant slopes begin with the second",
        "custom_ops/cpu/quantized_node.cc",
        "return compute(loops, constant_factors_->factors.data());",
        "return compute(loops, constant_factors_->factors.data() + (slope_shape.count() > 1));",
        conform("QLinearPReLU", "uint8", "quantized"),
    ),
    Mutant(
        "scalars of 8 bits must have rank 0",
        "custom_ops/cpu/quantized_node.cc",
        "if (shape.count() != 1) {",
        "if (shape.rank() != 0) {",
        conform("QLinearELU", "uint8", "quantized"),
    ),
    Mutant(
        "of several scales the first counts",
        "custom_ops/cpu/quantized_node.cc",
        "  if (shape.count() != 1) {",
        "  if (shape.count() < 1) {",
        conform("QLinearELU", "uint8", "refused"),
    ),
    Mutant(
        "NaN in 8 bits becomes another step than 0",
        "custom_ops/cpu/quantization.h",
        "steps = steps > low ? steps : low;",
        "steps = steps < low ? low : steps;",
        conform("QLinearPReLU", "uint8", "quantized"),
    ),
    Mutant(
        "the last entry of a table of 16-bit results is missing",
        "custom_ops/cpu/results_table.cc",
        "static_cast<int64_t>(all.size()), parameter);",
        "static_cast<int64_t>(all.size()) - 1, parameter);",
        conform("ELU", "bfloat16", "dense"),
    ),
    Mutant(
        "in inference the noise is the lower bound",
        "custom_ops/cpu/cpu_node.cc",
        "const double lower = training_ ? lower_ : parameter_;",
        "const double lower = lower_;",
        conform("RReLU", "float32", "attributes"),
    ),
    Mutant(
        "streaming leaves out what is after the last whole line of the cache",
        "custom_ops/cpu/stream.h",
        "if (at < count) body(at,",
        "if (at + 8 < count) body(at,",
        conform("LeakyReLU", "float32", "shapes", "--quick --runtimes library-streamed"),
    ),
    Mutant(
        "levels without a fused multiply-add lose what a product lost",
        "custom_ops/activations/real.h",
        "  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) -\n"
        "                            static_cast<double>(rounded));",
        "  return a * b - rounded;",
        conform("LeakyReLU", "float16", "dense", "--quick --runtimes library-v2"),
    ),
)

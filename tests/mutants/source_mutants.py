"""Faults for our own sources, each with the check that must fail with it.

`make mutants` puts one after another into a copy of the sources; `test_source_mutants.py` sees that
the places are still there.
"""

from __future__ import annotations

from tests.mutants.judge_mutants import JUDGE
from tests.mutants.mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]


def _conform(operator: str, dtype: str, group: str, *more: str) -> str:
    """The cases of one group on the library alone."""
    options = " ".join(more) or "--quick --runtimes library"
    return f"conform --ops {operator} --dtypes {dtype} --groups {group} {options}"


_FULL = "--runtimes library"
_REFERENCE = "pytest tests/definition/test_reference.py"

NATIVE: tuple[Mutant, ...] = (
    Mutant(
        "a Philox block's number has 18 bits",
        "custom_ops/activations/philox.h",
        "{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0}",
        "{static_cast<uint32_t>(block & 0x3ffff), static_cast<uint32_t>(block >> 32), 0, 0}",
        _conform("RReLU", "float32", "training", _FULL),
    ),
    Mutant(
        "the seed's high half is dropped",
        "custom_ops/activations/philox.h",
        "static_cast<uint32_t>(seed >> 32));",
        "0u);",
        _conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "the slope applies at zero too",
        "custom_ops/activations/functors.h",
        "return x < Real(0) ? slope * NegativeFactor(x) : x;",
        "return x <= Real(0) ? slope * NegativeFactor(x) : x;",
        _conform("LeakyReLU", "float32", "attributes"),
    ),
    Mutant(
        "ReLU loses NaN",
        "custom_ops/activations/functors.h",
        "return x < Real(0) ? Real(0) : x;",
        "return x > Real(0) ? x : Real(0);",
        _conform("ReLU", "float32", "special"),
    ),
    Mutant(
        "ELU at 16 bits forgets on which side of a tie it is",
        "custom_ops/activations/functors.h",
        "return near_zero || far_below ? y * (1.0 - 0x1p-45) : y;",
        "return near_zero && far_below ? y * (1.0 - 0x1p-45) : y;",
        _conform("ELU", "float16", "attributes"),
    ),
    Mutant(
        "ELU in float32 is -alpha too early",
        "custom_ops/activations/real.h",
        "kLowestPower = -24.0f, kLowestX = -18.5f;",
        "kLowestPower = -24.0f, kLowestX = -15.5f;",
        _conform("ELU", "float32", "dense"),
    ),
    Mutant(
        "bfloat16 rounds ties away from zero",
        "custom_ops/activations/float16.h",
        "const uint32_t rounded = (all + 0x7fffu + (all >> 16 & 1u)) >> 16;",
        "const uint32_t rounded = (all + 0x8000u) >> 16;",
        _conform("PReLU", "bfloat16", "boundaries"),
    ),
    Mutant(
        "float16 overflows to the largest number's neighbour",
        "custom_ops/activations/float16.h",
        "result = magnitude >= 0x47800000u ? 0x7c00u : result;",
        "result = magnitude >= 0x47800000u ? 0x7bffu : result;",
        _conform("LeakyReLU", "float16", "special"),
    ),
    Mutant(
        "an absent parameter's default goes through float32",
        "custom_ops/ort/attributes.cc",
        "return spec.real_default;",
        "return static_cast<double>(static_cast<float>(spec.real_default));",
        _conform("LeakyReLU", "float64", "attributes"),
    ),
    Mutant(
        "an absent flag is on",
        "custom_ops/ort/attributes.cc",
        "    return spec.int_default;",
        "    return spec.kind == AttributeKind::kFlag ? 1 : spec.int_default;",
        _conform("RReLU", "float32", "attributes"),
    ),
    Mutant(
        "a flag may have any value",
        "custom_ops/ort/attributes.cc",
        "if (spec.kind == AttributeKind::kFlag && value != 0 && value != 1) {",
        "if (spec.kind == AttributeKind::kFlag && value < -9) {",
        _conform("RReLU", "float32", "refused"),
    ),
    Mutant(
        "bounds may be the wrong way round",
        "custom_ops/ort/attributes.cc",
        "if (std::isfinite(low) && std::isfinite(value) && low <= value) return;",
        "if (std::isfinite(low) && std::isfinite(value)) return;",
        _conform("RReLU", "float32", "refused"),
    ),
    Mutant(
        "a slope may have more dimensions than X",
        "custom_ops/activations/broadcast.h",
        "if (slope_rank > x_rank) return false;",
        "if (slope_rank > x_rank) return true;",
        _conform("PReLU", "float32", "refused"),
    ),
    Mutant(
        "a slope may be larger than X where X has 1",
        "custom_ops/activations/broadcast.h",
        "if (slope_size != 1 && slope_size != x_size && slope_size >= 0 && x_size >= 0)",
        "if (slope_size != 1 && slope_size != x_size && slope_size >= 0 && x_size > 1)",
        _conform("PReLU", "float32", "refused"),
    ),
    Mutant(
        "a size without a name is told to ONNX Runtime as -1",
        "custom_ops/library/domain.cc",
        "if (shape.sizes()[i] < 0 && !is_named) return false;",
        "if (shape.sizes()[i] < -1 && !is_named) return false;",
        _conform("ELU", "float32", "sizes"),
    ),
    Mutant(
        "no size is told to ONNX Runtime",
        "custom_ops/library/domain.cc",
        "if (rank == 0 || !IsEverySizeKnown(op.api, x)) return;",
        "if (rank < 99 || !IsEverySizeKnown(op.api, x)) return;",
        _conform("ELU", "float32", "sizes"),
    ),
    Mutant(
        "the last chunk of many is left out",
        "custom_ops/cpu/chunks.h",
        "const auto total = static_cast<std::size_t>((count + chunk - 1) / chunk);",
        "const auto total = static_cast<std::size_t>(count / chunk);",
        _conform("ELU", "float32", "shapes"),
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
        _conform("RReLU", "float32", "sizes"),
    ),
    Mutant(
        "every block of draws is the first one",
        "custom_ops/cpu/cpu_node.cc",
        "own_.draw(seed_, at, count, lower, width, slopes);",
        "own_.draw(seed_, begin, count, lower, width, slopes);",
        _conform("RReLU", "float32", "training"),
    ),
    Mutant(
        "streaming leaves out what is after the last whole line of the cache",
        "custom_ops/cpu/stream.h",
        "if (at < count) body(at,",
        "if (at + 8 < count) body(at,",
        _conform("LeakyReLU", "float32", "shapes", "--quick --runtimes library-streamed"),
    ),
    Mutant(
        "levels without a fused multiply-add lose what a product lost",
        "custom_ops/activations/real.h",
        "  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) -\n"
        "                            static_cast<double>(rounded));",
        "  return a * b - rounded;",
        _conform("LeakyReLU", "float16", "dense", "--quick --runtimes library-v2"),
    ),
)

PYTHON: tuple[Mutant, ...] = (
    Mutant(
        "the promise of ELU is ten times as large",
        "onnx_acts/definition/specs.py",
        "kernel=ulp(float32=1.0, float64=0.6),",
        "kernel=ulp(float32=10.0, float64=0.6),",
        "pytest tests/definition/test_specs.py -k promises_are_what",
    ),
    Mutant(
        "the judge's slack in float64 is half a unit",
        "onnx_acts/conformance/compare.py",
        "return float(2.0 ** (limits_of(dtype).nmant - np.finfo(working).nmant + 3))",
        "return float(2.0 ** (limits_of(dtype).nmant - np.finfo(working).nmant + 10))",
        "pytest tests/conformance/test_compare.py",
    ),
    Mutant(
        "equal bits are not demanded where the rounding is known",
        "onnx_acts/conformance/compare.py",
        "0.0 if is_certain else _slack(dtype, exact.dtype)",
        "_slack(dtype, exact.dtype) * 1024",
        "pytest tests/mutants/test_wrong_kernels.py -k one_up_in_float64",
    ),
    Mutant(
        "a lost NaN is no fault",
        "onnx_acts/conformance/compare.py",
        "(nan != np.isnan(got)) | (~nan & (infinite | zero | sign))",
        "~nan & ~np.isnan(got) & (infinite | zero | sign)",
        "pytest tests/mutants/test_wrong_kernels.py -k lost_nan",
    ),
    Mutant(
        "a known difference is about every alpha",
        "onnx_acts/conformance/known_differences.py",
        '_body(("LeakyReLU", "ELU"), "attributes", "alpha=-0"),',
        '_body(("LeakyReLU", "ELU"), "attributes", "alpha=*"),',
        _conform("ELU", "float32", "attributes", "--quick --runtimes bodies"),
    ),
    Mutant(
        "a known difference is about every element",
        "onnx_acts/conformance/known_differences.py",
        'where="x = 0 times the factor is not x",',
        'where="",',
        _conform("LeakyReLU", "float32", "attributes", "--quick --runtimes pytorch"),
    ),
    Mutant(
        "one case that differs keeps a record",
        "onnx_acts/conformance/ledger.py",
        "if not all(entry.differs for entry in found)",
        "if not any(entry.differs for entry in found)",
        "pytest tests/conformance/test_suite.py -k each_group_of_a_record",
    ),
    Mutant(
        "inputs may be changed",
        "onnx_acts/conformance/judging.py",
        "    if [array.tobytes() for array in case.inputs] != before:",
        "    if len(case.inputs) != len(before):",
        "pytest tests/mutants/test_wrong_kernels.py -k writes_its_input",
    ),
    Mutant(
        "any error is a refusal",
        "onnx_acts/conformance/judging.py",
        "        if re.search(case.refused, _line(error)):",
        "        if re.search('', _line(error)):",
        "pytest tests/mutants/test_wrong_kernels.py -k says_nothing",
    ),
    Mutant(
        "any distribution is uniform",
        "onnx_acts/conformance/law.py",
        "    if distance > chance + 2 * unit / width:",
        "    if distance > 1 + 2 * unit / width:",
        "pytest tests/conformance/test_law.py",
    ),
    Mutant(
        "the reference's products in float64 are rounded twice",
        "onnx_acts/definition/reference.py",
        "return np.where(is_tie & (lost != 0), np.nextafter(values, goal), values)",
        "return np.where(is_tie & (lost > 9), np.nextafter(values, goal), values)",
        "pytest tests/definition/test_second_oracle.py",
    ),
    Mutant(
        "the reference's ELU forgets on which side of a tie it is",
        "onnx_acts/definition/reference.py",
        "ends = (curve == wide) | ((curve == -1) & np.isfinite(wide))",
        "ends = (curve == wide) & ((curve == -1) & np.isfinite(wide))",
        _REFERENCE,
    ),
    Mutant(
        "the reference's draws are not rounded to the element type",
        "onnx_acts/definition/reference.py",
        "slope = rounded(draws.astype(compute), np.asarray(x).dtype).astype(wide.dtype)",
        "slope = draws.astype(wide.dtype)",
        _REFERENCE,
    ),
    Mutant(
        "the reference rounds to bfloat16 twice",
        "onnx_acts/definition/reference.py",
        "return _to_odd_float32(wide).astype(target)",
        "return wide.astype(np.float32).astype(target)",
        _REFERENCE,
    ),
    Mutant(
        "ELU's derivative by expm1",
        "onnx_acts/definition/reference.py",
        "return _derivative(wide, factor * np.exp(np.minimum(wide, 0)))",
        "return _derivative(wide, factor * (np.expm1(np.minimum(wide, 0)) + 1))",
        _REFERENCE,
    ),
    Mutant(
        "RReLU's derivative ignores its seed",
        "onnx_acts/definition/reference.py",
        "return rrelu(x, lower, upper, training_mode, seed)[1]",
        "return rrelu(x, lower, upper, training_mode)[1]",
        _REFERENCE,
    ),
    Mutant(
        "the reference's key has 32 bits",
        "onnx_acts/definition/philox.py",
        "key = (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)",
        "key = (seed & 0xFFFFFFFF, 0)",
        "pytest tests/definition/test_philox.py",
    ),
    Mutant(
        "a constant is 0 or 1 if one of its elements is",
        "onnx_acts/graph/meaning/evaluating.py",
        "np.all(array == array.flat[0])",
        "np.any(array == array.flat[0])",
        "pytest tests/graph/test_vector_constants.py",
    ),
    Mutant(
        "an activation is one if some of its constants are",
        "onnx_acts/graph/meaning/activations.py",
        "if not (is_x.all() and is_near.all()):",
        "if not (is_x.any() and is_near.all()):",
        "pytest tests/graph/test_vector_constants.py tests/graph/test_near_misses.py",
    ),
    Mutant(
        "verification compares the first output alone",
        "onnx_acts/exporting/verification.py",
        "for output, item, tensor in zip(outputs, expected, got, strict=True)",
        "for output, item, tensor in [(outputs[0], expected[0], got[0])]",
        "pytest tests/exporting/test_verification.py",
    ),
    Mutant(
        "a slope may be larger than x",
        "onnx_acts/definition/validation.py",
        "        if size not in (1, wanted):",
        "        if size not in (1, wanted) and wanted != 1:",
        "pytest tests/definition/test_validation.py tests/conformance/test_cases.py",
    ),
)

MUTANTS = (*JUDGE, *PYTHON, *NATIVE)
"""Every one, in the order in which they run."""

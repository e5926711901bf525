"""Faults for the Python sources."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, conform

__all__ = ["PYTHON"]

_REFERENCE = "pytest tests/definition/test_reference.py"

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
        conform("ELU", "float32", "attributes", "--quick --runtimes bodies"),
    ),
    Mutant(
        "a known difference is about every element",
        "onnx_acts/conformance/known_differences.py",
        'where="x = 0 times the factor is not x",',
        'where="",',
        conform("LeakyReLU", "float32", "attributes", "--quick --runtimes pytorch"),
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
        "the evaluator drops the model's own functions",
        "onnx_acts/ort/evaluator.py",
        "copy.functions.extend(item for item in model.functions if item.domain != DOMAIN)",
        "copy.functions.extend(())",
        "pytest tests/ort/test_evaluator.py -k others_stay",
    ),
    Mutant(
        "lower drops the noise with a standard node",
        "onnx_acts/graph/lower.py",
        "or training or has_noise:",
        "or training:",
        "pytest tests/graph/test_lower.py -k rrelu_with_noise",
    ),
    Mutant(
        "an infinite slope becomes a LeakyRelu",
        "onnx_acts/graph/fusing.py",
        "return slope if math.isfinite(slope) else None",
        "return slope if not math.isnan(slope) else None",
        "pytest tests/graph/test_fusing.py",
    ),
    Mutant(
        "a slope may be larger than x",
        "onnx_acts/definition/validation.py",
        "        if size not in (1, wanted):",
        "        if size not in (1, wanted) and wanted != 1:",
        "pytest tests/definition/test_validation.py tests/conformance/test_cases.py",
    ),
)

"""Faults of the judge: of the law of draws, of seeds, and of what known differences excuse."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

__all__ = ["JUDGE"]

_SUBTLE = "pytest tests/conformance/test_subtle_draws.py -k"
_OWN = "pytest tests/conformance/test_own_draws.py -k"
_QUIRKS = "pytest tests/conformance/test_quirks.py"

JUDGE: tuple[Mutant, ...] = (
    Mutant(
        "an odd parameter excuses whatever is not above zero",
        "onnx_acts/conformance/odd_parameters.py",
        "    is_nan = np.isnan(got) & (is_zero | np.isnan(parameter))",
        "    is_nan = ~(elements.x > 0) | np.isnan(got)",
        _QUIRKS,
    ),
    Mutant(
        "a parameter that rounds to infinity excuses every result",
        "onnx_acts/conformance/kinds.py",
        "    return np.asarray(close | same)\n",
        "    return np.asarray(close | same | ~np.isfinite(rounded))\n",
        _QUIRKS,
    ),
    Mutant(
        "beyond float32 every result is computed in float32",
        "onnx_acts/conformance/kinds.py",
        "return np.asarray(close | (beyond & np.isinf(got) & (got * elements.exact > 0)))",
        "return np.asarray(close | beyond)",
        _QUIRKS,
    ),
    Mutant(
        "NaN may become any number",
        "onnx_acts/conformance/kinds.py",
        "return np.asarray((got == 0) | (got == end) | (got == elements.x))",
        "return np.asarray(~np.isnan(got))",
        _QUIRKS,
    ),
    Mutant(
        "seeds may be the same but for their low 32 bits",
        "onnx_acts/conformance/seeds.py",
        "        bits = bits or reason\n",
        "        bits = bits and reason\n",
        f"{_SUBTLE} 'live and seed'",
    ),
    Mutant(
        "a seed below zero may be its opposite",
        "onnx_acts/conformance/seeds.py",
        "(seed % _LOW, 0, -1, -seed, 2**63 - 1, -(2**63))",
        "(seed % _LOW, 0, -1, 2**63 - 1, -(2**63))",
        f"{_SUBTLE} 'live and sign'",
    ),
    Mutant(
        "the next seed may be the next place in one stream",
        "onnx_acts/conformance/seeds.py",
        "    return bool(repeated(both, np.tile(drawn, 2), case))",
        "    return bool(repeated(both[:0], drawn[:0], case))",
        f"{_OWN} stream",
    ),
    Mutant(
        "the same seed need not give the same draws",
        "onnx_acts/conformance/seeds.py",
        "        if again[-1].tobytes() != outputs[-1].tobytes():",
        "        if again[-1].shape != outputs[-1].shape:",
        f"{_OWN} same",
    ),
    Mutant(
        "files of two seeds are not compared",
        "onnx_acts/conformance/vectors/judging.py",
        "message=found.message or again)",
        "message=found.message)",
        "pytest tests/conformance/vectors/test_judging.py -k seed",
    ),
    Mutant(
        "only the last seed of a test in files is remembered",
        "onnx_acts/conformance/seeds.py",
        "        before.append((case, outputs))\n",
        "        before[:] = [(case, outputs)]\n",
        "pytest tests/conformance/vectors/test_judging.py -k noise",
    ),
    Mutant(
        "the record about seeds excuses what is wrong beside it",
        "onnx_acts/conformance/judging.py",
        "    return wrong if found.message else dataclasses.replace(wrong, about=about)",
        "    return dataclasses.replace(wrong, about=about)",
        f"{_OWN} record",
    ),
    Mutant(
        "draws may depend on those far before them",
        "onnx_acts/conformance/law.py",
        "    if excess[at] <= 0:",
        "    if excess[:16].max() <= 0:",
        "pytest tests/conformance/test_law.py -k threads",
    ),
    Mutant(
        "draws may come again",
        "onnx_acts/conformance/repeats.py",
        "    if first == again:",
        "    if first <= again:",
        "pytest tests/conformance/test_law.py -k again",
    ),
    Mutant(
        "draws need not come near the upper bound",
        "onnx_acts/conformance/resolution.py",
        "    if most < high - allowed:",
        "    if most < low - allowed:",
        f"{_SUBTLE} 'live and small'",
    ),
    Mutant(
        "draws may come in steps",
        "onnx_acts/conformance/resolution.py",
        "        if abs(np.exp(places * step).mean()) > chance + _BIAS:",
        "        if abs(np.exp(places * step).mean()) > 1 + _BIAS:",
        f"{_SUBTLE} 'files and 16'",
    ),
    Mutant(
        "draws may be equal as often as they like",
        "onnx_acts/conformance/resolution.py",
        "    if pairs <= allowed:",
        "    if pairs <= allowed * draws.size:",
        f"{_SUBTLE} 'live and width'",
    ),
    Mutant(
        "Philox with a fault is another generator where Y comes alone",
        "onnx_acts/conformance/shared_draws.py",
        "        error = float(limits_of(kind).eps)\n",
        "        error = -float(limits_of(kind).eps)\n",
        f"{_OWN} nearly",
    ),
    Mutant(
        "Philox in another order is another generator",
        "onnx_acts/conformance/shared_draws.py",
        "    elsewhere = _near(found, beside[0], error) | _near(found, beside[1], error)\n",
        "    elsewhere = _near(found, beside[0], error) & _near(found, beside[1], error)\n",
        f"{_SUBTLE} transposed",
    ),
    Mutant(
        "Y alone may be beyond x times the bounds",
        "onnx_acts/conformance/own_draws.py",
        "within = (least <= y) & (y <= most)",
        "within = (least <= y) | (y <= most)",
        f"{_OWN} beyond",
    ),
)

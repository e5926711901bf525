"""Where PyTorch, Keras, the ONNX text and the papers disagree, as data.

`docs/semantics.md` shows this table. What is marked "(seen)" is checked against the installed
versions by the tests; the rest is from documentation, source code and papers.
"""

from __future__ import annotations

import dataclasses

__all__ = ["FACTS", "Fact", "table"]

SEEN = "(seen)"


@dataclasses.dataclass(frozen=True)
class Fact:
    """One question and everybody's answer; "-" where there is none.

    Attributes:
        question: what it is about.
        onnx_acts: what this project does.
        pytorch: what PyTorch does.
        keras: what Keras does.
        onnx: what the ONNX text, onnx.reference and ONNX Runtime do.
        papers: what the papers say.
    """

    question: str
    onnx_acts: str
    pytorch: str
    keras: str
    onnx: str
    papers: str

    @property
    def seen(self) -> tuple[str, ...]:
        """Those whose answer was observed."""
        return tuple(name for name in ("pytorch", "onnx") if SEEN in getattr(self, name))


FACTS: tuple[Fact, ...] = (
    Fact(
        "LeakyReLU's default slope",
        "0.01",
        "0.01 (seen)",
        "layer 0.3, function 0.2; negative ones refused",
        "0.01 (seen)",
        "0.01 (Maas 2013); 0.2 in many GANs",
    ),
    Fact(
        "RReLU's slope at test time",
        "(lower + upper) / 2, by default 0.22917",
        "the same (seen)",
        "no such layer",
        "no such operator",
        "2 / (l + u) with U(3, 8): 0.1818 (Xu 2015 divides)",
    ),
    Fact(
        "RReLU in training",
        "drawn where x < 0, from a seed; the noise is 1 elsewhere",
        "drawn where x <= 0, from the global generator; the noise is 1 elsewhere (seen)",
        "-",
        "old exporter: RandomUniformLike over all elements",
        "drawn per element",
    ),
    Fact(
        "RReLU with lower > upper",
        "refused",
        "refused in training (seen)",
        "-",
        "-",
        "-",
    ),
    Fact(
        "PReLU's parameter",
        "broadcasts to x, trailing dimensions; never enlarges x",
        "one value, or C on dimension 1; 1-D input with C > 1 refused (seen)",
        "full non-batch shape unless `shared_axes`; starts at 0",
        "trailing dimensions; X (2, 1) with slope (3) is enlarged, against the text (seen)",
        "per channel or shared; starts at 0.25 (He 2015)",
    ),
    Fact(
        "PReLU's slope (3) on (2, 3, 4, 5)",
        "refused",
        "per channel (seen)",
        "-",
        "ONNX Runtime refuses, onnx.reference guesses the axis (seen)",
        "-",
    ),
    Fact(
        "PReLU with an empty slope on x that is not empty",
        "refused",
        "refused (seen)",
        "-",
        "ONNX Runtime returns an empty tensor (seen)",
        "-",
    ),
    Fact(
        "x = 0",
        "not negative",
        "LeakyReLU and PReLU multiply where x <= 0, ELU where x < 0 (seen)",
        "positive iff x >= 0",
        "text: negative iff x < 0",
        "-",
    ),
    Fact(
        "slope inf or NaN at x = 0",
        "0",
        "NaN (seen)",
        "-",
        "0 (seen)",
        "-",
    ),
    Fact(
        "-0.0 in ReLU",
        "kept",
        "kept (seen)",
        "-",
        "ONNX Runtime keeps it, onnx.reference gives +0.0 (seen)",
        "-",
    ),
    Fact(
        "±0.0 in ELU with alpha = -1",
        "kept",
        "kept (seen)",
        "-",
        "ONNX Runtime keeps them, onnx.reference flips both (seen)",
        "-",
    ),
    Fact(
        "ELU near zero",
        "expm1: ELU(-1e-8) = -1e-8",
        "expm1 (seen)",
        "exp - 1",
        "exp - 1: 0 at -1e-8 in float32 (seen)",
        "exp - 1",
    ),
    Fact(
        "NaN",
        "kept",
        "kept by all five (seen)",
        "an infinite weight makes PReLU(x > 0) NaN",
        "kept by ONNX Runtime on the CPU (seen)",
        "-",
    ),
    Fact(
        "-inf with slope 0",
        "NaN",
        "NaN (seen)",
        "-",
        "NaN (seen)",
        "-",
    ),
    Fact(
        "parameter's precision",
        "float64, rounded once to the compute type",
        "double (seen)",
        "Python float",
        "32-bit attribute",
        "-",
    ),
)


def table() -> str:
    """The facts as a Markdown table."""
    rows = ["| fact | onnx-acts | PyTorch | Keras | ONNX, ONNX Runtime | papers |"]
    rows.append("|" + "---|" * 6)
    rows += [f"| {' | '.join(dataclasses.astuple(fact))} |" for fact in FACTS]
    return "\n".join(rows) + "\n"

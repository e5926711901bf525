"""Ways to write the activations, by combining ways to write their parts.

Each way adds nodes to a graph of ONNX text and names what it made. `graphs` combines them.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator

import onnx

from tests.graph.models import parsed

__all__ = ["Spelling", "exact", "masked", "near_misses"]


@dataclasses.dataclass(frozen=True)
class Spelling:
    """A graph from x to y.

    Attributes:
        name: the names of its parts.
        body: its nodes.
        operator: what it is; empty where it is nothing.
        constants: numbers by name.
    """

    name: str
    body: str
    operator: str
    constants: tuple[tuple[str, str], ...]

    def model(self, dtype: str, opset: int = 20) -> onnx.ModelProto:
        """The model of an element type."""
        number = {"float16": 10, "float32": 1, "float64": 11, "bfloat16": 16}[dtype]
        constants = ", ".join(f"T{dims} {name} = {{{n}}}" for name, dims, n in self._shaped())
        body = self.body.replace("TYPE", str(number))
        return parsed(body, dtype, constants=constants, opset=opset)

    def _shaped(self) -> Iterator[tuple[str, str, str]]:
        for name, text in self.constants:
            dims, _, numbers = text.rpartition("]")
            yield name, dims and f"{dims}]", numbers


NUMBERS = (("zero", "0"), ("one", "1"), ("minus", "-1"), ("half", "0.5"), ("two", "2"))

POSITIVE = {
    "relu": "p = Relu (x)",
    "max": "p = Max (zero, x)",
    "clip": "p = Clip (x, zero)",
    "where": "gp = Greater (x, zero) p = Where (gp, x, zero)",
    "mask": "gp = GreaterOrEqual (x, zero) mp = Cast <to = TYPE> (gp) p = Mul (x, mp)",
    "abs": "ap = Abs (x) sp = Add (x, ap) p = Mul (sp, half)",
}
"""max(x, 0)."""

NEGATIVE = {
    "relu": "on = Neg (x) rn = Relu (on) n = Neg (rn)",
    "min": "n = Min (x, zero)",
    "clip": "n = Clip (x, , zero)",
    "where": "gn = Less (x, zero) n = Where (gn, x, zero)",
    "mask": "gn = Greater (x, zero) hn = Not (gn) mn = Cast <to = TYPE> (hn) n = Mul (mn, x)",
    "abs": "an = Abs (x) sn = Sub (x, an) n = Div (sn, two)",
    "difference": "rn = Relu (x) n = Sub (x, rn)",
}
"""min(x, 0)."""

SCALED = {
    "mul": "s = Mul (w, n)",
    "turned": "s = Mul (n, w)",
    "negated": "vs = Neg (w) us = Mul (vs, n) s = Neg (us)",
    "divided": "vs = Div (one, w) s = Div (n, vs)",
    "transposed": "ts = Transpose <perm = [0, 2, 1]> (n) vs = Transpose <perm = [1, 0]> (w2)"
    " us = Mul (ts, vs) s = Transpose <perm = [0, 2, 1]> (us)",
}
"""w*n."""

POWER = {
    "exp": "e = Exp (n) q = Sub (e, one)",
    "added": "e = Exp (n) q = Add (minus, e)",
    "opposite": "e = Exp (n) oq = Sub (one, e) q = Neg (oq)",
}
"""exp(n) - 1."""

TOGETHER = {
    "add": "y = Add (p, s)",
    "turned": "y = Add (s, p)",
    "sub": "o = Neg (s) y = Sub (p, o)",
    "sum": "y = Sum (p, s)",
}
CHOICE = {
    "greater": "c = Greater (x, zero) y = Where (c, x, s)",
    "less": "c = Less (x, zero) y = Where (c, s, x)",
    "mirrored": "c = Less (zero, x) y = Where (c, x, s)",
    "not": "c = LessOrEqual (zero, x) d = Not (c) y = Where (d, s, x)",
    "and": "c = Less (x, zero) d = LessOrEqual (x, zero) b = And (c, d) y = Where (b, s, x)",
    "copied": "i = Identity (x) c = Greater (i, zero) y = Where (c, i, s)",
}


def _like(body: str) -> str:
    """A zero that has x's type from x, as ONNX's own function bodies have."""
    return f"zz = CastLike (z0, x) {body.replace('zero', 'zz')}" if "zero" in body else body


def _expanded(body: str) -> str:
    """Zeros of x's shape; a bound of Clip must be one number."""
    if "Clip" in body or "zero" not in body:
        return body
    return f"hz = Shape (x) zz = Expand (zero, hz) {body.replace('zero', 'zz')}"


DECORATION: dict[str, Callable[[str], str]] = {
    "plain": lambda body: body,
    "identity": lambda body: body.replace("y = ", "yy = ") + " y = Identity (yy)",
    "cast": lambda body: (
        "k = Cast <to = TYPE> (x) " + body.replace("(x", "(k").replace(", x", ", k")
    ),
    "like": _like,
    "expanded": _expanded,
}
"""What exporters put around and between."""

WEIGHTS = {"one": "0.25", "many": "[3,1]-0.5,0.25,2"}


def exact() -> Iterator[Spelling]:
    """Sums of the positive and the scaled negative part, and choices between them."""
    leaky = itertools.product(POSITIVE, NEGATIVE, SCALED, TOGETHER, DECORATION, WEIGHTS)
    for p, n, s, t, d, w in leaky:
        nodes = f"{POSITIVE[p]} {NEGATIVE[n]} {SCALED[s]} {TOGETHER[t]}"
        name = f"{p}-{n}-{s}-{t}-{d}-{w}"
        yield _spelling(name, DECORATION[d](nodes), "LeakyReLU" if w == "one" else "PReLU", w)
    for s, c, d, w in itertools.product(SCALED, CHOICE, DECORATION, WEIGHTS):
        nodes = f"{SCALED[s]} {CHOICE[c]}".replace("(n", "(x").replace(", n)", ", x)")
        operator = "LeakyReLU" if w == "one" else "PReLU"
        yield _spelling(f"choice-{s}-{c}-{d}-{w}", DECORATION[d](nodes), operator, w)


def masked() -> Iterator[Spelling]:
    """ELU: sums and choices, with the exponent of the negative part."""
    for p, n, q, s, t, d in itertools.product(
        POSITIVE, NEGATIVE, POWER, ("mul", "turned"), TOGETHER, DECORATION
    ):
        nodes = f"{POSITIVE[p]} {NEGATIVE[n]} {POWER[q]} {_of_power(s)} {TOGETHER[t]}"
        yield _spelling(f"elu-{p}-{n}-{q}-{s}-{t}-{d}", DECORATION[d](nodes), "ELU", "one")
    for n, q, s, c, d in itertools.product(
        ("x", *NEGATIVE), POWER, ("mul", "turned"), CHOICE, DECORATION
    ):
        negative = NEGATIVE.get(n, "n = Identity (x)")
        nodes = f"{negative} {POWER[q]} {_of_power(s)} {CHOICE[c]}"
        yield _spelling(f"elu-choice-{n}-{q}-{s}-{c}-{d}", DECORATION[d](nodes), "ELU", "one")


def _of_power(scaled: str) -> str:
    return SCALED[scaled].replace("n)", "q)").replace("(n", "(q")


def _spelling(name: str, body: str, operator: str, weights: str) -> Spelling:
    w = WEIGHTS[weights]
    shaped = w if "]" in w else f"[1,1]{w}"
    constants = (*NUMBERS, ("w", w), ("w2", shaped), ("z0", "0"))
    used = tuple(item for item in constants if re.search(rf"\b{item[0]}\b", body))
    return Spelling(name, body, operator, used)


def near_misses() -> Iterator[Spelling]:
    """Functions that are an activation but for a detail."""
    ulp = str(1 + 2.0**-23)
    cases = {
        "bend elsewhere": ("c = Greater (x, k) s = Mul (x, w) y = Where (c, x, s)", ("k", "1e-30")),
        "bend below": ("t = Mul (x, w) c = Less (x, k) y = Where (c, t, x)", ("k", "-1e-40")),
        "max, slope above 1": ("t = Mul (x, k) y = Max (t, x)", ("k", "1.5")),
        "max, one ULP above 1": ("t = Mul (x, k) y = Max (t, x)", ("k", ulp)),
        "abs": ("t = Neg (x) y = Max (t, x)", ("k", "1")),
        "x": ("t = Abs (x) s = Mul (t, zero) y = Add (s, x)", ("k", "1")),
        "x + 0": ("t = Relu (zero) y = Add (t, x)", ("k", "1")),
        "wrong sign": (
            "p = Relu (x) t = Neg (x) n = Relu (t) s = Mul (n, w) y = Sub (s, p)",
            ("k", "1"),
        ),
        "bump": (
            "c = Greater (x, zero) s = Mul (x, w) y0 = Where (c, x, s) h = Greater (x, low)"
            " e = Less (x, high) b = And (h, e) y = Where (b, one, y0)",
            ("k", "1"),
        ),
        "gap": (
            "c = Greater (x, zero) s = Mul (x, w) y0 = Where (c, x, s) h = Less (x, low)"
            " e = Greater (x, high) b = Or (h, e) y = Where (b, y0, one)",
            ("k", "1"),
        ),
        "bump below 0": (
            "c = Greater (x, zero) s = Mul (x, w) y0 = Where (c, x, s) t = Neg (x)"
            " h = Greater (t, low) e = Less (t, high) b = And (h, e) y = Where (b, one, y0)",
            ("k", "1"),
        ),
        "shifted away": (
            "t = Add (x, k) u = Sub (t, k) s = Mul (u, w) y = Max (x, s)",
            ("k", "1e6"),
        ),
        "exp - 1, one ULP off": (
            "c = Greater (x, zero) e = Exp (x) q = Sub (e, k) y = Where (c, x, q)",
            ("k", str(1 + 2.0**-9)),
        ),
        "exp(2x) - 1": (
            "c = Greater (x, zero) t = Add (x, x) e = Exp (t) q = Sub (e, one) y = Where (c, x, q)",
            ("k", "1"),
        ),
        "relu6": ("t = Clip (x, zero, k) s = Mul (t, w) y = Add (s, t)", ("k", "6")),
        "a step": ("c = Greater (x, zero) y = Where (c, x, k)", ("k", "0.5")),
    }
    for name, (body, more) in cases.items():
        constants = (*NUMBERS, ("w", "0.25"), ("low", "1.0005"), ("high", "1.0006"), more)
        used = tuple(item for item in constants if re.search(rf"\b{item[0]}\b", body))
        yield Spelling(name, body, "", used)

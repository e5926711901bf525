"""The activations as exporters write them, and the table of what is found of that.

Written by hand after what these tools do; the forms of PyTorch, tf2onnx and Keras were compared
with files. `python -m tests.graph.exporters FILE` writes the table between its marks in a document.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

from tests.graph.models import OF_CELU

__all__ = ["APPROXIMATE", "EXACT", "EXPORTERS", "NUMBERS", "STAYS", "Form", "with_table"]

EXACT, APPROXIMATE, STAYS = "by default", "with `approximate`", "not"

NUMBERS = (
    "T zero = {0}, T one = {1}, T minus = {-1}, T half = {0.5}, T a = {0.25}, T q = {0.75},"
    " T fmax = {LARGEST}, T[3,1] s = {-0.5, 0.25, 2}, T[3] s1 = {-0.5, 0.25, 2},"
    " T[1,3,1] s3 = {-0.5, 0.25, 2}"
)
"""Constants; LARGEST stands for the largest number of the element type."""


@dataclasses.dataclass(frozen=True)
class Form:
    """A way to write an activation.

    Attributes:
        operator: what it is.
        found: whether that is found.
        body: its nodes, from x to y; TYPE stands for the number of the element type.
    """

    operator: str
    found: str
    body: str


EXPORTERS: dict[str, dict[str, Form]] = {
    "one node": {
        "celu": Form(
            OF_CELU,
            EXACT,
            "y = Celu (x)",
        ),
        "selu gamma 1": Form(
            "ELU",
            EXACT,
            "y = Selu <alpha = 0.5, gamma = 1.0> (x)",
        ),
    },
    "PyTorch, torch.export": {
        "where": Form(
            "LeakyReLU",
            EXACT,
            "c = Greater (x, zero) t = Mul (x, a) y = Where (c, x, t)",
        ),
        "where ge": Form(
            "LeakyReLU",
            EXACT,
            "c = GreaterOrEqual (x, zero) t = Mul (x, a) y = Where (c, x, t)",
        ),
        "maximum": Form(
            "LeakyReLU",
            EXACT,
            "t = Mul (x, a) y = Max (t, x)",
        ),
        "clamp_min/max": Form(
            "PReLU",
            APPROXIMATE,
            "p = Clip (x, zero) n = Clip (x, , zero) t = Mul (s, n) y = Add (p, t)",
        ),
        "expm1": Form(
            "ELU",
            EXACT,
            "c = Greater (x, zero) e = Exp (x) i = Constant <value = int64 {1}> () k = CastLike"
            " (i, e) m = Sub (e, k) y = Where (c, x, m)",
        ),
        "mask": Form(
            "PReLU",
            APPROXIMATE,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) p = Mul (x, f) d = LessOrEqual (x,"
            " zero) g = Cast <to = TYPE> (d) w = Mul (s, x) n = Mul (w, g) y = Add (p, n)",
        ),
        "zeros_like": Form(
            "ReLU",
            APPROXIMATE,
            "c = Greater (x, zero) h = Shape (x) z0 = Expand (zero, h) y = Where (c, x, z0)",
        ),
        "masked_fill": Form(
            "ReLU",
            EXACT,
            "c = LessOrEqual (x, zero) z0 = CastLike (zero, x) y = Where (c, z0, x)",
        ),
        "factor": Form(
            "LeakyReLU",
            EXACT,
            "c = Greater (x, zero) f = Where (c, one, a) y = Mul (x, f)",
        ),
        "factor prelu": Form(
            "PReLU",
            EXACT,
            "c = Greater (x, zero) f = Where (c, one, s) y = Mul (x, f)",
        ),
        "sign": Form(
            "LeakyReLU",
            APPROXIMATE,
            "g = Sign (x) u = Add (g, one) h = Mul (u, half) p = Mul (h, x) v0 = Sub (one, g) i"
            " = Mul (v0, half) t = Mul (i, x) n = Mul (t, a) y = Add (p, n)",
        ),
        "heaviside": Form(
            "ReLU",
            EXACT,
            "g = Sign (x) p = Relu (g) y = Mul (x, p)",
        ),
        "addcmul": Form(
            "PReLU",
            EXACT,
            "n = Min (x, zero) p = Max (x, zero) t = Mul (n, s) u = Mul (one, t) y = Add (p, u)",
        ),
        "lerp": Form(
            "LeakyReLU",
            APPROXIMATE,
            "p = Relu (x) d = Sub (x, p) t = Mul (d, a) y = Add (p, t)",
        ),
        "int mask": Form(
            "LeakyReLU",
            APPROXIMATE,
            "c = Greater (x, zero) i = Cast <to = 7> (c) f = Cast <to = TYPE> (i) p = Mul (x,"
            " f) nf = Sub (one, f) t = Mul (x, nf) n = Mul (t, a) y = Add (p, n)",
        ),
    },
    "ONNX's own function bodies": {
        "LeakyRelu": Form(
            "LeakyReLU",
            EXACT,
            "al = Constant <value_float = 0.25> () ac = CastLike (al, x) z0 = Constant"
            " <value_float = 0.0> () zc = CastLike (z0, x) c = Less (x, zc) t = Mul (ac, x) y ="
            " Where (c, t, x)",
        ),
        "PRelu": Form(
            "PReLU",
            EXACT,
            "z0 = Constant <value_float = 0.0> () zc = CastLike (z0, x) c = Less (x, zc) t ="
            " Mul (s, x) y = Where (c, t, x)",
        ),
        "Elu": Form(
            "ELU",
            EXACT,
            "al = Constant <value_float = 0.5> () ac = CastLike (al, x) z0 = Constant"
            " <value_float = 0.0> () zc = CastLike (z0, x) o = Constant <value_float = 1.0> ()"
            " oc = CastLike (o, x) c = Less (x, zc) e = Exp (x) m = Sub (e, oc) t = Mul (ac, m)"
            " y = Where (c, t, x)",
        ),
        "Celu": Form(
            "ELU",
            EXACT,
            "d = Div (x, one) e = Elu <alpha = 1.0> (d) y = Mul (one, e)",
        ),
        "Selu gamma 1": Form(
            "ELU",
            APPROXIMATE,
            "al = Constant <value_float = 0.5> () ac = CastLike (al, x) z0 = Constant"
            " <value_float = 0.0> () zc = CastLike (z0, x) g = Constant <value_float = 1.0> ()"
            " gc = CastLike (g, x) e = Exp (x) ae = Mul (ac, e) m = Sub (ae, ac) n = Mul (gc,"
            " m) p = Mul (gc, x) c = Less (x, zc) y = Where (c, n, p)",
        ),
        "ThresholdedRelu 0": Form(
            "ReLU",
            APPROXIMATE,
            "z0 = Constant <value_float = 0.0> () zc = CastLike (z0, x) ac = CastLike (z0, x) c"
            " = Less (ac, x) y = Where (c, x, zc)",
        ),
        "Relu": Form(
            "ReLU",
            STAYS,
            "z0 = Constant <value_float = 0.0> () zc = CastLike (z0, x) y = Max (x, zc)",
        ),
    },
    "ONNX's bodies of comparisons": {
        "GreaterOrEqual": Form(
            "LeakyReLU",
            EXACT,
            "c = Greater (x, zero) d = Equal (x, zero) b = Or (c, d) t = Mul (x, a)"
            " y = Where (b, x, t)",
        ),
        "LessOrEqual": Form(
            "PReLU",
            APPROXIMATE,
            "c = Less (x, zero) d = Equal (x, zero) b = Or (c, d) f = CastLike (b, x)"
            " t = Mul (x, s) n = Mul (t, f) g = Not (b) h = CastLike (g, x) p = Mul (x, h)"
            " y = Add (p, n)",
        ),
    },
    "tf2onnx": {
        "select": Form(
            "PReLU",
            APPROXIMATE,
            "c = Greater (x, zero) n0 = Not (c) f = Cast <to = TYPE> (n0) g = Cast <to = TYPE>"
            " (c) t = Mul (x, s) u = Mul (t, f) p = Mul (g, x) y = Add (p, u)",
        ),
        "select NHWC": Form(
            "PReLU",
            APPROXIMATE,
            "h = Transpose <perm = [0, 2, 1]> (x) c = Greater (h, zero) n0 = Not (c) f = Cast"
            " <to = TYPE> (n0) g = Cast <to = TYPE> (c) t = Mul (h, s1) u = Mul (t, f) p = Mul"
            " (g, h) w = Add (p, u) y = Transpose <perm = [0, 2, 1]> (w)",
        ),
        "facenet": Form(
            "PReLU",
            EXACT,
            "p = Relu (x) n = Neg (x) r = Relu (n) m = Neg (r) h = Transpose <perm = [0, 2, 1]>"
            " (m) t = Mul (h, s1) k = Transpose <perm = [0, 2, 1]> (t) y = Add (p, k)",
        ),
        "old": Form(
            "PReLU",
            APPROXIMATE,
            "p = Relu (x) b = Abs (x) d = Sub (x, b) t = Mul (d, s) h = Mul (t, half) y = Add"
            " (p, h)",
        ),
        "f1f2": Form(
            "LeakyReLU",
            APPROXIMATE,
            "t = Mul (q, x) b = Abs (x) u = Mul (a, b) y = Add (t, u)",
        ),
        "elu select": Form(
            "ELU",
            APPROXIMATE,
            "c = Greater (x, zero) n0 = Not (c) f = Cast <to = TYPE> (n0) g = Cast <to = TYPE>"
            " (c) e = Exp (x) m = Sub (e, one) t = Mul (half, m) u = Mul (t, f) p = Mul (g, x)"
            " y = Add (p, u)",
        ),
        "elu minimum": Form(
            "ELU",
            EXACT,
            "p = Relu (x) n = Min (x, zero) e = Exp (n) m = Sub (e, one) t = Mul (m, half) y ="
            " Add (p, t)",
        ),
        "elu of Elu": Form(
            "ELU",
            EXACT,
            "c = Greater (x, zero) l = Elu (x) t = Mul (half, l) y = Where (c, l, t)",
        ),
        "squared": Form(
            "LeakyReLU",
            EXACT,
            "c = Greater (x, zero) t = Mul (x, a) d = Not (c) y = Where (d, t, x)",
        ),
    },
    "Keras": {
        "prelu": Form(
            "PReLU",
            EXACT,
            "p = Relu (x) v0 = Neg (s) n = Neg (x) k = Cast <to = TYPE> (n) r = Relu (k) t ="
            " Mul (v0, r) y = Add (p, t)",
        ),
        "clamp": Form(
            "PReLU",
            EXACT,
            "w = Max (s, a) p = Relu (x) n = Neg (x) r = Relu (n) t = Mul (w, r) y = Sub (p, t)",
        ),
        "relu threshold 0": Form(
            "ReLU",
            APPROXIMATE,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) y = Mul (x, f)",
        ),
        "leaky relu(negative part)": Form(
            "LeakyReLU",
            EXACT,
            "n = Neg (x) r = Relu (n) p = Relu (x) t = Mul (a, r) y = Sub (p, t)",
        ),
    },
    "MXNet": {
        "where float cond": Form(
            "LeakyReLU",
            EXACT,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) b = Cast <to = 9> (f) t = Mul (x,"
            " a) y = Where (b, x, t)",
        ),
        "zeros_like": Form(
            "PReLU",
            EXACT,
            "h = Shape (x) z0 = ConstantOfShape (h) z1 = Cast <to = TYPE> (z0) p = Max (x, z1)"
            " n = Min (x, z1) t = Mul (n, s) y = Add (p, t)",
        ),
        "slope reshape": Form(
            "PReLU",
            APPROXIMATE,
            "h = Constant <value = int64[2] {3, 1}> () w = Reshape (s1, h) p = Relu (x) n = Sub"
            " (x, p) t = Mul (n, w) y = Add (p, t)",
        ),
        "zero times x": Form(
            "LeakyReLU",
            EXACT,
            "z0 = Mul (x, zero) t = Mul (x, a) c = Greater (x, z0) y = Where (c, x, t)",
        ),
        "rsub": Form(
            "LeakyReLU",
            EXACT,
            "r = Sub (zero, x) n = Relu (r) t = Mul (n, a) p = Relu (x) y = Sub (p, t)",
        ),
    },
    "Caffe": {
        "scale+power+max": Form(
            "LeakyReLU",
            EXACT,
            "t = Mul (x, a) u = Add (t, zero) y = Max (x, u)",
        ),
        "pow": Form(
            "LeakyReLU",
            STAYS,
            "t = Mul (x, a) u = Pow (t, one) y = Max (x, u)",
        ),
        "eltwise sum coeffs": Form(
            "PReLU",
            EXACT,
            "p = Relu (x) n = Mul (x, minus) r = Relu (n) t = Mul (r, s3) u = Mul (t, minus) y"
            " = Sum (p, u)",
        ),
        "scale channel": Form(
            "PReLU",
            EXACT,
            "p = Relu (x) n = Mul (x, minus) r = Relu (n) v0 = Mul (s3, minus) t = Mul (r, v0)"
            " y = Add (p, t)",
        ),
    },
    "PaddlePaddle": {
        "clip fmax": Form(
            "PReLU",
            APPROXIMATE,
            "p = Clip (x, zero, fmax) n = Sub (x, p) t = Mul (n, s) y = Add (p, t)",
        ),
        "where": Form(
            "ELU",
            APPROXIMATE,
            "c = Greater (x, zero) e = Exp (x) u = Mul (e, half) m = Sub (u, half) y = Where"
            " (c, x, m)",
        ),
        "scale bias": Form(
            "LeakyReLU",
            EXACT,
            "t = Mul (x, a) u = Add (t, zero) c = Greater (x, zero) y = Where (c, x, u)",
        ),
        "elementwise_min 0": Form(
            "ELU",
            EXACT,
            "z0 = Mul (zero, x) p = Max (x, zero) n = Min (x, zero) e = Exp (n) m = Sub (e,"
            " one) t = Mul (m, half) y = Add (p, t)",
        ),
        "logical_not": Form(
            "LeakyReLU",
            EXACT,
            "c = Less (x, zero) d = Not (c) t = Mul (x, a) y = Where (d, x, t)",
        ),
    },
    "Core ML": {
        "affine": Form(
            "LeakyReLU",
            EXACT,
            "t = Mul (x, a) u = Add (t, zero) y = Max (u, x)",
        ),
        "unary threshold": Form(
            "PReLU",
            EXACT,
            "p = Max (x, zero) m = Mul (x, minus) r = Max (m, zero) t = Mul (r, s) u = Mul (t,"
            " minus) y = Add (p, u)",
        ),
        "select": Form(
            "ELU",
            EXACT,
            "c = Greater (x, zero) e = Exp (x) o = Add (e, minus) t = Mul (o, half) y = Where"
            " (c, x, t)",
        ),
    },
    "scikit-learn": {
        "relu max": Form(
            "ReLU",
            STAYS,
            "y = Max (x, zero)",
        ),
        "np.maximum leaky": Form(
            "LeakyReLU",
            EXACT,
            "t = Mul (a, x) y = Max (x, t)",
        ),
        "mask bool mul": Form(
            "ReLU",
            APPROXIMATE,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) y = Mul (f, x)",
        ),
        "where less inplace": Form(
            "ReLU",
            EXACT,
            "c = Less (x, zero) y = Where (c, zero, x)",
        ),
    },
    "JAX": {
        "leaky_relu": Form(
            "LeakyReLU",
            EXACT,
            "h = Shape (x) z0 = Expand (zero, h) c = GreaterOrEqual (x, z0) k = Expand (a, h) t"
            " = Mul (k, x) y = Where (c, x, t)",
        ),
        "elu": Form(
            "ELU",
            EXACT,
            "h = Shape (x) z0 = Expand (zero, h) c = Greater (x, z0) i = Where (c, z0, x) e ="
            " Exp (i) k = Expand (one, h) m = Sub (e, k) t = Mul (half, m) y = Where (c, x, t)",
        ),
        "celu": Form(
            "ELU",
            EXACT,
            "c = Greater (x, zero) i = Where (c, zero, x) d = Div (i, one) e = Exp (d) m = Sub"
            " (e, one) t = Mul (one, m) y = Where (c, x, t)",
        ),
        "relu custom jvp": Form(
            "ReLU",
            STAYS,
            "h = Shape (x) z0 = Expand (zero, h) y = Max (x, z0)",
        ),
        "select_n": Form(
            "LeakyReLU",
            EXACT,
            "c = GreaterOrEqual (x, zero) d = Not (c) t = Mul (a, x) y = Where (d, t, x)",
        ),
        "prelu lax": Form(
            "PReLU",
            EXACT,
            "p = Max (x, zero) n = Min (x, zero) h = Shape (x) w = Expand (s, h) t = Mul (w, n)"
            " y = Add (p, t)",
        ),
        "expm1 minus max": Form(
            "ELU",
            EXACT,
            "p = Max (x, zero) n = Min (x, zero) e = Exp (n) m = Sub (e, one) y = Add (p, m)",
        ),
        "expm1 tanh": Form(
            "ELU",
            STAYS,
            "c = Greater (x, zero) h = Mul (x, half) g = Tanh (h) e = Exp (x) u = Add (e, one)"
            " m = Mul (g, u) y = Where (c, x, m)",
        ),
    },
    "Chainer": {
        "where by masks": Form(
            "LeakyReLU",
            APPROXIMATE,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) g = Sub (one, f) p = Mul (f, x) t ="
            " Mul (x, a) n = Mul (g, t) y = Add (p, n)",
        ),
        "where by masks elu": Form(
            "ELU",
            APPROXIMATE,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) g = Sub (one, f) p = Mul (f, x) e ="
            " Exp (x) m = Sub (e, one) n = Mul (g, m) y = Add (p, n)",
        ),
        "clipped -": Form(
            "LeakyReLU",
            APPROXIMATE,
            "p = Relu (x) n = Sub (p, x) t = Mul (n, a) y = Sub (p, t)",
        ),
    },
    "CNTK": {
        "leaky": Form(
            "LeakyReLU",
            EXACT,
            "t = Mul (a, x) y = Max (x, t)",
        ),
        "elu": Form(
            "ELU",
            EXACT,
            "c = Greater (x, zero) f = Cast <to = TYPE> (c) b = Cast <to = 9> (f) e = Exp (x) m"
            " = Sub (e, one) t = Mul (half, m) y = Where (b, x, t)",
        ),
        "prelu": Form(
            "PReLU",
            EXACT,
            "p = Relu (x) n = Neg (x) r = Relu (n) t = Mul (s, r) y = Sub (p, t)",
        ),
        "equal mask": Form(
            "ReLU",
            APPROXIMATE,
            "c = Less (x, zero) d = Not (c) f = Cast <to = TYPE> (d) y = Mul (x, f)",
        ),
    },
    "PyTorch, TorchScript": {
        "gt float": Form(
            "LeakyReLU",
            APPROXIMATE,
            "c = Greater (x, zero) f = Cast <to = 1> (c) g = Cast <to = TYPE> (f) p = Mul (g,"
            " x) d = Less (x, zero) k = Cast <to = 1> (d) l = Cast <to = TYPE> (k) t = Mul (x,"
            " a) n = Mul (l, t) y = Add (p, n)",
        ),
        "threshold": Form(
            "ReLU",
            APPROXIMATE,
            "c = Greater (x, zero) d = Cast <to = 9> (c) y = Where (d, x, zero)",
        ),
        "where bool cast": Form(
            "ELU",
            EXACT,
            "c = Greater (x, zero) d = Cast <to = 9> (c) e = Exp (x) m = Sub (e, one) y = Where"
            " (d, x, m)",
        ),
        "unsqueezed slope": Form(
            "PReLU",
            EXACT,
            "i = Constant <value = int64[1] {1}> () w = Unsqueeze (s1, i) p = Relu (x) n = Neg"
            " (x) r = Relu (n) t = Mul (w, r) y = Sub (p, t)",
        ),
        "neg slope const": Form(
            "PReLU",
            EXACT,
            "w = Neg (s) p = Relu (x) n = Neg (x) r = Relu (n) t = Mul (w, r) y = Add (p, t)",
        ),
    },
    "TensorFlow Lite": {
        "prelu": Form(
            "PReLU",
            EXACT,
            "h = Transpose <perm = [0, 2, 1]> (x) p = Max (h, zero) n = Min (h, zero) t = Mul"
            " (n, s1) w = Add (p, t) y = Transpose <perm = [0, 2, 1]> (w)",
        ),
        "select_v2": Form(
            "LeakyReLU",
            EXACT,
            "h = Transpose <perm = [0, 2, 1]> (x) c = Less (h, zero) t = Mul (h, a) w = Where"
            " (c, t, h) y = Transpose <perm = [0, 2, 1]> (w)",
        ),
    },
}

_MARKED = re.compile(r"(<!-- exporters: .*?-->\n).*?(<!-- end of exporters -->)", re.DOTALL)


def table() -> str:
    """How many forms are found, by exporter, as a Markdown table."""
    rows = [
        "| written by | forms | found by default | with `approximate` | not found |",
        "|---|---|---|---|---|",
    ]
    for exporter, forms in EXPORTERS.items():
        stays = [name for name, form in forms.items() if form.found == STAYS]
        rows.append(_row(exporter, list(forms.values()), ", ".join(stays)))
    every = [form for forms in EXPORTERS.values() for form in forms.values()]
    rows.append(_row("all", every, str(sum(form.found == STAYS for form in every))))
    return "\n".join(rows) + "\n"


def _row(title: str, forms: list[Form], stays: str) -> str:
    found = [form.found for form in forms]
    counts = (len(found), found.count(EXACT), len(found) - found.count(STAYS))
    return f"| {title} | {' | '.join(map(str, counts))} | {stays} |"


def with_table(text: str) -> str:
    """Returns a document with the marked table made anew."""
    return _MARKED.sub(lambda found: found[1] + table() + found[2], text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_table(Path(name).read_text()))

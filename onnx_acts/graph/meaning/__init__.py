"""Activations found by what a graph computes, however it is written.

`values.py` describes a value as a function of an earlier one, x: on each side of 0 a number, a
multiple of x or a multiple of exp(x), and concretely at the points of `points.py`, where floating
point differs from the real numbers; `conditions.py` has those that are true or false.
`operators.py` says what each ONNX operator makes of such descriptions, `evaluating.py` walks from x
to a value, `searching.py` finds the x to try, and `activations.py` compares the description with
the activations. `form.py` is all of that for one x, `recognising.py` for all that come into
question. `assuming.py` finds what is an activation but for one thing.
"""

from onnx_acts.graph.meaning.recognising import recognised

__all__ = ["recognised"]

"""What a walk does about a value that differs: asks for everything known of it, asks again, mends.

The reference's value takes the place of the model's where the walk goes on behind a difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from onnx_acts.comparing.difference import Difference
from onnx_acts.comparing.tolerance import as_double, epsilon, is_real
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.counterparts import Counterparts
from onnx_acts.verifying.graphs import names_read
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.judging import are_comparable, is_tensor, is_text, judge
from onnx_acts.verifying.lanes import Lanes, Side
from onnx_acts.verifying.stepping import Step
from onnx_acts.verifying.values import Value

__all__ = ["correct", "second_opinion", "suspect_of"]


def suspect_of(
    known: Counterparts,
    nodes: Sequence[onnx.NodeProto],
    inside: tuple[int, ...],
    name: str,
    found: str,
    difference: Difference,
) -> Guilt:
    """Everything that is known of a node that differs.

    Args:
        known: the walk's values.
        nodes: the model's nodes.
        inside: the places of the nodes since the reference's values, the one that differs last.
        name: the value that differs.
        found: its counterpart.
        difference: how far it is from that.
    """
    made = {output for i in inside for output in nodes[i].output}
    read = {item for i in inside for item in names_read(nodes[i])} - made
    fed = known.lanes.values["fed"]
    given = {item: fed[item] for item in sorted(read) if item in fed}
    maker = known.candidates.maker(found)
    theirs = names_read(maker) if maker else ()
    short = known.rounding["fed"].quantized.intersection(given)
    bounds = known.lanes.bounds
    return Guilt(
        index=inside[-1],
        node=nodes[inside[-1]],
        maker=maker,
        output=name,
        counterpart=found,
        nodes=inside,
        difference=difference,
        given=given,
        want=known.values[found],
        got=fed[name],
        read={item: known.values[item] for item in theirs if item in known.values},
        quantized={item: bounds[item][0].step if item in bounds else 0.0 for item in short},
        fixed=frozenset(known.lanes.constant.intersection(given)),
        is_sure=maker is not None
        and kind(maker) == kind(nodes[inside[-1]])
        and known.reads_alike(nodes[inside[-1]], maker),
    )


def second_opinion(known: Counterparts, reference: Side, suspect: Guilt) -> Difference | None:
    """Compares with what the reference's node makes of the values that the model can hold.

    Integers end somewhere: where the reference's values are beyond that, the model's node was
    given others, and that is no fault of its own.
    """
    lanes, maker = known.lanes, suspect.maker
    grids = [name for name in suspect.given if name in lanes.grids]
    if not grids or maker is None:
        return None
    given = dict(suspect.read)
    for name in grids:
        value, right = suspect.given[name], given.get(known.matches.get(name, ""))
        if isinstance(value, np.ndarray) and isinstance(right, np.ndarray) and is_real(right.dtype):
            given[known.matches[name]] = lanes.grids[name].real(value)
    made = Step(reference.graph, maker, reference.runtime, given).run(given)
    names = [name for name in maker.output if name]
    want = made[names.index(suspect.counterpart)]
    got = known.got(suspect.output, "fed")
    return judge(want, got, known.operators) if are_comparable(want, got) else None


def correct(lanes: Lanes, name: str, want: Value) -> bool:
    """Puts the reference's value in the place of the model's, as that can hold it.

    Returns:
        Whether a number got lost that the model's element type cannot hold.
    """
    own = lanes.values["fed"].get(name)
    if own is None:
        own = lanes.values["own"].get(name)
    if is_text(want):
        lanes.put(name, want)
    if own is None or not is_tensor(own) or not is_tensor(want):
        return False
    assert isinstance(own, np.ndarray)
    assert isinstance(want, np.ndarray)
    if name in lanes.grids and is_real(want.dtype) and not is_real(own.dtype):
        lanes.put(name, lanes.grids[name].held(want, own.dtype))
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        converted = want.astype(own.dtype)
    if not (is_real(own.dtype) and is_real(want.dtype)):
        lanes.put(name, converted)
        return False
    lost = np.isfinite(as_double(want)) & ~np.isfinite(as_double(converted))
    lanes.put(name, converted, eps=epsilon(want.dtype))
    return bool(lost.any())

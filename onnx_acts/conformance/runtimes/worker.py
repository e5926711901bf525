"""The process that a foreign runtime has to itself.

It reads messages from its standard input and answers each on what was its standard output, by
pickle: first the function's name and the path to look for it on, then call after call. What the
runtime prints goes to standard error.
"""

from __future__ import annotations

import importlib
import os
import pickle
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["load", "main", "outputs_of"]

Array = NDArray[Any]
Answer = tuple[str, Any]

_BACKTRACE = re.compile(
    r"\s*(stack backtrace:|C\+\+ Traceback|-{20,}).*", re.IGNORECASE | re.DOTALL
)


def load(target: str) -> Callable[..., Any]:
    """Returns the function that `module:callable` names.

    Raises:
        ValueError: it names none.
        Exception: whatever the module raises.
    """
    module_name, _, name = target.partition(":")
    if not module_name or not name:
        raise ValueError(f"{target!r} is not of the form module:callable")
    found: Any = importlib.import_module(module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"the module {module_name} has no {name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"{target} cannot be called: it is a {type(found).__name__}")
    return found  # type: ignore[no-any-return]  # it can be called


def outputs_of(result: Any) -> list[Array]:
    """The arrays that a function returned: one, or a tuple or list of several.

    Raises:
        TypeError: it returned something else.
    """
    several = result if isinstance(result, (tuple, list)) else [result]
    for item in several:
        if not hasattr(item, "__array__"):
            what = type(item).__name__
            inside = "" if several is not result else f" in a {type(result).__name__}"
            raise TypeError(f"it must return an array or several, and returned {what}{inside}")
    return [np.array(item, order="C") for item in several]


def _answer(
    function: Callable[..., Any],
    refusals: Sequence[str],
    operator: str,
    arrays: Sequence[Array],
    attributes: Mapping[str, float | int],
) -> Answer:
    """What becomes of a call."""
    before = [array.tobytes() for array in arrays]
    try:
        outputs = outputs_of(function(operator, arrays, attributes))
    except SystemExit:
        raise
    except BaseException as error:  # an interrupt, too, is the function's own here
        words = " ".join(_BACKTRACE.sub("", _text(error)).split())
        matches = (re.search(pattern, words) for pattern in refusals)
        refusal = next((match[0] for match in matches if match), "")
        if refusal or isinstance(error, NotImplementedError):
            return "not implemented", refusal or words or "not implemented"
        return "error", (type(error).__name__, words)
    if [array.tobytes() for array in arrays] != before:
        return "error", ("RuntimeError", "it changed its inputs")
    return "outputs", outputs


def _text(error: BaseException) -> str:
    """What an error says, if it can say anything."""
    try:
        return str(error)
    except Exception as another:
        return f"(its text raises {type(another).__name__})"


def main() -> None:
    """Answers until the standard input ends."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        target, refusals, path = pickle.load(sys.stdin.buffer)
        sys.path += [folder for folder in path if folder not in sys.path]
        try:
            function = load(target)
        except Exception as error:
            text = " ".join(str(error).split())
            is_ours = isinstance(error, (ImportError, ValueError))
            _send(answers, ("error", text if is_ours else f"{type(error).__name__}: {text}"))
            return
        _send(answers, ("loaded", None))
        while True:
            try:
                call = pickle.load(sys.stdin.buffer)
            except EOFError:  # the suite's process is gone
                os.killpg(os.getpid(), signal.SIGKILL)
            _send(answers, _answer(function, refusals, *call))


def _send(stream: BinaryIO, answer: Answer) -> None:
    pickle.dump(answer, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


if __name__ == "__main__":
    main()

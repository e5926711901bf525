"""The list of faults for our own sources: each still has its place. `make mutants` runs them."""

import pytest

from tests.building import ROOT
from tests.mutants.mutant import Mutant
from tests.mutants.source_mutants import MUTANTS, NATIVE, PYTHON


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_place_is_there(mutant: Mutant) -> None:
    """The text to replace stands in its file once, and its check names files that there are."""
    text = (ROOT / mutant.path).read_text()
    assert text.count(mutant.before) == 1
    assert mutant.after not in text
    kind, *arguments = mutant.killer.split()
    assert kind in ("pytest", "conform")
    for argument in arguments:
        if argument.startswith("tests/"):
            assert (ROOT / argument).is_file()


def test_there_are_enough() -> None:
    """Of both languages; none is listed twice."""
    assert len(MUTANTS) >= 40
    assert min(len(NATIVE), len(PYTHON)) >= 20
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)

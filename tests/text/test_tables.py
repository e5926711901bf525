"""Tables of text."""

from onnx_acts.text.tables import WIDTH, columns


def test_narrow() -> None:
    """Texts stand to the left, numbers to the right, and no line ends in spaces."""
    rows = [["name", "count", "note"], ["a", "1", "x"], ["long one", "1000", ""]]
    assert columns(rows, numbers=("count",)) == [
        "name      count  note",
        "a             1  x",
        "long one   1000",
    ]


def test_wide() -> None:
    """A table that is too wide goes on below, each part with the columns that say what it is."""
    rows = [["name", "type", *(f"column {i}" for i in range(30))]]
    rows.append(["a", "b", *(str(i) for i in range(30))])
    lines = columns(rows, keys=2)
    assert max(map(len, lines)) <= WIDTH
    headings = [line for line in lines if line.startswith("name  type  ")]
    assert len(headings) == lines.count("") + 1 > 2
    assert [f"column {i}" in " ".join(headings) for i in range(30)] == [True] * 30


def test_one_column_that_is_too_wide() -> None:
    """A column that does not fit has a part of its own."""
    assert columns([["k", "a", "b" * 200]]) == ["k  a", "", "k  " + "b" * 200]

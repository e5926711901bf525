"""Philox 4x32-10 gives the published bits."""

import numpy as np
import pytest

from onnx_acts.definition.philox import philox_4x32, uniform

# Known answers published with the Random123 library: counter, key, output.
KNOWN_ANSWERS = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_known_answers(
    counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]
) -> None:
    """The generator agrees with its authors' own test vectors."""
    c0, c1, c2, c3 = (np.array([value], dtype=np.uint64) for value in counter)
    assert tuple(int(word[0]) for word in philox_4x32((c0, c1, c2, c3), key)) == words


def test_element_is_a_word_of_its_block() -> None:
    """Element i is word i % 4 of block i // 4, whatever the number of elements."""
    many = uniform(seed=2**40 + 5, count=103)
    assert np.array_equal(uniform(seed=2**40 + 5, count=6), many[:6])
    counter = tuple(np.array([value], dtype=np.uint64) for value in (25, 0, 0, 0))
    words = philox_4x32(counter, (5, 2**8))  # type: ignore[arg-type]  # a generator's length is unknown
    assert many[101] == int(words[1][0]) / 2**32


def test_negative_seed_is_its_64_bits() -> None:
    """A seed is taken as its 64 bits in two's complement."""
    assert np.array_equal(uniform(-1, 9), uniform(2**64 - 1, 9))


def test_range_and_mean() -> None:
    """Draws fill [0, 1) evenly: the mean of 10^6 is within 5 standard errors of 1/2."""
    draws = uniform(seed=1, count=1_000_000)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(draws.mean() - 0.5) < 5 / np.sqrt(12e6)

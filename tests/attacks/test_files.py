"""Attacks through files do not succeed, and the threat model lists each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.attack import Attack
from tests.attacks.files import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.launch.__name__)
def test_attack(attack: Attack[Path], tmp_path: Path) -> None:
    """What the attack tries does not happen; its error says what is wrong."""
    attack.launch(tmp_path)

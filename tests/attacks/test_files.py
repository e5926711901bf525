"""Attacks through files do not succeed, and the threat model lists each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.attack import Attack, table
from tests.attacks.files import ATTACKS
from tests.building import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.run.__name__)
def test_attack(attack: Attack, tmp_path: Path) -> None:
    """What the attack tries does not happen; its error says what is wrong."""
    attack.run(tmp_path)


def test_page_lists_each() -> None:
    """The table of the threat model is this one."""
    assert table(ATTACKS) in PAGE

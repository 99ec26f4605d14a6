"""No template, row or reply takes memory or time out of all proportion; each that tries is one error."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.attacks.bomb import Bomb
from tests.attacks.bombs import ANSWERS, FILES, TEXTS

PATIENCE = 120
"""Seconds for all of a kind, which take about five; without the limits, one alone takes more than that."""
MOST = 150
"""MB that one may take."""


@pytest.mark.parametrize("bombs", [TEXTS, ANSWERS, FILES], ids=["texts", "answers", "files"])
def test_every_bomb_is_one_error_and_takes_little(bombs: Sequence[Bomb]) -> None:
    names = [bomb.name for bomb in bombs]
    command = [sys.executable, "-m", "tests.attacks.bombs", *names]
    child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    rows: list[dict[str, Any]] = [json.loads(line) for line in child.stdout.splitlines()]
    assert [row["name"] for row in rows] == names
    said = [(row["name"], row["said"]) for row, bomb in zip(rows, bombs, strict=True) if bomb.says not in row["said"]]
    assert said == []
    silent = [row for row, bomb in zip(rows, bombs, strict=True) if bool(row["said"]) != bool(bomb.says)]
    assert silent == []
    assert [(row["name"], row["peak"]) for row in rows if row["peak"] > MOST] == []

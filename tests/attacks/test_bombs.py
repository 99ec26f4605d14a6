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
from vsgen import generate
from vsgen.errors import InputError

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


TICKET = {"version": 1, "name": "t", "prompt": "Write a support ticket about {{ x|upper }}.", "sampling": {"k": 2}}
ROWS = [{"x": "a bike"}, {"x": "word " * 2_100_000}, {"x": "a lamp"}]


def test_a_row_that_is_too_large_is_an_error_of_that_row() -> None:
    with pytest.raises(
        InputError, match=r"rows\[1\]: template: prompt: cannot be rendered: more work than .*--on-error skip"
    ):
        list(generate(TICKET, ROWS, model="tiny"))
    with generate(TICKET, ROWS, model="tiny", on_error="skip") as rows:
        assert {row.meta["row"] for row in rows} == {0, 2}


def test_a_clause_that_a_text_makes_too_large_refuses_that_text() -> None:
    clause = "(text ~ text)|int(0, 36) >= 0 and '%9999999999d' is even"
    with generate({**TICKET, "prompt": "Write a support ticket.", "keep": clause}, model="tiny", num=1) as rows:
        assert list(rows) == []

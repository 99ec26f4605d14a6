"""A few kills of each command, at random moments; ``make attacks`` has many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.killed import COMMANDS, Killer


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_killed_and_run_on_ends_with_the_bytes_of_an_undisturbed_run(name: str, tmp_path: Path) -> None:
    tally = Killer(name, tmp_path).kill(3)
    assert tally.failures == [] and tally.equal == tally.outputs > 0

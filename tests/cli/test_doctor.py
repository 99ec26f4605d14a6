"""``vsgen doctor``: what is installed, or a model's card."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen


def test_without_a_model_it_says_what_is_installed(vsgen: Vsgen) -> None:
    shown = vsgen("doctor")
    assert shown.exit_code == 0
    assert re.search(r"^torch +\d", shown.stdout, re.MULTILINE)
    assert "embedded model" in shown.stdout
    assert "recommended" not in shown.stdout


def test_a_card_has_every_figure_and_a_recommendation(vsgen: Vsgen) -> None:
    shown = vsgen("doctor", "-m", "tiny")
    assert shown.exit_code == 0, shown.stderr
    assert re.search(r"^parameters +[\d.]+[MB], float64 on cpu$", shown.stdout, re.MULTILINE)
    assert re.search(r"^chat template +\w", shown.stdout, re.MULTILINE)
    assert re.search(r"^speed +[\d.]+ tokens/s", shown.stdout, re.MULTILINE)
    alone = re.search(r"^  alone +day ([\d.e-]+) · month", shown.stdout, re.MULTILINE)
    assert alone and 0 <= float(alone[1]) <= 1
    assert len(re.findall(r"\d of 9 ", shown.stdout)) == 6
    assert re.search(r"rank correlation -?[\d.]+ \(\d+ answers\)", shown.stdout)
    assert len(re.findall(r"\d+ of 12", shown.stdout)) >= 4
    assert re.search(r"recommended\n  sampling: \{.+\}", shown.stdout)


def test_a_model_that_is_not_there_is_one_message(vsgen: Vsgen) -> None:
    shown = vsgen("doctor", "-m", "/no/such/model")
    assert (shown.exit_code, shown.stdout) == (3, "")
    assert len(shown.stderr.strip().splitlines()) == 1

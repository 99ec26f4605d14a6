"""The stored bytes come out however the work is cut: into batches, on threads, with answers late and out of order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from tests.bytes.cases import cases
from tests.bytes.digests import differences, stored, written
from vsgen.engine.mailbox import Mailbox
from vsgen.ports import Ticket
from vsgen.values import Answer

NAMES = (
    "run/random-item/hash/0",
    "run/support-tickets/hash/1",
    "run/support-tickets/vs-multi",
    "run/input/skipped",
    "run/keep",
    "run/repair",
    "run/power/is",
    "run/short/tokens",
    "run/label/reasoning",
    "run/logprobs/packed",
    "label/votes",
    "label/two",
    "label/borderline",
    "label/calibrated/batch",
    "label/examples",
    "measure/families",
)
"""With every kind of call, gates, refusals, budgets, and what waits for the end."""
QUICK = ("run/input/skipped", "run/keep", "run/short/tokens", "label/two")
Letters = list[tuple[Ticket, Answer]]


def disturb(monkeypatch: pytest.MonkeyPatch, rng: Random) -> None:
    """Let every mailbox hand out a random few of the answers that are there, in a random order."""
    held: dict[Mailbox, Letters] = {}
    plain = Mailbox.wait

    def wait(self: Mailbox, seconds: float | None = None) -> Letters:
        letters = held.pop(self, [])
        letters += plain(self, 0 if letters else seconds)
        rng.shuffle(letters)
        count = rng.randint(min(1, len(letters)), len(letters))
        if letters[count:]:
            held[self] = letters[count:]
        return letters[:count]

    monkeypatch.setattr(Mailbox, "wait", wait)


def differing(name: str, *flags: str) -> list[str]:
    case = cases()[name]
    now: Mapping[str, Any] = written(case._replace(words=" ".join([case.words, *flags])))
    return differences(stored()[name], now)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in NAMES])
def test_answers_that_come_late_and_out_of_order(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    disturb(monkeypatch, Random(f"{name}/{seed}"))
    assert differing(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 200])
@pytest.mark.parametrize("name", NAMES)
def test_batches_of_any_size(name: str, batch: int) -> None:
    assert differing(name, "--batch", str(batch)) == []


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["2", "4"])
def test_any_number_of_threads(threads: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    words = [sys.executable, "-m", "tests.bytes", *NAMES]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

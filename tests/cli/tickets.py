"""Tickets of the grammar as rows, and the embedded model, opened once, for tests of ``vsgen label``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from vsgen.backends.open import open_model
from vsgen.ports import LanguageModel
from vsgen.tiny.chat import classified
from vsgen.tiny.grammar.tasks import questions

QUEUE = "Which queue should take this support ticket?"
CLASSES = ("billing", "bug", "how-to")
CATEGORY = ("--name", "category", "--classes", ",".join(CLASSES), "--prompt", QUEUE, "-m", "tiny")
LABEL = {"name": "category", "classes": list(CLASSES), "prompt": QUEUE + "\n\n{{ text }}"}
TICKETS = next(one for one in questions() if one.classes == CLASSES)


@cache
def tiny() -> LanguageModel:
    """Opening it takes longer than asking it."""
    return open_model("tiny")


def tickets(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Texts of the grammar, each with its true posterior and a class that is drawn from it."""
    rng, rows = Random(seed), []
    for i in range(n):
        ask = classified(TICKETS, rng)
        right = rng.choices(CLASSES, ask.posterior)[0]
        rows.append({"id": f"t{i}", "text": ask.text, "category": right, "truth": list(ask.posterior)})
    return rows


def write(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def probs(row: dict[str, Any], name: str = "category") -> dict[str, float]:
    found: dict[str, float] = row["labels"][name]["probs"]
    return found

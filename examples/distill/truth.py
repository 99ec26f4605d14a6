"""Finds the true posterior of test texts: what the grammar says that wrote the embedded model's training text.

python truth.py train.jsonl test.jsonl > truth.jsonl

Writes the test rows with a field `truth`, the P(class | text) of the grammar by Bayes' rule. Left out are texts that
are also in the training file, and texts that the grammar cannot have written: the model's slips, which have no truth.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vsgen.errors import CallError
from vsgen.labels.words import question
from vsgen.tiny.oracle import Oracle
from vsgen.values import Score

LABEL = "category"
ASKED = "Which queue should take this support ticket?\n\n{text}"
"""The label's prompt in templates/support-tickets.yaml."""


def main() -> None:
    """Rows to stdout, counts to stderr."""
    train, test = (read(Path(name)) for name in sys.argv[1:])
    oracle, seen = Oracle(), {row["text"] for row in train}
    slips = sum(posterior(oracle, row) is None for row in train)
    print(f"train: {len(train)} texts; {slips} outside of the grammar, which stay", file=sys.stderr)
    new = [row for row in test if row["text"] not in seen]
    kept = [row | {"truth": truth} for row in new if (truth := posterior(oracle, row)) is not None]
    sys.stdout.writelines(json.dumps(row) + "\n" for row in kept)
    print(
        f"test: {len(test)} texts, less {len(test) - len(new)} that are in train too"
        f" and {len(new) - len(kept)} outside of the grammar: {len(kept)}",
        file=sys.stderr,
    )


def posterior(oracle: Oracle, row: dict[str, Any]) -> dict[str, float] | None:
    """P(class | the row's text) under the grammar; None for a text that it cannot have written."""
    classes: Sequence[str] = tuple(row["labels"][LABEL]["probs"])
    asked = question(ASKED.format(text=row["text"]), classes)
    try:
        (scores,) = oracle.score([Score(asked, tuple(classes))])
    except CallError:
        return None
    return {name: math.exp(logp) for name, logp in zip(classes, scores.logp, strict=True)}


def read(file: Path) -> list[dict[str, Any]]:
    """The file's rows."""
    return [json.loads(line) for line in file.read_text().splitlines()]


if __name__ == "__main__":
    main()

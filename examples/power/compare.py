"""Compares ways of drawing replies to the same questions: how good, how different, how dear.

python3 compare.py natural.plain.jsonl natural.smc.jsonl ...

The first file must be plain sampling at temperature 1; votes are held among its replies, 16 at a time, which is what a
reply of smc with 16 particles costs.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev
from typing import Any

FIRST = 4
"""Replies a question that are compared."""
VOTERS = 16
PREFIX = 32
"""Characters of a reply's beginning."""


def main() -> None:
    """Print one table."""
    files = [Path(name) for name in sys.argv[1:]]
    print(f"{files[0].name.partition('.')[0]} sums: {len(read(files[0]))} questions, {FIRST} replies each")
    print(f"{'way':<18}{'right':>13}{'pass@4':>8}{'mean log p':>20}{'prefixes':>10}{'3-grams':>9}{'evaluations':>13}")
    for file in files:
        questions = [rows[:FIRST] for rows in read(file)]
        show(file.name.split(".")[1], questions)
        if file == files[0]:
            show_votes(read(file))


def read(file: Path) -> list[list[dict[str, Any]]]:
    """The rows of each question."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [list(group) for _, group in groupby(rows, key=lambda row: row["id"].partition(".")[0])]


def show(name: str, questions: Sequence[Sequence[dict[str, Any]]]) -> None:
    """One line of the table."""
    right = [mean(row["meta"]["correct"] for row in rows) for rows in questions]
    passed = mean(any(row["meta"]["correct"] for row in rows) for rows in questions)
    logps = [mean(row["meta"]["logp"] for row in rows) for rows in questions]
    texts = [[row["text"] for row in rows] for rows in questions]
    spent = [row["meta"].get("evaluations") for rows in questions for row in rows]
    prefixes = mean(len({text[:PREFIX] for text in each}) / len(each) for each in texts)
    grams = mean(distinct(each) for each in texts)
    cost = f"{mean(spent):>13.0f}" if None not in spent else f"{'as plain':>13}"
    print(f"{name:<18}{error(right)}{passed:>8.2f}  {error(logps, 3)}{prefixes:>10.2f}{grams:>9.2f}{cost}")


def show_votes(questions: Sequence[Sequence[dict[str, Any]]]) -> None:
    """The line of majority votes."""
    right = []
    for rows in questions:
        ballots = [rows[i : i + VOTERS] for i in range(0, len(rows), VOTERS)]
        right.append(mean(elected(ballot) for ballot in ballots))
    cost = mean(row["meta"]["evaluations"] for rows in questions for row in rows) * VOTERS
    print(f"{f'vote of {VOTERS}, plain':<18}{error(right)}{'':>8}{'':>20}{'':>10}{'':>9}{cost:>13.0f}")


def elected(ballot: Sequence[dict[str, Any]]) -> bool:
    """Whether the commonest answer is right; the first of several."""
    votes = Counter(row["meta"]["answer"] for row in ballot if row["meta"]["answer"] is not None)
    if not votes:
        return False
    winner = votes.most_common(1)[0][0]
    return any(row["meta"]["correct"] for row in ballot if row["meta"]["answer"] == winner)


def distinct(texts: Iterable[str]) -> float:
    """Distinct word 3-grams, as a share of all."""
    words = [text.split() for text in texts]
    grams = [tuple(one[i : i + 3]) for one in words for i in range(len(one) - 2)]
    return len(set(grams)) / max(len(grams), 1)


def error(values: Sequence[float], digits: int = 2) -> str:
    """A mean over questions with its standard error."""
    spread = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{mean(values):>{5 + digits}.{digits}f} ±{spread:.{digits}f}"


if __name__ == "__main__":
    main()

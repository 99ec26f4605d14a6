"""Mode collapse on a real model: a question asked 100 times for one answer, and for lists of five until 100 are there.

`python -m tests.real.collapse` asks six closed questions (those of `tests.real.methods`) and writes the counts of all
answers to docs/pictures/collapse.json, from which docs/pictures/draw.py draws all of them. Every method has the same
settings; repeats are kept.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from math import exp, log
from pathlib import Path
from typing import Any

import vsgen
from tests.real import MODEL
from tests.real.methods import TASKS
from tests.real.tasks import Closed
from vsgen.backends.open import open_model
from vsgen.ports import LanguageModel

DATA = Path(__file__).parents[2] / "docs" / "pictures" / "collapse.json"
METHODS = ("direct", "sequence", "vs")
SETTINGS = {"k": 5, "temperature": 0.7, "min_p": 0.1, "max_tokens": 300}
ANSWERS = 100
SEED = 1
ALIASES = {"uk": "United Kingdom", "great britain": "United Kingdom", "britain": "United Kingdom"}


def answers(task: Closed, method: str, model: LanguageModel) -> dict[str, Any]:
    """Ask one question by one method, until there are enough answers.

    Returns:
        `counts` of the right answers and `wrong`, those of all others, the most frequent first; `rejected`, what vsgen
        did not keep, by reason; `replies` and their `tokens`.
    """
    output = {"field": task.field, "max_chars": 40}
    named = {"version": 1, "name": "collapse", "prompt": task.request, "output": output, "dedup": False}
    template = {**named, "sampling": {**SETTINGS, "method": method}}
    spelled = {_plain(one): one for one in task.answers} | ALIASES
    with vsgen.generate(template, num=ANSWERS, model=model, seed=SEED) as rows:
        given = [str(row.fields[task.field]).strip(" .") for row in rows]
        counts = rows.counts
    right = Counter(spelled[_plain(one)] for one in given if _plain(one) in spelled)
    wrong = Counter(one for one in given if _plain(one) not in spelled)
    return {
        "counts": _ordered(right),
        "wrong": _ordered(wrong),
        "rejected": dict(sorted(counts.rejected.items())),
        "replies": counts.replies,
        "tokens": counts.tokens,
    }


def _plain(answer: str) -> str:
    return answer.casefold().removeprefix("the ")


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def line(request: str, method: str, found: dict[str, Any]) -> str:
    """A row of the table in docs/models.md."""
    counts = Counter(found["counts"])
    total = counts.total()
    name, most = counts.most_common(1)[0] if counts else ("none", 0)
    effective = exp(-sum(n / total * log(n / total) for n in counts.values())) if total else 0
    cells = (
        request,
        method,
        f"{most} ({name})",
        len(counts),
        f"{effective:.1f}",
        sum(found["wrong"].values()),
        found["tokens"],
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Measure, print the table and write the counts."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(MODEL)
    model = open_model(source)
    questions: dict[str, Any] = {}
    print("| question | method | most frequent | different right | effective | not right | tokens |")
    print("| --- |" + " --- |" * 6)
    for task in TASKS:
        found = questions[task.request] = {}
        for method in METHODS:
            found[method] = answers(task, method, model)
            print(line(task.request, method, found[method]), flush=True)
    about = {"model": Path(source).stem, "answers": ANSWERS, "seed": SEED, **SETTINGS}
    DATA.write_text(json.dumps({**about, "questions": questions}, indent=1) + "\n")


if __name__ == "__main__":
    main()

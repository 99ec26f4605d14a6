"""Methods compared on a real model at equal tokens, on closed tasks; and a grid of temperature and min-p.

Each cell draws until its tokens are spent. A valid answer is one of the task's right answers, whatever its case. The
intervals are 1.96 standard errors of the mean over seeds; tasks are the same for all seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, count
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np

from tests.real import MODEL
from tests.real.tasks import CHECKED, Closed
from vsgen.files.journal import MemoryJournal
from vsgen.flow import ask_all
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.jobs.carry import answers
from vsgen.jobs.desk import Desk
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.metrics.ranks import rank_correlation
from vsgen.template.schema import Template
from vsgen.values import Embed, Row

TASKS = [task for task in CHECKED if task.field in ("month", "planet", "colour", "country", "element", "continent")]
METHODS = ("direct", "multi-turn", "sequence", "vs", "vs-cot", "vs-multi")
GRID = {"direct": None, "sequence": None, "vs": None}
SHAPES = ((1.0, 0.0), (0.7, 0.0), (1.0, 0.1), (0.7, 0.1))
SEEDS = (1, 2, 3)
TOKENS = 300
"""Of each task and seed."""
_ROUND = 4


class Cell(NamedTuple):
    """One method on all tasks with one seed."""

    valid: float
    """Share of all candidates, those that could not be read included."""
    unique: float
    """Different valid answers, mean of the tasks."""
    diversity: float
    """Mean of 1 - cosine over pairs of different valid answers, mean of the tasks that have two."""
    price: float
    """Tokens for a different valid answer."""
    ranks: float
    """Spearman's correlation of stated and own log-probability within draws, mean; NaN where none are stated."""


def _template(task: Closed, sampling: Mapping[str, object]) -> Template:
    stating = sampling["method"] in ("vs", "vs-cot", "vs-multi")
    output = {"field": task.field, "max_chars": 40}
    named = {"version": 1, "name": "t", "prompt": task.request, "output": output, "dedup": False, "logp": stating}
    return Template.model_validate({**named, "sampling": {"k": 5, "max_tokens": 300, **sampling}})


def _outcomes(desk: Desk, template: Template, seed: int) -> list[Outcome]:
    """Draws in their order, until the tokens are spent."""
    pipeline = Pipeline(template, seed=seed, models=desk.models, index=None, quota=Quota(None))
    found: list[Outcome] = []
    for start in count(0, _ROUND):
        flows = [pipeline.draw(Row(0), number) for number in range(start, start + _ROUND)]
        for outcome in answers(list(flows), desk):
            found.append(outcome)
            if sum(one.tokens for one in found) >= TOKENS:
                return found
    raise AssertionError("a count has no end")


def _diversity(desk: Desk, texts: Sequence[str]) -> float | None:
    if len(texts) < 2:
        return None
    (vectors,) = answers([ask_all([Embed(text) for text in texts])], desk)
    units = [np.frombuffer(one.data, dtype="<f2").astype("<f4") for one in vectors]
    return fmean(float(1 - a @ b) for a, b in combinations(units, 2))


def _ranks(outcomes: Sequence[Outcome]) -> Iterator[float]:
    for outcome in outcomes:
        pairs = [(one.meta.get("verbalized"), one.meta.get("logp")) for one in outcome.records]
        known = [(p, q) for p, q in pairs if isinstance(p, float) and isinstance(q, float)]
        if len(known) > 2 and (found := rank_correlation(*zip(*known, strict=True))) is not None:
            yield found


def cell(desk: Desk, sampling: Mapping[str, object], seed: int) -> Cell:
    """Measure one."""
    valid, candidates, tokens = 0, 0, 0
    unique: list[int] = []
    spread: list[float] = []
    ranks: list[float] = []
    for task in TASKS:
        outcomes = _outcomes(desk, _template(task, sampling), seed)
        right = {one.casefold() for one in task.answers}
        said = [str(one.fields[task.field]).casefold() for outcome in outcomes for one in outcome.records]
        good = [text for text in said if text in right]
        valid, candidates = valid + len(good), candidates + sum(one.candidates for one in outcomes)
        tokens += sum(one.tokens for one in outcomes)
        unique.append(len(set(good)))
        ranks += _ranks(outcomes)
        if (between := _diversity(desk, sorted(set(good)))) is not None:
            spread.append(between)
    price = tokens / sum(unique) if sum(unique) else float("inf")
    apart, rank = (fmean(each) if each else float("nan") for each in (spread, ranks))
    return Cell(valid / candidates, fmean(unique), apart, price, rank)


def _figure(values: Sequence[float], digits: int) -> str:
    if any(value != value for value in values):
        return "–"
    error = 1.96 * stdev(values) / sqrt(len(values)) if len(values) > 1 else 0
    return f"{fmean(values):.{digits}f}" + (f" ± {error:.{digits}f}" if len(values) > 1 else "")


def row(desk: Desk, name: str, sampling: Mapping[str, object], seeds: Sequence[int]) -> None:
    """Print a row of the table."""
    cells = [cell(desk, sampling, seed) for seed in seeds]
    columns = list(zip(*cells, strict=True))
    texts = [_figure(values, digits) for values, digits in zip(columns, (2, 1, 2, 0, 2), strict=True)]
    print(f"| {name} | {' | '.join(texts)} |", flush=True)


def head(first: str) -> None:
    """Print a table's head."""
    print(f"\n| {first} | valid | different valid | 1 - cosine | tokens a different valid | rank corr. |")
    print("| --- |" + " --- |" * 5)


def main() -> None:
    """Print both tables."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(MODEL)
    desk = Desk(Wanted(ModelChoice(source), embedder="minilm"), MemoryJournal())
    names = ", ".join(task.field for task in TASKS)
    print(f"{desk.model}; tasks {names}; {TOKENS} tokens a task; seeds {SEEDS}")
    head("method, T 0.7, min-p 0.1")
    for method in METHODS:
        row(desk, method, {"method": method, "temperature": 0.7, "min_p": 0.1}, SEEDS)
    row(desk, "vs, no exchange", {"method": "vs", "temperature": 0.7, "min_p": 0.1, "demonstrate": 0}, SEEDS)
    row(desk, "vs, lines", {"method": "vs", "temperature": 0.7, "min_p": 0.1, "format": "lines"}, SEEDS)
    head("method, T, min-p (one seed)")
    for method in GRID:
        for temperature, min_p in SHAPES:
            sampling = {"method": method, "temperature": temperature, "min_p": min_p}
            row(desk, f"{method}, {temperature:g}, {min_p:g}", sampling, SEEDS[:1])


if __name__ == "__main__":
    main()

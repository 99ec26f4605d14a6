"""Compares the models on the prompts that were trained on, and on those that were not.

python table.py trained.txt values.jsonl before.figures.jsonl hard.figures.jsonl soft.figures.jsonl

`average` is no model but the mean of a family's trained targets: the best that can be said without reading parameters.
`target` is what draws from the target itself would show. W1 is the median prompt's: one reply in ten thousand may be a
number of a dozen digits, and a mean would show nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from scipy.stats import wasserstein_distance

from vsgen.metrics.distribution import divergence, interquartile

Rows = Mapping[str, Mapping[str, Any]]
"""By prompt id."""
Column = Sequence[float | None]
"""A measure of each of some prompts."""

PLACES = ("trained", "between", "beyond", "new family")
MODELS = ("before", "hard", "soft")
PAIR = ["soft - hard"]


def main() -> None:
    """A table to stdout."""
    parser = argparse.ArgumentParser(description="Compare models by the rows of vsgen measure.")
    for name in ("trained", "values", *MODELS):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    trained = set(args.trained.read_text().splitlines())
    values = read(args.values)
    models = {name: read(getattr(args, name)) for name in MODELS}
    references = {"target": own(models["soft"]), "average": averages(values, trained)}
    found = scaled({**references, **models}, values)
    print("\n".join(report(found, groups(models["soft"], trained))))


def read(path: Path) -> Rows:
    """Rows of vsgen targets."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["id"]: row for row in rows}


def groups(rows: Rows, trained: set[str]) -> dict[tuple[str, str], list[str]]:
    """The prompts with a known distribution, by where their parameters are and by family."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, row in rows.items():
        if row["kind"] == "target":
            place = {"unseen": "beyond", "heldout": "new family"}.get(row["split"], "between")
            found.setdefault(("trained" if name in trained else place, row["family"]), []).append(name)
    return dict(sorted(found.items(), key=lambda item: PLACES.index(item[0][0])))


def own(rows: Rows) -> Rows:
    """What the targets' own draws would show, as far as that is not nothing."""
    names = {"w1": "w1_expected", "support": "support_expected", "unique": "unique_expected"}
    known = {name: row for name, row in rows.items() if row["kind"] == "target"}
    return {name: {ours: row[theirs] for ours, theirs in names.items()} for name, row in known.items()}


def averages(values: Rows, trained: set[str]) -> Rows:
    """How far the mean of its family's trained targets is from each target."""
    families: dict[str, list[Mapping[str, float]]] = {}
    for name in sorted(trained & values.keys()):
        row = values[name]
        families.setdefault(row["family"], []).append(dict(zip(row["values"], row["probs"], strict=True)))
    means = {family: average(members) for family, members in families.items()}
    return {name: _distances(row, means[row["family"]]) for name, row in values.items() if row["family"] in means}


def average(members: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of distributions."""
    every = sorted({value for member in members for value in member})
    return {value: math.fsum(member.get(value, 0.0) for member in members) / len(members) for value in every}


def _distances(row: Mapping[str, Any], model: Mapping[str, float]) -> dict[str, float]:
    logps = [math.log(model[value]) if value in model else -math.inf for value in row["values"]]
    numbers = [list(map(float, side)) for side in (row["values"], model)]
    w1 = wasserstein_distance(*numbers, row["probs"], list(model.values()))
    return {"kl": divergence(row["probs"], logps), "w1": float(w1)}


def scaled(found: Mapping[str, Rows], values: Rows) -> dict[str, Rows]:
    """With W1 in the target's interquartile ranges, where it has one."""
    widths = {name: interquartile(list(map(float, row["values"])), row["probs"]) for name, row in values.items()}

    def of(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        w1, width = row.get("w1"), widths.get(name)
        return {**row, "w1": w1 / width if w1 is not None and width else None}

    return {column: {name: of(name, row) for name, row in rows.items()} for column, rows in found.items()}


def report(found: Mapping[str, Rows], members: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[str]:
    """One table per measure, a line per group of prompts."""
    yield from _table("KL(target || model) of whole answers, nats", "kl", found, members)
    yield from _table("W1 of the answers, in interquartile ranges of the target; median prompt", "w1", found, members)
    yield from _table("share of answers that are numbers", "valid", found, members)
    yield from _table("tokens that hold 90 % of the first step's probability", "support", found, members)
    yield f"{'prompts without a target':<32}" + "".join(f"{name:>17}" for name in MODELS)
    for kind, measure, title in (("open", "unique", "different answers"), ("quiz", "valid", "quizzes with an answer")):
        rows = {model: [row[measure] for row in found[model].values() if row.get("kind") == kind] for model in MODELS}
        yield f"{title:<25}{len(rows['soft']):>7}" + "".join(f"{cell(rows[model]):>17}" for model in MODELS)


def _table(
    title: str, measure: str, found: Mapping[str, Rows], members: Mapping[tuple[str, str], Sequence[str]]
) -> Iterator[str]:
    names = [name for name, rows in found.items() if any(measure in row for row in rows.values())]
    show = around_median if measure == "w1" else cell
    extra = measure in ("kl", "w1")
    yield title
    yield f"{'parameters':<12}{'family':<13}{'prompts':>7}" + "".join(f"{name:>17}" for name in names + PAIR * extra)
    for (place, family), ids in members.items():
        columns = [[found[name].get(one, {}).get(measure) for one in ids] for name in names]
        cells = [show(column) for column in columns] + [show(difference(columns[-1], columns[-2]), "+")] * extra
        yield (f"{place:<12}{family:<13}{len(ids):>7}" + "".join(f"{one:>17}" for one in cells)).rstrip()
    yield ""


def difference(one: Column, other: Column) -> list[float | None]:
    """Prompt by prompt."""
    return [None if a is None or b is None else a - b for a, b in zip(one, other, strict=True)]


def cell(values: Column, sign: str = "") -> str:
    """A mean with its standard error; a dash where a value is missing."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    if len(known) == 1 or math.inf in known:
        return f"{mean(known):{sign}.3f}" + " " * 7
    return f"{mean(known):{sign}.3f} ±{stdev(known) / math.sqrt(len(known)):.3f}"


def around_median(values: Column, sign: str = "") -> str:
    """A median with half the width of its interval of about 68 %, from the order of the values alone."""
    known = sorted(value for value in values if value is not None)
    if len(known) < len(values):
        return "-"
    low = max(0, math.floor((len(known) - math.sqrt(len(known))) / 2))
    return f"{median(known):{sign}.3f} ±{(known[-1 - low] - known[low]) / 2:.3f}"


if __name__ == "__main__":
    main()

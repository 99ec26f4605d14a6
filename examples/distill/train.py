"""Trains the same small classifier on soft, hard and sampled labels, and compares it with the true posterior.

python train.py train.jsonl truth.jsonl --sizes 50 200 1000 --seeds 10 --steps 300 --results results.jsonl

A student is a bag of words and word pairs, hashed, and one hidden layer. For one size and seed all students have the
same texts, initial weights, batches and steps; only the targets differ. Cross entropy takes distributions as they are.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from zlib import crc32

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

LABEL = "category"
BUCKETS = 1024
HIDDEN = 32
BATCH = 32
RATE = 0.003
SMOOTHING = 0.1
BINS = 10
TARGETS = ("soft", "hard", "smoothed", "sampled")
PAIRS = (("soft", "hard"), ("soft", "smoothed"), ("soft", "sampled"))


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as a student sees them."""

    features: Tensor
    """One row per text, one column per bucket: 1 if a gram of the text falls into it."""
    teacher: Tensor
    """P(class | text) as vsgen wrote it; one column per class."""
    truth: Tensor
    """P(class | text) of the grammar, the same classes; nothing for training texts."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How far predictions are from the true posterior, on average over texts."""

    excess: float
    """Log loss beyond the posterior's own entropy, KL(truth || predicted), nats."""
    variation: float
    """Total variation distance to the posterior."""
    calibration: float
    """Expected calibration error, with the posterior in place of labels."""
    right: float
    """The posterior's probability of the class that was predicted."""


@dataclass(frozen=True, slots=True)
class Result:
    """One student, or a reference that has no size and no seed."""

    target: str
    texts: int | None
    seed: int | None
    figures: Figures


def main() -> None:
    """A table to stdout, results to a file."""
    parser = argparse.ArgumentParser(description="Compare students of soft, hard and sampled labels.")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--results", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train, test = (load(file, args.results.parent / "cache") for file in (args.train, args.test))
    if max(args.sizes) > len(train.teacher):
        sys.exit(f"{args.train}: has {len(train.teacher)} texts, fewer than --sizes {max(args.sizes)}; generate more")
    results = [*references(train, test), *compare(train, test, args.sizes, args.seeds, args.steps)]
    args.results.write_text("".join(json.dumps(asdict(result)) + "\n" for result in results))
    floor = -torch.special.xlogy(test.truth, test.truth).sum(1).mean()
    print(f"{len(test.truth)} test texts; the posterior's entropy, below which no log loss can be, is {floor:.3f} nats")
    print("\n".join(table(results, args.sizes)))


def load(file: Path, cache: Path) -> Texts:
    """Read rows as any trainer would, with `datasets`."""
    import datasets

    datasets.disable_progress_bars()
    rows = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(cache))
    probs = [row[LABEL]["probs"] for row in rows["labels"]]
    teacher = [[row[name] for name in probs[0]] for row in probs]
    known = rows["truth"] if "truth" in rows.column_names else []
    truth = [[row[name] for name in probs[0]] for row in known]
    return Texts(features(rows["text"]), torch.tensor(teacher), torch.tensor(truth))


def features(texts: Iterable[str]) -> Tensor:
    """Words and pairs of neighbouring words, hashed into buckets."""
    return torch.stack([_hashed(re.findall(r"[a-z]+", text.lower())) for text in texts])


def _hashed(words: Sequence[str]) -> Tensor:
    grams = [*words, *(" ".join(pair) for pair in pairwise(words))]
    row = torch.zeros(BUCKETS)
    row[[crc32(gram.encode()) % BUCKETS for gram in grams]] = 1
    return row


def references(train: Texts, test: Texts) -> Iterator[Result]:
    """What a student stands between: the classes' mean shares whatever the text, and the teacher itself."""
    shares = train.teacher.mean(0).expand_as(test.truth)
    yield Result("base rates", None, None, figures(shares, test.truth))
    yield Result("teacher", None, None, figures(test.teacher, test.truth))


def compare(train: Texts, test: Texts, sizes: Sequence[int], seeds: int, steps: int) -> Iterator[Result]:
    """Every student of every size and seed."""
    for size in sizes:
        for seed in range(seeds):
            generator = torch.Generator().manual_seed(seed)
            chosen = torch.randperm(len(train.teacher), generator=generator)[:size]
            for target, wanted in targets(train.teacher[chosen], generator).items():
                predicted = taught(train.features[chosen], wanted, test.features, seed=seed, steps=steps)
                yield Result(target, size, seed, figures(predicted, test.truth))


def targets(teacher: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """The same labels in each form, as distributions over classes.

    Returns:
        soft: what the teacher says. hard: its likeliest class, which is what temperature 0 answers. smoothed: hard,
        with a tenth of the mass spread evenly. sampled: one class drawn from it, which is what temperature 1 answers.
    """
    classes = teacher.shape[1]
    hard = one_hot(teacher.argmax(1), classes).float()
    drawn = torch.multinomial(teacher, 1, generator=generator).squeeze(1)
    smoothed = (1 - SMOOTHING) * hard + SMOOTHING / classes
    return dict(zip(TARGETS, (teacher, hard, smoothed, one_hot(drawn, classes).float()), strict=True))


def taught(texts: Tensor, wanted: Tensor, asked: Tensor, *, seed: int, steps: int) -> Tensor:
    """Train one student; the seed gives its initial weights and its batches.

    Returns:
        P(class) for each of `asked`.
    """
    generator = torch.Generator().manual_seed(seed)
    first, last = nn.Linear(BUCKETS, HIDDEN), nn.Linear(HIDDEN, wanted.shape[1])
    for layer in (first, last):
        nn.init.normal_(layer.weight, std=0.1, generator=generator)
        nn.init.zeros_(layer.bias)
    student = nn.Sequential(first, nn.ReLU(), last)
    optimizer = torch.optim.Adam(student.parameters(), lr=RATE, fused=True)
    for _ in range(steps):
        batch = torch.randint(len(texts), (BATCH,), generator=generator)
        optimizer.zero_grad()
        cross_entropy(student(texts[batch]), wanted[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        return torch.softmax(student(asked), 1)


def figures(predicted: Tensor, truth: Tensor) -> Figures:
    """Compare predictions with the posterior; shapes (texts, classes)."""
    confidence, guess = predicted.max(1)
    right = truth.gather(1, guess.unsqueeze(1)).squeeze(1)
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    gaps = torch.zeros(BINS).index_add(0, bins, confidence - right)
    excess = torch.special.xlogy(truth, truth) - torch.special.xlogy(truth, predicted)
    return Figures(
        excess=excess.sum(1).mean().item(),
        variation=(predicted - truth).abs().sum(1).mean().item() / 2,
        calibration=gaps.abs().sum().item() / len(truth),
        right=right.mean().item(),
    )


def table(results: Sequence[Result], sizes: Sequence[int]) -> Iterator[str]:
    """Means over seeds with their standard errors, and differences within seeds."""
    yield f"{'texts':<7}{'labels':<17}{'excess':>16}{'variation':>16}{'calibration':>16}{'right':>16}"
    for result in results:
        if result.texts is None:
            yield _line("", result.target, [[value] for value in asdict(result.figures).values()])
    for size in sizes:
        yield ""
        columns = {target: _columns(results, size, target) for target in TARGETS}
        for target, values in columns.items():
            yield _line(size, target, values)
        for one, other in PAIRS:
            pairs = zip(columns[one], columns[other], strict=True)
            yield _line(size, f"{one} - {other}", [difference(*pair) for pair in pairs], sign="+")


def _columns(results: Sequence[Result], size: int, target: str) -> list[list[float]]:
    chosen = [asdict(one.figures).values() for one in results if one.texts == size and one.target == target]
    return [list(column) for column in zip(*chosen, strict=True)]


def difference(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Seed by seed."""
    return [a - b for a, b in zip(one, other, strict=True)]


def error(values: Sequence[float]) -> float:
    """The standard error of a mean; not a number for a single value."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def _line(size: Any, name: str, columns: Iterable[Sequence[float]], sign: str = "") -> str:
    cells = [f"{mean(one):{sign}.4f}" + (f" ±{error(one):.4f}" if len(one) > 1 else " " * 8) for one in columns]
    return f"{size:<7}{name:<17}{''.join(f'{cell:>16}' for cell in cells)}".rstrip()


if __name__ == "__main__":
    main()

"""The measures of one prompt, from what a model does with it, and their means by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TypeAlias

from vsgen.distributions.probes import POSITIONS
from vsgen.distributions.soft import Spelled
from vsgen.distributions.target import Target
from vsgen.flows.observe import Observed
from vsgen.metrics import distribution as measures

Measured: TypeAlias = dict[str, object]

UNIQUE = 100
"""Replies among which different ones are counted, as in the paper."""
COLUMNS = ("valid", "w1_normalized", "tv", "kl", "kl_per_token", "support", "unique")
"""The measures of a summary: each a mean over a family's prompts, but for Wasserstein-1 a median, since one absurd
number among thousands of replies would be all that a mean shows."""


@dataclass(slots=True)
class Summary:
    """Means by family; a measure that no prompt has is missing."""

    families: dict[str, list[Measured]] = field(default_factory=dict)

    def add(self, row: Measured) -> None:
        """Count a prompt."""
        self.families.setdefault(str(row["family"]), []).append(row)

    def means(self) -> Iterator[tuple[str, int, dict[str, float]]]:
        """Each family's name, number of prompts and means, and last the mean over the families with known targets."""
        every = []
        for family, rows in self.families.items():
            means = _within(rows)
            yield family, len(rows), means
            if rows[0]["kind"] == "target":
                every.append((len(rows), means))
        if len(every) > 1:
            yield "mean of families", sum(count for count, _ in every), _means([means for _, means in every])

    def table(self) -> Iterator[str]:
        """The means, aligned, a line for each family."""
        titles = [name.replace("w1_normalized", "W1/IQR").replace("_per_", "/") for name in COLUMNS]
        yield f"{'':18}{'prompts':>8}" + "".join(f"{title:>10}" for title in titles)
        for family, count, means in self.means():
            cells = (f"{means[name]:>10.4g}" if name in means else f"{'-':>10}" for name in COLUMNS)
            yield f"{family:18}{count:>8}" + "".join(cells)


def of_target(target: Target, spelled: Spelled | None, observed: Observed) -> Measured:
    """The measures of one known distribution.

    `kl` is infinite, and null in JSON, where the model excludes an answer; `w1_normalized` is null where one value
    holds the target's whole middle half. Beside a measure stands, as `*_expected`, what draws from the target itself
    would show on average.
    """
    kl = None if observed.logps is None else measures.divergence(target.probs, observed.logps)
    row: Measured = {"kind": "target", "id": target.id, "split": target.split, "family": target.family}
    row |= {"params": target.params, "replies": len(observed.replies)}
    row |= _numbers(target, observed.replies) if target.numeric else _categories(target, observed.replies)
    row |= {"kl": kl, "kl_per_token": None if kl is None or spelled is None else kl / spelled.steps}
    row |= {"support": _support(observed), "support_expected": None if spelled is None else _first_support(spelled)}
    counted = min(UNIQUE, len(observed.replies))
    row |= {"unique": measures.unique_rate(observed.replies[:counted])}
    return row | {"unique_expected": measures.expected_unique_rate(target.probs, counted)}


def of_probe(observed: Observed) -> Measured:
    """The measures of a prompt without a target: how varied the answers, or where the right option stands."""
    kind = observed.id.partition("/")[0]
    row: Measured = {"kind": kind, "id": observed.id, "family": kind, "replies": len(observed.replies)}
    if kind == "open":
        return row | {"support": _support(observed), "unique": measures.unique_rate(observed.replies[:UNIQUE])}
    placed = [place for reply in observed.replies if (place := measures.read_position(reply))]
    row |= {"valid": len(placed) / len(observed.replies), "positions": {name: placed.count(name) for name in POSITIONS}}
    return row | _variation(Counter(placed), POSITIONS)


def _numbers(target: Target, replies: Sequence[str]) -> Measured:
    drawn = [number for reply in replies if (number := measures.read_number(reply)) is not None]
    values = [float(value) for value in target.values]
    w1, width = measures.wasserstein1(drawn, values, target.probs), measures.interquartile(values, target.probs)
    expected = measures.expected_wasserstein1(values, target.probs, len(drawn)) if drawn else None
    return {
        "valid": len(drawn) / len(replies),
        "w1": w1,
        "w1_normalized": w1 / width if w1 is not None and width else None,
        "w1_expected": expected,
    }


def _categories(target: Target, replies: Sequence[str]) -> Measured:
    names = {measures.first_line(value): value for value in target.values}
    counts = Counter(names[line] for reply in replies if (line := measures.first_line(reply)) in names)
    row: Measured = {"valid": counts.total() / len(replies)}
    return row | _variation(counts, dict(zip(target.values, target.probs, strict=True)))


def _variation(counts: Counter[str], target: Mapping[str, float]) -> Measured:
    total = counts.total()
    expected = measures.expected_total_variation(list(target.values()), total) if total else None
    return {"tv": measures.total_variation(counts, target), "tv_expected": expected}


def _support(observed: Observed) -> int | None:
    return None if observed.first is None else measures.support_size(measures.first_step(observed.first))


def _first_support(spelled: Spelled) -> int | None:
    return measures.support_size(spelled.trie.probs[spelled.trie.children(0)].tolist())


def _within(rows: Sequence[Measured]) -> dict[str, float]:
    """One family's figures."""
    spread = [float(x) for row in rows if isinstance(x := row.get("w1_normalized"), int | float)]
    return _means(rows) | ({"w1_normalized": median(spread)} if spread else {})


def _means(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    numbers = {name: [float(x) for row in rows if isinstance(x := row.get(name), int | float)] for name in COLUMNS}
    return {name: fmean(known) for name, known in numbers.items() if known}

"""Candidates that repeat one of their own distribution give it their weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from vsgen.values import Candidate


class Merged(NamedTuple):
    """A candidate after the merge."""

    candidate: Candidate
    """With the weight of those that repeat it; one that repeats another has weight 0."""
    merged: int
    """How many candidates of the draw it stands for, itself included; 0 for one that repeats another."""


def merge(candidates: Sequence[Candidate], twins: Mapping[int, int]) -> tuple[Merged, ...]:
    """Move the weight of each repeat into its twin, in the order of the candidates; the total stays the same.

    Args:
        candidates: those of one draw.
        twins: number of a repeat to the number of the candidate that it repeats, which repeats none itself.

    Raises:
        ValueError: a twin is itself a repeat.
    """
    if chained := sorted(twins.keys() & twins.values()):
        raise ValueError(f"a twin may not repeat another candidate, but these do: {chained}")
    if not twins:
        return tuple(Merged(candidate, 1) for candidate in candidates)
    weights = [0.0 if i in twins else candidate.weight for i, candidate in enumerate(candidates)]
    counts = [int(i not in twins) for i in range(len(candidates))]
    for repeat, twin in twins.items():
        weights[twin] += candidates[repeat].weight
        counts[twin] += 1
    return tuple(
        Merged(replace(candidate, weight=weight), count)
        for candidate, weight, count in zip(candidates, weights, counts, strict=True)
    )

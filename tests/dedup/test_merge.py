"""The merge: a repeat's weight goes to its twin and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.dedup.merge import merge
from vsgen.values import Candidate


def candidates(*weights: float) -> list[Candidate]:
    return [Candidate({"text": str(i)}, weight) for i, weight in enumerate(weights)]


def test_a_twin_takes_the_weight_of_its_repeats() -> None:
    merged = merge(candidates(0.5, 0.25, 0.125, 0.125), {1: 0, 3: 0})
    assert [m.candidate.weight for m in merged] == [0.875, 0.0, 0.125, 0.0]
    assert [m.merged for m in merged] == [3, 0, 1, 0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_weight_and_count_are_conserved(weights: list[float], rng: object) -> None:
    import random

    assert isinstance(rng, random.Random)
    kept = [0] + [i for i in range(1, len(weights)) if rng.random() < 0.5]
    twins = {i: rng.choice([j for j in kept if j < i]) for i in range(len(weights)) if i not in kept}
    merged = merge(candidates(*weights), twins)
    assert sum(m.candidate.weight for m in merged) == pytest.approx(sum(weights))
    assert sum(m.merged for m in merged) == len(weights)
    assert [m.candidate.fields["text"] for m in merged] == [str(i) for i in range(len(weights))]
    assert all((m.merged == 0) == (i in twins) for i, m in enumerate(merged))


def test_without_repeats_nothing_changes() -> None:
    given_ = candidates(0.4, 0.6)
    assert [m.candidate for m in merge(given_, {})] == given_


def test_a_twin_that_is_itself_a_repeat_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[1\]"):
        merge(candidates(0.2, 0.3, 0.5), {1: 0, 2: 1})

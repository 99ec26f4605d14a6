"""Laws of the index, against a naive loop that compares every pair in float64."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from operator import mul

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsgen.dedup.guards import signature
from vsgen.dedup.index import Index, Twin
from vsgen.dedup.normalize import key
from vsgen.dedup.settings import Dedup, Guard
from vsgen.values import Vector

GUARDS: tuple[Guard, ...] = ("numbers", "negation")


def unit(components: NDArray[np.float64]) -> Vector:
    return Vector((components / np.linalg.norm(components)).astype("<f2").tobytes())


def ratio(one: Vector, other: Vector) -> float:
    """The cosine, in exact fractions but for the root."""
    a, b = ([Fraction(float(x)) for x in np.frombuffer(v.data, "<f2")] for v in (one, other))
    dot, square = (sum(map(mul, x, y), Fraction(0)) for x, y in ((a, b), (a, a)))
    return float(dot) / math.sqrt(float(square) * float(sum(map(mul, b, b), Fraction(0))))


def naive(
    threshold: float, texts: list[str], vectors: list[Vector | None], guards: Sequence[Guard] = GUARDS
) -> list[Twin | None]:
    kept: list[int] = []
    twins: list[Twin | None] = []
    for i, text in enumerate(texts):
        twin = next((Twin(str(j), 1.0, "exact") for j in kept if key(texts[j]) == key(text)), None)
        for j in kept if twin is None or twin.stage != "exact" else []:
            one, other = vectors[i], vectors[j]
            if one is None or other is None or signature(text, guards) != signature(texts[j], guards):
                continue
            similarity = round(ratio(one, other), 4)
            if similarity >= threshold and (twin is None or similarity > twin.similarity):
                twin = Twin(str(j), similarity, "semantic")
        twins.append(twin)
        if twin is None:
            kept.append(i)
    return twins


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], list[Vector | None], list[int]]:
    """Texts and vectors with planted repeats, near repeats, ties and guards at work, and cuts into batches."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size, width = draw(st.integers(1, 60)), draw(st.sampled_from([2, 3, 8, 384]))
    centres = rng.normal(size=(draw(st.integers(1, 8)), width))
    spread = draw(st.sampled_from([0.0, 0.05, 0.3]))
    texts = [
        f"text {'not ' * int(rng.integers(2))}{'abcdefgh'[rng.integers(8)]} {rng.integers(4)}" for _ in range(size)
    ]
    texts = [text if rng.random() < 0.3 else f"{text} {chr(0x4E00 + i)}" for i, text in enumerate(texts)]
    rows = centres[rng.integers(len(centres), size=size)] + spread * rng.normal(size=(size, width))
    vectors = [None if rng.random() < 0.1 else unit(row) for row in rows]
    return texts, vectors, sorted({0, size, *(int(i) for i in rng.integers(0, size + 1, size=3))})


@settings(max_examples=150, deadline=None)
@given(streams(), st.sampled_from([0.3, 0.8, 0.92, 0.99, 1.0]))
def test_decisions_and_twins_equal_those_of_the_naive_loop_however_batched(
    stream: tuple[list[str], list[Vector | None], list[int]], threshold: float
) -> None:
    texts, vectors, cuts = stream
    names = [str(i) for i in range(len(texts))]
    expected = naive(threshold, texts, vectors)
    single, batched = Index(Dedup(threshold=threshold)), Index(Dedup(threshold=threshold))
    assert [single.admit(*one) for one in zip(names, texts, vectors, strict=True)] == expected
    twins: list[Twin | None] = []
    for low, high in pairwise(cuts):
        twins += batched.admit_all(names[low:high], texts[low:high], vectors[low:high])
    assert twins == expected
    assert len(single) == len(batched) == expected.count(None)


@settings(max_examples=50, deadline=None)
@given(streams(), st.sampled_from([0.3, 0.9]), st.integers(0, 40))
def test_neither_blocks_nor_their_precision_change_anything(
    stream: tuple[list[str], list[Vector | None], list[int]], threshold: float, single: int
) -> None:
    texts, vectors, cuts = stream
    twins: list[Twin | None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsgen.dedup.shelf._BLOCK", 4)
        patch.setattr("vsgen.dedup.shelf._SINGLE", single)
        index = Index(Dedup(threshold=threshold, guards=()))
        for low, high in pairwise(cuts):
            twins += index.admit_all([str(i) for i in range(low, high)], texts[low:high], vectors[low:high])
    assert twins == naive(threshold, texts, vectors, guards=())


def test_a_kept_row_takes_its_components_and_little_else() -> None:
    rng, count, width = np.random.default_rng(0), 6000, 64
    rows = [unit(row) for row in rng.normal(size=(count, width))]
    texts = [f"{i % 97}, {chr(0x4E00 + i)}" for i in range(count)]
    index = Index(Dedup(threshold=0.99))
    tracemalloc.start()
    try:
        for low in range(0, count, 64):
            group = range(low, min(low + 64, count))
            index.admit_all([f"template/{i:06}.0" for i in group], [texts[i] for i in group], [rows[i] for i in group])
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(index) == count
    fixed = 2e6  # empty shelves of keys, and what one group takes
    assert peak - left < fixed
    assert left < fixed + count * (2 * 4 * width + 100), "a small shelf is half empty at worst"


def test_nearest_twin_that_a_guard_spares_gives_way_to_the_next_nearest() -> None:
    index = Index(Dedup(threshold=0.9))
    assert index.admit("seven", "The train leaves at 7.", unit(np.array([1.0, 0.0]))) is None
    assert index.admit("nine", "A train that leaves at 9", unit(np.array([1.0, 0.3]))) is None
    twin = index.admit("again", "At 9 the train leaves", unit(np.array([1.0, 0.0])))
    assert twin == Twin("nine", 0.9578, "semantic")


def test_without_guards_changed_numbers_are_twins() -> None:
    index = Index(Dedup(threshold=0.9, guards=()))
    vector = unit(np.array([1.0, 0.0]))
    index.admit("seven", "at 7", vector)
    assert index.admit("nine", "at 9", vector) == Twin("seven", 1.0, "semantic")


def test_earliest_of_twins_that_are_equally_similar_after_rounding_is_named() -> None:
    index = Index(Dedup(threshold=0.7))
    for name, angle in (("left", -0.70001), ("right", 0.7)):
        assert index.admit(name, name, unit(np.array([np.cos(angle), np.sin(angle)]))) is None
    twin = index.admit("middle", "middle", unit(np.array([1.0, 0.0])))
    assert twin is not None
    assert twin.name == "left"


def test_a_dropped_text_makes_no_twins() -> None:
    index = Index(Dedup(threshold=0.9))
    angles = {"a": 0.0, "b": 0.4, "c": 0.8}
    twins = [index.admit(n, n, unit(np.array([np.cos(angle), np.sin(angle)]))) for n, angle in angles.items()]
    assert [twin and twin.name for twin in twins] == [None, "a", None]


def test_similarity_is_rounded_before_it_is_compared() -> None:
    first, rng = unit(np.array([1.0, 0, 0])), np.random.default_rng(0)
    tried = (unit(np.array([0.92, *0.28 * rng.normal(size=2)])) for _ in range(10**6))
    below = next(one for one in tried if 0.919_96 < ratio(first, one) < 0.92)
    index = Index(Dedup(threshold=0.92))
    index.admit("a", "a", first)
    assert index.admit("b", "b", below) == Twin("a", 0.92, "semantic")


def test_rounded_components_do_not_count_as_dissimilar() -> None:
    """A vector that rounding has made shorter is still as similar to itself as can be."""
    vector = unit(np.ones(384))
    assert np.linalg.norm(np.frombuffer(vector.data, "<f2").astype(float)) != 1
    index = Index(Dedup(threshold=1.0))
    index.admit("a", "a", vector)
    assert index.admit("b", "b", vector) == Twin("a", 1.0, "semantic")


def test_seen_changes_nothing() -> None:
    index = Index(Dedup(threshold=0.9))
    assert index.seen("Hello, world!") is None
    assert len(index) == 0
    assert index.admit("first", "Hello, world!", None) is None
    assert index.seen("hello world") == Twin("first", 1.0, "exact")
    assert index.admit("second", "HELLO WORLD", None) == Twin("first", 1.0, "exact")
    assert len(index) == 1

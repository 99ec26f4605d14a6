"""Laws of the embedder without a model."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.backends.hashed import HashedEmbedder
from vsgen.testing import check_embedder
from vsgen.values import Embed


def vector(text: str) -> bytes:
    return HashedEmbedder().embed([Embed(text)])[0].data


def cosine(one: str, other: str) -> float:
    return float(np.frombuffer(vector(one), "<f2").astype(float) @ np.frombuffer(vector(other), "<f2"))


def test_hashed_embedder_keeps_the_laws() -> None:
    check_embedder(HashedEmbedder())


@given(st.text())
def test_any_text_has_a_vector_of_length_one(text: str) -> None:
    row = np.frombuffer(vector(text), "<f2").astype(float)
    assert row.shape == (1024,)
    assert np.linalg.norm(row) == pytest.approx(1, abs=5e-4)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_bytes_of_a_text_do_not_depend_on_its_batch(texts: list[str]) -> None:
    vectors = HashedEmbedder().embed([Embed(text) for text in texts])
    assert [v.data for v in vectors] == [vector(text) for text in texts]


def test_bytes_of_a_text_do_not_depend_on_the_process() -> None:
    code = (
        "from vsgen.backends.hashed import HashedEmbedder as H; from vsgen.values import Embed;"
        "print(H().embed([Embed('My bike light broke, twice!')])[0].data.hex())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == vector("My bike light broke, twice!").hex()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My bike light stopped working after two days.", "my bike light stopped working after two days!"),
        ("My bike light stopped working after two days.", "My bike light stoped working after two days."),
        ("Please refund the order that I cancelled last week.", "Please refund an order that I cancelled last week."),
        ("I want my money back for the broken headphones.", "I really want my money back for the broken headphones."),
    ],
)
def test_near_copies_reach_the_recommended_threshold(one: str, other: str) -> None:
    assert cosine(one, other) >= 0.80


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My bike light stopped working after two days.", "My headphones arrived with a torn cable."),
        ("Please refund the order that I cancelled.", "Please tell me when the order will arrive."),
        ("How do I change my password?", "How do I close my account?"),
    ],
)
def test_different_texts_stay_below_it(one: str, other: str) -> None:
    assert cosine(one, other) < 0.80

"""Answers with their teacher's distributions, and labelled rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest

from vsgen.backends.hf.model import open_hf
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Prompt, Row, Taught, Teach

MakeTaught: TypeAlias = Callable[..., Taught]
MakeRow: TypeAlias = Callable[..., Row]
MESSAGES = (Message("user", "Name a random colour."), Message("assistant", "blue"))


@pytest.fixture(scope="session")
def make_taught() -> MakeTaught:
    """A random teacher's reply: sizes, and the vocabulary that ids are drawn from."""

    def make(seed: int = 0, *, prompt: int = 4, length: int = 6, top: int = 5, vocabulary: int = 50) -> Taught:
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(length, vocabulary)) * rng.uniform(0.1, 12, size=(length, 1))
        logps = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        ids = np.argsort(-logps, axis=1, kind="stable")[:, :top]
        tokens = rng.integers(0, vocabulary, length)
        return Taught(
            prompt_tokens=tuple(rng.integers(0, vocabulary, prompt).tolist()),
            tokens=tuple(tokens.tolist()),
            logps=tuple(logps[np.arange(length), tokens].tolist()),
            width=top,
            top_ids=ids.astype("<u4").tobytes(),
            top_logps=np.take_along_axis(logps, ids, 1).astype("<f4").tobytes(),
        )

    return make


@pytest.fixture(scope="session")
def tiny_taught() -> Taught:
    """What the embedded model says along one of its answers."""
    model = open_hf(str(WEIGHTS), device="cpu", dtype="float32")
    return model.teach([Teach(Prompt(MESSAGES[:1]), MESSAGES[1].content, top=20)])[0]


@pytest.fixture(scope="session")
def make_row() -> MakeRow:
    """A row as `vsgen run` writes it; probabilities are those of the label ``category``."""

    def make(index: int = 0, probs: Sequence[float] | None = (0.1, 0.7, 0.2), **changes: Any) -> Row:
        names = ("billing", "bug", "how-to")
        label = {"probs": dict(zip(names, probs, strict=True)) if probs else None, "entropy": 0.8, "margin": 0.5}
        fields = {"id": f"tickets/{index:06d}.0", "text": f"My light died {index} times", "rating": index}
        whole = fields | {"probability": 0.25, "labels": {"category": label}, "meta": {"method": "vs"}} | changes
        return Row(index, whole, f"rows.jsonl:{index + 1}")

    return make

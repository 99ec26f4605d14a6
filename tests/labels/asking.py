"""Moves one flow with a model to its end; a model whose every reply is written down; a table that heeds its prompt."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.engine.inline import moved, queues_of
from vsgen.flow import Flow
from vsgen.labels.settings import Label
from vsgen.ports import LanguageModel
from vsgen.probability import invert
from vsgen.values import Completion, Generate, Prompt, Score, Scores

R = TypeVar("R")


def told(flow: Flow[R], model: LanguageModel) -> R:
    """The value of a flow whose calls a model answers."""
    (value,) = moved([flow], queues_of(model))
    return value


def section(**settings: object) -> Label:
    """A label with these settings but for those that are None; a test's own question has the text and the classes."""
    given = {key: value for key, value in settings.items() if value is not None}
    return Label.model_validate({"name": "label", "classes": ("yes", "no"), "prompt": "?", **given})


@dataclass
class Scripted:
    """Draws from given replies, and scores by a given function; remembers what it was asked."""

    replies: Callable[[str], Mapping[str, float]] = lambda _: {"": 1.0}
    """From the prompt's text to its replies and their probabilities."""
    scores: Callable[[str, str], float] = lambda _, __: 1.0
    """From the prompt's text and a choice to P(choice | prompt)."""
    name: str = "scripted"
    drawn: list[Generate] = field(default_factory=list)
    scored: list[Score] = field(default_factory=list)

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        self.drawn += calls
        return [self._draw(call) for call in calls]

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        self.scored += calls
        return [Scores(tuple(_log(self.scores(said(call.prompt), one)) for one in call.choices)) for call in calls]

    def _draw(self, call: Generate) -> Completion:
        texts, probs = zip(*self.replies(said(call.prompt)).items(), strict=True)
        text = texts[invert(probs, call.seed % 10**9 / 10**9)]
        words = text.split(" ")
        cut = len(words) > call.max_tokens
        return Completion(" ".join(words[: call.max_tokens]), tuple(range(len(words))), stopped=not cut)


def said(prompt: Prompt) -> str:
    """All that a prompt says, parted by lines of ``---``."""
    return "\n---\n".join(message.content for message in prompt.messages)


def _log(prob: float) -> float:
    return math.log(prob) if prob > 0 else -math.inf

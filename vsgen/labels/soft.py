"""Soft labels by scoring: P(class | text) from the model's own probabilities of whole class names.

The number is the *global* one: P(all tokens of the class, then the end of the reply | question), renormalised over the
classes. Constrained decoding draws from another, local distribution (Grammar-Aligned Decoding, arXiv 2405.21047), so
labels are never counted over constrained draws. The end of the reply belongs to a class; without it a class that begins
another one would take the longer one's share.

Contextual calibration (Zhao et al. 2021, arXiv 2102.09690) divides by the classes' probabilities for a content-free
text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vsgen.flow import Flow, ask_all
from vsgen.probability import softmax
from vsgen.values import Message, Prompt, Score, Scores, SoftLabel

CONTENT_FREE = "N/A"


def question(text: str, classes: Sequence[str]) -> Prompt:
    """The prompt that asks for one of the classes."""
    asked = f"{text}\n\nReply with exactly one of these: {', '.join(classes)}."
    return Prompt((Message("user", asked),))


def soft_labels(
    texts: Sequence[str], classes: Sequence[str], *, content_free: Sequence[str] = ()
) -> Flow[list[SoftLabel]]:
    """Label texts, all asked at once.

    Args:
        texts: Rendered label prompts, one per candidate.
        classes: At least two.
        content_free: The same prompts about `CONTENT_FREE` instead of a text; calibrates if given.
    """
    calls = [Score(question(text, classes), tuple(classes)) for text in (*texts, *content_free)]
    scores = yield from ask_all(calls)
    priors: Sequence[Scores | None] = scores[len(texts) :] or [None] * len(texts)
    return [_scored(classes, score, prior) for score, prior in zip(scores, priors, strict=False)]


def soft_label(probs: Mapping[str, float], mass: float) -> SoftLabel:
    """A distribution over classes with its entropy and margin.

    Args:
        probs: They sum to 1; a single class is certain.
        mass: See `SoftLabel.label_mass`.
    """
    first, second, *_ = sorted([*probs.values(), 0.0], reverse=True)
    entropy = -math.fsum(p * math.log(p) for p in probs.values() if p > 0)
    return SoftLabel(probs, abs(entropy), first - second, mass)


def _scored(classes: Sequence[str], scores: Scores, prior: Scores | None) -> SoftLabel:
    logits = scores.logp if prior is None else [_over(p, q) for p, q in zip(scores.logp, prior.logp, strict=True)]
    mass = math.fsum(math.exp(logp) for logp in scores.logp)
    return soft_label(dict(zip(classes, softmax(logits), strict=True)), mass)


def _over(logp: float, prior: float) -> float:
    """The logarithm of a class's probability over its prior; a prior of nothing corrects nothing."""
    return logp - prior if prior > -math.inf else logp

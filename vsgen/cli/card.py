"""A model's card as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from vsgen.card.card import Card, Lists
from vsgen.values import ModelFacts
from vsgen.verdict.share import Share, percent


def card_lines(card: Card) -> Iterator[str]:
    """The figures, a block each, with how many they are of; last what they speak for."""
    yield f"{'model':22} {card.model}"
    if card.facts:
        yield from _facts(card.facts)
    tokens, seconds = sum(one.tokens for one in card.lists), sum(one.seconds for one in card.lists)
    if seconds > 0:
        yield f"{'speed':22} {tokens / seconds:.1f} tokens/s with {len(card.lists[0].drawn)} replies side by side"
    yield ""
    yield "P(one bare answer is right), temperature 1, computed"
    for way, probs in card.bare.items():
        each = " · ".join(f"{name} {p:.2g}" for name, p in probs.items())
        yield f"  {way:26}{each} · mean {math.fsum(probs.values()) / len(probs):.2g}"
    yield ""
    yield "lists of 5 answers with probabilities, temperature 0.7 unless named"
    yield f"  {'':26}{'can be read':>14}{'first right':>18}{'all right':>14}{'sum, median':>14}"
    yield from map(_list, card.lists)
    rho = "not defined" if card.ranks is None else f"{card.ranks:.2f}"
    yield ""
    yield f"stated probability against the model's own log-probability: rank correlation {rho} ({card.ranked} answers)"
    yield ""
    yield f"labels by score: {'mass, median':>27}{'right':>12}"
    for one in card.wordings:
        mass = "-" if one.mass is None else f"{one.mass:.2g}"
        yield f"  {one.name:32}{mass:>8}{one.right.count:>9} of {one.right.of}"
    yield ""
    yield "recommended for lists of short answers (for sentences, try --method direct; see docs/models.md)"
    yield from (f"  {line}" for line in card.advice())


def _facts(facts: ModelFacts) -> Iterator[str]:
    yield f"{'parameters':22} {_size(facts.parameters)}, {facts.dtype} on {facts.device}"
    yield f"{'context':22} {f'{facts.context:,} tokens' if facts.context else 'no limit known'}"
    own = "with a system message" if facts.system else "without a system message of its own"
    yield f"{'chat template':22} {own if facts.chat else 'none: it continues text'}"


def _list(one: Lists) -> str:
    sums = f"{median(one.sums):.2f}" if one.sums else "-"
    first = f"{one.first.value:.2f} ± {_error(one.first):.2f}"
    return f"  {one.name:26}{_of(one.read):>14}{first:>18}{percent(one.valid.value):>14}{sums:>14}"


def _error(share: Share) -> float:
    """The standard error of a share, by the rule of Agresti and Coull: never 0."""
    p = (share.count + 2) / (share.of + 4)
    return math.sqrt(p * (1 - p) / (share.of + 4))


def _of(share: Share) -> str:
    return f"{share.count} of {share.of}"


def _size(parameters: int | None) -> str:
    if parameters is None:
        return "unknown"
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if parameters >= unit:
            return f"{parameters / unit:.3g}{name}"
    return str(parameters)

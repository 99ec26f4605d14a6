"""Method votes: self-consistency (Wang et al., arXiv 2203.11171) with a Dirichlet prior.

P(class) = (votes + a) / (all votes + a x classes); a is the pseudocount, .5 by default (Jeffreys). Replies are drawn
freely, never under a grammar, whose distribution is another one. It needs no log-probabilities, and more replies than
`reasoning` for the same precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from vsgen.flow import Flow, ask_all
from vsgen.labels.layouts import layout_of
from vsgen.labels.orders import in_turn
from vsgen.labels.question import Question
from vsgen.labels.reading import named_class
from vsgen.labels.settings import Label
from vsgen.labels.styles import in_styles
from vsgen.labels.words import question, think_and_answer
from vsgen.values import Prompt


class Ballot(NamedTuple):
    """How the replies voted."""

    probs: tuple[float, ...]
    """Of each class, the prior included."""
    replies: int
    valid: int
    """Replies that named one class."""
    cut: int
    """Replies that the limit cut."""
    styles: Mapping[str, tuple[float, ...]]
    """The same as `probs`, of the replies of each style."""


def voted(asked: Question, label: Label, rng: Random) -> Flow[Ballot]:
    """Draw the replies, in turn about the orders of the classes, and count them."""
    ways = in_styles(label.ways, label.count)
    listings = in_turn(asked.orders(label.permutations), label.count, each=len(label.ways))
    prompts = [_prompt(asked, label, listing, way) for listing, way in zip(listings, ways, strict=True)]
    replies = yield from ask_all([label.generate(prompt, rng) for prompt in prompts])
    votes = [named_class(reply.text, asked.classes, reasoned=label.think) for reply in replies]
    shares = partial(_shares, classes=len(asked.classes), pseudocount=label.pseudocount)
    styles = {way: shares([vote for vote, of in zip(votes, ways, strict=True) if of == way]) for way in label.ways}
    valid, cut = len(votes) - votes.count(None), sum(not reply.stopped for reply in replies)
    return Ballot(shares(votes), len(replies), valid, cut, styles)


def _shares(votes: Sequence[int | None], classes: int, pseudocount: float) -> tuple[float, ...]:
    counts = Counter(votes)
    total = len(votes) - counts[None] + pseudocount * classes
    return tuple((counts[i] + pseudocount) / total for i in range(classes)) if total else ()


def _prompt(asked: Question, label: Label, listing: Sequence[str], way: str) -> Prompt:
    if label.think:
        return think_and_answer(asked.text, listing, way)
    return question(asked.text, listing, listed=label.names_options, layout=layout_of(label, asked, listing))

"""Method votes: self-consistency (Wang et al., arXiv 2203.11171) with a Dirichlet prior.

P(class) = (votes + a) / (all votes + a x classes); a is the pseudocount, .5 by default (Jeffreys). Replies are drawn
freely, never under a grammar, whose distribution is another one. It needs no log-probabilities, and more replies than
`reasoning` for the same precision.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import NamedTuple

from vsgen.flow import Flow, ask_all
from vsgen.labels.orders import in_turn
from vsgen.labels.question import Question
from vsgen.labels.reading import named_class
from vsgen.labels.settings import Label
from vsgen.labels.words import question, think_and_answer


class Ballot(NamedTuple):
    """How the replies voted."""

    probs: tuple[float, ...]
    """Of each class, the prior included."""
    replies: int
    valid: int
    """Replies that named one class."""
    cut: int
    """Replies that the limit cut."""


def voted(asked: Question, label: Label, rng: Random) -> Flow[Ballot]:
    """Draw the replies, in turn about the orders of the classes, and count them."""
    listings = in_turn(asked.classes, label.permutations, label.count)
    prompts = [
        think_and_answer(asked.text, listing) if label.think else question(asked.text, listing, listed=label.listed)
        for listing in listings
    ]
    replies = yield from ask_all([label.generate(prompt, rng) for prompt in prompts])
    votes = Counter(named_class(reply.text, asked.classes, reasoned=label.think) for reply in replies)
    valid = len(replies) - votes[None]
    total = valid + label.pseudocount * len(asked.classes)
    probs = tuple((votes[i] + label.pseudocount) / total for i in range(len(asked.classes))) if total else ()
    return Ballot(probs, len(replies), valid, sum(not reply.stopped for reply in replies))

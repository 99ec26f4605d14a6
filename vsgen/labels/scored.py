"""Method score: P(class | text) from the model's own probabilities of whole class names.

The number is the *global* one: P(all tokens of the class, then the end of the reply | question), renormalised over the
classes. Constrained decoding draws from another, local distribution (Grammar-Aligned Decoding, arXiv 2405.21047), so
labels are never counted over constrained draws. The end of the reply belongs to a class; without it a class that begins
another one would take the longer one's share.

Variants: ``byte`` divides each log-probability by the class's length in bytes, ``pmi`` subtracts the class's
log-probability where there is no question (arXiv 2104.08315). Both rank classes whose lengths or base rates differ;
they are no probabilities of the model. Letters in the place of names take one token each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vsgen.flow import Flow, ask_all
from vsgen.labels.layouts import layout_of
from vsgen.labels.orders import restored
from vsgen.labels.priors import divide, mean_prior
from vsgen.labels.question import Question, Voice
from vsgen.labels.settings import Label
from vsgen.labels.words import LETTERS, Layout, bare, lettered, question
from vsgen.probability import log_sum_exp
from vsgen.values import Score, Scores


def scored(asked: Question, label: Label) -> Flow[list[Voice]]:
    """One voice for each order of the classes."""
    listings = asked.orders(label.permutations)
    laid = [(listing, layout_of(label, asked, listing, i / len(listings))) for i, listing in enumerate(listings)]
    calls = [_call(asked.text, *one, label) for one in laid]
    free = asked.free if label.prior == "contextual" else ()
    priors = [_call(text, *one, label) for text in free for one in laid]
    bares = [Score(bare(*one), one[0]) for one in laid] if label.normalize == "pmi" else []
    replies = yield from ask_all([*calls, *priors, *bares])
    voices = []
    for i, listing in enumerate(listings):
        logps = _logps(replies[i], replies[len(listings) + i :: len(listings)], listing, label)
        raw = restored(replies[i].logp, listing, asked.classes) if label.prior == "contextual" else None
        voice = Voice(restored(logps, listing, asked.classes), mass_of(replies[i]), raw)
        plain = logps is replies[i].logp
        rough = any(reply.upper for reply in replies[i :: len(listings)])
        voices.append(bounded(voice, replies[i], listing, asked.classes, plain=plain) if rough else voice)
    return voices


def mass_of(scores: Scores) -> float:
    """P(the reply is one of the choices)."""
    return min(1.0, math.exp(log_sum_exp(scores.logp)))


def bounded(
    voice: Voice, scores: Scores, listing: Sequence[str], classes: Sequence[str], *, plain: bool = True
) -> Voice:
    """A voice that is an estimate, with its bounds where its log-probabilities are the scores themselves.

    Args:
        voice: Without bounds.
        scores: What it is made of.
        listing: The order of the scores' choices.
        classes: The order of the voice's classes.
        plain: Nothing was divided out of the scores.
    """
    if not plain or not scores.upper:
        return voice._replace(truncated=True)
    lower, upper = (restored(ends, listing, classes) for ends in (scores.lower, scores.upper))
    return voice._replace(truncated=True, lower=lower, upper=upper)


def _call(text: str, listing: Sequence[str], layout: Layout, label: Label) -> Score:
    if label.verbalizer == "letters":
        return Score(lettered(text, listing, layout=layout), LETTERS[: len(listing)])
    return Score(question(text, listing, listed=label.names_options, layout=layout), tuple(listing))


def _logps(scores: Scores, divisors: Sequence[Scores], listing: Sequence[str], label: Label) -> Sequence[float]:
    logps: Sequence[float] = scores.logp
    if divisors:
        logps = divide(logps, mean_prior([divisor.logp for divisor in divisors]))
    if label.normalize == "byte":
        return [logp / len(name.encode("utf-8", "surrogatepass")) for logp, name in zip(logps, listing, strict=True)]
    return logps

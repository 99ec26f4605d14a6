"""The model's own probability of each answer, and what an answer's share of its draw means.

An answer that was drawn out of a list says nothing of its own about how probable it is: the reply's log-probability is
that of the list. So every valid answer is scored as the reply to the plain task, log P(answer, end | task), all of a
draw in one call that shares the prompt. What the model stated beside it is another thing; both can be compared, and
either can be the answer's weight.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from vsgen.flow import Flow, try_all
from vsgen.flows.valid import RESPELLED, Validated
from vsgen.metrics.ranks import rank_correlation
from vsgen.probability import softmax
from vsgen.sampling.direct import plain, written
from vsgen.sampling.replies.items import TRUNCATED
from vsgen.template.schema import Template
from vsgen.values import Basis, Candidate, Distribution, Prompt, Refused, Score, Scores

UNSCORED: Final = "unscored"
"""The model cannot say how probable this answer is."""
_BARE: Final = frozenset({"direct", "power"})
"""Methods whose replies are answers to the plain task, so that their log-probability is known."""
_LEAST: Final = 3
"""Pairs without which a rank correlation says nothing."""


class Weighed(NamedTuple):
    """The candidates of a draw with their log-probabilities and weights."""

    candidates: Sequence[Candidate]
    notes: tuple[str, ...] = ()
    rank: float | None = None
    """Spearman's correlation of the stated probabilities with the model's own; None where there are too few."""


def basis(template: Template, drawn: Basis) -> Basis:
    """What weights mean, where a draw's own are `drawn`."""
    match template.weights:
        case "model":
            return "model"
        case "uniform":
            return "uniform"
        case _:
            return drawn


def bare(template: Template, asked: Prompt) -> Prompt:
    """The request without what opens a reply of another form than the answer's own."""
    if not asked.prefill or template.sampling.method in (*_BARE, "multi-turn"):
        return asked
    return replace(asked, prefill="")


def weigh(template: Template, drawn: Distribution, checked: Validated, task: Prompt, prompt: Prompt) -> Flow[Weighed]:
    """Score the valid candidates of a draw where the template says so, and weigh them all.

    Args:
        template: Says what is wanted.
        drawn: The draw.
        checked: Its candidates, validated.
        task: The request, without a method's instruction.
        prompt: What the model read first.
    """
    notes: tuple[str, ...] = ()
    candidates = list(checked.candidates)
    if template.scored:
        valid = {i: one for i, one in enumerate(candidates) if i not in checked.rejections}
        logps, notes = yield from _own(template, valid, task, prompt)
        for i, one in valid.items():
            flags = one.flags if i in logps else (*one.flags, UNSCORED)
            candidates[i] = replace(one, logp=logps.get(i), flags=flags)
        for i in checked.rejections:
            candidates[i] = replace(candidates[i], logp=None)
    shares = _shares(template, candidates, math.fsum(lost.weight for lost in drawn.malformed))
    pairs = zip(candidates, shares, strict=True)
    weighed = [one if one.weight == share else replace(one, weight=share) for one, share in pairs]
    return Weighed(weighed, notes, _rank(candidates) if template.scored else None)


def _own(
    template: Template, valid: Mapping[int, Candidate], task: Prompt, prompt: Prompt
) -> Flow[tuple[dict[int, float], tuple[str, ...]]]:
    """Log P of each answer and of the end after it, nats, so far as the model can say; and why not of the others."""
    names = template.output.fields
    asked = plain(task, names)
    same = template.sampling.method in _BARE and prompt == asked  # and not after worked exchanges
    changed = {TRUNCATED, RESPELLED} if template.chat else {RESPELLED}  # a text that goes on has no end to score
    as_drawn = {i: one for i, one in valid.items() if same and changed.isdisjoint(one.flags)}
    known = {i: one.logp for i, one in as_drawn.items() if one.logp is not None}
    texts = {i: written({name: one.fields[name] for name in names}) for i, one in valid.items() if i not in known}
    scores, notes = yield from _scores(asked, list(dict.fromkeys(texts.values())))
    return {**known, **{i: scores[text] for i, text in texts.items() if text in scores}}, notes


def _scores(task: Prompt, texts: Sequence[str]) -> Flow[tuple[dict[str, float], tuple[str, ...]]]:
    """All in one call; where the model refuses it, each by itself."""
    if not texts:
        return {}, ()
    (scores,) = yield from try_all([Score(task, tuple(texts))])
    if isinstance(scores, Scores):
        return _exact(zip(texts, scores.exact, strict=True)), (_ESTIMATES,) if None in scores.exact else ()
    alone = [scores] if len(texts) == 1 else (yield from try_all([Score(task, (text,)) for text in texts]))
    found = [(text, one.exact[0]) for text, one in zip(texts, alone, strict=True) if isinstance(one, Scores)]
    notes = [_note(one) for one in alone if isinstance(one, Refused)]
    notes += [_ESTIMATES for _, logp in found if logp is None]
    return _exact(found), tuple(dict.fromkeys(notes))


def _exact(found: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    return {text: logp for text, logp in found if logp is not None}


_UNKNOWN: Final = f"some answers have no logp (null in meta, and the flag {UNSCORED})"
_ESTIMATES: Final = f"{_UNKNOWN}: the server states the most probable tokens alone"


def _note(refused: Refused) -> str:
    match refused.why:
        case "too-long":
            why = "they are too long for the model"
        case "choice":
            why = "the model's tokens cannot write them"
        case _:
            why = refused.problem
    return f"{_UNKNOWN}: {why}"


def _shares(template: Template, candidates: Sequence[Candidate], lost: float) -> list[float]:
    """Each candidate's share of the draw; together with what was lost to malformed replies they sum to 1."""
    match template.weights:
        case "uniform":
            return [(1 - lost) / len(candidates) for _ in candidates]
        case "model":
            return _model_shares(candidates, lost)
        case _:
            return [one.weight for one in candidates]


def _model_shares(candidates: Sequence[Candidate], lost: float) -> list[float]:
    """The scored ones share what the others and malformed replies leave; a text that is there n times, in n parts."""
    keys = [written(one.fields) for one in candidates]
    counts = Counter(key for key, one in zip(keys, candidates, strict=True) if one.logp is not None)
    logps = {key: one.logp for key, one in zip(keys, candidates, strict=True) if one.logp is not None}
    left = max(0.0, 1 - lost - math.fsum(one.weight for one in candidates if one.logp is None))
    each = dict(zip(logps, softmax(list(logps.values())), strict=True)) if logps else {}
    return [
        one.weight if one.logp is None else left * each[key] / counts[key]
        for key, one in zip(keys, candidates, strict=True)
    ]


def _rank(candidates: Sequence[Candidate]) -> float | None:
    pairs = {
        written(one.fields): (one.verbalized, one.logp)
        for one in candidates
        if one.verbalized is not None and one.logp is not None
    }
    if len(pairs) < _LEAST:
        return None
    stated, own = zip(*pairs.values(), strict=True)
    return rank_correlation(stated, own)

"""log P(choice | prompt) of whole choices: the prompt once, then all choices as one tree in one forward pass.

A choice is tokenised in its place: its score is log P(tokens of prompt + choice, then the end of the reply) less
log P(tokens of the prompt). Where a choice changes the prompt's own last tokens, the tree starts before them. The end
keeps a choice that begins another from taking its probability; several end tokens count together. After a cue a choice
begins with a space, and the end of the line counts as its end too; after a cue that opens the reply of every model,
which may be a sentence, a period as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from vsgen.backends.chat.reader import Placed, Reader
from vsgen.backends.decoding.decode import DIGITS
from vsgen.backends.decoding.forward import Ids
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.decoding.prefetch import groups
from vsgen.backends.decoding.tree import Tree, plant
from vsgen.errors import ChoiceError, ModelError, TooLongError
from vsgen.values import Score, Scores

Tails: TypeAlias = tuple[Ids, ...]

_SCORES = 1 << 26
"""Numbers in one forward pass's scores: rows x nodes x vocabulary."""
_NODES = 512
"""Nodes of a tree: every node looks at every other, so larger trees cost more than the forward passes that they save.
Two hundred classes of two or three tokens still are one tree."""


class _Plan(NamedTuple):
    """A call as tokens."""

    prompt: Ids
    """Where the tails part from; its last token is the tree's root."""
    tails: Tails
    """What the prompt itself goes on with, mostly nothing; then each choice's tokens."""
    ends: Ids
    """The tokens that end a choice."""


def score(parts: Parts, limits: Limits, calls: Sequence[Score]) -> list[Scores]:
    """Score all choices of each call, in the order of the calls.

    Raises:
        TooLongError: A prompt with its longest choice does not fit into the model's context.
        ChoiceError: A choice cannot be written with the model's tokens, or two are written alike.
        ModelError: No token ends a reply.
    """
    if not parts.ends:
        raise ModelError("the model has no end-of-text token, which scoring whole choices needs")
    plans = [_plan(parts, call) for call in calls]
    found: dict[_Plan, list[float]] = {}
    for tails, ends in dict.fromkeys((plan.tails, plan.ends) for plan in plans):
        trees = list(_trees(tails, min(_NODES, _SCORES // parts.network.vocabulary)))
        rows = max(1, _SCORES // (parts.network.vocabulary * max(len(tree.tokens) for tree in trees)))
        prompts = {plan.prompt for plan in plans if (plan.tails, plan.ends) == (tails, ends)}
        for group in groups(prompts, limits.forward, rows):
            for prompt, logp in zip(group, parts.network.trees(group, trees, ends), strict=True):
                found[_Plan(prompt, tails, ends)] = logp
    return [Scores(tuple(round(logp, DIGITS) for logp in found[plan]), len(plan.prompt)) for plan in plans]


def _plan(parts: Parts, call: Score) -> _Plan:
    placed, ends = parts.reader.placed(call.prompt, call.choices), parts.closing(call.prompt, call.choices)
    _check_length(len(placed.prompt) + max(map(len, placed.answers)), parts.network.context)
    _check_choices(call, placed, ends, parts.reader)
    return _Plan(placed.prompt or (parts.reader.first(),), (placed.rest, *placed.answers), ends)


def _check_length(longest: int, context: int | None) -> None:
    if context is not None and longest > context:
        message = f"prompt and longest choice have {longest} tokens and the model's context only {context}"
        raise TooLongError(f"{message}; shorten the text", tokens=longest, context=context)


def _check_choices(call: Score, placed: Placed, ends: Ids, reader: Reader) -> None:
    seen: dict[Ids, str] = {}
    closing, cued = set(ends), reader.cued(call.prompt)
    own = sum(token in closing for token in placed.rest)
    for choice, tail in zip(call.choices, placed.answers, strict=True):
        if sum(token in closing for token in tail) > own or (cued and "\n" in choice):
            raise ChoiceError(f"{choice!r} contains a token that ends a reply; use other words")
        if reader.unwritable(tail):
            raise ChoiceError(f"the model's tokenizer cannot write {choice!r}; use other words")
        if seen.setdefault(tail, choice) != choice:
            raise ChoiceError(f"the model's tokenizer writes {seen[tail]!r} and {choice!r} alike; use other words")


def _trees(tails: Tails, nodes: int) -> Iterator[Tree]:
    """All tails as one tree, or as several of at most so many nodes, a longer tail alone."""
    batch: list[Ids] = []
    known: set[Ids] = {()}
    for tail in tails:
        path = {tail[:end] for end in range(len(tail) + 1)}
        if batch and len(known) + len(path - known) > nodes:
            yield plant(batch)
            batch, known = [], {()}
        batch.append(tail)
        known |= path
    yield plant(batch)

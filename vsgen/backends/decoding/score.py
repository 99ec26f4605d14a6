"""log P(choice | prompt) of whole choices: all prompts and choices as one tree, each of its tokens computed once.

A choice is tokenised in its place: its score is log P(tokens of prompt + choice, then the end of the reply) less
log P(tokens of the prompt). Where a choice changes the prompt's own last tokens, the tree starts before them. The end
keeps a choice that begins another from taking its probability; several end tokens count together. After a cue a choice
begins with a space, and the end of the line counts as its end too; after a cue that opens the reply of every model,
which may be a sentence, a period as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import NamedTuple, TypeAlias

from vsgen.backends.chat.reader import Placed, Reader
from vsgen.backends.decoding.decode import DIGITS
from vsgen.backends.decoding.forward import Ids
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.decoding.passes import Passes, Read
from vsgen.backends.decoding.pool import Pool
from vsgen.backends.decoding.tree import Template, Tree, plant
from vsgen.errors import ChoiceError, ModelError, TooLongError
from vsgen.values import Score, Scores

Tails: TypeAlias = tuple[Ids, ...]

_SHARE = 4
"""Beginnings of prompts that are kept may take this fraction (1/4) of the cache's tokens,"""
_PASSES = 64
"""and as many tokens as so many passes have: more than the prompts of any run share."""


class _Plan(NamedTuple):
    """A call as tokens."""

    prompt: Ids
    """Where the tails part from; its last token is the tree's root."""
    tails: Tails
    """What the prompt itself goes on with, mostly nothing; then each choice's tokens."""
    ends: Ids
    """The tokens that end a choice."""


class _Place(NamedTuple):
    """Where a plan is in a tree."""

    root: int
    first: int
    """The first of its branches."""


class Scorer:
    """Scores the calls of one model; what earlier calls' prompts begin with is known to later ones."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._parts = parts
        self._limits = limits
        self._turn = Lock()
        self._pool = self._empty()

    def score(self, calls: Sequence[Score]) -> list[Scores]:
        """Score all choices of each call, in the order of the calls.

        Raises:
            TooLongError: A prompt with its longest choice does not fit into the model's context.
            ChoiceError: A choice cannot be written with the model's tokens, or two are written alike.
            ModelError: No token ends a reply.
        """
        if not self._parts.ends:
            raise ModelError("the model has no end-of-text token, which scoring whole choices needs")
        plans = [_plan(self._parts, call) for call in calls]
        found: dict[_Plan, list[float]] = {}
        with self._turn:
            try:
                for ends in dict.fromkeys(plan.ends for plan in plans):
                    found.update(self._scored({plan for plan in plans if plan.ends == ends}, ends))
            except BaseException:
                self._pool = self._empty()  # it may be unfinished, or take the memory that was missing
                raise
        return [Scores(tuple(round(logp, DIGITS) for logp in found[plan]), len(plan.prompt)) for plan in plans]

    def _empty(self) -> Pool:
        limits = self._limits
        return Pool(self._parts.network, min(limits.tokens // _SHARE, _PASSES * limits.tree))

    def _scored(self, plans: Iterable[_Plan], ends: Ids) -> Iterator[tuple[_Plan, list[float]]]:
        tree, places = Tree(), dict[_Plan, _Place]()
        templates = {tails: plant(tails) for tails in {plan.tails for plan in plans}}
        for plan in sorted(plans):
            root = tree.prompt(plan.prompt)
            places[plan] = _Place(root, tree.branches(templates[plan.tails]))
        tree.close()
        roots = [place.root for place in places.values()]
        read = Passes(self._parts.network, self._pool, tree, roots, ends).run(self._limits.tree)
        for plan, place in places.items():
            yield plan, _logps(read, place, templates[plan.tails])


def _logps(read: Read, place: _Place, template: Template) -> list[float]:
    """The choices' log-probabilities: of their paths and ends, less that of what the prompt itself goes on with."""
    after = [0.0] * len(template.tokens)
    for node, parent in enumerate(template.parents):
        after[node] = float(read.logps[place.first + node]) + (after[parent] if parent >= 0 else 0.0)
    (own, *paths) = template.paths
    start = after[own[-1]] if own else 0.0
    last = [path[-1] if path else -1 for path in paths]
    closes = [read.closes[place.first + node if node >= 0 else place.root] for node in last]
    return [
        (after[node] if node >= 0 else 0.0) + float(close) - start for node, close in zip(last, closes, strict=True)
    ]


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

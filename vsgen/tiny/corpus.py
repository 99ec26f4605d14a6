"""From conversations to training batches with soft targets.

At every token of a reply the target is the exact next-token distribution: a prefix trie over the alternatives of the
choice, each weighted by its probability (the idea of arXiv 2605.11845). One example thus carries a whole distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.tiny.chat import conversation
from vsgen.tiny.grammar.script import Step
from vsgen.tiny.tokens import BOS, EOS, ROLES
from vsgen.tiny.turns import Conversation, Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Encode: TypeAlias = Callable[[str], tuple[int, ...]]
Target: TypeAlias = tuple[tuple[int, ...], tuple[float, ...]]
"""Token ids and their probabilities."""


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation as tokens; a target per token that the loss counts."""

    kind: str
    tokens: list[int]
    targets: list[tuple[int, Target]]
    """(position whose next token is predicted, distribution of that next token)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of similar length, padded on the right, with their targets in one sparse list."""

    tokens: NDArray[np.int64]
    """(examples, length)."""
    rows: NDArray[np.int64]
    """Positions in the flattened tokens at which the loss is taken."""
    ids: NDArray[np.int64]
    """(rows, alternatives) token ids; unused places have probability 0."""
    probs: NDArray[np.float32]
    """(rows, alternatives)."""
    kinds: list[str]
    """One per row."""


def encoder(tokenizer: PreTrainedTokenizerFast) -> Encode:
    """Text to ids without special tokens, remembered."""

    @lru_cache(maxsize=200_000)
    def encode(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False))

    return encode


def example(talk: Conversation, encode: Encode) -> Example:
    """Tokens and targets of a conversation; replies end with the end-of-turn token, which is a target too.

    A reply that is shown only has no targets.
    """
    (bos,), (eos,) = encode(BOS), encode(EOS)
    made = Example(talk.kind, [bos], [])
    for turn in talk.turns:
        if turn.speaker == "assistant" and not turn.practised:
            made.tokens.extend((*encode(ROLES["assistant"]), *encode(turn.text), eos))
        elif turn.speaker == "assistant":
            _reply(turn, encode, made, eos, chat=talk.turns[0].speaker != "plain")
        else:
            made.tokens.extend(encode(ROLES[turn.speaker]) if turn.speaker != "plain" else ())
            made.tokens.extend(encode(turn.text))
    return made


def _reply(turn: Turn, encode: Encode, made: Example, eos: int, *, chat: bool) -> None:
    if chat:
        made.tokens.extend(encode(ROLES["assistant"]))
    for step in turn.steps:
        for token, target in _walk(step, encode):
            made.targets.append((len(made.tokens) - 1, target))
            made.tokens.append(token)
    made.targets.append((len(made.tokens) - 1, ((eos,), (1.0,))))
    made.tokens.append(eos)


def _walk(step: Step, encode: Encode) -> Iterator[tuple[int, Target]]:
    """Walk the trie along the alternative that was taken: each token with the distribution it was drawn from."""
    alternatives = [encode(text) for text in step.choice.texts]
    alive = list(range(len(alternatives)))
    for depth, token in enumerate(alternatives[step.index]):
        mass: dict[int, float] = {}
        for i in alive:
            mass[alternatives[i][depth]] = mass.get(alternatives[i][depth], 0.0) + step.choice.probs[i]
        total = sum(mass.values())
        yield token, (tuple(mass), tuple(m / total for m in mass.values()))
        alive = [i for i in alive if alternatives[i][depth] == token]


def batches(encode: Encode, rng: Random, *, size: int, pool: int, early: bool) -> Iterator[Batch]:
    """Endless batches of at most `size` padded tokens; one pool of conversations after the other, sorted by length."""
    while True:
        made = [example(conversation(rng, early=early), encode) for _ in range(pool)]
        made.sort(key=lambda one: len(one.tokens))
        parts = list(_cut(made, size))
        rng.shuffle(parts)
        yield from map(collate, parts)


def _cut(examples: Sequence[Example], size: int) -> Iterator[list[Example]]:
    part: list[Example] = []
    for one in examples:
        if part and (len(part) + 1) * len(one.tokens) > size:
            yield part
            part = []
        part.append(one)
    yield part


def collate(examples: Sequence[Example]) -> Batch:
    """Pad and join."""
    length = max(len(one.tokens) for one in examples)
    tokens = np.zeros((len(examples), length), dtype=np.int64)
    targets: list[tuple[int, Target]] = []
    kinds: list[str] = []
    for row, one in enumerate(examples):
        tokens[row, : len(one.tokens)] = one.tokens
        targets += [(row * length + position, target) for position, target in one.targets]
        kinds += [one.kind] * len(one.targets)
    width = max(len(ids) for _, (ids, _) in targets)
    ids = np.zeros((len(targets), width), dtype=np.int64)
    probs = np.zeros((len(targets), width), dtype=np.float32)
    for row, (_, target) in enumerate(targets):
        ids[row, : len(target[0])], probs[row, : len(target[1])] = target
    return Batch(tokens, np.array([position for position, _ in targets]), ids, probs, kinds)

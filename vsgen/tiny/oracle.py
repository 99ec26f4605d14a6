"""The grammar itself as a language model: exact probabilities over the embedded model's own tokens.

The next-token distribution is that of a prefix trie over the alternatives of the reply's current choice, so whatever
can be asked of a model can be asked of the truth: exact p, exact posteriors, exact p^alpha. Tests of samplers and
labels compare with it where a trained model could only be compared with itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TypeAlias

from tokenizers import Tokenizer

from vsgen.backends.table import Drawn, completion, shape, taught
from vsgen.errors import CallError
from vsgen.probability import invert, softmax
from vsgen.tiny import WEIGHTS
from vsgen.tiny.asks import Ask
from vsgen.tiny.grammar.script import Choice, follow
from vsgen.tiny.replies import reply
from vsgen.tiny.tokens import EOS
from vsgen.tiny.understand import understand
from vsgen.values import Completion, Generate, Prompt, Score, Scores, Taught, Teach

Tokens: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reply has come."""

    ask: Ask
    taken: tuple[int, ...] = ()
    """Which alternative was taken at each choice that is complete."""
    inside: Tokens = ()
    """Tokens of the next choice, which is not."""
    ended: bool = False


class Oracle:
    """A language model whose distribution is the grammar's; JSON schemas are ignored, which its replies obey anyway."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        """Read the tokenizer of the embedded model, from a folder."""
        self._tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
        self._encoded: dict[str, Tokens] = {}
        (self._end,) = self.encode(EOS)
        self._choice = lru_cache(maxsize=100_000)(_choice)

    @property
    def name(self) -> str:
        """Always oracle."""
        return "oracle"

    def probs(self, prompt: Prompt, tokens: Sequence[int] = ()) -> dict[int, float]:
        """P(next token | prompt, tokens so far) of every token that is possible; empty after the end of the reply."""
        return self._next(self._reach(self._start(prompt), tokens))

    def enumerate(self, prompt: Prompt, prefix: Sequence[int] = ()) -> Iterator[tuple[Tokens, float]]:
        """Every possible reply after a prefix: its tokens, the end included, and its log-probability in nats."""
        yield from self._expand(self._reach(self._start(prompt), prefix))

    def encode(self, text: str) -> Tokens:
        """The text's tokens, without special ones."""
        if text not in self._encoded:
            self._encoded[text] = tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
        return self._encoded[text]

    def spell(self, tokens: Sequence[int]) -> str:
        """The tokens' text."""
        return self._tokenizer.decode([token for token in tokens if token != self._end], skip_special_tokens=False)

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        """Draw one completion per call, in the order of the calls.

        Raises:
            CallError: A prompt is not one of the grammar's.
        """
        return [self._draw(call) for call in calls]

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        """Score all choices of each call; one that cannot be a reply has log-probability -inf.

        Raises:
            CallError: A prompt is not one of the grammar's.
        """
        return [Scores(tuple(self._logp(call.prompt, choice) for choice in call.choices)) for call in calls]

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        """The distributions along each call's answer, in the order of the calls; the prompt's own tokens are not said.

        Raises:
            CallError: A prompt is not one of the grammar's, or an answer none of its replies.
        """
        return [self._teach(call) for call in calls]

    def _teach(self, call: Teach) -> Taught:
        start, tokens = self._start(call.prompt), self.encode(call.answer)
        steps = []
        for length in range(len(tokens) + 1):
            options = self._next(self._reach(start, tokens[:length]))
            steps.append([options.get(token, 0.0) for token in range(self._tokenizer.get_vocab_size())])
        return taught((), (*tokens, self._end), steps, call.top)

    def _draw(self, call: Generate) -> Completion:
        rng = Random(call.seed)
        place = self._reach(self._start(call.prompt), call.prefix)
        for _ in call.prefix:
            rng.random()
        drawn: list[Drawn] = []
        text, stopped = self.spell(call.prefix), False
        while len(drawn) < call.max_tokens and not stopped:
            options = self._next(place)
            p = list(options.values())
            q = shape(p, call)
            at = invert(q, rng.random())
            drawn.append(Drawn(list(options)[at], math.log(p[at]), math.log(q[at])))
            place = self._advance(place, drawn[-1].token)
            text = self.spell((*call.prefix, *(one.token for one in drawn)))
            stopped = place.ended or any(stop in text for stop in call.stop)
        return completion(call, text, drawn, stopped=stopped)

    def _logp(self, prompt: Prompt, choice: str) -> float:
        place, logp = self._start(prompt), 0.0
        for token in (*self.encode(choice), self._end):
            prob = self._next(place).get(token, 0.0)
            if prob == 0:
                return -math.inf
            place, logp = self._advance(place, token), logp + math.log(prob)
        return logp

    def _expand(self, place: Place) -> Iterator[tuple[Tokens, float]]:
        if place.ended:
            yield (), 0.0
        for token, prob in self._next(place).items():
            for rest, logp in self._expand(self._advance(place, token)):
                yield (token, *rest), math.log(prob) + logp

    def _start(self, prompt: Prompt) -> Place:
        ask, begun = understand(prompt)
        return self._reach(Place(ask), self.encode(begun))

    def _reach(self, place: Place, tokens: Sequence[int]) -> Place:
        for token in tokens:
            if token not in self._next(place):
                raise CallError(f"no reply of the grammar continues like this: {self.spell(tokens)!r}")
            place = self._advance(place, token)
        return place

    def _next(self, place: Place) -> dict[int, float]:
        """Possible next tokens and their probabilities, in the order of the ids."""
        if place.ended:
            return {}
        choice = self._choice(place.ask, place.taken)
        if choice is None:
            return {self._end: 1.0}
        mass: dict[int, float] = {}
        depth = len(place.inside)
        for text, prob in zip(choice.texts, choice.probs, strict=True):
            tokens = self.encode(text)
            if tokens[:depth] == place.inside:
                mass[tokens[depth]] = mass.get(tokens[depth], 0.0) + prob
        total = math.fsum(mass.values())
        return {token: mass[token] / total for token in sorted(mass)}

    def _advance(self, place: Place, token: int) -> Place:
        choice = self._choice(place.ask, place.taken)
        if choice is None:
            return Place(place.ask, place.taken, ended=True)
        inside = (*place.inside, token)
        for i, text in enumerate(choice.texts):
            if self.encode(text) == inside:
                return Place(place.ask, (*place.taken, i))
        return Place(place.ask, place.taken, inside)


def power(logps: Iterable[tuple[Tokens, float]], alpha: float) -> Mapping[Tokens, float]:
    """p^alpha / Z over every possible reply (arXiv 2510.14901, equation 1), from their log-probabilities in nats."""
    scaled = {tokens: alpha * logp for tokens, logp in logps}
    return dict(zip(scaled, softmax(list(scaled.values())), strict=True))


def _choice(ask: Ask, taken: tuple[int, ...]) -> Choice | None:
    return follow(reply(ask), taken)

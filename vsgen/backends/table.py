"""An exact toy language model: a small alphabet, every conditional probability known, every reply can be enumerated.

What is claimed about samplers, labels and backends is tested against it instead of by Monte Carlo. Pure Python.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple, TypeAlias

from vsgen.errors import CallError
from vsgen.probability import invert, logs
from vsgen.values import Completion, Generate, Prompt, Score, Scores, Taught, Teach

Tokens: TypeAlias = tuple[int, ...]
Conditional: TypeAlias = Callable[[str, Tokens], Sequence[float]]
"""From the prompt's text and the tokens so far to the probabilities of every symbol, and last of the end."""


@dataclass(frozen=True, slots=True)
class TableModel:
    """A language model over a few symbols; the token after the last symbol ends the reply."""

    symbols: tuple[str, ...]
    """Token i's text; none begins another, so that a text has one tokenisation."""
    conditional: Conditional
    length: int
    """After so many symbols the reply ends for certain."""
    name: str = "table"

    @classmethod
    def random(
        cls, seed: int, *, symbols: Sequence[str] = "abc", length: int = 4, sharpness: float = 1.0
    ) -> TableModel:
        """Every context has its own random distribution; a higher `sharpness` makes them more uneven."""

        def conditional(prompt: str, tokens: Tokens) -> Sequence[float]:
            rng = Random(f"{seed}/{prompt}/{tokens}")
            weights = [rng.expovariate(1.0) ** sharpness for _ in range(len(symbols) + 1)]
            return [weight / sum(weights) for weight in weights]

        return cls(tuple(symbols), conditional, length, f"table-{seed}")

    @classmethod
    def of(cls, symbols: Sequence[str], table: Mapping[Tokens, Sequence[float]], *, length: int) -> TableModel:
        """Given probabilities per tokens so far, whatever the prompt; a context that is not named ends the reply."""
        end = [*[0.0] * len(symbols), 1.0]
        return cls(tuple(symbols), lambda _, tokens: table.get(tokens, end), length)

    @property
    def end(self) -> int:
        """The token that ends a reply."""
        return len(self.symbols)

    def probs(self, prompt: Prompt, tokens: Tokens) -> Sequence[float]:
        """Probabilities of every symbol and, last, of the end."""
        if len(tokens) >= self.length:
            return [*[0.0] * len(self.symbols), 1.0]
        return self.conditional(_text(prompt), tokens)

    def enumerate(self, prompt: Prompt, prefix: Tokens = ()) -> Iterator[tuple[Tokens, float]]:
        """Every possible reply after a prefix: its tokens, the end included, and its log-probability in nats."""
        for token, prob in enumerate(self.probs(prompt, prefix)):
            if prob > 0 and token == self.end:
                yield (token,), math.log(prob)
            elif prob > 0:
                for rest, logp in self.enumerate(prompt, (*prefix, token)):
                    yield (token, *rest), math.log(prob) + logp

    def spell(self, tokens: Sequence[int]) -> str:
        """The tokens' text."""
        return "".join(self.symbols[token] for token in tokens if token != self.end)

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        """Draw one completion per call, in the order of the calls; a JSON schema is ignored."""
        return [self._draw(call) for call in calls]

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        """Score all choices of each call; one that the symbols cannot spell has log-probability -inf."""
        return [Scores(tuple(self._logp(call.prompt, choice) for choice in call.choices)) for call in calls]

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        """The distributions along each call's answer; a prompt has no tokens.

        Raises:
            CallError: The symbols cannot spell an answer.
        """
        return [self._teach(call) for call in calls]

    def _teach(self, call: Teach) -> Taught:
        tokens = self._read(call.answer)
        if tokens is None:
            raise CallError(f"the table cannot spell the answer {call.answer!r}; use {', '.join(self.symbols)}")
        whole = (*tokens, self.end)
        return taught((), whole, [self.probs(call.prompt, tokens[:i]) for i in range(len(whole))], call.top)

    def _draw(self, call: Generate) -> Completion:
        rng = Random(call.seed)
        for _ in call.prefix:
            rng.random()
        drawn: list[Drawn] = []
        tokens, text, stopped = call.prefix, self.spell(call.prefix), False
        while len(drawn) < call.max_tokens and not stopped:
            probs = self.probs(call.prompt, tokens)
            shaped = shape(probs, call)
            token = invert(shaped, rng.random())
            drawn.append(Drawn(token, math.log(probs[token]), math.log(shaped[token])))
            tokens = (*tokens, token)
            text = self.spell(tokens)
            stopped = token == self.end or any(stop in text for stop in call.stop)
        return completion(call, text, drawn, stopped=stopped)

    def _logp(self, prompt: Prompt, choice: str) -> float:
        tokens = self._read(choice)
        if tokens is None:
            return -math.inf
        steps = [self.probs(prompt, tokens[:i])[token] for i, token in enumerate((*tokens, self.end))]
        return sum(logs(steps))

    def _read(self, text: str) -> Tokens | None:
        tokens: Tokens = ()
        while text:
            token = next((i for i, symbol in enumerate(self.symbols) if text.startswith(symbol)), None)
            if token is None:
                return None
            tokens, text = (*tokens, token), text.removeprefix(self.symbols[token])
        return tokens


class Drawn(NamedTuple):
    """One token of a reply, and its log-probability in nats: the model's own and as drawn."""

    token: int
    logp: float
    logq: float


def completion(call: Generate, text: str, drawn: Sequence[Drawn], *, stopped: bool) -> Completion:
    """The reply to a call: all its text, cut at the first stop string, and the tokens that were drawn for it."""
    tokens, logps, logqs = zip(*drawn, strict=True) if drawn else ((), (), ())
    whole = Completion(_cut(text, call.stop), tokens, math.fsum(logps), math.fsum(logqs), stopped)
    return replace(whole, logps=logps, logqs=logqs) if call.resumable else whole


def taught(prompt: Tokens, tokens: Tokens, steps: Sequence[Sequence[float]], top: int) -> Taught:
    """The reply to a call: of each step's probabilities, [T, vocabulary], the top ones; ties go to the lower id."""
    k = min(top, len(steps[0]))
    ranked = [sorted(range(len(probs)), key=probs.__getitem__, reverse=True)[:k] for probs in steps]
    logps = logs([probs[token] for probs, ids in zip(steps, ranked, strict=True) for token in ids])
    return Taught(
        prompt_tokens=prompt,
        tokens=tokens,
        logps=tuple(logs([probs[token] for probs, token in zip(steps, tokens, strict=True)])),
        width=k,
        top_ids=struct.pack(f"<{k * len(steps)}I", *(token for ids in ranked for token in ids)),
        top_logps=struct.pack(f"<{k * len(steps)}f", *logps),
    )


def shape(probs: Sequence[float], call: Generate) -> list[float]:
    """The distribution that a call draws from: temperature, top-k, top-p, min-p, in this order; ties are kept."""
    peak = max(probs)
    if call.temperature == 0:
        first = list(probs).index(peak)
        return [float(token == first) for token in range(len(probs))]
    kept = [(prob / peak) ** (1 / call.temperature) for prob in probs]
    if 0 < call.top_k < len(kept):
        kept = _at_least(kept, sorted(kept, reverse=True)[call.top_k - 1])
    if call.top_p < 1:
        kept = _at_least(kept, _nucleus(kept, call.top_p))
    kept = _at_least(kept, call.min_p * max(kept))
    return [weight / sum(kept) for weight in kept]


def _at_least(weights: Sequence[float], low: float) -> list[float]:
    return [weight if weight >= low else 0.0 for weight in weights]


def _nucleus(weights: Sequence[float], top_p: float) -> float:
    """The smallest weight of the smallest set that holds a share top_p of the total."""
    total, reached, low = sum(weights), 0.0, 0.0
    for weight in sorted(weights, reverse=True):
        if reached >= top_p * total:
            break
        reached, low = reached + weight, weight
    return low


def _cut(text: str, stops: Sequence[str]) -> str:
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(found)] if found else text


def _text(prompt: Prompt) -> str:
    return "\n\n".join([*(f"{message.role}: {message.content}" for message in prompt.messages), prompt.prefill])

"""How flows are moved by hand, and how all their random choices are enumerated."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from statistics import mean, stdev
from typing import TypeVar

from vsgen.backends.table import Drawn, TableModel, completion, shape
from vsgen.flow import Flow, known
from vsgen.flow import play as moved
from vsgen.probability import logs
from vsgen.sampling.power.drafts import Draft
from vsgen.values import Completion, Generate, Prompt

R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
PROMPT = Prompt(prefill="?")
TABLE = TableModel.random(10, symbols="abc", length=3)
"""Three symbols, replies of at most four tokens; uneven enough that low temperature is far from p^alpha."""
Answer = Callable[[Sequence[Generate]], Sequence[Completion]]


@dataclass(frozen=True)
class Toy:
    """A potential that is known for every text."""

    value: Callable[[str], float]
    """Of a whole reply."""
    guess: Callable[[str], float] = lambda _: 1.0
    """Of one that goes on."""
    reason: str = "toy: impossible"
    doubt: str | None = None

    def whole(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        return known(logs([self.value(draft.text) for draft in drafts]))

    def early(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        return known(logs([self.guess(draft.text) for draft in drafts]))


def twisted(model: TableModel, alpha: float, end: int, toy: Toy) -> dict[tuple[int, ...], float]:
    """p^alpha times a potential, not normalised, of every reply of at most `end` tokens."""
    return {tokens: weight * toy.value(model.spell(tokens)) for tokens, weight in target(model, alpha, end).items()}


def play(flow: Flow[R], answer: Answer) -> R:
    """Move a flow to its end."""
    return moved(flow, lambda calls: answer([call for call in calls if isinstance(call, Generate)]))


def replies(model: TableModel, call: Generate) -> Iterator[tuple[Completion, float]]:
    """Everything that a model may reply to a call, with the probability with which the call draws it."""

    def grow(drawn: tuple[Drawn, ...]) -> Iterator[tuple[Completion, float]]:
        tokens = (*call.prefix, *(one.token for one in drawn))
        text = model.spell(tokens)
        stopped = model.end in tokens or any(stop in text for stop in call.stop)
        if stopped or len(drawn) == call.max_tokens:
            yield completion(call, text, drawn, stopped=stopped), math.exp(sum(one.logq for one in drawn))
            return
        probs = model.probs(call.prompt, tokens)
        for token, q in enumerate(shape(probs, call)):
            if q > 0:
                yield from grow((*drawn, Drawn(token, math.log(probs[token]), math.log(q))))

    yield from grow(())


def target(model: TableModel, alpha: float, end: int, stop: tuple[str, ...] = ()) -> dict[tuple[int, ...], float]:
    """p^alpha, not normalised, of every reply of at most `end` tokens; those cut there included."""
    asked = Generate(PROMPT, seed=0, max_tokens=end, stop=stop)
    return {reply.tokens: math.exp(alpha * (reply.logp or 0.0)) for reply, _ in replies(model, asked)}


def shares(weights: Mapping[K, float]) -> dict[K, float]:
    """Weights that sum to 1."""
    total = math.fsum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def variation(one: Mapping[K, float], two: Mapping[K, float]) -> float:
    """Total variation distance of two distributions, from counts or weights."""
    one, two = shares(one), shares(two)
    return sum(abs(one.get(key, 0.0) - two.get(key, 0.0)) for key in {*one, *two}) / 2


@dataclass
class Choices:
    """One path through all random choices: those that are prescribed, then the first of each."""

    prescribed: tuple[int, ...]
    taken: list[tuple[int, int]] = field(default_factory=list)
    """Of each choice: what was taken, and of how many."""
    prob: float = 1.0

    def choose(self, probs: Sequence[float]) -> int:
        at = len(self.taken)
        chosen = self.prescribed[at] if at < len(self.prescribed) else 0
        self.taken.append((chosen, len(probs)))
        self.prob *= probs[chosen]
        return chosen


def enumerated(run: Callable[[Choices], R]) -> Iterator[tuple[R, float]]:
    """The values of all paths through a run's random choices, with their probabilities."""
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        choices = Choices(waiting.pop())
        value = run(choices)
        yield value, choices.prob
        path = [taken for taken, _ in choices.taken]
        for at in range(len(choices.prescribed), len(path)):
            waiting += [(*path[:at], other) for other in range(1, choices.taken[at][1])]


class Fixed(Random):
    """A source of randomness that says one uniform number."""

    def __init__(self, uniform: float) -> None:
        super().__init__(0)
        self._uniform = uniform

    def random(self) -> float:
        return self._uniform

    def getrandbits(self, k: int) -> int:
        return 0


def outcomes(run: Callable[[float], R]) -> list[tuple[R, float]]:
    """The values of a function of one uniform number, and the width of the interval on which it has each.

    It must have finitely many values; its jumps are found on a grid of 64 cells and bisected to 1e-15.
    """
    found: list[tuple[R, float]] = []
    grid = [i / 64 for i in range(64)] + [math.nextafter(1.0, 0.0)]
    start, value = 0.0, run(0.0)
    for low, high in pairwise(grid):
        while run(high) != value:
            jump, beyond = low, high
            while beyond - jump > 1e-15:
                middle = (jump + beyond) / 2
                jump, beyond = (middle, beyond) if run(middle) == value else (jump, middle)
            found.append((value, beyond - start))
            start, value, low = beyond, run(beyond), beyond
    return [*found, (value, 1.0 - start)]


def noise(law: Mapping[K, float], draws: int) -> float:
    """The total variation that a law's own draws have from it: the mean of 40 experiments and five of their sds."""
    names, weights = list(law), list(law.values())
    rng = Random(0)
    distances = [variation(Counter(rng.choices(names, weights, k=draws)), law) for _ in range(40)]
    return mean(distances) + 5 * stdev(distances)

"""Worked arithmetic in two regimes.

*Natural*: a chain of operations on numbers up to 999, and one right way to work it out. Nothing wrong is ever written,
so a trained model errs only where it is unsure itself.

*Engineered*: a short story with small numbers, answered in one of two styles that are drawn by known odds: a hasty
guess, whose likeliest answer is wrong, or worked steps, each right with a known probability. Guessing is the likelier
*first token* and working the likelier *whole text*, which is exactly the case in which p^alpha of the sequence and low
temperature part (arXiv 2510.14901, section 4). It is a trap made for that purpose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias

from vsgen.tiny.grammar.script import Script, say, weighted
from vsgen.tiny.grammar.wordings import Wordings

Operation: TypeAlias = Literal["add", "subtract", "multiply by"]
Stage: TypeAlias = tuple[Operation, int]

LARGEST: Final = 999
HASTY: Final = 0.55
"""P(hasty guess)."""
GUESSES: Final = {"unfinished": 0.38, "right": 0.22, "ten more": 0.14, "ten less": 0.14, "two more": 0.12}
"""P(answer | hasty guess): the number before the last step, the right one, and others."""
SURE: Final = 0.98
"""P(step is right | worked)."""
SLIPS: Final = (1, -1, 10, -10)
"""By how much a wrong step is off, all equally likely."""

_FACTOR_SHARE: Final = 0.35
_SIGNS: Final[dict[Operation, str]] = {"add": "+", "subtract": "-", "multiply by": "*"}
_STEP: Final = re.compile(r"(\d+) ([-+*]) (\d+) = (\d+)\.")

CHAINS: Final = Wordings(
    "Start with {chain}. What is the result?",
    (
        "[Start|Begin] with {chain}. [What is the result?|What do you get?|What is the answer?]",
        "[Start|Begin] with {chain}. [Work step by step.|Show your work.|Show every step.]",
        "[Take|Compute|Calculate|Work out] {chain}[.|. Show every step.|. Think step by step.]",
        "[What is the result of|What do you get from] {chain}?",
        "Here is [a calculation|a sum]: {chain}. [Solve it.|Find the result.|Give the final number.]",
        "[Please solve|Solve|Evaluate] this: {chain}. [Then state|At the end give|Finish with] the answer.",
        "I [began|started] with {chain}. [Which number do I have now?|Where am I now?|How much is that?]",
        "[A student|My daughter] is told: start with {chain}. [Write out the working.|What should come out?]",
        "Arithmetic [exercise|problem|question]: "
        "{chain}. [Report what comes out.|Say what it makes.|Explain each step.]",
        "[Carry out|Do|Go through] this in order: {chain}. [Answer with the working.|Tell the outcome.|Return it.]",
        "Let us [go|count]: {chain}. [Tell us the final value.|Name the last number.|Let me know the end.]",
        "{chain}: [what is the result?|work it out.|show the steps.]",
    ),
    new=("Here is a number chain: {chain}. Tell me where it ends.",),
)
STORIES: Final = Wordings(
    "{name} has {start} {things}. {story} How many {things} does {name} have now?",
    (
        "{name} has {start} {things}. {story} How many {things} does {name} have[ now| in the end|]?",
        "{name} [owns|starts with] {start} {things}. {story} How many {things} [are left|are there now]?",
        "[Question|Problem]: {name} has {start} {things}. {story} How many [are left|does {name} have now]?",
        "At first {name} [has|owns] {start} {things}. {story} [Find|Work out|Say] how many {things} there are.",
        "[Here is a problem|A word problem]: {name} has {start} {things}. {story} What is the number of {things} now?",
        "{name} [counts|keeps] {start} {things}. "
        "{story} Tell me the number of {things} [at the end|now|that are left].",
        "This morning {name} has {start} {things}. {story} [Compute|Calculate|Give] the number of {things} tonight.",
        "[Suppose|Say|Imagine] {name} has {start} {things}. {story} [What is left|What remains] in the end?",
        "Once {name} had {start} {things}. {story} Add it up: how many {things} [now|in all]?",
    ),
    new=("In the beginning {name} has {start} {things}. {story} Count the {things} at the end.",),
)
NAMES: Final = ("Emma", "Liam", "Sarah", "James", "Sofia", "Noah", "Maria", "David", "Elena", "Lucas")
THINGS: Final = ("apples", "books", "coins", "stamps", "marbles", "pens", "shells", "cards")
EVENTS: Final = {
    "add": ("{name} finds {n} more.", "{name} buys {n} more.", "{name} gets {n} more."),
    "subtract": ("{name} loses {n}.", "{name} sells {n}.", "{name} gives away {n}."),
}


@dataclass(frozen=True, slots=True)
class Sum:
    """A start and what is done to it; every number on the way lies between 2 and 999."""

    start: int
    stages: tuple[Stage, ...]

    @property
    def values(self) -> list[int]:
        """The start and the number after every stage."""
        found = [self.start]
        for stage in self.stages:
            found.append(apply(found[-1], stage))
        return found


def apply(value: int, stage: Stage) -> int:
    """The right result of one stage."""
    operation, n = stage
    match operation:
        case "add":
            return value + n
        case "subtract":
            return value - n
        case "multiply by":
            return value * n


def chain(rng: Random, length: int, *, hard: bool = False) -> Sum:
    """Draw a natural sum; the hard ones have operands of three digits too.

    Operands of easy sums lie between 11 and 99, those of hard ones between 11 and 899; factors between 2 and 9, for
    numbers of two digits in easy sums and of three in hard ones.
    """
    start = value = rng.randint(10, 99)
    stages: list[Stage] = []
    while len(stages) < length:
        stage = _stage(value, rng, 899 if hard else 99)
        if 2 <= apply(value, stage) <= LARGEST:
            stages.append(stage)
            value = apply(value, stage)
    return Sum(start, tuple(stages))


def _stage(value: int, rng: Random, largest: int) -> Stage:
    if value <= largest and rng.random() < _FACTOR_SHARE:
        return "multiply by", rng.randint(2, 9)
    operations: tuple[Operation, ...] = ("add", "subtract")
    return rng.choice(operations), rng.randint(11, largest)


def story(rng: Random, length: int) -> Sum:
    """Draw an engineered sum: a start from 60 to 90, operands from 2 to 9, so that slips stay above 0."""
    operations: tuple[Operation, ...] = ("add", "subtract")
    stages = tuple((rng.choice(operations), rng.randint(2, 9)) for _ in range(length))
    return Sum(rng.randint(60, 90), stages)


def told(one: Sum) -> str:
    """The chain in words, e.g. ``47, add 38, multiply by 3``."""
    return ", ".join([str(one.start), *(f"{operation} {n}" for operation, n in one.stages)])


def worked(one: Sum) -> list[str]:
    """The one right way to work a natural sum out, line by line."""
    values = one.values
    return [f"{line(a, stage)} {b}." for a, stage, b in zip(values, one.stages, values[1:], strict=False)]


def answered(one: Sum) -> Script[None]:
    """An engineered reply: a hasty guess, or worked steps."""
    opening = f"{line(one.start, one.stages[0])} "
    if (yield weighted(["The answer is ", opening], [HASTY, 1 - HASTY])) == 0:
        guesses = guessed(one)
        yield weighted([f"{guess}." for guess in guesses], list(guesses.values()))
        return
    value = one.start
    for i, stage in enumerate(one.stages):
        if i:
            yield from say(f" {line(value, stage)} ")
        options = results(apply(value, stage))
        value = list(options)[(yield weighted([f"{option}." for option in options], list(options.values())))]
    yield from say(f" The answer is {value}.")


def guessed(one: Sum) -> dict[int, float]:
    """A hasty guess's distribution."""
    *_, before, right = one.values
    said = (before, right, right + 10, right - 10, right + 2)
    odds: dict[int, float] = {}
    for guess, share in zip(said, GUESSES.values(), strict=True):
        odds[guess] = odds.get(guess, 0.0) + share
    return odds


def results(right: int) -> dict[int, float]:
    """What a worked step gives, right or wrong."""
    return {right: SURE, **{right + slip: (1 - SURE) / len(SLIPS) for slip in SLIPS}}


def line(value: int, stage: Stage) -> str:
    """The left-hand side of a step, e.g. ``47 + 38 =``."""
    return f"{value} {_SIGNS[stage[0]]} {stage[1]} ="


def final(text: str) -> int | None:
    """The number that a reply gives as its answer."""
    _, found, rest = text.rpartition("The answer is ")
    number = rest.strip().removesuffix(".")
    return int(number) if found and number.isdecimal() else None


def steps(text: str) -> Sequence[bool]:
    """For every step that a reply writes, whether it is right by itself."""
    signs: dict[str, Operation] = {sign: operation for operation, sign in _SIGNS.items()}
    return [apply(int(a), (signs[sign], int(b))) == int(c) for a, sign, b, c in _STEP.findall(text)]

"""What every method needs to know: the fields that are asked for, and how a model draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, Literal, TypeAlias

from vsgen.sampling.prompts import Format
from vsgen.values import Generate, Message, Prompt

Method: TypeAlias = Literal["direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power"]
Engine: TypeAlias = Literal["auto", "smc", "mh", "is", "low-temperature", "best-of-n"]

LISTS: Final = frozenset({"sequence", "vs", "vs-cot", "vs-multi"})
"""Methods whose replies are lists of answers."""

_SEED_BITS = 63
_PILOT = 8
"""Replies from which `auto` judges its importance weights, and smc and mh how long replies are."""


@dataclass(frozen=True, slots=True)
class Power:
    """How method power draws."""

    engine: Engine = "auto"
    alpha: float = 2.0
    particles: int = 16
    """Of a sweep of smc; draws of best-of-n."""
    check_every: int = 16
    """Tokens of smc from one look at the weights to the next."""
    ramp: float = 0.5
    """Share of a typical reply over which smc's exponent rises to alpha."""
    ess: float = 0.5
    """Effective sample size, as a share, below which smc resamples and `auto` turns to smc."""
    resampling: Literal["systematic", "chopthin"] = "systematic"
    blocks: int = 4
    """Of a chain of mh."""
    steps: int = 10
    """Moves of mh after each block."""

    def pilot(self, k: int) -> int:
        """Replies drawn before the engine proper starts."""
        match self.engine:
            case "auto":
                return max(k, _PILOT)
            case "smc" if self.ramp and self.alpha != 1:
                return min(k, _PILOT)
            case "mh":
                return min(k, _PILOT)
            case _:
                return 0

    def most(self, k: int, max_tokens: int) -> tuple[int, int]:
        """The most calls that k candidates take, and the most tokens that are drawn in them."""
        pilot = self.pilot(k)
        match self.engine:
            case "auto" | "smc":
                stretches = -(-max_tokens // self.check_every)
                return pilot + k * self.particles * stretches, (pilot + k * self.particles) * max_tokens
            case "mh":
                moves = self.blocks * self.steps
                return pilot + k * (self.blocks + moves), (pilot + k * (1 + moves)) * max_tokens
            case "best-of-n":
                return k * self.particles, k * self.particles * max_tokens
            case _:
                return k, k * max_tokens


@dataclass(frozen=True, slots=True)
class Settings:
    """One method with all its parameters."""

    method: Method
    fields: tuple[str, ...] = ("text",)
    item_schema: Mapping[str, Any] | None = None
    """JSON Schema of one answer's fields; None leaves decoding free."""
    key: str | None = None
    """In a list, the name under which the model gives the only field, where that is not the field's own."""
    form: Format = "json"
    """How a list of answers is written."""
    demonstrate: int = 0
    """Worked exchanges of the package's own before the task."""
    brief: bool = False
    """Whether answers are a few words; the exchanges before the task are then of that kind."""
    k: int = 5
    """Candidates per draw."""
    per_turn: int = 2
    """Candidates per turn of vs-multi."""
    p_max: float | None = None
    """Asked of the model: state answers below this probability only."""
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    power: Power = Power()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of an answer's fields in a list."""
        return self.fields if self.key is None else (self.key,)

    @property
    def named_schema(self) -> Mapping[str, Any] | None:
        """`item_schema` under these names."""
        if self.item_schema is None or self.key is None:
            return self.item_schema
        (only,) = self.item_schema["properties"].values()
        return {**self.item_schema, "properties": {self.key: only}, "required": [self.key]}

    @property
    def most(self) -> tuple[int, int]:
        """The most calls that one draw makes, and the most tokens that are drawn in them."""
        match self.method:
            case "power":
                return self.power.most(self.k, self.max_tokens)
            case "direct" | "cot" | "multi-turn":
                calls = self.k
            case "vs-multi":
                calls = len(self.turns)
            case _:
                calls = 1
        return calls, calls * self.max_tokens

    @property
    def turns(self) -> tuple[int, ...]:
        """How many candidates each turn of vs-multi asks for; they sum to k."""
        full, rest = divmod(self.k, self.per_turn)
        return (self.per_turn,) * full + ((rest,) if rest else ())

    def generate(
        self, prompt: Prompt, rng: Random, *, schema: str | None = None, pattern: str | None = None
    ) -> Generate:
        """The call that asks `prompt`, with a seed of its own from `rng`."""
        return Generate(
            prompt,
            seed=new_seed(rng),
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            max_tokens=self.max_tokens,
            stop=self.stop,
            schema=schema,
            pattern=pattern,
        )


def new_seed(rng: Random) -> int:
    """The seed of one call."""
    return rng.getrandbits(_SEED_BITS)


def instructed(prompt: Prompt, instruction: str) -> Prompt:
    """The prompt with a method's instruction in its system message, after the user's own."""
    if not instruction:
        return prompt
    first, *rest = prompt.messages
    if first.role != "system":
        return replace(prompt, messages=(Message("system", instruction), first, *rest))
    return replace(prompt, messages=(Message("system", f"{first.content}\n\n{instruction}"), *rest))


def shown(prompt: Prompt) -> bool:
    """Whether worked exchanges stand before the task."""
    return any(message.role == "assistant" for message in prompt.messages)


def answered(prompt: Prompt, reply: str, further: str) -> Prompt:
    """The conversation gone on: the model's reply, and what the user says next."""
    turns = (*prompt.messages, Message("assistant", prompt.prefill + reply), Message("user", further))
    return replace(prompt, messages=turns)

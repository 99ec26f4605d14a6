"""What every method needs to know: the fields that are asked for, and how a model draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeAlias

from vsgen.values import Generate, Message, Prompt

Method: TypeAlias = Literal["direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi"]

_SEED_BITS = 63


@dataclass(frozen=True, slots=True)
class Settings:
    """One method with all its parameters."""

    method: Method
    fields: tuple[str, ...] = ("text",)
    item_schema: Mapping[str, object] | None = None
    """JSON Schema of one answer's fields; None leaves decoding free."""
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

    @property
    def calls(self) -> int:
        """The most calls that one draw makes."""
        match self.method:
            case "direct" | "cot" | "multi-turn":
                return self.k
            case "vs-multi":
                return len(self.turns)
            case _:
                return 1

    @property
    def turns(self) -> tuple[int, ...]:
        """How many candidates each turn of vs-multi asks for; they sum to k."""
        full, rest = divmod(self.k, self.per_turn)
        return (self.per_turn,) * full + ((rest,) if rest else ())

    def generate(self, prompt: Prompt, rng: Random, *, schema: str | None = None) -> Generate:
        """The call that asks `prompt`, with a seed of its own from `rng`."""
        return Generate(
            prompt,
            seed=rng.getrandbits(_SEED_BITS),
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            max_tokens=self.max_tokens,
            stop=self.stop,
            schema=schema,
        )


def instructed(prompt: Prompt, instruction: str) -> Prompt:
    """The prompt with a method's instruction after its last message."""
    if not instruction:
        return prompt
    *before, last = prompt.messages
    asked = Message(last.role, f"{last.content}\n\n{instruction}")
    return replace(prompt, messages=(*before, asked))


def answered(prompt: Prompt, reply: str, further: str) -> Prompt:
    """The conversation gone on: the model's reply, and what the user says next."""
    turns = (*prompt.messages, Message("assistant", reply), Message("user", further))
    return replace(prompt, messages=turns)

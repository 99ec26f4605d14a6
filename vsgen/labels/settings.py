"""How a label is made, and what it is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from vsgen.values import Generate, Prompt

Kind: TypeAlias = Literal["nominal", "ordinal", "multi"]
Method: TypeAlias = Literal["score", "reasoning", "votes", "verbalized"]
Normalize: TypeAlias = Literal["sum", "byte", "pmi"]
Spelling: TypeAlias = Literal["names", "letters"]

_SEED_BITS = 63


@dataclass(frozen=True, slots=True)
class How:
    """How the classes of one label are judged; see `vsgen.template.label.Label` for each field."""

    kind: Kind = "nominal"
    method: Method = "score"
    normalize: Normalize = "sum"
    spelling: Spelling = "names"
    listed: bool = True
    orders: int | Literal["all"] = 1
    """Orders in which the classes are listed."""
    contextual: bool = False
    """Divide by the probabilities that a content-free text gets."""
    replies: int = 8
    """Traces, votes or stated distributions."""
    think: bool = True
    temperature: float = 1.0
    max_tokens: int = 512
    pseudocount: float = 0.5

    def generate(self, prompt: Prompt, rng: Random, *, schema: str | None = None) -> Generate:
        """The call that draws one of the replies."""
        seed = rng.getrandbits(_SEED_BITS)
        return Generate(prompt, seed, temperature=self.temperature, max_tokens=self.max_tokens, schema=schema)


class Question(NamedTuple):
    """What is to be judged."""

    text: str
    """The question, the text included."""
    classes: tuple[str, ...]
    free: str = ""
    """The same question about a text without content; needed by contextual calibration alone."""


class Voice(NamedTuple):
    """One of the opinions whose mean is the label."""

    logps: tuple[float, ...]
    """Log weight of each class, in the order of `Question.classes`, nats."""
    mass: float | None = None
    """P(the reply is one of the classes); None where the model was asked to state probabilities."""
    raw: tuple[float, ...] | None = None
    """`logps` before a prior was divided out; None where none was."""
    cut: bool = False
    """The trace behind it was cut by the limit."""

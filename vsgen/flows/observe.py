"""What a model does with a prompt: its replies, what it gives to each known answer, and how its reply begins."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vsgen.flow import Flow, ask, ask_all, try_all
from vsgen.probability import new_seed
from vsgen.values import Generate, Prompt, Refused, Score, Taught, Teach

_FIRST = 1 << 14
"""Tokens asked for at the first step: 128 KiB in the journal. Where they hold less than the share whose support is
wanted, it is not known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be found out."""

    id: str
    prompt: Prompt
    answers: tuple[str, ...] = ()
    """Scored, where there are any."""
    replies: int = 100
    max_tokens: int = 16


@dataclass(frozen=True, slots=True)
class Observed:
    """What was found."""

    id: str
    replies: tuple[str, ...]
    logps: tuple[float, ...] | None = None
    """log P(answer, then the end of the reply | prompt) of each answer, nats."""
    first: Taught | None = None
    """The likeliest first tokens of a reply; None where the model cannot say them."""
    problem: str = ""
    """Why an answer could not be scored."""
    tokens: int = 0
    """Tokens drawn in the replies."""


def observe(asked: Asked, seed: int, *, teach: int) -> Flow[Observed]:
    """Ask a model.

    Args:
        asked: What.
        seed: Of all the replies, together with the prompt's id.
        teach: How many of its next tokens the model can state; 0 none.

    Raises:
        CallError: The prompt does not fit into the model's context.
    """
    rng = Random(f"{seed}/{asked.id}")
    calls = [Generate(asked.prompt, new_seed(rng), max_tokens=asked.max_tokens) for _ in range(asked.replies)]
    replies = yield from ask_all(calls)
    logps, problem = None, ""
    if asked.answers:
        (scores,) = yield from try_all([Score(asked.prompt, asked.answers)])
        if isinstance(scores, Refused):
            problem = f"{asked.id}: the answers cannot be scored: {scores.problem}"
        elif scores.upper:
            problem = f"{asked.id}: the answers cannot be scored: the server states the most probable tokens alone"
        else:
            logps = scores.logp
    first = (yield from ask(Teach(asked.prompt, "", min(teach, _FIRST)))) if teach else None
    tokens = sum(reply.drawn for reply in replies)
    return Observed(asked.id, tuple(reply.text for reply in replies), logps, first, problem, tokens)

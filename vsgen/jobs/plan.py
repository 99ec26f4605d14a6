"""What a template will take at least: draws, replies and tokens, estimated before anything is asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vsgen.template.schema import Template
from vsgen.template.warnings.length import answer_tokens
from vsgen.template.warnings.warning import Use
from vsgen.values import Prompt


@dataclass(frozen=True, slots=True)
class Plan:
    """Estimates; all that depends on the number of draws is for one draw where that number is not known."""

    rows: int | None
    """That are wanted."""
    draws: int | None
    """At least, if all answers are valid and new; None where the input rows decide."""
    replies: int
    """At most for power sampling, whose calls depend on what is drawn; else at least, before any repair."""
    longest: int
    """Tokens at which a reply is cut."""
    read: int
    """Tokens of prompts."""
    written: int
    """Tokens of replies whose answers are long."""
    questions: int
    """About labels, for the rows that are wanted, or for the answers of one draw."""


def plan(template: Template, prompts: Sequence[Prompt], use: Use) -> Plan:
    """Estimate what a run takes.

    Args:
        template: With the settings that will be used.
        prompts: Of some draws, from which the length of all is taken.
        use: The rows that are wanted, and how tokens are counted.
    """
    how = template.sampling
    draws = None if use.num is None else -(-use.num // how.k)
    times, (calls, most) = draws or 1, how.most
    asked = math.fsum(use.tokens(_text(prompt)) for prompt in prompts) / max(1, len(prompts))
    answers = most if how.method == "power" else min(most, how.k * answer_tokens(template, use))
    questions = sum(max(1, label.count) * _asked(len(label.classes), label.kind) for label in template.labels)
    return Plan(
        use.num,
        draws,
        times * calls,
        how.max_tokens,
        int(times * calls * asked),
        times * answers,
        (use.num or how.k) * questions,
    )


def _asked(classes: int, kind: str) -> int:
    """Questions about one answer."""
    return max(1, classes) if kind == "multi" else 1


def _text(prompt: Prompt) -> str:
    return "\n".join([*(message.content for message in prompt.messages), prompt.prefill])

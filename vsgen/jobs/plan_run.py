"""What a run will take, from the prompts of some of its draws.

An answer is taken to have two fifths of the length that the template allows, or that of its examples.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from vsgen.jobs.plan import MARGIN, THOUGHT, TURN, Load, Part, Plan, prompt_tokens
from vsgen.jobs.plan_labels import label_parts
from vsgen.jobs.preview import Preview
from vsgen.sampling.settings import LISTS, VERBALIZING, Sampling
from vsgen.template.schema import Template
from vsgen.template.warnings.length import text_tokens
from vsgen.template.warnings.warning import Use

_USUAL: Final = 0.4
"""Of the longest text, that an answer is taken to have."""
_LISTED: Final = 10
"""Tokens of JSON around an answer in a list."""
_STATED: Final = 8
"""Tokens of its probability."""


def plan_run(template: Template, draws: Sequence[Preview], use: Use, model: str, *, units: int | None = None) -> Plan:
    """Estimate what a run takes.

    Args:
        template: With the settings that will be used.
        draws: Some of its draws.
        use: The rows that are wanted, and how tokens are counted.
        model: Which writes.
        units: Draws, where input rows decide.
    """
    k = template.sampling.k
    count = -(-use.num // k) if use.num is not None else units
    rows = use.num if use.num is not None or units is None else units * k
    each = answer_load(template, draws, use)
    parts = [Part("answers", model, each, most_of(template, draws, use), template.prices).times(count or 1)]
    text, longest, answers = typical_answer(template, use), text_tokens(template, use), rows or k
    if template.scored:
        base = _mean([prompt_tokens(one.call.prompt, use) for one in draws])
        score, most = Load(1, base + text), Load(1, MARGIN * (base + longest))
        parts.append(Part("scores", model, score, most, template.prices).times(answers))
    for i, label in enumerate(template.labels):
        asked = [prompt_tokens(one.labels[i], use) for one in draws]
        each_of = label_parts(template, label, model, _mean(asked) + text, max(asked, default=0) + longest)
        parts += [part.times(answers) for part in each_of]
        if judged := _judged(template.sampling, label.name):
            parts += [_potential(part, *judged).times(count or 1) for part in each_of]
    if template.dedup and template.dedup.endpoint:
        read = Load(1, text), Load(1, MARGIN * longest)
        parts.append(Part("embeddings", template.dedup.embedder, *read, template.dedup.prices).times(answers))
    return Plan("draws", count, use.num, tuple(parts))


def _potential(part: Part, usual: int, most: int) -> Part:
    """A label that is a factor of what is sampled, from what it takes for one reply."""
    name = f"potential: {part.name}"
    return replace(part, name=name, expected=part.expected.times(usual), most=part.most.times(most))


def _judged(how: Sampling, label: str) -> tuple[int, int] | None:
    """How many replies of a draw are usually labelled since a class is a factor of what is sampled, and the most."""
    potentials = how.powered.potentials if how.method == "power" else None
    wanted = [one for one in potentials.labels if one.label == label] if potentials else []
    looks = any(one.looks for one in wanted)
    return how.powered.judged(how.k, how.max_tokens, looks=looks) if wanted else None


def answer_load(template: Template, draws: Sequence[Preview], use: Use) -> Load:
    """What one draw takes before labels, if nothing is repaired."""
    how, (calls, most) = template.sampling, template.sampling.most
    base = _mean([prompt_tokens(one.call.prompt, use) for one in draws])
    if how.method == "power":
        return Load(calls, calls * base, most)
    form = (_LISTED if how.method in LISTS else 0) + (_STATED if how.method in VERBALIZING else 0)
    answer = typical_answer(template, use) + form
    thought = THOUGHT * (calls if how.method == "cot" else how.method == "vs-cot")
    reply = min(most, how.k * answer + thought)
    return Load(calls, calls * base + _history(draws, use, calls, reply / calls), reply)


def most_of(template: Template, draws: Sequence[Preview], use: Use) -> Load:
    """What one draw takes before labels, at most."""
    how, (calls, most) = template.sampling, template.sampling.most
    repairs = how.k * template.repair
    base = max((prompt_tokens(one.call.prompt, use) for one in draws), default=0)
    again = repairs * (base + how.max_tokens)
    prompt = MARGIN * (calls * base + _history(draws, use, calls, how.max_tokens) + again)
    return Load(calls + repairs, prompt, most + repairs * how.max_tokens)


def typical_answer(template: Template, use: Use) -> int:
    """About how many tokens the text of an answer has."""
    if template.examples:
        fields = template.output.fields
        lengths = [use.tokens(_written({name: one.get(name) for name in fields})) for one in template.examples]
        return math.ceil(_mean(lengths))
    return math.ceil(_USUAL * text_tokens(template, use))


def _history(draws: Sequence[Preview], use: Use, calls: int, reply: float) -> float:
    """Tokens of earlier turns that later ones repeat in their prompts."""
    asked = _mean([use.tokens(turn) + 2 * TURN for one in draws for turn in one.turns])
    return (asked + reply) * calls * (calls - 1) / 2 if asked else 0.0


def _written(fields: dict[str, Any]) -> str:
    return str(next(iter(fields.values()))) if len(fields) == 1 else json.dumps(fields, ensure_ascii=False)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0

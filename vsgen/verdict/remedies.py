"""What to try next: a flag or a setting of the template, starting from those that were used."""

from __future__ import annotations

import math
from typing import Final

from vsgen.template.schema import Template

_CALM: Final = 0.7
"""The temperature at which SmolLM2 gave most valid answers: 55 of 75, against 21 at 1."""
_CHARS: Final = 3
"""Characters of a token, at least, in most languages that are written with letters."""
_FRAME: Final = 20
"""Tokens of the form around an answer."""
_LISTS: Final = frozenset({"sequence", "vs", "vs-cot", "vs-multi"})


def calmer(template: Template) -> str:
    """For replies that go astray: draw less at random, then help the model, then ask another."""
    how = template.sampling
    if how.method == "power":
        return "--method direct, or a larger model (-m)"
    if not how.constrain:
        return "--set sampling.constrain=true"
    if how.temperature > _CALM:
        return f"--temperature {_CALM:g}"
    if not how.min_p:
        return "--set sampling.min_p=0.1"
    return "a larger model (-m), or --method direct"


def other_weights(template: Template) -> str:
    """For stated probabilities that mean nothing."""
    return calmer(template)


def longer_reply(template: Template) -> str:
    """For replies that were cut: more room, unless there is enough for all answers at their longest."""
    room = template.sampling.max_tokens
    return calmer(template) if room >= _needed(template) else f"--set sampling.max_tokens={2 * room}"


def _needed(template: Template) -> float:
    """Tokens of a reply whose answers all have their longest length; endless where that has no limit."""
    how, fields = template.sampling, template.output.item_schema["properties"].values()
    texts = [one for one in fields if one.get("type") == "string"]
    each: float = sum(float(one.get("maxLength", math.inf)) / _CHARS + _FRAME for one in texts)
    return each * (how.k if how.method in _LISTS else 1)


def longer_text(template: Template) -> str:
    """For texts at their limit."""
    if template.output.schema_ is None:
        return f"--set output.max_chars={2 * template.output.max_chars}, or ask for less in the prompt"
    return "raise maxLength in output.schema, or ask for less in the prompt"


def reworded(template: Template, label: str) -> str:
    """For a label whose question is not answered."""
    return f"reword the prompt of label {label}, or name another model for it; vsgen doctor -m MODEL compares wordings"


def look(_: Template) -> str:
    """For candidates that are refused: look at a few."""
    return "vsgen try, with the same template and flags, shows why"


def other_draw(template: Template) -> str:
    """For answers that are the same again and again (mode collapse)."""
    how = template.sampling
    if how.method == "power":
        return "a lower sampling.power.alpha, or more values in `variables:`"
    if how.method in {"direct", "cot"}:
        return "--method vs"
    if how.temperature < 1:
        return "--temperature 1"
    return "more values in `variables:`, or --set sampling.p_max=0.1"

"""What to try next: a flag or a setting of the template, starting from those that were used."""

from __future__ import annotations

import math
from typing import Final

from vsgen.verdict.setup import Setup

_CALM: Final = 0.7
"""The temperature at which SmolLM2 gave most valid answers: 55 of 75, against 21 at 1."""
_CHARS: Final = 3
"""Characters of a token, at least, in most languages that are written with letters."""
_FRAME: Final = 20
"""Tokens of the form around an answer."""
_MORE: Final = "more values in `variables:`; for answers of a few words also --method sequence"
"""For small models: their lists of whole sentences are worse than their single ones."""
_LISTS: Final = frozenset({"sequence", "vs", "vs-cot", "vs-multi"})


def calmer(asked: Setup) -> str:
    """For replies that go astray: hold the form, draw less at random, help the model, then ask another."""
    how = asked.template.sampling
    if how.method == "power":
        return "--method direct, or a larger model (-m)"
    if not asked.template.chat:
        return "a prompt that begins the text, or a larger model (-m)"
    steps = {
        "--set sampling.constrain=true": not how.constrain,
        f"--temperature {_CALM:g}": _hot(asked),
        "--set sampling.demonstrate=1": not asked.shows and len(asked.template.output.fields) == 1,
        "--set sampling.min_p=0.1": not how.min_p,
        "--set sampling.format=lines": how.format == "json" and _is_list(asked),
    }
    open_steps = [step for step, helps in steps.items() if helps]
    return open_steps[0] if open_steps else "a larger model (-m)"


def other_weights(asked: Setup) -> str:
    """For stated probabilities that mean nothing; a model that goes astray in its numbers does so in its words."""
    weights = "--set weights=model, or uniform"
    return f"--temperature {_CALM:g}; if that does not help, {weights}" if _hot(asked) else weights


def _hot(asked: Setup) -> bool:
    return asked.template.sampling.temperature > _CALM


def longer_reply(asked: Setup) -> str:
    """For replies that were cut: more room, unless there is enough for all answers at their longest."""
    room = asked.template.sampling.max_tokens
    return calmer(asked) if room >= _needed(asked) else f"--set sampling.max_tokens={2 * room}"


def _needed(asked: Setup) -> float:
    """Tokens of a reply whose answers all have their longest length; endless where that has no limit."""
    how, fields = asked.template.sampling, asked.template.output.item_schema["properties"].values()
    texts = [one for one in fields if one.get("type") == "string"]
    each: float = sum(float(one.get("maxLength", math.inf)) / _CHARS + _FRAME for one in texts)
    return each * (how.k if how.method in _LISTS else 1)


def _is_list(asked: Setup) -> bool:
    """Whether replies are lists of one field an answer, which may be numbered lines."""
    return asked.template.sampling.method in _LISTS and len(asked.template.output.fields) == 1


def longer_text(asked: Setup) -> str:
    """For texts at their limit."""
    if asked.template.output.schema_ is None:
        return f"--set output.max_chars={2 * asked.template.output.max_chars}, or ask for less in the prompt"
    return "raise maxLength in output.schema, or ask for less in the prompt"


def reworded(asked: Setup, label: str) -> str:
    """For a label whose question is not answered."""
    other = "a larger model (-m)" if asked.by_flags else "name another model for it"
    ask = f"ask for {label} in other words (--prompt)" if asked.by_flags else f"reword the prompt of label {label}"
    shown = any(one.name == label and one.examples for one in asked.template.labels)
    clear = "show it one clear example of each class"
    show = "" if shown else f"{clear} (--examples FILE), " if asked.by_flags else f"{clear} (`examples:`), "
    return f"{show}{ask}, or {other}; vsgen doctor -m MODEL compares wordings"


def look(asked: Setup) -> str:
    """For candidates that are refused: look at a few."""
    return "see the rejects above" if asked.tried else "vsgen try, with the same template and flags, shows why"


def other_draw(asked: Setup) -> str:
    """For answers that are the same again and again (mode collapse)."""
    how = asked.template.sampling
    if how.method == "power":
        return "a lower sampling.power.alpha, or more values in `variables:`"
    if how.method in {"direct", "cot"}:
        return _MORE if asked.small else "--method vs"
    if how.temperature < 1:
        return "--temperature 1"
    return "more values in `variables:`, or --set sampling.p_max=0.1"

"""The words in which each method asks; the only place where vsgen speaks to a model on its own account.

A method's text follows the task in the same user message, after an empty line. It stays there when a schema constrains
decoding: the schema fixes the form, and the words say what the number means (the reference implementation of
arXiv 2510.01171 drops them in that case). The wording is ours; the idea of each method is the paper's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

PROBABILITY = "probability"
REASONING = "reasoning"
RESPONSES = "responses"

_PROBABILITY_EXAMPLE = 0.12
_FORM = "Reply with JSON only, in this form:\n{form}"
_THINK = 'First think about the range of possible responses, briefly, in the field "reasoning". '
_STEPS = 'Think step by step in the field "reasoning", then give your response.\n'
_LIST = "Generate {k} different responses to the request above.\n"
_DISTRIBUTION = (
    "Generate {k} different responses to the request above, sampled at random from the full distribution of possible "
    "responses. State each one's probability: its share of that full distribution, between 0 and 1.{tail}\n"
)
_TAIL = " Take them from the tails of the distribution: each probability must be below {p_max:g}."
_IN_TURNS = "In all, {k} responses will be asked of you, a few at a time. "
_MORE = "Generate {k} more, different from all responses so far, sampled in the same way. Use the same JSON form."
_AGAIN = "That answer does not fit: {problem}. Answer again so that it fits{form}."
_ANOTHER = "Give another response to the same request, different from all responses so far."


def example(fields: Sequence[str], *, verbalized: bool) -> str:
    """The JSON object that stands for one response, e.g. ``{"text": "...", "probability": 0.12}``."""
    values: dict[str, object] = dict.fromkeys(fields, "...")
    if verbalized:
        values[PROBABILITY] = _PROBABILITY_EXAMPLE
    return json.dumps(values)


def direct(fields: Sequence[str]) -> str:
    """Nothing for a single field, which is the reply itself; the JSON form for several."""
    return "" if len(fields) == 1 else _FORM.format(form=example(fields, verbalized=False))


def cot(fields: Sequence[str]) -> str:
    """Reason first, then answer."""
    return _STEPS + _FORM.format(form=json.dumps({REASONING: "...", **dict.fromkeys(fields, "...")}))


def sequence(fields: Sequence[str], k: int) -> str:
    """A list of k answers without probabilities."""
    return _LIST.format(k=k) + _form(fields, verbalized=False, reasoning=False)


def verbalized(fields: Sequence[str], k: int, *, p_max: float | None, reasoning: bool, total: int | None = None) -> str:
    """Ask for k answers with probabilities; `p_max` asks for the tails, `total` says that more turns will follow."""
    tail = "" if p_max is None else _TAIL.format(p_max=p_max)
    opening = "" if total is None else _IN_TURNS.format(k=total)
    ask = _DISTRIBUTION.format(k=k, tail=tail)
    return opening + (_THINK if reasoning else "") + ask + _form(fields, verbalized=True, reasoning=reasoning)


def more(k: int) -> str:
    """A later turn of vs-multi."""
    return _MORE.format(k=k)


def another(fields: Sequence[str]) -> str:
    """A later turn of multi-turn."""
    return _ANOTHER if len(fields) == 1 else f"{_ANOTHER} Use the same JSON form."


def again(fields: Sequence[str], problem: str) -> str:
    """What is said to an answer that does not fit, before the request is made once more."""
    return _AGAIN.format(problem=problem.rstrip("."), form="" if len(fields) == 1 else ", in the same JSON form")


def _form(fields: Sequence[str], *, verbalized: bool, reasoning: bool) -> str:
    opening = f'"{REASONING}": "...", ' if reasoning else ""
    item = example(fields, verbalized=verbalized)
    return _FORM.format(form=f'{{{opening}"{RESPONSES}": [{item}, ...]}}')

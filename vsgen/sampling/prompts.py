"""The words in which each method asks; the only place where vsgen speaks to a model on its own account.

They were chosen by measurement on a real model, in chat and base style (`make real` prints the table, docs/words.md
explains it). What was learned: the instruction stands in the system message and the task alone in the user's turn; the
form is a sentence that names the keys, since a form with a number or dots in it is copied; worked exchanges before the
task (`vsgen.sampling.exchanges`) count for more than any wording. The words stay when a schema constrains decoding: the
schema fixes the form, and the words say what the number means. The idea of each method is the paper's (arXiv
2510.01171); the wording is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["json", "lines"]
"""How a list of answers is written: as a JSON object, or as numbered lines."""

PROBABILITY = "probability"
REASONING = "reasoning"
RESPONSES = "responses"

_ONE = "Give one answer to the request, sampled at random from all possible answers."
_BARE = " Reply with the answer only."
_STEPS = 'Think about the request step by step in "{reasoning}", then give one answer.'
_LIST = "Give {answers} to the request."
_DISTRIBUTION = (
    "Give {answers} to the request, sampled at random from all possible answers, each with its probability: its share "
    "of all answers, between 0 and 1.{tail}"
)
_TAIL = " Take them from the tails of the distribution: each probability must be below {p_max:g}."
_IN_TURNS = "In all, {k} answers to the request will be asked for, a few at a time. "
_THINK = ' First think about the range of possible answers, briefly, in "{reasoning}".'
_OBJECT = " Reply with JSON only: an object with {keys}."
_OBJECTS = ' Reply with JSON only: an object {opening}"{responses}" with a list of {objects} with {keys}.'
_LINES = " Reply with a numbered list only, one answer a line{tail}."
_LINES_TAIL = ", its probability in parentheses at the end"
_MORE = "Give {k} more, different from all answers so far, sampled in the same way, in the same form."
_AGAIN = "That answer does not fit: {problem}. Answer again so that it fits{form}."
_ANOTHER = "Give another answer to the same request, different from all answers so far."


def direct(fields: Sequence[str], *, shown: bool = False) -> str:
    """Nothing for a single field, which is the reply itself, unless exchanges are shown; the JSON form for several."""
    if len(fields) == 1:
        return _ONE + _BARE if shown else ""
    return _ONE + _OBJECT.format(keys=_keys(fields))


def cot(fields: Sequence[str]) -> str:
    """Reason first, then answer."""
    return _STEPS.format(reasoning=REASONING) + _OBJECT.format(keys=_keys((REASONING, *fields)))


def sequence(fields: Sequence[str], k: int, *, form: Format = "json") -> str:
    """A list of k answers without probabilities."""
    return _LIST.format(answers=_answers(k)) + _form(fields, k, form=form, verbalized=False, reasoning=False)


def verbalized(
    fields: Sequence[str],
    k: int,
    *,
    p_max: float | None,
    reasoning: bool,
    total: int | None = None,
    form: Format = "json",
) -> str:
    """Ask for k answers with probabilities; `p_max` asks for the tails, `total` says that more turns will follow."""
    tail = "" if p_max is None else _TAIL.format(p_max=p_max)
    opening = "" if total is None else _IN_TURNS.format(k=total)
    think = _THINK.format(reasoning=REASONING) if reasoning else ""
    ask = _DISTRIBUTION.format(answers=_answers(k), tail=tail) + think
    return opening + ask + _form(fields, k, form=form, verbalized=True, reasoning=reasoning)


def more(k: int) -> str:
    """A later turn of vs-multi."""
    return _MORE.format(k=k)


def another(fields: Sequence[str]) -> str:
    """A later turn of multi-turn."""
    return _ANOTHER if len(fields) == 1 else f"{_ANOTHER} Use the same JSON form."


def again(fields: Sequence[str], problem: str) -> str:
    """What is said to an answer that does not fit, before the request is made once more."""
    return _AGAIN.format(problem=problem.rstrip("."), form="" if len(fields) == 1 else ", in the same JSON form")


def _answers(k: int) -> str:
    return "1 answer" if k == 1 else f"{k} different answers"


def _form(fields: Sequence[str], k: int, *, form: Format, verbalized: bool, reasoning: bool) -> str:
    if form == "lines":
        return _LINES.format(tail=_LINES_TAIL if verbalized else "")
    return _OBJECTS.format(
        opening=f'with "{REASONING}" and ' if reasoning else "",
        responses=RESPONSES,
        objects="1 object" if k == 1 else f"{k} objects, each",
        keys=_keys((*fields, PROBABILITY) if verbalized else fields),
    )


def _keys(names: Sequence[str]) -> str:
    *before, last = [f'"{name}"' for name in names]
    return f"{', '.join(before)} and {last}" if before else last

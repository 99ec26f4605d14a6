"""The words in which an ask is put: the task's own, and those of vsgen's method or of a user who writes the JSON form.

A method's words are the system message, and the task alone is the user's; a user's own words follow the task.

Words are drawn from a split, so that evaluation can ask in words that were never trained on.
"""

from __future__ import annotations

import json
from random import Random
from typing import Final

from vsgen.sampling import prompts
from vsgen.tiny.asks import Answers, Ask, Class, Result
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.wordings import Split, Wordings, fill

NUMBERS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

WITH_PROBABILITIES: Final = Wordings(
    "Give {k} different answers as JSON, each with its probability: {form}",
    (
        "[Give|Write|List|Generate] {k} [different |]answers[ as JSON|], each with its probability[:|. "
        "Format:|. Example:] {form}",
        "[I want|I need] {k} [of them|answers] with probabilities[. JSON only:| as JSON:|, in this form:] {form}",
        "[Return|Reply with|Answer with] JSON[ only|]: {k} [items|answers|objects] [like|such as] {form}",
        "[Sample|Draw] {k} answers and state the probability of each[:|. JSON:|. Use this form:] {form}",
        "[Form|Format]: {form} [Give|Write] {k} answers with their probabilities.",
        "[Do|Answer] this {k} times[ and add|. Add] a probability [each|every time]. [Use|Follow] {form}",
        "[Tell me|Show me] {k} [possible answers|options] and how [probable|common] [each is|they are]: {form}",
    ),
    new=("Please answer {k} times at once and say how likely each one is, written as {form}",),
)
WITHOUT: Final = Wordings(
    "Give {k} different answers as JSON: {form}",
    (
        "[Give|Write|List|Generate] {k} [different |]answers[ as JSON|][:|. Format:|. Example:] {form}",
        "[I want|I need] {k} [of them|answers][. JSON only:| as JSON:|, in this form:] {form}",
        "[Form|Format]: {form} [Give|Write] {k} different answers.",
        "[Do|Answer] this {k} times. [Use|Follow] {form}",
        "[Tell me|Show me] {k} [possible answers|options]: {form}",
    ),
    new=("Please answer {k} times at once, written as {form}",),
)
"""Instructions of users who ask for a list themselves, the literal JSON form included."""


def opening(ask: Ask, rng: Random, split: Split) -> str:
    """The task, which is a message of the user, or for plain completion the whole text."""
    match ask:
        case Class():
            task = ask.question.wordings.draw(rng, split)
            asked = f"Reply with exactly one of these: {', '.join(ask.classes)}."
            return f"{fill(task, {'text': ask.text})}\n\n{asked}"
        case Result(engineered=True):
            return fill(sums.STORIES.draw(rng, split), {"story": _story(ask.sum, rng), **_owner(ask.sum, rng)})
        case Result():
            task = fill(sums.CHAINS.draw(rng, split), {"chain": sums.told(ask.sum)})
            return task
        case _:
            task = fill(ask.request.wordings.draw(rng, split), ask.request.keys)
            return f"Q: {task}\nA:" if ask.form == "plain" else task


def own(ask: Ask, total: int | None = None, *, shown: bool = False) -> str:
    """The words of vsgen's method; `total` announces further turns, `shown` tells of exchanges before the task."""
    match ask:
        case Class() | Answers(form="plain"):
            return ""
        case Result():
            return prompts.cot((ask.field,)) if ask.reasoning else ""
    fields = (ask.field,)
    match ask.form:
        case "sequence":
            return prompts.sequence(fields, ask.k, form=_format(ask))
        case "vs" | "vs-cot":
            stepwise = ask.form == "vs-cot"
            return prompts.verbalized(
                fields, ask.k, p_max=ask.p_max, reasoning=stepwise, total=total, form=_format(ask)
            )
        case "cot":
            return prompts.cot(fields)
        case _:
            return prompts.direct(fields, shown=shown)


def _format(ask: Answers) -> prompts.Format:
    return "lines" if ask.lines else "json"


def other(ask: Answers, rng: Random, split: Split) -> str:
    """A first message that asks for a list in a user's words; a shipped template's words have none such."""
    stating = ask.form == "vs"
    task = fill(ask.request.wordings.draw(rng, split), ask.request.keys)
    words = (WITH_PROBABILITIES if stating else WITHOUT).draw(rng, split)
    k = rng.choice((str(ask.k), NUMBERS[ask.k]))
    return task + rng.choice((" ", "\n", "\n\n")) + fill(words, {"k": k, "form": form(ask, rng, stating=stating)})


def form(ask: Answers, rng: Random, *, stating: bool) -> str:
    """The JSON form as users write it: one or two items, whole or with dots."""
    items = []
    for _ in range(rng.choice((1, 1, 2))):
        item: dict[str, object] = {ask.field: rng.choice(("...", "...", "an answer"))}
        items.append(json.dumps(item | ({prompts.PROBABILITY: rng.randint(1, 30) / 100} if stating else {})))
    inner = f"[{', '.join(items)}{rng.choice(('', ', ...'))}]"
    return inner if ask.bare else f'{{"{prompts.RESPONSES}": {inner}}}'


def _owner(one: sums.Sum, rng: Random) -> dict[str, str]:
    return {"name": rng.choice(sums.NAMES), "start": str(one.start), "things": rng.choice(sums.THINGS)}


def _story(one: sums.Sum, rng: Random) -> str:
    """The stages as events; the name is filled in later."""
    return " ".join(fill(rng.choice(sums.EVENTS[operation]), {"n": str(n)}) for operation, n in one.stages)

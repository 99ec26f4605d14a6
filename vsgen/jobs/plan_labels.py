"""What labels take, by their methods.

A question that is scored counts as one call with a reply of one token: servers that cannot score all classes at once
take several.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from vsgen.jobs.plan import MARGIN, THOUGHT, Load, Part, Plan, prompt_tokens
from vsgen.labels.flips import asked_again
from vsgen.labels.names import FORMS
from vsgen.labels.settings import Label
from vsgen.labels.words import CONTENT_FREE
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import Use
from vsgen.values import Prompt

_FEW: Final = 4
"""Classes that are taken for those which a row lists itself."""
_NAME: Final = 5
"""Tokens of a class with what is around it."""


class Asked(NamedTuple):
    """The rows of a run, and those that are labelled before them."""

    number: int
    """Labels, of each row in each form."""
    scope: str
    """The same in words."""


def asked_rows(rows: int, *, gold: int, tried: int) -> Asked:
    """What is asked about.

    Args:
        rows: Of the input.
        gold: Rows of known class.
        tried: Rows that are labelled in every form first: those of known class, or else the first of the input, which
            are not asked about again.
    """
    said = _many(rows, "input row")
    forms = f" x {len(FORMS)} forms" if tried else ""
    if gold:
        return Asked(rows + gold * (len(FORMS) if tried else 1), f"{said}, {_many(gold, 'gold row')}{forms}")
    return Asked(
        rows + tried * (len(FORMS) - 1), f"{said}, the first {tried:,} in {len(FORMS)} forms" if tried else said
    )


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def plan_labels(
    template: Template,
    asked: Sequence[Sequence[Prompt]],
    use: Use,
    model: str,
    *,
    rows: Asked | None,
    flips: int = 0,
) -> Plan:
    """Estimate what the labels of given rows take.

    Args:
        template: With the labels.
        asked: The questions about some rows, in the order of the labels.
        use: How tokens are counted.
        model: Which makes the labels that name none.
        rows: What is asked about; None where that is not known.
        flips: Rows that are asked about in other orders of the classes too.
    """
    parts, again = [], list[Part]()
    for i, label in enumerate(template.labels):
        lengths = [prompt_tokens(prompts[i], use) for prompts in asked]
        mean = math.fsum(lengths) / max(1, len(lengths))
        each = label_parts(template, label, model, mean, max(lengths, default=0))
        parts += [part.times(1 if rows is None else rows.number) for part in each]
        if flips:
            each = flip_parts(template, label, model, mean, max(lengths, default=0))
            again += [part.times(flips) for part in each]
    count, scope = (None, "") if rows is None else (rows.number, rows.scope)
    return Plan("input rows", count, count, (*parts, *again), scope)


def flip_parts(template: Template, label: Label, model: str, prompt: float, longest: float) -> list[Part]:
    """What one text's label takes in other orders of the classes; as `label_parts`."""
    each = [
        label_parts(template, label.model_copy(update={"permutations": way.orders}), model, prompt, longest)
        for way in asked_again(label, len(label.classes) or _FEW)
    ]
    return [
        Part(f"flips of {of[0].name}", of[0].model, _sum(part.expected for part in of), _sum(part.most for part in of),
             of[0].prices)
        for of in zip(*each, strict=True)
    ]  # fmt: skip


def label_parts(template: Template, label: Label, model: str, prompt: float, longest: float) -> list[Part]:
    """What one text's label takes, of each model that makes it.

    Args:
        template: With its prices.
        label: Its settings.
        model: The run's own.
        prompt: Tokens of its question.
        longest: Tokens of the longest question.
    """
    classes = len(label.classes) or _FEW
    apart = label.kind == "multi" and label.method != "decisions"
    questions, options = (classes, 2) if apart else (1, classes)
    expected, most = _expected(label, prompt, options), _most(label, MARGIN * longest, options)
    loads = expected.times(questions), most.times(questions)
    own = (model, template.prices)
    asked = [own if judge.name is None else (judge.model, judge.prices) for judge in label.judges]
    by = [f" by {name}" if len(asked) > 1 else "" for name, _ in asked]
    return [Part(f"label {label.name}{at}", name, *loads, prices) for at, (name, prices) in zip(by, asked, strict=True)]


def _sum(loads: Iterable[Load]) -> Load:
    return sum(loads, Load())


def _expected(label: Label, prompt: float, options: int) -> Load:
    match label.method:
        case "score":
            return _scored(label, prompt, options)
        case "decisions":
            return _decided(label, prompt, options)
        case "reasoning":
            return _replies(label, prompt, THOUGHT) + _scored_after(label, prompt, THOUGHT)
        case "votes":
            return _replies(label, prompt, THOUGHT if label.think else _NAME)
        case "verbalized":
            return _replies(label, prompt, options * 2 * _NAME)


def _most(label: Label, prompt: float, options: int) -> Load:
    match label.method:
        case "score":
            load = _scored(label, prompt, options)
            return load.times(1 + len(CONTENT_FREE)) if label.prior == "contextual" else load
        case "decisions":
            return _decided(label, prompt, options)
        case "reasoning":
            return _replies(label, prompt, label.max_tokens) + _scored_after(label, prompt, label.max_tokens)
        case _:
            return _replies(label, prompt, label.max_tokens)


def _scored(label: Label, prompt: float, options: int) -> Load:
    """The questions without the text, for a contextual prior, are the same for all rows and count as nothing."""
    calls = _orders(label, options) * (2 if label.normalize == "pmi" else 1)
    return Load(calls, calls * prompt, calls)


def _decided(label: Label, prompt: float, options: int) -> Load:
    """One call, which other labels may share; servers count the text once for each of its questions."""
    questions = options if label.kind == "multi" else _orders(label, options)
    return Load(1, questions * prompt, questions)


def _orders(label: Label, options: int) -> int:
    return options if label.permutations == "all" else min(label.permutations, options)


def _replies(label: Label, prompt: float, reply: float) -> Load:
    count = label.count
    return Load(count, count * prompt, count * min(reply, label.max_tokens))


def _scored_after(label: Label, prompt: float, trace: float) -> Load:
    count = label.count
    return Load(count, count * (prompt + min(trace, label.max_tokens)), count)

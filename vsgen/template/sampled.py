"""What the rest of a template must have for the way in which it is sampled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from vsgen.labels.settings import Label
from vsgen.sampling.potentials import LabelPotential, Potentials
from vsgen.sampling.settings import CONTINUING, Sampling
from vsgen.sections.misfit import ROOT, Misfit
from vsgen.template.output import Output

_CHAT_ONLY: Final = {
    "system": "write it into the prompt, since plain text has no system message",
    "prefill": "write it at the end of the prompt",
    "examples": "write them into the prompt",
    "repair": "plain text has no turn in which an answer could be requested again",
}
"""Keys that mean nothing where a model continues plain text, and what to do instead."""


def check_continued(given: Mapping[str, Any]) -> None:
    """See that a prompt can be continued as plain text.

    Args:
        given: The sections of the template.

    Raises:
        ValueError: It cannot.
    """
    how = given.get("sampling")
    if isinstance(how, Sampling) and how.method not in CONTINUING:
        raise ValueError(f"false needs method {' or '.join(CONTINUING)}, not {how.method}")
    if isinstance(how, Sampling) and isinstance(how.demonstrate, int) and how.demonstrate:
        raise ValueError("false cannot be combined with sampling.demonstrate; write the examples into the prompt")
    for name, remedy in _CHAT_ONLY.items():
        if given.get(name):
            raise ValueError(f"false cannot be combined with {name!r}; {remedy}")


def check_judged(sampling: Sampling, output: Output) -> None:
    """See that it is known what is right, where that is a factor of what is sampled.

    Raises:
        Misfit: It is not.
    """
    wanted = sampling.powered.potentials
    if wanted is not None and wanted.correct and output.correct is None:
        raise Misfit((("power", "potentials", "correct"), "needs output.correct, which says what is right"))


def check_labels(potentials: Potentials, labels: Sequence[Label], fields: Sequence[str]) -> None:
    """See that the labels are there whose classes are factors of what is sampled.

    Args:
        potentials: The factors.
        labels: Of the template.
        fields: Of an answer.

    Raises:
        Misfit: One is not, or cannot be a factor.
    """
    known = {label.name: label for label in labels}
    problems = [
        ((ROOT, "sampling", "power", "potentials", "labels", i, key), message)
        for i, one in enumerate(potentials.labels)
        for key, message in (*_unusable(one, known), *_unreadable(one, fields))
    ]
    if problems:
        raise Misfit(*problems)


def _unusable(wanted: LabelPotential, known: Mapping[str, Label]) -> Iterator[tuple[str, str]]:
    label = known.get(wanted.label)
    if label is None:
        yield "label", f"{wanted.label!r} is not a label of this template; there are: {', '.join(known) or 'none'}"
    elif label.count or label.choices:
        yield "label", f"label {label.name!r} must have 'classes' and method score or decisions"
    elif wanted.class_ not in label.classes:
        yield "class", f"{wanted.class_!r} is not a class of {label.name}; there are: {', '.join(label.classes)}"


def _unreadable(wanted: LabelPotential, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    if wanted.looks and len(fields) > 1:
        yield "looks", f"needs output with one text field, since half an object cannot be read; got {', '.join(fields)}"

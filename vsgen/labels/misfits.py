"""Keys of a label section that do not go together, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vsgen.labels.examples import Needs, nowhere, problems_of
from vsgen.labels.words import LETTERS
from vsgen.sections.misfit import Path
from vsgen.sections.validators import repeated

if TYPE_CHECKING:
    from vsgen.labels.settings import Label

_DRAWING: Final = ("replies", "temperature", "max_tokens")
_LEVELS: Final = 10
"""The most that decision interfaces take, of every published form."""


def misfits(label: Label) -> Iterator[tuple[Path, str]]:
    """Each problem with the key that it is about."""
    yield from _of_other_methods(label)
    yield from _of_styles(label)
    yield from _of_letters(label)
    yield from _of_listing(label)
    yield from _of_decisions(label)
    yield from _of_form(label)
    yield from _of_examples(label)
    if label.normalize == "pmi" and label.prior == "contextual":
        yield ("normalize",), "pmi divides the same preference out as prior contextual; use one of them"
    if label.prior == "batch" and label.choices is not None:
        yield ("prior",), "batch needs the same classes for every row, so it cannot be combined with 'choices'"


def _of_other_methods(label: Label) -> list[tuple[tuple[str], str]]:
    given = label.model_fields_set
    wrong = [("think", "votes"), ("pseudocount", "votes"), ("normalize", "score"), ("verbalizer", "score")]
    problems = [
        ((key,), f"belongs to method {owner}, not {label.method}; leave it out")
        for key, owner in wrong
        if key in given and label.method != owner
    ]
    if not label.count:
        problems += [
            ((key,), f"method {label.method} draws no replies; leave it out") for key in _DRAWING if key in given
        ]
    if label.prior == "contextual" and label.method != "score":
        problems.append((("prior",), f"contextual belongs to method score, not {label.method}"))
    return problems


def _of_styles(label: Label) -> list[tuple[tuple[str], str]]:
    if label.styles is None:
        return []
    if label.method != "reasoning" and not (label.method == "votes" and label.think):
        return [(("styles",), "belongs to method reasoning, and to votes with think; leave it out")]
    if not all(style.strip(" .;") for style in label.styles):
        return [(("styles",), "a style must not be blank")]
    if twice := repeated(label.styles):
        return [(("styles",), f"{twice[0][1]!r} is named twice")]
    if label.count < len(label.styles):
        return [(("replies",), f"must be at least the number of styles, {len(label.styles)}, got {label.count}")]
    return []


def _of_form(label: Label) -> Iterator[tuple[tuple[str], str]]:
    used = {"form": label.form not in {"auto", "chat"}, "prefill": label.prefill}
    for key in (key for key, value in used.items() if value):
        if not label.lined:
            owners = "score and votes with 'think: false'"
            yield (key,), f"belongs to methods {owners}, not {label.method}; leave it out"
    if label.examples and label.method == "decisions":
        yield ("examples",), "method decisions shows none; leave them out, or use method score"


def _of_examples(label: Label) -> Iterator[tuple[Path, str]]:
    needs = Needs(label.name, label.kind, label.classes, label.choices, label.needed)
    if len(label.examples) > 1 and (absent := nowhere(label.examples, label.needed)):
        yield ("prompt",), absent
        return
    yield from (((("examples", *path), problem)) for path, problem in problems_of(label.examples, needs))


def _of_decisions(label: Label) -> list[tuple[tuple[str], str]]:
    if label.method != "decisions" or label.kind == "nominal":
        return []
    problems = []
    if label.permutations != 1:
        problems.append((("permutations",), f"method decisions has one order for kind {label.kind}; leave it out"))
    if label.kind == "ordinal" and len(label.classes) > _LEVELS:
        got = f"at most {_LEVELS} classes for kind ordinal, got {len(label.classes)}"
        problems.append((("classes",), f"method decisions takes {got}; use kind nominal or method score"))
    return problems


def _of_listing(label: Label) -> list[tuple[tuple[str], str]]:
    if label.listed:
        return []
    problems = []
    if label.method in {"reasoning", "verbalized", "decisions"} or (label.method == "votes" and label.think):
        problems.append((("listed",), f"method {label.method} names the classes in its own words; leave it out"))
    if label.normalize == "pmi":
        problems.append((("listed",), "pmi compares with the list of the classes alone; leave it out"))
    if label.verbalizer == "letters":
        problems.append((("listed",), "letters stand before the listed classes; leave it out"))
    if label.permutations != 1 and not label.examples:
        problems.append((("permutations",), "the classes are not listed, so they have no order; leave it out"))
    return problems


def _of_letters(label: Label) -> list[tuple[tuple[str], str]]:
    if label.verbalizer == "names":
        return []
    problems = []
    if label.normalize != "sum":
        problems.append((("normalize",), "letters are one token each and need no normalization; leave it out"))
    if len(label.classes) > len(LETTERS):
        problems.append(
            (("verbalizer",), f"there are {len(LETTERS)} letters, but {len(label.classes)} classes; use names")
        )
    return problems

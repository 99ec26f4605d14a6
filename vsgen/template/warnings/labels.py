"""Labels whose classes cannot be told apart, or whose question does not depend on the answer."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from vsgen.labels.words import STYLES
from vsgen.sections.sandbox import compile_text
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import TemplateWarning, Use, quoted, warning

_CLOSE: Final = 0.85
"""Similarity from which on a style is taken for a misspelled name."""
_PER_CLASS: Final = 3
"""Examples of a class, above which more of them hardly help."""


def alike_classes(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Classes that differ in case alone."""
    for at, label in enumerate(template.labels):
        seen: dict[str, str] = {}
        for i, name in enumerate(label.classes):
            if (first := seen.setdefault(name.casefold(), name)) != name:
                text = f"{quoted(name)} and {quoted(first)} differ only in case, and models confuse them"
                yield warning(template, ("labels", at, "classes", i), text, "rename or remove one of them")


def misspelled_style(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """A style that is nearly the name of one with words of its own, but is taken for the instruction itself."""
    for at, label in enumerate(template.labels):
        for i, style in enumerate(label.styles or ()):
            close = get_close_matches(style.casefold().replace("-", " "), STYLES, 1, _CLOSE)
            if close and style not in STYLES:
                text = f"{quoted(style)} is no style with words of its own, so it is the instruction itself"
                yield warning(template, ("labels", at, "styles", i), text, f"did you mean {quoted(close[0])}?")


def many_examples(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """More examples than help: a file of known rows that was meant for calibration, perhaps."""
    for at, label in enumerate(template.labels):
        if label.classes and len(label.examples) > _PER_CLASS * len(label.classes):
            text = f"{len(label.examples):,} examples for {len(label.classes)} classes make every prompt longer"
            remedy = "one clear example of each class is usually enough; more did not help small models"
            yield warning(template, ("labels", at, "examples"), text, remedy)


def blind_question(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """A question that mentions no field of the answer: it is the same whatever the answer says."""
    fields = template.output.fields
    for at, label in enumerate(template.labels):
        if not compile_text(label.prompt).names & {*fields, label.choices}:
            known = " or ".join(f"{{{{ {name} }}}}" for name in fields[:3])
            text = f"does not mention the answer, so the model labels {label.name!r} without seeing it"
            yield warning(template, ("labels", at, "prompt"), text, f"write {known} into it")

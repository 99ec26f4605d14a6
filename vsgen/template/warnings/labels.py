"""Labels whose classes cannot be told apart, or whose question does not depend on the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vsgen.sections.sandbox import compile_text
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import TemplateWarning, Use, quoted, warning

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

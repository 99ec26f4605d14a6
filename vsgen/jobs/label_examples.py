"""What is doubtful about the examples that labels show: too many, or rows of known class that are shown as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsgen.template.schema import Template
from vsgen.template.warnings.labels import many_examples
from vsgen.template.warnings.warning import Use
from vsgen.values import Row


def doubtful_examples(template: Template, gold: Sequence[Row], on: str) -> Iterator[str]:
    """What the user should know of the examples before anything is asked.

    Args:
        template: Whose labels show them.
        gold: Rows whose class is known.
        on: The field that holds the text.
    """
    for found in many_examples(template, Use()):
        yield f"{found.text}; {found.remedy}"
    known = [_key(row.fields.get(on)) for row in gold]
    for label in template.labels:
        shown = {_key(row.get(on)) for row in label.examples}
        if shared := sum(key in shown for key in known):
            what = f"{shared:,} of {len(known):,} rows of GOLD are also examples"
            why = "they are labeled without themselves, so they do not show how good the labels of new rows are"
            yield f"label {label.name}: {what}: {why}; use other rows as examples"


def _key(text: object) -> str:
    """The same for texts that differ in case and spaces only."""
    return " ".join(str(text).casefold().split())

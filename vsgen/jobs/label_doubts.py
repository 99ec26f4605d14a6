"""What is doubtful about labels before anything is asked, such as rows of known class that are also examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vsgen.labels.examples import text_key
from vsgen.template.schema import Template
from vsgen.template.warnings.labels import alike_classes, many_examples, misspelled_style
from vsgen.template.warnings.warning import Use
from vsgen.values import Row

_RULES: Final = (alike_classes, many_examples, misspelled_style)


def doubts(template: Template, gold: Sequence[Row], on: str) -> Iterator[str]:
    """What the user should know.

    Args:
        template: With the labels.
        gold: Rows whose class is known.
        on: The field that holds the text.
    """
    for rule in _RULES:
        for found in rule(template, Use()):
            place, _, text = found.text.partition(": ")
            yield f"label {template.labels[int(place.split('.')[1])].name}: {text}; {found.remedy}"
    known = [text_key(str(row.fields.get(on))) for row in gold]
    for label in template.labels:
        shown = {text_key(str(row.get(on))) for row in label.examples}
        if shared := sum(key in shown for key in known):
            what = f"{shared:,} of {len(known):,} rows of GOLD are also examples"
            why = "they are labeled without themselves, so they do not show how good the labels of new rows are"
            yield f"label {label.name}: {what}: {why}; use other rows as examples"

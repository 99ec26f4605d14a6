"""Errors of labels name what was typed, not the template that flags make."""

from __future__ import annotations

import pytest

from vsgen.cli.label_typed import as_typed
from vsgen.errors import TemplateError


@pytest.mark.parametrize(
    ("problem", "typed"),
    [
        ("flags: labels.1.classes.2: class 'a' is named twice", "--classes of label tone: class 'a' is named twice"),
        ("--set labels.0.methd=x: labels.0: unknown key 'methd'", "--set methd=x: unknown key 'methd'"),
        ("--set labels.0.prior=batch: labels.0.prior: no", "--prior batch: prior: no"),
        ("--set labels.0.replies=0: no\n--set labels.1.replies=0: no", "--set replies=0: no"),
        ("rows.jsonl:3: labels.0.examples.2: no", "rows.jsonl:3: labels.0.examples.2: no"),
    ],
)
def test_a_problem_is_told_once_in_the_words_of_the_flags(problem: str, typed: str) -> None:
    with pytest.raises(TemplateError) as caught, as_typed(["mood", "tone"], {"prior=batch": "--prior batch"}):
        raise TemplateError(problem)
    assert str(caught.value) == typed

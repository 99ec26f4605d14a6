"""Some draws of a run or some rows of an input, from whose prompts all others are estimated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, repeat

from vsgen.errors import InputError, OptionError, TemplateError
from vsgen.files.given_rows import GivenRows
from vsgen.files.rows import RowInput
from vsgen.flows.label import Labeller
from vsgen.jobs.label_rows import values_of
from vsgen.jobs.preview import Preview, preview
from vsgen.template.schema import Template
from vsgen.values import ModelFacts, Prompt, Row

MOST = 20
"""Draws or rows that are looked at."""


def require_file(rows: RowInput | GivenRows | None) -> None:
    """See that rows can be looked at before they are used.

    Raises:
        OptionError: They can be read only once.
    """
    if isinstance(rows, RowInput) and not rows.never_waits:
        raise OptionError(f"--dry-run: {rows.name} can be read only once; give the rows as a file")


def sampled_rows(rows: RowInput | GivenRows, *, skip: bool, most: int = MOST) -> list[Row]:
    """The first rows of a file; none of what can be read only once.

    Args:
        rows: The input.
        skip: Pass over lines that cannot be used.
        most: Rows.
    """
    if not isinstance(rows, RowInput) or not rows.never_waits:
        return []
    return list(islice(rows.rows(skip=_pass_over if skip else None), most))


def sampled_draws(
    template: Template, rows: RowInput | GivenRows | None, *, seed: int, facts: ModelFacts | None, skip: bool
) -> list[Preview]:
    """The first draws; none where their rows can be read only once.

    Args:
        template: With the settings that will be used.
        rows: The input; None is none.
        seed: Of the run.
        facts: Of the model that will be asked; None where they are not known.
        skip: Pass over rows that cannot be used.

    Raises:
        TemplateError: A row lacks a variable.
    """
    found: Iterator[Row] | list[Row] = repeat(Row(0), MOST) if rows is None else sampled_rows(rows, skip=skip)
    draws: list[Preview] = []
    for row in found:
        try:
            draws += preview(template, iter([row]), seed=seed, count=1, facts=facts, first=len(draws))
        except TemplateError:
            if not skip:
                raise
    return draws


def sampled_questions(template: Template, on: str, rows: Sequence[Row], *, seed: int, skip: bool) -> list[list[Prompt]]:
    """What is asked first about each row, in the order of the labels.

    Args:
        template: With the labels.
        on: The field with the text.
        rows: Some of the input.
        seed: Of the command.
        skip: Pass over rows that cannot be used.

    Raises:
        UserError: A row cannot be used.
    """
    labeller = Labeller(template, (on,), seed=seed)
    asked = []
    for row in rows:
        try:
            asked.append(labeller.prompts(values_of(row)))
        except (TemplateError, InputError) as error:
            if not skip:
                raise InputError(f"{row.where}: {error}") from error
    return asked


def _pass_over(_: str) -> None:
    """Nothing is said here; the run does."""

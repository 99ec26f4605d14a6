"""A row on its way through ``vsgen label``: checked, labelled by a flow, written with its labels."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import NamedTuple, TypeAlias

from vsgen.errors import InputError, OutputError
from vsgen.files.records import label_line
from vsgen.flow import Flow, Spent, metered
from vsgen.flows.label import Labeller, Labels, Text
from vsgen.jobs.label_options import LabelOptions
from vsgen.labels.flips import Flips
from vsgen.labels.names import Form
from vsgen.labels.settings import Label
from vsgen.values import Row, SoftLabel

Asker: TypeAlias = Callable[[], Flow[Labeller]]
"""Gives whoever asks for labels, for which the flow of a row may have to wait."""


class Labelled(NamedTuple):
    """A row and what its labels came out as."""

    row: Row
    labels: Labels
    tokens: int = 0
    """Tokens drawn for them."""
    replies: int = 0
    """Replies in which they were drawn."""
    scores: int = 0
    """Calls in which classes were scored."""
    flips: Mapping[str, Flips] | None = None
    """Whether its labels flip in other orders, by label; None where that was not asked."""
    tried: Mapping[Form, Labels] | None = None
    """Its labels in every form, of which one is still to be chosen; None of a row that is labelled to be written."""

    @property
    def fields(self) -> Mapping[str, object]:
        """The row's own, as they came in."""
        return self.row.fields


@dataclass(frozen=True, slots=True)
class How:
    """What a row says of how its labels were made."""

    models: Mapping[str, Sequence[str]]
    """By label, those that made it."""
    seed: int
    methods: Mapping[str, str]
    """By label."""
    laid_out: Sequence[Label] = ()
    """The labels with the forms that they have."""

    def examples_of(self, name: str) -> dict[str, object]:
        """How many examples a label showed, and in which form; nothing of a label without any."""
        label = next((one for one in self.laid_out if one.name == name), None)
        return {} if label is None or not label.examples else {"form": label.laid_out, "examples": len(label.examples)}


def with_text(row: Row, job: LabelOptions) -> Row:
    """A row that has a text.

    Raises:
        InputError: It has none; names the line.
    """
    if job.on not in row.fields:
        known = ", ".join(row.fields) or "none"
        raise InputError(f"{row.where}: no field {job.on!r} to label; its fields are: {known}; name one with --on")
    if row.fields[job.on] is None:
        raise InputError(f"{row.where}: field {job.on!r} is null; give a text, or name another field with --on")
    if row.fields[job.on] == "" or str(row.fields[job.on]).isspace():
        raise InputError(f"{row.where}: field {job.on!r} is blank; give a text, or name another field with --on")
    return row


def is_usable(row: Row, job: LabelOptions) -> bool:
    """Whether a row has a text, all that the prompts need, and no label of these names yet."""
    try:
        _check_prompts(checked(row, job), job)
    except InputError:
        return False
    return True


def checked(row: Row, job: LabelOptions) -> Row:
    """A row that has a text and no label of these names yet.

    Raises:
        InputError: It is not; names the line.
    """
    with_text(row, job)
    if not job.skip_bad_rows:  # else the label says what its prompt lacks, and the row is kept
        _check_prompts(row, job)
    labels = row.fields.get("labels", {})
    if not isinstance(labels, Mapping):
        raise InputError(f"{row.where}: field 'labels' must be an object of labels, got {type(labels).__name__}")
    if twice := [label.name for label in job.template.labels if label.name in labels]:
        remedy = f"take it out (jq 'del(.labels.{twice[0]})'), or give the new one another name"
        raise InputError(f"{row.where}: has a label {twice[0]!r} already; {remedy}")
    return row


def _check_prompts(row: Row, job: LabelOptions) -> None:
    there = values_of(row)
    for label in job.template.labels:
        for name in sorted(label.needed - there.keys()):
            fields = ", ".join(row.fields)
            problem = f"the prompt needs a field {name!r}; the row's fields are: {fields}"
            raise InputError(f"{row.where}: label {label.name}: {problem}; correct --prompt or the row")


def values_of(row: Row) -> dict[str, object]:
    """All that a question about a row may refer to: fields stand for themselves, behind them what `vsgen run` drew."""
    return {**_drawn(row), **row.fields}


def _drawn(row: Row) -> Mapping[str, object]:
    """The variables that ``vsgen run`` drew for it."""
    meta = row.fields.get("meta")
    drawn = meta.get("variables") if isinstance(meta, Mapping) else None
    return drawn if isinstance(drawn, Mapping) else {}


def label_row(by: Asker, row: Row, name: str, *, flips: bool = False) -> Flow[Labelled]:
    """Ask for all labels of a row. Fields stand for themselves; behind them the variables that ``vsgen run`` drew.

    Args:
        by: Gives whoever asks.
        row: What to label.
        name: Names the randomness of its labels; see `vsgen.jobs.occurrence`.
        flips: Ask in other orders of the classes too.
    """
    spent, text = Spent(), Text(row.where, name, values_of(row))
    labels, found = yield from metered(_asked(by, text, flips=flips), spent)
    return Labelled(row, labels, spent.tokens, spent.replies, spent.scores, found)


def _asked(by: Asker, text: Text, *, flips: bool) -> Flow[tuple[Labels, Mapping[str, Flips] | None]]:
    labeller = yield from by()
    (labels,) = yield from labeller.label([text])
    return labels, (yield from labeller.flips(text, labels)) if flips else None


def row_line(labelled: Labelled, how: How | None) -> dict[str, object]:
    """The JSON object that is written: the row's own fields, all labels, and in meta how the new ones were made.

    A meta that is no object stays as it is, and so does any where nothing is to be said of the labels.
    """
    fields = dict(labelled.row.fields)
    before, meta = fields.pop("labels", {}), fields.pop("meta", {})
    assert isinstance(before, Mapping)
    made = {name: label_line(label) for name, label in labelled.labels.items()}
    line: dict[str, object] = {**fields, "labels": {**before, **made}}
    if how is None or not isinstance(meta, Mapping):
        return {**line, "meta": meta} if "meta" in labelled.row.fields else line
    made_by = {name: models[0] if len(models) == 1 else models for name, models in how.models.items()}
    new = {
        name: {"method": method, "model": made_by[name], "seed": how.seed, **how.examples_of(name)}
        for name, method in how.methods.items()
    }
    known = meta.get("labelled", {})
    return {**line, "meta": {**meta, "labelled": {**(known if isinstance(known, Mapping) else {}), **new}}}


def soft(labelled: Labelled, name: str) -> SoftLabel | None:
    """A row's label, if it could be made."""
    label = labelled.labels[name]
    return label if isinstance(label, SoftLabel) else None


class Spool:
    """Rows that have to wait for the last one, on disk in a file without a name."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  # closed by `close`

    def close(self) -> None:
        """The rows are gone."""
        self._file.close()

    def add(self, labelled: Labelled) -> None:
        """Append a row.

        Raises:
            OutputError: The disk for temporary files is full.
        """
        try:
            pickle.dump(labelled, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        except OSError as error:
            remedy = "free some space, or set TMPDIR to a folder that has it"
            raise OutputError(f"temporary file: cannot be written: {error.strerror}; {remedy}") from error

    def __iter__(self) -> Iterator[Labelled]:
        """All rows, in the order in which they came."""
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)
            except EOFError:
                return

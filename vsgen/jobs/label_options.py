"""What the user asked of ``vsgen label``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from vsgen.errors import OptionError
from vsgen.files.endings import TEMPLATES
from vsgen.files.origin import ON_ERROR
from vsgen.files.places import Places
from vsgen.jobs.asked import chosen
from vsgen.jobs.label_selected import require_criterion
from vsgen.jobs.label_sets import require_sets
from vsgen.jobs.wanted import ModelChoice
from vsgen.labels.select import Selection
from vsgen.labels.words import asks
from vsgen.sections.sandbox import compile_text
from vsgen.sections.validators import check_name
from vsgen.template.load import load_template, template_of
from vsgen.template.schema import Template

FLAGS: Final = "flags"
"""What messages call the command line, where labels stand there."""
_PRICES: Final = re.compile(r"\s*prices\s*[.=]")
"""How a setting begins that is of the template and not of each label."""
_FEWEST = 2
"""Classes of a label."""
_SHOWN = 60
"""Characters of what was given that a message repeats."""


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """What the user asked for."""

    template: Template
    """Whose label sections say what to ask."""
    on: str
    """The field that holds the text."""
    input: str | Iterable[Mapping[str, object]]
    """A file, ``-`` for standard input, or rows."""
    places: Places = field(default_factory=Places)
    model: ModelChoice = field(default_factory=ModelChoice)
    seed: int = 0
    gold: str | None = None
    """A file of rows whose gold is known; a scaling is fitted to it."""
    plot: Path | None = None
    """Where the reliability diagram goes."""
    selection: Selection | None = None
    level: float | None = None
    """Sets of classes hold the right one with this probability; none are made if None."""
    truths: Mapping[str, str] = field(default_factory=dict)
    """The field of the rows with the gold of each label, by the label's name; labels are compared with it."""
    histogram: bool = False
    """Report how the rows' normalized entropy is distributed."""
    flips: bool = False
    """Ask the first rows again with the classes in other orders, and report how often labels flip."""
    max_calls: int | None = None
    """Replies and scores of language models."""
    max_tokens: int | None = None
    max_cost: float | None = None
    """USD; needs the template's `prices`."""
    truncate: bool = False
    skip_bad_rows: bool = False
    meta: bool = True

    @property
    def asked(self) -> str:
        """The model's name: the user's choice, else the template's; or a label's own, where each names one.

        Raises:
            OptionError: None is named.
        """
        judge = self.template.judges[0] if self.judged else None
        return chosen(self.model, self.template.model or judge, self.template.source)

    @property
    def judged(self) -> bool:
        """Whether every label names its own models, and none is the run's."""
        return all(judge.name is not None for label in self.template.labels for judge in label.judges)

    @property
    def parts(self) -> dict[str, object]:
        """Names all that an output is made from, but for what the rows hold."""
        return {
            "template": self.template.digest,
            "--on": self.on,
            "model": self.asked,
            "seed": self.seed,
            "--select": self.selection and f"{self.selection.criterion}:{self.selection.share}",
            "--sets": self.level,
            "--truncate": self.truncate,
            "--meta": self.meta,
            ON_ERROR: "skip" if self.skip_bad_rows else "stop",
        }

    def check(self) -> None:
        """See that the flags go together.

        Raises:
            OptionError: They do not; names the flag and the remedy.
        """
        if self.plot is not None and self.gold is None:
            raise OptionError(
                "--plot needs --calibrate GOLD: only rows whose class is known show how reliable labels are"
            )
        if self.selection is not None:
            require_criterion(self.selection, self.template.labels[0])
        require_sets(self.level, self.template.labels, calibrated=self.gold is not None)
        if isinstance(self.input, str) and self.input.lower().endswith(TEMPLATES):
            remedy = f"give the rows, and the template with --template {shlex.quote(self.input)}"
            raise OptionError(f"{self.input}: is a template, and rows are needed here; {remedy}")
        if self.gold == self.input == "-":
            raise OptionError("--calibrate -: standard input is INPUT already; name a file for one of them")


def from_template(
    source: str, on: str | None, overrides: Sequence[str], *, examples: str | None = None
) -> tuple[Template, str]:
    """A template whose labels are wanted, and the field that holds the text.

    Args:
        source: Its path or name.
        on: The field; by default the first field of the template's output.
        overrides: ``key=value`` of a label section, laid over each label.
        examples: A file of rows that are the labels' examples.

    Raises:
        TemplateError: It cannot be loaded.
        OptionError: It has no labels.
    """
    template = load_template(source)
    if not template.labels:
        raise OptionError(f"{template.source}: has no 'labels:'; add some, or pass --name and --classes instead")
    if overrides or examples is not None:
        template = load_template(source, _each(overrides, len(template.labels)), examples=examples)
    return template, on or template.output.fields[0]


def from_flags(
    sections: Sequence[Mapping[str, object]],
    on: str | None,
    overrides: Sequence[str],
    *,
    source: str = FLAGS,
    examples: str | None = None,
) -> tuple[Template, str]:
    """A template that was put together from flags, and the field that holds the text.

    Args:
        sections: A label section each; without a prompt it gets one, and a prompt that does not refer to the text gets
            the text after it.
        on: The field; ``text`` by default.
        overrides: As for `from_template`.
        source: What messages call them.
        examples: As for `from_template`.

    Raises:
        TemplateError: The flags make no usable labels.
        OptionError: The field cannot be referred to.
    """
    field_name = on or "text"
    try:
        check_name(field_name)
    except ValueError as error:
        raise OptionError(f"--on: {error}") from None
    labels = [_worded(section, field_name, shows=examples is not None) for section in sections]
    document = {"version": 1, "name": "label", "prompt": "-", "dedup": False, "labels": labels}
    return template_of(document, source, _each(overrides, len(labels)), examples=examples), field_name


def _each(overrides: Sequence[str], count: int) -> list[str]:
    whole = [setting for setting in overrides if _PRICES.match(setting)]
    return [*whole, *(f"labels.{i}.{setting}" for setting in overrides if setting not in whole for i in range(count))]


def _worded(section: Mapping[str, object], on: str, *, shows: bool) -> Mapping[str, object]:
    """A section with its prompt; where it has none of its own, examples in plain text need no question."""
    made = {**section, "prompt": _prompt(section, on)}
    if isinstance(section.get("prompt"), str) or not (shows or section.get("examples")):
        return made
    return {"plain": f"{on.replace('_', ' ').capitalize()}: {{{{ {on} }}}}", **made}


def _prompt(section: Mapping[str, object], on: str) -> str:
    text = "{{ " + on + " }}"
    asked = section.get("prompt")
    if not isinstance(asked, str):
        asked = asks(str(section.get("name")), str(section.get("kind")))
        return f"{asked}\n\n{text}"
    try:
        named = on in compile_text(asked).needed
    except ValueError:
        return asked
    return asked if named else f"{asked}\n\n{text}"


def classes_of(word: str) -> list[str]:
    """What follows ``--classes``: names parted by commas, or a JSON list of names where one holds a comma.

    Raises:
        OptionError: It begins as a JSON list and is none of texts, or it names fewer than two.
    """
    names = _json_list(word) if word.lstrip().startswith("[") else [name.strip() for name in word.split(",")]
    if len(names) < _FEWEST:
        raise OptionError(f"--classes: needs at least {_FEWEST}, such as good,bad; got {word[:_SHOWN]!r}")
    return names


def _json_list(word: str) -> list[str]:
    try:
        names = orjson.loads(word)
    except orjson.JSONDecodeError as error:
        raise OptionError(f"--classes: not a JSON list ({error.msg}), got {word[:_SHOWN]!r}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise OptionError(f"--classes: must be a JSON list of texts, got {word[:_SHOWN]!r}")
    return names

"""vsgen from Python: the same commands, typed, with rows in and out as values.

::

    import vsgen

    made = vsgen.generate("support-tickets", num=20, model="tiny")
    for record in made:
        print(record.fields["text"], record.labels["category"].probs)
    print(made.counts.acceptance, made.rejected)

Nothing is written but the journal, where one is named. Rows come as they are made; to stop early, close the iterator.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import orjson

from vsgen.errors import OptionError
from vsgen.files.places import Places
from vsgen.jobs.carry import Carried
from vsgen.jobs.counts import Counts
from vsgen.jobs.desk import ModelChoice
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.label import Labelling
from vsgen.jobs.label_options import LabelOptions, from_flags, from_template
from vsgen.jobs.label_rows import Labelled
from vsgen.jobs.task import Line, Task
from vsgen.ports import LanguageModel
from vsgen.values import Record

V = TypeVar("V")

_log = logging.getLogger("vsgen")


class Made(Generic[V]):
    """Rows under way: iterate it once; each row comes as soon as it is made."""

    def __init__(self, task: Task[Any, V]) -> None:
        self._carried: Carried[Any, V] = Carried(task, warn=_log.warning)
        self._rows = self._iterate()
        self.rejected: list[Line] = []
        """What did not become a row so far, with its reason: the lines of ``--rejects``."""

    @property
    def counts(self) -> Counts:
        """What has happened so far: candidates = kept + rejected."""
        return self._carried.counts

    @property
    def summary(self) -> Mapping[str, object]:
        """Counts, verdict and seconds as docs/summary.md describes; empty before the end."""
        return self._carried.summary

    def __iter__(self) -> Iterator[V]:
        """The rows.

        Raises:
            VsgenError: See `vsgen.errors`.
        """
        return self._rows

    def __next__(self) -> V:
        """The next row."""
        return next(self._rows)

    def close(self) -> None:
        """Stop: models are closed, and what is under way is given up."""
        self._rows.close()

    def _iterate(self) -> Generator[V]:
        for made in self._carried:
            self.rejected += made.rejects
            yield from made.values


def generate(
    template: str | Path | Mapping[str, object],
    rows: str | Path | Iterable[Mapping[str, object]] | None = None,
    *,
    num: int | None = None,
    model: str | LanguageModel | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    on_error: Literal["stop", "skip"] = "stop",
    settings: Mapping[str, object] | None = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    allow_exec: bool = False,
) -> Made[Record]:
    """Draw from a template, as ``vsgen run`` does.

    Args:
        template: A YAML file, the name of a shipped template, or what such a file says.
        rows: A JSONL file, or mappings; each becomes variables of the template.
        num: Rows to keep; by default what the template says, or one draw for each of `rows`.
        model: ``tiny``, a Hugging Face id, a folder or a GGUF file; or an opened model; None leaves it to the template.
        seed: Of everything that is random.
        journal: Where calls and raw replies lie; a later run with the same file asks nothing twice.
        on_error: What to do about a row that is no use.
        settings: Template keys to change, such as ``{"sampling.k": 8}``.
        max_calls: Replies to draw at most.
        max_tokens: Tokens to draw at most.
        allow_exec: Run the outside commands of the template's checks.

    Raises:
        UserError: The template or the arguments are wrong. What goes wrong later is raised by the iterator.
    """
    options = GenerateOptions(
        template=template if isinstance(template, Mapping) else str(template),
        overrides=_overrides(settings),
        input=_rows(rows),
        places=_places(journal),
        num=num,
        model=_choice(model),
        seed=seed,
        max_calls=max_calls,
        max_tokens=max_tokens,
        skip_bad_rows=on_error == "skip",
        allow_exec=allow_exec,
    )
    return Made(Generation(options))


def label(
    rows: str | Path | Iterable[Mapping[str, object]],
    labels: str | Path | Sequence[Mapping[str, object]],
    *,
    on: str | None = None,
    model: str | LanguageModel | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    on_error: Literal["stop", "skip"] = "stop",
    truncate: bool = False,
) -> Made[Labelled]:
    """Add soft labels to rows, as ``vsgen label`` does.

    Args:
        rows: A JSONL file, or mappings with a text.
        labels: A template that has some (a YAML file or a shipped template's name), or label sections such as
            ``{"name": "mood", "classes": ["good", "bad"], "prompt": "How is the mood of this?"}``.
        on: The field with the text; by default ``text``, or the first field of the template's output.
        model: As for `generate`.
        seed: Of everything that is random.
        journal: As for `generate`.
        on_error: What to do about a row that is no use.
        truncate: Cut texts that are too long for the model.

    Raises:
        UserError: The labels or the arguments are wrong. What goes wrong later is raised by the iterator.
    """
    if isinstance(labels, str | Path):
        template, field = from_template(str(labels), on, ())
    else:
        template, field = from_flags(labels, on, ())
    source = _rows(rows)
    if source is None:
        raise OptionError("rows: give a JSONL file, or mappings with a text")
    options = LabelOptions(
        template=template,
        on=field,
        input=source,
        places=_places(journal),
        model=_choice(model),
        seed=seed,
        truncate=truncate,
        skip_bad_rows=on_error == "skip",
    )
    return Made(Labelling(options))


def _rows(rows: str | Path | Iterable[Mapping[str, object]] | None) -> str | Iterable[Mapping[str, object]] | None:
    return str(rows) if isinstance(rows, Path) else rows


def _places(journal: str | Path | None) -> Places:
    return Places(journal=Path(journal) if journal is not None else None, to_stdout=False)


def _choice(model: str | LanguageModel | None) -> ModelChoice:
    return ModelChoice(model) if model is None or isinstance(model, str) else ModelChoice(model.name, opened=model)


def _overrides(settings: Mapping[str, object] | None) -> list[str]:
    return [f"{key}={orjson.dumps(value).decode()}" for key, value in (settings or {}).items()]

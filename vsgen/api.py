"""vsgen from Python: ``vsgen run`` and ``vsgen label``, typed, with rows in and out as values.

::

    import vsgen

    with vsgen.generate("support-tickets", num=20, model="tiny") as rows:
        for record in rows:
            print(record.fields["text"], record.probability)
    print(rows.counts.acceptance, len(rows.rejected))

Nothing is written but the journal, where one is named. What the user should know but what stops nothing is a warning of
the logger ``vsgen``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

import orjson

from vsgen.backends.endpoint.address import WireName, read_address, read_proxy
from vsgen.backends.endpoint.keys import find_key, key_text
from vsgen.backends.endpoint.server import Endpoint, Server
from vsgen.backends.endpoint.settings import chosen
from vsgen.errors import InputError, OptionError, TemplateError
from vsgen.files.given_rows import MakingError
from vsgen.files.places import Places
from vsgen.jobs.carry import Carried
from vsgen.jobs.counts import Counts
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.label import Labelling
from vsgen.jobs.label_options import LabelOptions, from_flags, from_template
from vsgen.jobs.label_rows import Labelled
from vsgen.jobs.task import Line, Task
from vsgen.jobs.wanted import ModelChoice
from vsgen.ports import LanguageModel
from vsgen.values import Record

V = TypeVar("V")

OnError: TypeAlias = Literal["stop", "skip"]

_SEEDS: Final = 2**63
_log = logging.getLogger("vsgen")


class Rows(Generic[V]):
    """Rows under way: iterate it, once; each row comes as soon as it is made.

    Whoever may stop before the last row uses it in a ``with``, or calls `close`; without either, models and the journal
    stay open as long as there is a reference to it.
    """

    def __init__(self, task: Task[Any, V]) -> None:
        self._carried: Carried[Any, V] = Carried(task, warn=_log.warning)
        self.rejected: list[Line] = []
        """What did not become a row so far, with its reason: the lines of ``--rejects``."""
        self._made = _made(self._carried, self.rejected)  # has no reference to self: a loop that breaks closes it

    @property
    def counts(self) -> Counts:
        """The counts so far: candidates = kept + rejected; ``stopped`` says why there are fewer rows than requested."""
        return self._carried.counts

    @property
    def summary(self) -> Mapping[str, object]:
        """What ``--summary`` writes: the counts and the verdict, as JSON values; empty before the end."""
        return self._carried.summary

    def lines(self) -> Iterator[Line]:
        """The remaining rows as the JSON objects that the command writes, instead of values."""
        for _, line in self._made:
            yield line

    def close(self) -> None:
        """Stop: abandon calls in progress, and close the models, the threads and the journal.

        A thread that reads a pipe ends when the writer of the pipe does.
        """
        self._made.close()

    def __iter__(self) -> Iterator[V]:
        return self

    def __next__(self) -> V:
        """The next row.

        Raises:
            VsgenError: See `vsgen.errors`; there are no more rows then.
        """
        value, _ = next(self._made)
        return value

    def __enter__(self) -> Rows[V]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def generate(
    template: str | Path | Mapping[str, object],
    rows: str | Path | Iterable[Mapping[str, object]] | None = None,
    *,
    num: int | None = None,
    model: str | Path | LanguageModel | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    on_error: OnError = "stop",
    settings: Mapping[str, object] | None = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    allow_exec: bool = False,
    allow_models: Sequence[str] = (),
    endpoint: Endpoint | str | None = None,
) -> Rows[Record]:
    """Draw from a template, as ``vsgen run`` does.

    Args:
        template: A YAML file, the name of a shipped template, or a mapping with the keys of such a file.
        rows: A JSONL file, or mappings; the fields of each are variables of the template.
        num: Rows to keep; by default the template's ``num``, or one draw for each of `rows`.
        model: ``tiny``, a Hugging Face id, a folder or a GGUF file; or an open model, which only one run at a time
            may use; None takes the template's model.
        seed: Seed of all random choices.
        journal: File for calls and raw replies; a later run with the same file repeats no call.
        on_error: What to do about an unusable row or a refused call.
        settings: Template keys to change, such as ``{"sampling.k": 8}``.
        max_calls: Stop after this many replies.
        max_tokens: Stop after this many generated tokens.
        max_cost: Stop after this many USD; the template, or `settings`, must have ``prices``.
        allow_exec: Run the external commands of the template's checks.
        allow_models: Models named by the template that may be downloaded; all others must be on this machine.
        endpoint: The server that the model is on: its URL, or what `vsgen.endpoint` returns; `model` is then the
            model's name there.

    Raises:
        UserError: The template or the arguments are wrong. The iterator raises all later errors.
    """
    if not isinstance(template, str | Path | Mapping):
        raise TemplateError(f"template: give a file, a shipped template's name or a mapping, got {template!r}")
    _check_counts(num=num, max_calls=max_calls, max_tokens=max_tokens)
    _check_cost(max_cost)
    options = GenerateOptions(
        template=template if isinstance(template, Mapping) else str(template),
        overrides=_overrides(settings),
        input=None if rows is None else _input(rows),
        places=_places(journal),
        num=num,
        model=_choice(model, allow_models, endpoint),
        seed=_seed(seed),
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_cost=max_cost,
        skip_bad_rows=_skips(on_error),
        allow_exec=allow_exec,
    )
    return Rows(Generation(options))


def endpoint(
    url: str,
    *,
    key_file: str | Path | None = None,
    wire: WireName | None = None,
    concurrency: int = 64,
    rpm: int | None = None,
    tpm: int | None = None,
    timeout: float = 600.0,
    proxy: str | None = None,
    hedge: bool = False,
) -> Endpoint:
    """A server that answers for models, for `generate` and `label`.

    Args:
        url: Its base, such as ``http://localhost:8000/v1``.
        key_file: A file with its API key; without one, the key is from the environment, as for the commands.
        wire: ``chat``, ``completions`` or ``messages``; None for the one that the URL suggests.
        concurrency: Most requests at the same time.
        rpm: Most requests a minute; None is no limit.
        tpm: Most tokens a minute, prompts included; None is no limit.
        timeout: Longest time for one reply, seconds; then it is asked again.
        proxy: URL of an HTTP proxy; variables such as ``HTTPS_PROXY`` are not used.
        hedge: Send the slowest requests (up to 5 %) a second time, and use the first reply. Both are paid.

    Raises:
        OptionError: It is no URL, its key cannot be read, there is no such `wire`, or a limit is none.
    """
    address = read_address(url, "endpoint")
    if wire is not None and wire not in get_args(WireName):
        raise OptionError(f"wire: must be chat, completions or messages, got {wire!r}")
    text = None if key_file is None else key_text(Path(key_file), "key_file")
    _check_counts(concurrency=concurrency, rpm=rpm, tpm=tpm)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 1:
        raise OptionError(f"timeout: must be a number of seconds >= 1, got {timeout!r}")
    settings = chosen(
        concurrency=concurrency,
        rpm=rpm,
        tpm=tpm,
        timeout=timeout,
        proxy=None if proxy is None else read_proxy(proxy, "proxy"),
        hedge=hedge,
    )
    return Endpoint(Server(address, find_key(address, os.environ, text), wire, "endpoint"), settings)


def label(
    rows: str | Path | Iterable[Mapping[str, object]],
    labels: str | Path | Mapping[str, object] | Sequence[Mapping[str, object]],
    *,
    on: str | None = None,
    model: str | Path | LanguageModel | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    on_error: OnError = "stop",
    truncate: bool = False,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    allow_models: Sequence[str] = (),
    endpoint: Endpoint | str | None = None,
) -> Rows[Labelled]:
    """Add soft labels to rows, as ``vsgen label`` does.

    Args:
        rows: A JSONL file, or mappings with a text.
        labels: A template with labels (a YAML file, or a shipped template's name); or a mapping with the keys of a
            label, such as ``{"name": "mood", "classes": ["good", "bad"]}``, or several such mappings.
        on: The field with the text; by default ``text``, or the first field of the template's output.
        model: As for `generate`.
        seed: Seed of all random choices.
        journal: As for `generate`.
        on_error: What to do about an unusable row. With ``skip``, a label that cannot be made is `Unlabelled`.
        truncate: Cut texts that are too long for the model.
        max_calls: Stop after this many replies and scores.
        max_tokens: As for `generate`.
        max_cost: Stop after this many USD; the template of `labels` must have ``prices``.
        allow_models: As for `generate`.
        endpoint: As for `generate`.

    Raises:
        UserError: The labels or the arguments are wrong. The iterator raises all later errors.
    """
    _check_counts(max_calls=max_calls, max_tokens=max_tokens)
    _check_cost(max_cost)
    if isinstance(labels, str | Path):
        template, field = from_template(str(labels), on, ())
    else:
        template, field = from_flags(_sections(labels), on, (), source="labels")
    options = LabelOptions(
        template=template,
        on=field,
        input=_input(rows),
        places=_places(journal),
        model=_choice(model, allow_models, endpoint),
        seed=_seed(seed),
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_cost=max_cost,
        truncate=truncate,
        skip_bad_rows=_skips(on_error),
    )
    return Rows(Labelling(options))


def _made(carried: Carried[Any, V], rejected: list[Line]) -> Generator[tuple[V, Line]]:
    """Each row as a value and as a line."""
    try:
        for made in carried:
            rejected += made.rejects
            yield from zip(made.values, made.rows, strict=True)
    except MakingError as error:
        raise error.__cause__ or error from None  # the caller's own, once all rows before it are out


def _input(rows: str | Path | Iterable[Mapping[str, object]]) -> str | Iterable[Mapping[str, object]]:
    if isinstance(rows, str | Path):
        return str(rows)
    if isinstance(rows, Mapping) or not isinstance(rows, Iterable):
        raise InputError(f"rows: give a JSONL file, or mappings in a list or an iterator, got {rows!r:.60}")
    return rows


def _sections(labels: Mapping[str, object] | Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
    sections = [labels] if isinstance(labels, Mapping) else labels
    if not isinstance(sections, Sequence) or not sections or not all(isinstance(each, Mapping) for each in sections):
        remedy = "give a template, or a mapping with name and classes, or several"
        raise OptionError(f"labels: {remedy}, got {labels!r:.60}")
    return sections


def _places(journal: str | Path | None) -> Places:
    return Places(journal=None if journal is None else Path(journal), to_stdout=False)


def _choice(
    model: str | Path | LanguageModel | None, allow: Sequence[str], place: Endpoint | str | None
) -> ModelChoice:
    if isinstance(allow, str) or not all(isinstance(name, str) for name in allow):
        raise OptionError(f"allow_models: give names in a list, got {allow!r:.60}")
    there = endpoint(place) if isinstance(place, str) else place
    if there is not None and not isinstance(there, Endpoint):
        raise OptionError(f"endpoint: give a URL, or what vsgen.endpoint(URL) returns, got {there!r:.60}")
    if model is None or isinstance(model, str | Path):
        name, names = None if model is None else str(model), tuple(allow)
        if there is None:
            return ModelChoice(name, allow=names)
        return ModelChoice(name, allow=names, server=there.server, http=there.settings)
    if there is not None:
        raise OptionError(f"endpoint: needs the model's name there, got {model!r:.60}")
    if not isinstance(model, LanguageModel):
        raise OptionError(f"model: give a name, a path, or an object with name, generate and score, got {model!r:.60}")
    return ModelChoice(model.name, allow=tuple(allow), opened=model)


def _overrides(settings: Mapping[str, object] | None) -> list[str]:
    try:
        return [f"{key}={orjson.dumps(value).decode()}" for key, value in (settings or {}).items()]
    except TypeError as error:
        raise OptionError(f"settings: must hold values that JSON can represent ({error})") from None


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and (not isinstance(count, int) or count < 1):
            raise OptionError(f"{name}: must be an integer >= 1, or None, got {count!r}")


def _check_cost(usd: float | None) -> None:
    if usd is not None and (isinstance(usd, bool) or not isinstance(usd, int | float) or not usd >= 0):
        raise OptionError(f"max_cost: must be a number of USD >= 0, or None, got {usd!r}")


def _seed(seed: int) -> int:
    if not isinstance(seed, int) or not 0 <= seed < _SEEDS:
        raise OptionError(f"seed: must be an integer from 0 to {_SEEDS - 1}, got {seed!r}")
    return seed


def _skips(on_error: OnError) -> bool:
    if on_error not in get_args(OnError):
        raise OptionError(f"on_error: must be 'stop' or 'skip', got {on_error!r}")
    return on_error == "skip"

"""Writes the rows of known distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.distributions.draws import draw
from vsgen.distributions.soft import Tokenizer, paths, spell, trie_row
from vsgen.distributions.target import Target
from vsgen.errors import InputError, OptionError
from vsgen.export.packed import distillkit_row
from vsgen.files.places import Places
from vsgen.jobs.targets_options import TargetsOptions
from vsgen.jobs.targets_sources import find_targets, open_template


class Made(NamedTuple):
    """What was written."""

    prompts: int
    rows: int


def make(job: TargetsOptions, *, warn: Callable[[str], None]) -> Made:
    """Make the rows of a job, one prompt after the other.

    Args:
        job: What to do.
        warn: Told of what the user should know.

    Raises:
        VsgenError: See `vsgen.errors`.
        ReaderGone: Nobody reads standard output any more.
    """
    job.check()
    _check_output(job.places)
    choice = job.wanted
    targets = peeked(find_targets(choice, open_template(choice), warn))
    tokenizer = open_tokenizer(job.tokenizer, remote_code=job.remote_code) if job.tokenizer else None
    prompts = count = 0
    with ExitStack() as open_files:
        lines = job.places.open_output(open_files)
        for target in targets:
            rows = list(_rows(job, target, tokenizer, warn))
            lines.write(rows)
            prompts, count = prompts + 1, count + len(rows)
        lines.finish()
    return Made(prompts, count)


def peeked(targets: Iterator[Target]) -> Iterator[Target]:
    """The same targets, of which there is one: what is wrong with the source is told before anything is opened.

    Raises:
        InputError: There is none.
    """
    first = next(targets, None)
    if first is None:
        raise InputError("there are no prompts; give at least one row")
    return chain([first], targets)


def _check_output(places: Places) -> None:
    """As `Places.done`, but that nothing can be resumed: what an interrupted command left is simply written anew."""
    replace(places, overwrite=True).done({})
    if places.output is not None and places.output.exists() and not places.overwrite:
        raise OptionError(f"{places.output}: exists; --overwrite replaces it")


def _rows(
    job: TargetsOptions, target: Target, tokenizer: Tokenizer | None, warn: Callable[[str], None]
) -> Iterable[Mapping[str, object]]:
    if job.kind == "hard":
        return _hard(job, target)
    if tokenizer is not None:
        return _soft(job, target, tokenizer, warn)
    return [
        {
            **_head(target),
            "messages": _messages(target),
            "values": target.values,
            "probs": target.probs,
            **target.details,
        }
    ]


def _hard(job: TargetsOptions, target: Target) -> Iterator[dict[str, object]]:
    for number, value in enumerate(draw(target, job.seed, job.draws)):
        answer = {"role": "assistant", "content": target.values[value]}
        yield {**_head(target, number), "messages": [*_messages(target), answer]}


def _soft(
    job: TargetsOptions, target: Target, tokenizer: Tokenizer, warn: Callable[[str], None]
) -> Iterator[dict[str, object]]:
    spelled = spell(target, tokenizer)
    possible = sum(prob > 0 for prob in target.probs)
    if spelled.distinct < possible:
        warn(f"{target.id}: {possible} answers have only {spelled.distinct} spellings with {tokenizer.name}")
    named = {"tokenizer": tokenizer.name, "end": tokenizer.end}
    if job.paths is None:
        yield {**_head(target), **named, **trie_row(spelled)}
        return
    for number, taught in enumerate(paths(target, spelled, job.seed, job.paths)):
        yield {**_head(target, number), **named, **distillkit_row(taught)}


def _head(target: Target, draw: int | None = None) -> dict[str, object]:
    """What every row of a target begins with; a drawn one has its number in the id."""
    split = {} if target.split is None else {"split": target.split}
    name = target.id if draw is None else f"{target.id}#{draw:02d}"
    return {"id": name, **split, "family": target.family, "params": target.params}


def _messages(target: Target) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in target.prompt.messages]

"""``vsgen targets``: the rows of known distributions, one prompt after the other. No model is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.distributions.draws import draw
from vsgen.distributions.soft import Tokenizer, paths, spell, trie_row
from vsgen.distributions.target import Target
from vsgen.engine.source import Flows
from vsgen.errors import InputError, OptionError
from vsgen.export.packed import distillkit_row
from vsgen.files.origin import Origin
from vsgen.files.places import Places
from vsgen.flow import Flow
from vsgen.jobs.counts import Counts
from vsgen.jobs.desk import Desk
from vsgen.jobs.targets_options import TargetsOptions
from vsgen.jobs.targets_sources import find_targets, open_input, open_template
from vsgen.jobs.task import Line, Made, Warn
from vsgen.ports import Source


class TargetRows:
    """Known distributions as training rows; see `vsgen.jobs.task.Task`."""

    command = "targets"
    noun = "prompts"

    def __init__(self, options: TargetsOptions) -> None:
        """Check the flags.

        Raises:
            UserError: The template or the flags are wrong.
        """
        options.check()
        self._options = options
        self._template = open_template(options.wanted)
        if self._template is not None and not self._template.chat:
            why = "the rows of targets are messages of a chat; leave it out"
            raise OptionError(f"{self._template.source}: chat: false: {why}")
        self._input = open_input(options.wanted)
        self._tokenizer: Tokenizer | None = None

    @property
    def places(self) -> Places:
        """Its files."""
        return self._options.places

    @property
    def wanted(self) -> None:
        """How many rows there will be is not known before."""

    @property
    def origin(self) -> Origin:
        """An interrupted command is simply run again, so nothing is compared."""
        return Origin()

    @property
    def models(self) -> None:
        """It asks none."""

    def source(self, desk: Desk, counts: Counts, warn: Warn) -> Source[Target]:
        """The targets themselves."""
        options, self._warn = self._options, warn
        targets = peeked(find_targets(options.wanted, self._template, self._input, warn))
        if options.tokenizer:
            self._tokenizer = open_tokenizer(options.tokenizer, remote_code=options.remote_code)
        return Flows(_as_it_is(target) for target in targets)

    def most(self) -> int:
        """One after the other."""
        return 1

    def made(self, target: Target) -> Made[Line]:
        """The rows of a prompt."""
        rows = list(_rows(self._options, target, self._tokenizer, self._warn))
        return Made(rows=rows, values=rows, units=1, candidates=len(rows))

    def enough(self) -> bool:
        """Every prompt has its rows."""
        return False

    def rest(self) -> Iterator[Made[Line]]:
        """Nothing waits."""
        return iter(())

    def seen(self) -> None:
        """Nothing is compared."""

    def verdict(self) -> None:
        """What is exactly known needs none."""

    def unjudged(self) -> None:
        """Nothing."""

    def report(self) -> list[str]:
        """Nothing more is to be said."""
        return []


def _as_it_is(target: Target) -> Flow[Target]:
    """Nothing is asked about it."""
    return target
    yield ()


def peeked(targets: Iterator[Target]) -> Iterator[Target]:
    """The same targets, of which there is one: what is wrong with the source is reported before anything is opened.

    Raises:
        InputError: There is none.
    """
    first = next(targets, None)
    if first is None:
        raise InputError("there are no prompts; give at least one row")
    return chain([first], targets)


def _rows(
    job: TargetsOptions, target: Target, tokenizer: Tokenizer | None, warn: Warn
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


def _soft(job: TargetsOptions, target: Target, tokenizer: Tokenizer, warn: Warn) -> Iterator[dict[str, object]]:
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

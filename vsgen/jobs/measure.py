"""``vsgen measure``: a model on prompts with a known distribution, and on some that show how varied its answers are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.distributions.probes import OPEN, QUIZ
from vsgen.distributions.soft import Spelled, Tokenizer, spell
from vsgen.distributions.target import Target
from vsgen.engine.source import Flows
from vsgen.files.origin import Origin
from vsgen.files.places import Places
from vsgen.files.rows import Seen
from vsgen.flow import Flow
from vsgen.flows.observe import Asked, observe
from vsgen.jobs.counts import Counts
from vsgen.jobs.desk import Desk
from vsgen.jobs.local import kept_local
from vsgen.jobs.measure_options import MeasureOptions
from vsgen.jobs.measure_rows import UNIQUE, Measured, Summary, of_probe, of_target
from vsgen.jobs.samples import of_measure
from vsgen.jobs.servers import with_servers
from vsgen.jobs.targets import peeked
from vsgen.jobs.targets_sources import count_targets, find_targets, open_input, open_template
from vsgen.jobs.task import Made, Warn
from vsgen.jobs.wanted import Wanted
from vsgen.ports import Source

UNSCORED: Final = "unscored-answers"
"""The flag of a prompt whose answers could not be scored."""
_REPLY_TOKENS = 16
_QUIZ_TOKENS = 256
_WINDOW = 4
_SCORED = 1
"""Targets whose answers are scored at once: each has a thousand."""


class Reading(NamedTuple):
    """One prompt's measures, and what they took."""

    row: Measured
    replies: int = 0
    tokens: int = 0
    """Drawn in the replies."""
    problem: str = ""
    """Why the answers could not be scored."""


class Measurement:
    """The prompts that a model is measured on; see `vsgen.jobs.task.Task`."""

    command = "measure"
    noun = "prompts"

    def __init__(self, options: MeasureOptions) -> None:
        """Check all that can be known before a model is.

        Raises:
            UserError: The template or the flags are wrong.
        """
        options.check()
        self._options = options
        self._template = open_template(options.wanted)
        self._input = open_input(options.wanted)
        wanted = Wanted(
            options.model,
            default=options.asked(self._template),
            score_batch=_SCORED,
            samples=tuple(of_measure()),
        )
        self.models = kept_local(with_servers(wanted, self._template), self._template)
        """The model that it measures."""
        self.summary = Summary()
        """Means by family."""

    @property
    def places(self) -> Places:
        """Its files."""
        return self._options.places

    @property
    def wanted(self) -> int | None:
        """Prompts; None where that is not known before."""
        count = count_targets(self._options.wanted)
        return None if count is None else count + _probing(self._options) * (len(OPEN) + len(QUIZ))

    @property
    def origin(self) -> Origin:
        """What its output is made from."""
        options = self._options
        return Origin(options.parts(self._template), self._input, grows=options.choice.rows is None)

    def source(self, desk: Desk, counts: Counts, warn: Warn) -> Source[Reading]:
        """Every target, and after them the prompts without one."""
        options = self._options
        self._seen = None if self._input is None else self._input.look()
        targets = peeked(find_targets(options.wanted, self._template, self._input, warn))
        tokenizer = self._tokenizer()
        if not desk.teaches:
            warn(f"{desk.model}: cannot give next-token distributions, so `support` is null")
        self._model = desk.model
        return Flows(prompts(options, targets, tokenizer, teach=desk.teaches))

    def _tokenizer(self) -> Tokenizer | None:
        """The model's; None where that is behind a URL."""
        name = self.models.asked
        if name in self.models.services:
            return None
        local = name in self.models.local
        return open_tokenizer(name, remote_code=self._options.model.remote_code and not local, local=local)

    def most(self) -> int:
        """Prompts under way: each asks for its thousand replies at once."""
        return _WINDOW

    def made(self, reading: Reading) -> Made[Measured]:
        """The row of a prompt."""
        self.summary.add(reading.row)
        return Made(
            rows=[{"model": self._model, **reading.row}],
            values=[reading.row],
            units=1,
            candidates=1,
            replies=reading.replies,
            tokens=reading.tokens,
            flags=[UNSCORED] if reading.problem else [],
            problems=[reading.problem] if reading.problem else [],
        )

    def enough(self) -> bool:
        """Every prompt is measured."""
        return False

    def rest(self) -> Iterator[Made[Measured]]:
        """Nothing waits."""
        return iter(())

    def seen(self) -> Seen | None:
        """What the input holds."""
        return self._seen

    def verdict(self) -> None:
        """A measurement judges a model, and no rows."""

    def unjudged(self) -> None:
        """Nothing."""

    def report(self) -> list[str]:
        """Means by family, aligned."""
        return list(self.summary.table())


def prompts(
    options: MeasureOptions, targets: Iterator[Target], tokenizer: Tokenizer | None, *, teach: int
) -> Iterator[Flow[Reading]]:
    """A flow for each prompt.

    Args:
        options: How many replies, and with which seed.
        targets: Those to ask, before the prompts without a target.
        tokenizer: The model's; None leaves out what is counted in tokens.
        teach: How many of its next tokens the model can state, by which its support is known; 0 none.
    """
    for target in targets:
        spelled = None if tokenizer is None else spell(target, tokenizer)
        asked = Asked(target.id, target.prompt, target.values, options.draws, _reply_tokens(target, spelled))
        yield _on_target(target, spelled, asked, options.seed, teach=teach)
    if _probing(options):
        for asked in _probes(options.draws):
            yield _on_probe(asked, options.seed, teach=teach)


def _probing(options: MeasureOptions) -> bool:
    return options.choice.template is None and options.probes


def _probes(draws: int) -> Iterator[Asked]:
    for i, prompt in enumerate(OPEN):
        yield Asked(f"open/{i:02d}", prompt, replies=min(UNIQUE, draws), max_tokens=_REPLY_TOKENS)
    for i, prompt in enumerate(QUIZ):
        yield Asked(f"quiz/{i:02d}", prompt, replies=draws, max_tokens=_QUIZ_TOKENS)


def _on_target(target: Target, spelled: Spelled | None, asked: Asked, seed: int, *, teach: int) -> Flow[Reading]:
    seen = yield from observe(asked, seed, teach=teach)
    return Reading(of_target(target, spelled, seen), len(seen.replies), seen.tokens, seen.problem)


def _on_probe(asked: Asked, seed: int, *, teach: int) -> Flow[Reading]:
    seen = yield from observe(asked, seed, teach=teach)
    return Reading(of_probe(seen), len(seen.replies), seen.tokens, seen.problem)


def _reply_tokens(target: Target, spelled: Spelled | None) -> int:
    """Room for the longest answer and its end; a token is at least a byte."""
    longest = max(len(value.encode()) for value in target.values) + 1 if spelled is None else spelled.longest
    return max(_REPLY_TOKENS, longest)

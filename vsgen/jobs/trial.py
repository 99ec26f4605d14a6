"""A few draws whole, for people: what the model read, what it said, and what became of it. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from vsgen import signals
from vsgen.dedup.index import Index
from vsgen.files.journal import MemoryJournal
from vsgen.files.mistaken import without_rows
from vsgen.files.rows import read_rows
from vsgen.flow import Heard, overheard
from vsgen.flows.asking import size_of
from vsgen.flows.checks import require
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.jobs.activity import Activity
from vsgen.jobs.asked import asked
from vsgen.jobs.carry import answers
from vsgen.jobs.desk import Desk
from vsgen.jobs.local import kept_local
from vsgen.jobs.samples import of_run
from vsgen.jobs.servers import with_servers
from vsgen.jobs.unjudged import unjudged
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.variables import draw_variables
from vsgen.values import Prompt, Row
from vsgen.verdict.finding import Verdict
from vsgen.verdict.findings import assess
from vsgen.verdict.observed import Observed
from vsgen.verdict.setup import Setup


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """What the user asked for."""

    template: str
    overrides: Sequence[str] = ()
    """``key=value``, laid over the template."""
    input: str | None = None
    draws: int = 1
    model: ModelChoice = field(default_factory=ModelChoice)
    seed: int = 0
    allow_exec: bool = False
    """Let the template's checks run their commands."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One draw, whole."""

    name: str
    heard: Sequence[Heard]
    """Every call and its reply, in the order in which they were asked."""
    outcome: Outcome
    verdict: Verdict
    """On this draw alone."""


class Trial:
    """A template and a model, opened to draw a few times."""

    def __init__(self, job: TrialOptions, activity: Activity | None = None) -> None:
        """Open them.

        Args:
            job: What the user asked for.
            activity: Where it writes down what it is doing.

        Raises:
            UserError: The template or the input is wrong.
            ModelError: The model cannot be opened.
        """
        self.template = load_template(job.template, job.overrides)
        require(self.template, allow_exec=job.allow_exec)
        self._job = job
        self._activity = activity or Activity()
        self._rows = _rows(job.input, job.draws)
        if job.input is None:
            Renderer(self.template).prompt(draw_variables(self.template, job.seed, 0))
        dedup = self.template.dedup or None
        embedder = dedup.place if dedup else None
        wanted = Wanted(
            job.model,
            default=asked(job.model, self.template),
            embedder=embedder,
            judges=self.template.judges,
            deciding=self.template.deciding,
            commands=True,
            samples=tuple(of_run(self.template)),
        )
        wanted = with_servers(wanted, self.template)
        self._desk = Desk(kept_local(wanted, self.template), MemoryJournal(), self._activity)
        self._activity.stage = None
        self.template = load_template(job.template, job.overrides, size_of(self._desk.facts))

    @property
    def model(self) -> str:
        """The model's own name."""
        return self._desk.model

    def render(self, prompt: Prompt, judge: str | None = None) -> str | None:
        """A prompt as the model, or a judge, reads it; None where it cannot say."""
        return self._desk.render(prompt, judge)

    @property
    def unjudged(self) -> str | None:
        """What the verdict cannot see; None where that needs no word."""
        return unjudged(self._desk.asked, self.template)

    @property
    def remarks(self) -> Sequence[str]:
        """What the user should know of the texts that the models were given to read so far."""
        return self._desk.remarks

    def draws(self) -> Iterator[Shown]:
        """Draw, one after the other; they are those of a run with the same seed, but for repeats of earlier draws.

        Raises:
            VsgenError: See `vsgen.errors`.
        """
        with self._desk, signals.unwound():
            for row in self._rows:
                heard: list[Heard] = []
                flow = overheard(self._pipeline().draw(row, row.index), heard)
                (outcome,) = answers([flow], self._desk)
                yield self._shown(row.index, heard, outcome)

    def _pipeline(self) -> Pipeline:
        """Each draw has an index of its own: it is compared with nothing but itself."""
        dedup, models = self.template.dedup or None, self._desk.models
        index = Index(dedup) if dedup else None
        return Pipeline(self.template, seed=self._job.seed, models=models, index=index, quota=Quota(None))

    def _shown(self, number: int, heard: Sequence[Heard], outcome: Outcome) -> Shown:
        observed = Observed.of(self.template)
        observed.add(outcome)
        setting = replace(Setup.of_run(self.template, self._desk.facts), tried=True)
        return Shown(f"{self.template.name}/{number:06d}", heard, outcome, assess(observed, setting))


def _rows(source: str | None, count: int) -> list[Row]:
    """The first rows of the input, or as many without fields."""
    if source is None:
        return [Row(number) for number in range(count)]
    rows = list(islice(read_rows(source), count))
    if not rows:
        raise without_rows(source)
    return rows

"""The main job: opens what a run needs, lets the engine draw until enough rows are kept, and closes it all in order."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, cycle, repeat

from vsgen.checks.commands import Commands
from vsgen.dedup.index import Index
from vsgen.errors import InputError, OptionError
from vsgen.export.packed import TokenLogprobs, token_row
from vsgen.files.ends import NUM
from vsgen.files.places import Places
from vsgen.files.records import record_line, rejected_line
from vsgen.files.rows import read_rows
from vsgen.flows.asking import size_of, unsuited
from vsgen.flows.checks import outside, require
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.flows.keep import Tried
from vsgen.flows.rows import flags
from vsgen.jobs.desk import ModelChoice, Session
from vsgen.ports import Journal
from vsgen.sampling.settings import Sampling
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.values import Record, Row
from vsgen.verdict.finding import Verdict
from vsgen.verdict.setting import Setting
from vsgen.verdict.watch import Watch

_AHEAD = 2
"""Draws beyond those that are expected to do are started while less than one row in so many (1/2) is taken."""
_NEW = 0.02
"""A run is saturated once less than this share of its latest candidates was new."""


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What the user asked for."""

    template: str
    overrides: Sequence[str] = ()
    """``key=value``, laid over the template."""
    input: str | None = None
    places: Places = field(default_factory=Places)
    num: int | None = None
    model: ModelChoice = field(default_factory=ModelChoice)
    seed: int = 0
    window: int = 128
    """Draws under way at most; changes speed and memory, never the output."""
    max_calls: int | None = None
    max_tokens: int | None = None
    patience: int = 20
    """Draws without anything new after which a run is saturated; 0 is endless."""
    skip_bad_rows: bool = False
    meta: bool = True
    allow_exec: bool = False
    """Let the template's checks run their commands."""
    token_logprobs: TokenLogprobs | None = None
    """Teach every kept answer token by token, in this layout."""


@dataclass(slots=True)
class Tally:
    """What has happened so far, in the order of the output; every count is a sum over finished draws."""

    wanted: int | None = None
    draws: int = 0
    candidates: int = 0
    """All that came out of the draws; each ends as a record or as a reject."""
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    """What was odd about the kept ones: how many have each flag."""
    tried: dict[str, Tried] = field(default_factory=dict)
    """How each clause of `keep` fared."""
    ranks: list[float] = field(default_factory=list)
    """Of each draw: the rank correlation of stated probabilities with the model's own."""
    skipped: int = 0
    calls: int = 0
    """Replies drawn from the model for these draws, replayed ones included."""
    tokens: int = 0
    """Tokens in them."""
    paid: Counter[str] = field(default_factory=Counter)
    """Calls answered in this process, by kind, those of unfinished draws included."""
    cut: int = 0
    """Texts that were longer than the embedder reads."""
    stopped: str | None = None
    """Why the run ended short of what was wanted."""
    was_done: bool = False
    """Nothing was to do: the output was complete before."""
    verdict: Verdict | None = None
    """Of all finished draws; None before the end, and where nothing was to do."""
    passed: bool = True
    """The verdict, of this run or of the one that made the output, is not bad."""

    @property
    def complete(self) -> bool:
        """Whether all that was wanted is kept."""
        return self.wanted is not None and self.kept >= self.wanted

    @property
    def unmet(self) -> str:
        """The clause of `keep` that holds most rarely, where that is what most candidates end by."""
        if not self.tried or self.rejected.most_common(1)[0][0] != "keep":
            return ""
        return f" and kept; {min(self.tried.values(), key=lambda one: one.held / max(one.seen, 1))}"

    def add(self, outcome: Outcome) -> None:
        """Count a finished draw."""
        self.draws += 1
        self.candidates += outcome.candidates
        self.kept += len(outcome.records)
        self.rejected.update(one.reason for one in outcome.rejected)
        self.flagged.update(flag for one in outcome.records for flag in flags(one))
        for one in outcome.tried:
            self.tried[one.clause] = one.added(self.tried.get(one.clause))
        if outcome.rank is not None:
            self.ranks.append(outcome.rank)
        self.skipped += outcome.skipped is not None
        self.calls += outcome.calls
        self.tokens += outcome.tokens


class _Pace:
    """Decides how many draws may be under way, and when to give up."""

    def __init__(self, job: GenerateOptions, template: Template, settings: Sampling, tally: Tally, rows: int) -> None:
        """Set up; `rows` is how many replies the model draws side by side."""
        self._job = job
        self._tally = tally
        self._size = job.window
        labels = [label.most for label in template.labels]
        mended = settings.k * template.repair
        self._calls = settings.most[0] + mended + settings.k * sum(calls for calls, _ in labels)
        drawn = settings.most[1] + mended * settings.max_tokens
        self._tokens = drawn + settings.k * sum(tokens for _, tokens in labels)
        self._k = settings.k
        self._free = rows // (_AHEAD * settings.most[0])
        self._recent: deque[tuple[int, int]] = deque(maxlen=job.patience)

    def window(self) -> int:
        """The draws that may be started and unfinished: bounded by what is wanted and by what the budget can bear."""
        tally, job = self._tally, self._job
        if tally.stopped:
            return 0
        bounds = [self._size]
        if tally.wanted is not None:
            bounds.append(self._needed(tally.wanted))
        if job.max_calls is not None:
            bounds.append((job.max_calls - tally.calls) // self._calls)
        if job.max_tokens is not None:
            bounds.append((job.max_tokens - tally.tokens) // self._tokens)
        return max(0, min(bounds))

    def _needed(self, wanted: int) -> int:
        """The draws that will probably do.

        Some give less than others. Were only as many started as do on average, what then lacks would be drawn in a
        batch that is almost empty and takes nearly as long as a full one. So some are started ahead, as long as much of
        the batch is free; when enough is kept, what is still under way is given up.
        """
        expected = (self._tally.kept + self._k) / (self._tally.draws + 1)
        likely = math.ceil((wanted - self._tally.kept) / expected)
        ahead = min(math.isqrt(likely), self._free - likely) if likely > 0 else 0
        return likely + max(0, ahead)

    def note(self, outcome: Outcome) -> None:
        """Learn from a finished draw whether more of them are worth while."""
        self._recent.append((len(outcome.records), len(outcome.records) + len(outcome.rejected)))
        if self._tally.wanted is None or not self._job.patience or len(self._recent) < self._job.patience:
            return
        new, candidates = map(sum, zip(*self._recent, strict=True))
        if new < _NEW * max(candidates, 1):
            why = ", ".join(f"{count} {reason}" for reason, count in self._tally.rejected.most_common())
            kept = f"{new} of the last {candidates} candidates were new{self._tally.unmet}"
            self._tally.stopped = f"saturated: {kept} (so far {why})"

    def spent(self) -> str | None:
        """Which budget cannot bear another draw."""
        tally, job = self._tally, self._job
        if job.max_calls is not None and tally.calls + self._calls > job.max_calls:
            return f"--max-calls: {tally.calls} of {job.max_calls} are spent, and a draw may take {self._calls}"
        if job.max_tokens is not None and tally.tokens + self._tokens > job.max_tokens:
            draw = f"a draw may take {self._tokens} (its replies x sampling.max_tokens)"
            return f"--max-tokens: {tally.tokens} of {job.max_tokens} are spent, and {draw}"
        return None


def run(job: GenerateOptions, *, observe: Callable[[Tally], None], warn: Callable[[str], None]) -> Tally:
    """Run a job to its end.

    Args:
        job: What to do.
        observe: Told of the tally after every finished draw.
        warn: Told of things that the user should know but that do not stop the run.

    Returns:
        The final tally; `Tally.stopped` says why it is short, if it is.

    Raises:
        VsgenError: See `vsgen.errors`; all that was written stays.
        ReaderGone: Nobody reads standard output any more.
    """
    template = load_template(job.template, job.overrides)
    _refuse_batch_priors(template)
    require(template, allow_exec=job.allow_exec)
    tally = Tally(wanted=_wanted(job, template))
    parts = _parts(job, template, tally.wanted)
    if (rows_done := job.places.done(parts)) is not None:
        tally.kept, tally.was_done, tally.passed = rows_done, True, job.places.passed()
        return tally
    rows = _numbered(_rows(job, tally, warn))
    if job.input is None:
        Renderer(template).prompt(draw_variables(template, job.seed, 0))
    if not job.model.name and template.model in {None, "tiny"}:
        warn("no --model given: asking the embedded toy model, tiny, which knows only the shipped templates")
    with ExitStack() as open_files:
        journal = job.places.open_journal(open_files)
        draws = _Draws(job, template, tally, journal, open_files)
        lines, rejects = job.places.open_output(open_files), job.places.open_rejects(open_files)
        watch = Watch(draws.setting)
        tell = _Once(warn)
        tell(draws.unsuited)
        for outcome in draws.outcomes(rows):
            lines.write(_line(record, job) for record in outcome.records)
            rejects.write(rejected_line(one, meta=job.meta) for one in outcome.rejected)
            if outcome.skipped:
                warn(outcome.skipped)
            tell((*outcome.notes, *watch.add(outcome)))
            observe(tally)
        rejects.finish()
        lines.finish()
        tally.verdict = watch.verdict()
        tally.passed = not tally.verdict.bad
        journal.end(parts, complete=tally.stopped is None, passed=tally.passed)
    return tally


class _Once:
    """Tells the user each thing once."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._told: set[str] = set()

    def __call__(self, notes: Iterable[str]) -> None:
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                self._warn(note)


class _Draws:
    """The models and the rooms of one run, opened and connected."""

    def __init__(
        self, job: GenerateOptions, template: Template, tally: Tally, journal: Journal, open_files: ExitStack
    ) -> None:
        self._tally = tally
        default = template.model or "tiny"
        embedder = template.dedup.embedder if template.dedup else None
        commands = open_files.enter_context(Commands())
        self._session = open_files.enter_context(
            Session(job.model, default, journal, embedder=embedder, judges=template.judges, commands=commands)
        )
        tally.paid = self._session.paid
        self.template = load_template(job.template, job.overrides, size_of(self._session.facts))
        """With the settings that it recommends for a model of this size."""
        dedup = self.template.dedup or None
        self._pipeline = Pipeline(
            self.template,
            seed=job.seed,
            models=self._session.models,
            index=Index(dedup.threshold, guards=dedup.guards) if dedup else None,
            quota=Quota(tally.wanted),
            skip_bad_rows=job.skip_bad_rows,
            teach_top=job.token_logprobs.top if job.token_logprobs else 0,
        )
        self._pace = _Pace(job, self.template, self._pipeline.settings, tally, self._session.rows)

    @property
    def setting(self) -> Setting:
        """What the verdict must know."""
        return Setting.of_run(self.template, self._session.facts)

    @property
    def unsuited(self) -> Sequence[str]:
        """What is to be said against this model: its speed here, and what the template says."""
        why = unsuited(self.template, self._session.facts)
        return [*self._session.notes, *([why] if why else [])]

    def outcomes(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Outcome]:
        """Draw until enough is kept or there is a reason to stop, which is then in the tally."""
        flows = (self._pipeline.draw(row, number) for number, row in rows)
        for outcome in self._session.drive(flows, most=self._pace.window):
            self._tally.add(outcome)
            self._tally.cut = self._session.cut
            yield outcome
            self._pace.note(outcome)
            if self._tally.complete or self._tally.stopped:
                return
        if next(rows, None) is not None:
            self._tally.stopped = self._pace.spent()


def _line(record: Record, job: GenerateOptions) -> dict[str, object]:
    """A row; in a trainer's own layout only what that trainer reads."""
    line, lesson, how = record_line(record, meta=job.meta), record.lesson, job.token_logprobs
    if how is None:
        return line
    if lesson is None:
        if how.layout != "packed":
            raise InputError(f"{record.id}: is too long for the model to have a row in layout {how.layout}; use packed")
        return line
    taught = token_row(lesson.taught, how, lesson.messages)
    return {**line, **taught} if how.layout == "packed" else {"id": record.id, **taught}


def _refuse_batch_priors(template: Template) -> None:
    if batch := [label.name for label in template.labels if label.prior == "batch"]:
        remedy = "leave it out here, and label the rows with 'vsgen label' afterwards"
        raise OptionError(f"{template.source}: label {batch[0]}: prior batch needs all rows before the first; {remedy}")


def _parts(job: GenerateOptions, template: Template, wanted: int | None) -> dict[str, object]:
    """Names all that an output is made from, but for the rows' content."""
    how = job.token_logprobs
    return {
        "template": template.digest,
        "model": job.model.name or template.model or "tiny",
        "seed": job.seed,
        "input": job.input,
        NUM: wanted,
        "--token-logprobs": how and f"top={how.top},layout={how.layout},tail={how.tail}",
        "checks' commands": [one.version for one in outside(template) if one.version],
        "--meta": job.meta,
    }


def _wanted(job: GenerateOptions, template: Template) -> int | None:
    """How many rows: -n; else, without an input, what the template says; else one draw for each input row."""
    if job.num is not None or job.input is not None:
        return job.num
    if template.num is None:
        raise OptionError(f"{job.template}: how many rows? give -n, or `num:` in the template, or input rows")
    return template.num


def _rows(job: GenerateOptions, tally: Tally, warn: Callable[[str], None]) -> Iterator[Row]:
    """The rows to draw for: each input row once, or over and over until enough is kept."""
    if job.input is None:
        return repeat(Row(0))

    def skip(problem: str) -> None:
        tally.skipped += 1
        warn(problem)

    rows = read_rows(job.input, skip=skip if job.skip_bad_rows else None)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{job.input}: has no rows; give at least one JSON object")
    every = chain([first], rows)
    return every if tally.wanted is None else cycle(every)


def _numbered(rows: Iterator[Row]) -> Iterator[tuple[int, Row]]:
    """Each draw's number: the row's own in the first pass, so that mending one row leaves the others' draws alone."""
    offset, last = 0, -1
    for row in rows:
        if row.index <= last:
            offset += last + 1
        last = row.index
        yield offset + row.index, row

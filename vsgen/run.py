"""The main job: opens what a run needs, lets the engine draw until enough rows are kept, and closes it all in order."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, cycle, repeat
from pathlib import Path

from vsgen.backends.open import open_model
from vsgen.backends.open_embedder import open_embedder
from vsgen.dedup.index import Index
from vsgen.engine.drive import drive
from vsgen.engine.executors import Batched, decoder
from vsgen.engine.replay import Replay
from vsgen.errors import InputError, OptionError
from vsgen.files.journal import FileJournal, MemoryJournal
from vsgen.files.records import FileLines, NoLines, PipeLines, count_lines, part_of, record_line, rejected_line
from vsgen.files.rows import read_rows
from vsgen.pipeline import Outcome, Pipeline, Quota, settings_of
from vsgen.ports import Executor, Journal
from vsgen.template.load import load_template
from vsgen.template.schema import Template
from vsgen.values import Call, Embed, Generate, Reply, Row, Score

_EMBED_BATCH = 256
_SCORE_BATCH = 32
_NEW = 0.02
"""A run is saturated once less than this share of its latest candidates was new."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the user asked for."""

    template: str
    overrides: Sequence[str] = ()
    """``key=value``, laid over the template."""
    input: str | None = None
    output: Path | None = None
    """None writes to standard output."""
    rejects: Path | None = None
    journal: Path | None = None
    """None is beside the output, or in memory."""
    resume: bool = False
    overwrite: bool = False
    num: int | None = None
    model: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    remote_code: bool = False
    """Run Python code that comes with the model."""
    pickled: bool = False
    """Read weights that are no safetensors."""
    batch: int | None = None
    """Rows that the model decodes at once; None leaves it to the backend."""
    seed: int = 0
    window: int = 128
    """Draws under way at most; changes speed and memory, never the output."""
    max_calls: int | None = None
    max_tokens: int | None = None
    patience: int = 20
    """Draws without anything new after which a run is saturated; 0 is endless."""
    skip_bad_rows: bool = False
    meta: bool = True


@dataclass(slots=True)
class Tally:
    """What has happened so far, in the order of the output; every count is a sum over finished draws."""

    wanted: int | None = None
    draws: int = 0
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
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

    @property
    def complete(self) -> bool:
        """Whether all that was wanted is kept."""
        return self.wanted is not None and self.kept >= self.wanted

    @property
    def candidates(self) -> int:
        """Everything that came out of the draws: records and rejects."""
        return self.kept + self.rejected.total()

    def add(self, outcome: Outcome) -> None:
        """Count a finished draw."""
        self.draws += 1
        self.kept += len(outcome.records)
        self.rejected.update(one.reason for one in outcome.rejected)
        self.skipped += outcome.skipped is not None
        self.calls += outcome.calls
        self.tokens += outcome.tokens


class _Pace:
    """Decides how many draws may be under way, and when to give up."""

    def __init__(self, job: Job, template: Template, tally: Tally, size: int) -> None:
        settings = settings_of(template)
        self._job = job
        self._tally = tally
        self._size = size
        self._calls = settings.calls
        self._tokens = settings.calls * settings.max_tokens
        self._k = settings.k
        self._recent: deque[tuple[int, int]] = deque(maxlen=job.patience)

    def window(self) -> int:
        """The draws that may be started and unfinished: bounded by what is wanted and by what the budget can bear."""
        tally, job = self._tally, self._job
        if tally.stopped:
            return 0
        bounds = [self._size]
        if tally.wanted is not None:
            expected = (tally.kept + self._k) / (tally.draws + 1)
            bounds.append(math.ceil((tally.wanted - tally.kept) / expected))
        if job.max_calls is not None:
            bounds.append((job.max_calls - tally.calls) // self._calls)
        if job.max_tokens is not None:
            bounds.append((job.max_tokens - tally.tokens) // self._tokens)
        return max(0, min(bounds))

    def note(self, outcome: Outcome) -> None:
        """Learn from a finished draw whether more of them are worth while."""
        self._recent.append((len(outcome.records), len(outcome.records) + len(outcome.rejected)))
        if self._tally.wanted is None or not self._job.patience or len(self._recent) < self._job.patience:
            return
        new, candidates = map(sum, zip(*self._recent, strict=True))
        if new < _NEW * max(candidates, 1):
            self._tally.stopped = f"saturated: {new} of the last {candidates} candidates were new"

    def spent(self) -> str | None:
        """Which budget cannot bear another draw."""
        tally, job = self._tally, self._job
        if job.max_calls is not None and tally.calls + self._calls > job.max_calls:
            return f"--max-calls: {tally.calls} of {job.max_calls} are spent, and a draw may take {self._calls}"
        if job.max_tokens is not None and tally.tokens + self._tokens > job.max_tokens:
            draw = f"a draw may take {self._tokens} (its calls x sampling.max_tokens)"
            return f"--max-tokens: {tally.tokens} of {job.max_tokens} are spent, and {draw}"
        return None


def run(job: Job, *, observe: Callable[[Tally], None], warn: Callable[[str], None]) -> Tally:
    """Run a job to its end.

    Args:
        job: What to do.
        observe: Told of the tally after every finished draw.
        warn: Told of things that the user should know but that do not stop the run.

    Returns:
        The final tally; `Tally.stopped` says why it is short, if it is.

    Raises:
        VsgenError: See `vsgen.errors`; all that was written stays.
        BrokenPipeError: The reader of standard output has gone.
    """
    template = load_template(job.template, job.overrides)
    tally = Tally(wanted=_wanted(job, template))
    if _is_done(job, tally):
        return tally
    rows = _rows(job, tally.wanted, warn)
    if not job.model and not template.model:
        warn("no --model given: asking the embedded toy model, tiny, which knows only the shipped templates")
    with ExitStack() as open_files:
        journal = _journal(job, open_files)
        lines: FileLines | PipeLines = FileLines(job.output) if job.output else PipeLines()
        rejects: FileLines | NoLines = FileLines(job.rejects) if job.rejects else NoLines()
        open_files.enter_context(lines)
        open_files.enter_context(rejects)
        for outcome in _outcomes(job, template, rows, tally, journal):
            lines.write(record_line(record, meta=job.meta) for record in outcome.records)
            rejects.write(rejected_line(one, meta=job.meta) for one in outcome.rejected)
            if outcome.skipped:
                warn(outcome.skipped)
            observe(tally)
        rejects.finish()
        lines.finish()
    return tally


def _outcomes(job: Job, template: Template, rows: Iterator[Row], tally: Tally, journal: Journal) -> Iterator[Outcome]:
    """Draw until enough is kept or there is a reason to stop, which is then in the tally."""
    dedup = template.dedup or None
    embedder = open_embedder(dedup.embedder, device=job.device) if dedup else None
    model = open_model(
        job.model or template.model or "tiny",
        device=job.device,
        dtype=job.dtype,
        batch=job.batch,
        remote_code=job.remote_code,
        pickled=job.pickled,
    )
    index = Index(dedup.threshold, guards=dedup.guards) if dedup else None
    quota = Quota(tally.wanted)

    def paid(call: Call, _: Reply) -> None:
        tally.paid[type(call).__name__.lower()] += 1

    executors: dict[type[Call], Executor] = {
        Generate: Replay(decoder(model, _SCORE_BATCH), journal, model.name, paid=paid),
        Score: Replay(Batched[Score](model.score, _SCORE_BATCH), journal, model.name, paid=paid),
    }
    if embedder:
        executors[Embed] = Replay(Batched[Embed](embedder.embed, _EMBED_BATCH), journal, embedder.name, paid=paid)
    pipeline = Pipeline(
        template, seed=job.seed, model=model.name, index=index, quota=quota, skip_bad_rows=job.skip_bad_rows
    )
    pace = _Pace(job, template, tally, job.window)
    flows = (pipeline.draw(row, number) for number, row in enumerate(rows))
    for outcome in drive(flows, executors, window=pace.window):
        tally.add(outcome)
        tally.cut = embedder.cut if embedder else 0
        yield outcome
        pace.note(outcome)
        if tally.complete or tally.stopped:
            return
    tally.stopped = pace.spent()


def _wanted(job: Job, template: Template) -> int | None:
    """How many rows: -n; else, without an input, what the template says; else one draw for each input row."""
    if job.num is not None or job.input is not None:
        return job.num
    if template.num is None:
        raise OptionError(f"{job.template}: how many rows? give -n, or `num:` in the template, or input rows")
    return template.num


def _is_done(job: Job, tally: Tally) -> bool:
    """Whether a resumed output is complete already.

    Raises:
        OptionError: There is an output, or the part of one, and no flag says what to do with it.
    """
    if job.output is not None and job.output == job.rejects:
        raise OptionError(f"{job.output}: --output and --rejects must be two files")
    for path in filter(None, (job.output, job.rejects)):
        if path.is_dir():
            raise OptionError(f"{path}: is a directory; name a file in it")
        if not job.resume and not job.overwrite:
            _refuse_existing(path)
    if not job.resume or job.output is None or not job.output.exists():
        return False
    rows = count_lines(job.output)
    if tally.wanted is not None and rows < tally.wanted:
        return False
    tally.kept, tally.was_done = rows, True
    return True


def _refuse_existing(path: Path) -> None:
    again = "--overwrite writes it anew (replies in its journal are used again, not asked again)"
    if path.exists():
        raise OptionError(f"{path}: exists; {again}, --resume leaves a complete file as it is")
    if part_of(path).exists():
        raise OptionError(f"{part_of(path)}: is left of an unfinished run; --resume continues it, {again}")


def _rows(job: Job, num: int | None, warn: Callable[[str], None]) -> Iterator[Row]:
    """The rows to draw for: each input row once, or over and over until enough is kept."""
    if job.input is None:
        return repeat(Row(0))
    rows = read_rows(job.input, skip=warn if job.skip_bad_rows else None)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{job.input}: has no rows; give at least one JSON object")
    every = chain([first], rows)
    return every if num is None else cycle(every)


def _journal(job: Job, open_files: ExitStack) -> Journal:
    path = job.journal or (journal_of(job.output) if job.output else None)
    return open_files.enter_context(FileJournal(path)) if path else MemoryJournal()


def journal_of(path: Path) -> Path:
    """Where the calls of a run that writes `path` lie."""
    return path.with_name(path.name + ".journal")

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
from vsgen.files.journal import FileJournal, MemoryJournal, last_end
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
    candidates: int = 0
    """All that came out of the draws; each ends as a record or as a reject."""
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

    def add(self, outcome: Outcome) -> None:
        """Count a finished draw."""
        self.draws += 1
        self.candidates += outcome.candidates
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
        self._calls, self._tokens = settings.most
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
            why = ", ".join(f"{count} {reason}" for reason, count in self._tally.rejected.most_common())
            self._tally.stopped = f"saturated: {new} of the last {candidates} candidates were new (so far {why})"

    def spent(self) -> str | None:
        """Which budget cannot bear another draw."""
        tally, job = self._tally, self._job
        if job.max_calls is not None and tally.calls + self._calls > job.max_calls:
            return f"--max-calls: {tally.calls} of {job.max_calls} are spent, and a draw may take {self._calls}"
        if job.max_tokens is not None and tally.tokens + self._tokens > job.max_tokens:
            draw = f"a draw may take {self._tokens} (its replies x sampling.max_tokens)"
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
        ReaderGone: Nobody reads standard output any more.
    """
    template = load_template(job.template, job.overrides)
    tally = Tally(wanted=_wanted(job, template))
    if _is_done(job, template, tally):
        return tally
    rows = _numbered(_rows(job, tally, warn))
    if not job.model and template.model in {None, "tiny"}:
        warn("no --model given: asking the embedded toy model, tiny, which knows only the shipped templates")
    with ExitStack() as open_files:
        journal = _journal(job, open_files)
        draws = _Draws(job, template, tally, journal)
        lines: FileLines | PipeLines = FileLines(job.output) if job.output else PipeLines()
        rejects: FileLines | NoLines = FileLines(job.rejects) if job.rejects else NoLines()
        open_files.enter_context(lines)
        open_files.enter_context(rejects)
        noted: set[str] = set()
        for outcome in draws.outcomes(rows):
            lines.write(record_line(record, meta=job.meta) for record in outcome.records)
            rejects.write(rejected_line(one, meta=job.meta) for one in outcome.rejected)
            if outcome.skipped:
                warn(outcome.skipped)
            for note in outcome.notes:
                if note not in noted:
                    noted.add(note)
                    warn(note)
            observe(tally)
        rejects.finish()
        lines.finish()
        journal.end(_origin(job, template), complete=tally.stopped is None)
    return tally


class _Draws:
    """The models and the rooms of one run, opened and connected."""

    def __init__(self, job: Job, template: Template, tally: Tally, journal: Journal) -> None:
        dedup = template.dedup or None
        self._tally = tally
        self._embedder = open_embedder(dedup.embedder, device=job.device) if dedup else None
        model = open_model(
            _model(job, template),
            device=job.device,
            dtype=job.dtype,
            batch=job.batch,
            remote_code=job.remote_code,
            pickled=job.pickled,
        )
        self._executors: dict[type[Call], Executor] = {
            Generate: Replay(decoder(model, _SCORE_BATCH), journal, model.name, paid=self._paid),
            Score: Replay(Batched[Score](model.score, _SCORE_BATCH), journal, model.name, paid=self._paid),
        }
        if self._embedder:
            embed = Batched[Embed](self._embedder.embed, _EMBED_BATCH)
            self._executors[Embed] = Replay(embed, journal, self._embedder.name, paid=self._paid)
        self._pipeline = Pipeline(
            template,
            seed=job.seed,
            model=model.name,
            index=Index(dedup.threshold, guards=dedup.guards) if dedup else None,
            quota=Quota(tally.wanted),
            skip_bad_rows=job.skip_bad_rows,
        )
        self._pace = _Pace(job, template, tally, job.window)

    def outcomes(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Outcome]:
        """Draw until enough is kept or there is a reason to stop, which is then in the tally."""
        flows = (self._pipeline.draw(row, number) for number, row in rows)
        for outcome in drive(flows, self._executors, window=self._pace.window):
            self._tally.add(outcome)
            self._tally.cut = self._embedder.cut if self._embedder else 0
            yield outcome
            self._pace.note(outcome)
            if self._tally.complete or self._tally.stopped:
                return
        if next(rows, None) is not None:
            self._tally.stopped = self._pace.spent()

    def _paid(self, call: Call, _: Reply) -> None:
        self._tally.paid[type(call).__name__.lower()] += 1


def _model(job: Job, template: Template) -> str:
    return job.model or template.model or "tiny"


def _origin(job: Job, template: Template) -> str:
    """Names all that an output is made from, but for the rows' content."""
    return "/".join([template.digest, _model(job, template), str(job.seed), job.input or ""])


def _wanted(job: Job, template: Template) -> int | None:
    """How many rows: -n; else, without an input, what the template says; else one draw for each input row."""
    if job.num is not None or job.input is not None:
        return job.num
    if template.num is None:
        raise OptionError(f"{job.template}: how many rows? give -n, or `num:` in the template, or input rows")
    return template.num


def _is_done(job: Job, template: Template, tally: Tally) -> bool:
    """Whether a resumed output is complete already.

    Raises:
        OptionError: The files do not go together, or there is an output and no flag says what to do with it.
    """
    try:
        _check_files(job)
        if not job.resume or job.output is None or not job.output.exists():
            return False
        ended = last_end(_journal_path(job))
        rows = count_lines(job.output)
    except OSError as error:
        raise OptionError(f"{error.filename}: {error.strerror}; name another file") from error
    if ended and ended[0] != _origin(job, template):
        remedy = "--overwrite makes it anew"
        raise OptionError(f"{job.output}: was made with another template, model, seed or input; {remedy}")
    if (ended and not ended[1]) or (tally.wanted is not None and rows < tally.wanted):
        return False
    tally.kept, tally.was_done = rows, True
    return True


def _check_files(job: Job) -> None:
    if job.resume and (job.overwrite or not (job.output or job.journal)):
        raise OptionError("--resume needs -o FILE (or --journal FILE), and does not go with --overwrite")
    outputs = [path for path in (job.output, job.rejects) if path]
    if folders := [path for path in outputs if path.is_dir()]:
        raise OptionError(f"{folders[0]}: is a directory; name a file in it")
    used = [*outputs, *map(part_of, outputs), *filter(None, [_journal_path(job)])]
    used += [Path(name) for name in (job.input, job.template) if name and Path(name).is_file()]
    places = Counter(path.resolve() for path in used)
    if twice := [str(place) for place, count in places.items() if count > 1]:
        raise OptionError(f"{twice[0]}: is named twice; input, output, rejects and journal must differ")
    for path in outputs:
        if not job.resume and not job.overwrite:
            _refuse_existing(path, part=path == job.output)
    if job.resume and job.output and part_of(job.output).exists() and part_of(job.output).stat().st_size:
        _require_journal(job)


def _require_journal(job: Job) -> None:
    path = _journal_path(job)
    if path is not None and not path.exists():
        raise OptionError(f"{path}: is missing, so {job.output}.part cannot be continued; --overwrite starts anew")


def _refuse_existing(path: Path, *, part: bool) -> None:
    again = "--overwrite writes it anew (replies in its journal are used again, not asked again)"
    if path.exists():
        raise OptionError(f"{path}: exists; {again}, --resume leaves a complete file as it is")
    if part and part_of(path).exists():
        raise OptionError(f"{part_of(path)}: is left of an unfinished run; --resume continues it, {again}")


def _rows(job: Job, tally: Tally, warn: Callable[[str], None]) -> Iterator[Row]:
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


def _journal(job: Job, open_files: ExitStack) -> Journal:
    path = _journal_path(job)
    return open_files.enter_context(FileJournal(path)) if path else MemoryJournal()


def _journal_path(job: Job) -> Path | None:
    """Where the calls of a run lie."""
    return job.journal or (job.output and job.output.with_name(job.output.name + ".journal"))

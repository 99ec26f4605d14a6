"""The composition root of ``vsgen label``: reads rows, asks for their labels, corrects and selects them, writes rows.

Rows stream. Only a prior that is the mean over all rows, or a selection of a share of them, makes every row wait for
the last one; they wait on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack

from vsgen.errors import InputError, OptionError
from vsgen.files.records import FileLines, NoLines, PipeLines
from vsgen.files.rows import read_rows
from vsgen.flows.label import Labeller
from vsgen.jobs.desk import Session
from vsgen.jobs.label_correct import Calibrated, Correction, calibrate, gold_places
from vsgen.jobs.label_options import LabelOptions, Tally
from vsgen.jobs.label_rows import Labelled, Origin, Spool, checked, label_row, row_line, soft, with_text
from vsgen.jobs.occurrence import Occurrences
from vsgen.labels.select import Kind, informativeness, most_informative, normalised_entropy
from vsgen.labels.soft import distributions, kind_of
from vsgen.report.histogram import histogram
from vsgen.report.reliability import curve, ensure_drawable, save_reliability
from vsgen.report.table import calibration_table
from vsgen.values import Row, SoftLabel, Unlabelled
from vsgen.verdict.finding import Verdict
from vsgen.verdict.setting import Setting
from vsgen.verdict.watch import Watch

_UNSELECTED = "filter"


def label(job: LabelOptions, *, observe: Callable[[Tally], None], warn: Callable[[str], None]) -> Tally:
    """Label all rows of a job.

    Args:
        job: What to do.
        observe: Told of the tally after every row.
        warn: Told of things that the user should know but that do not stop the run.

    Raises:
        VsgenError: See `vsgen.errors`; all that was written stays.
        ReaderGone: Nobody reads standard output any more.
    """
    tally = Tally()
    if job.plot is not None:
        if job.gold is None:
            raise OptionError(
                "--plot needs --calibrate GOLD: only rows whose class is known show how reliable labels are"
            )
        ensure_drawable(job.plot)
    if job.gold == job.input == "-":
        raise OptionError("--calibrate -: standard input is INPUT already; name a file for one of them")
    if (rows := job.places.done(job.parts)) is not None:
        tally.kept, tally.was_done, tally.passed = rows, True, job.places.passed()
        return tally
    gold = list(_gold_rows(job, job.gold)) if job.gold is not None else None
    if not job.model.name and job.template.model in {None, "tiny"} and not job.judged:
        warn("no --model given: asking the embedded toy model, tiny, which knows only the shipped templates")
    with ExitStack() as open_files:
        journal = job.places.open_journal(open_files)
        session = open_files.enter_context(Session(job.model, job.default_model, journal, judges=job.template.judges))
        for note in session.notes:
            warn(note)
        work = _Work(job, tally, session, open_files, warn)
        work.write(
            work.corrected(gold, observe),
            job.places.open_output(open_files),
            job.places.open_rejects(open_files),
            observe,
        )
        tally.verdict = work.verdict()
        tally.passed = not tally.verdict.bad
        journal.end(job.parts, complete=True, passed=tally.passed)
    return tally


class _Work:
    """One job under way."""

    def __init__(
        self, job: LabelOptions, tally: Tally, session: Session, open_files: ExitStack, warn: Callable[[str], None]
    ) -> None:
        self._job = job
        self._tally = tally
        self._session = session
        self._open_files = open_files
        self._warn = warn
        self._watch = Watch(Setting(job.template))
        tally.paid = session.paid
        self._corrections = {one.name: Correction(one) for one in job.template.labels}
        methods = {one.name: one.method for one in job.template.labels}
        models = {one.name: session.models.judges[one.model or session.asked] for one in job.template.labels}
        self._origin = Origin(models, job.seed, methods) if job.meta else None

    def verdict(self) -> Verdict:
        """On all rows so far."""
        return self._watch.verdict()

    def corrected(self, gold: Sequence[Row] | None, observe: Callable[[Tally], None]) -> Iterable[Labelled]:
        """All rows with their final labels; those that stream are not made before they are asked for."""
        batch = [one for one in self._corrections.values() if one.label.prior == "batch"]
        made: Iterable[Labelled] = self._counted(self._made(self._rows(), lenient=self._job.skip_bad_rows))
        if batch:
            made = self._with_priors(made, batch, observe)
        if gold is not None:
            self._calibrate(gold)
        return map(self._correct, made)

    def write(
        self,
        rows: Iterable[Labelled],
        lines: FileLines | PipeLines,
        rejects: FileLines | NoLines,
        observe: Callable[[Tally], None],
    ) -> None:
        """Write the rows that are wanted, and what was not selected to where rejects go."""
        first = self._job.template.labels[0].name
        entropies: list[float] = []
        chosen, rows = self._selected(rows, observe)
        for number, labelled in enumerate(rows):
            made = soft(labelled, first)
            if made is not None and self._job.histogram:
                entropies.append(normalised_entropy(*_entropy(made)))
            line = row_line(labelled, self._origin)
            if chosen is None or number in chosen:
                lines.write([line])
                self._tally.written += 1
            else:
                detail = "not among the selected share" if made is not None else "has no label to be selected by"
                rejects.write([{**line, "reason": _UNSELECTED, "detail": detail}])
                self._tally.unselected += 1
            self._count(labelled)
            observe(self._tally)
        if self._job.histogram:
            title = f"normalised entropy of {first}, {len(entropies)} rows (0: sure, 1: all classes alike)"
            self._tally.report += [title, *histogram(entropies, low=0.0, high=1.0)]
        rejects.finish()
        lines.finish()

    def _rows(self) -> Iterator[Row]:
        skip = self._skip if self._job.skip_bad_rows else None
        empty = True
        for row in read_rows(self._job.input, skip=skip):
            empty = False
            try:
                yield checked(row, self._job)
            except InputError as error:
                if skip is None:
                    raise InputError(f"{error}; or pass --on-error skip") from None
                skip(str(error))
        if empty:
            raise InputError(f"{self._job.input}: has no rows; give at least one JSON object")

    def _skip(self, problem: str) -> None:
        self._tally.skipped += 1
        self._warn(problem)

    def _made(self, rows: Iterator[Row], *, lenient: bool) -> Iterator[Labelled]:
        job, judges = self._job, self._session.models.judges
        labeller = Labeller(
            job.template, (job.on,), seed=job.seed, lenient=lenient, truncate=job.truncate, judges=judges
        )
        occurrences = Occurrences()
        flows = (label_row(labeller, row, occurrences.name(row.fields)) for row in rows)
        yield from self._session.drive(flows, most=lambda: self._job.window)

    def _counted(self, made: Iterable[Labelled]) -> Iterator[Labelled]:
        for labelled in made:
            self._tally.kept += 1
            self._tally.tokens += labelled.tokens
            for alarm in self._watch.add_row(labelled.labels):
                self._warn(alarm)
            yield labelled

    def _with_priors(
        self, made: Iterable[Labelled], batch: list[Correction], observe: Callable[[Tally], None]
    ) -> Iterable[Labelled]:
        """Label all rows, then take each label's prior from them."""
        spool = self._open_files.enter_context(Spool())
        said: dict[str, list[list[list[float]]]] = {one.label.name: [] for one in batch}
        for labelled in made:
            spool.add(labelled)
            for name, rows in said.items():
                if (found := soft(labelled, name)) is not None:
                    rows.append(distributions(found))
            observe(self._tally)
        for one in batch:
            for warning in one.learn_prior(said[one.label.name]):
                self._warn(warning)
        return spool

    def _calibrate(self, gold: Sequence[Row]) -> None:
        """Label the gold rows, fit, and report."""
        known: dict[str, list[tuple[SoftLabel, list[int]]]] = {name: [] for name in self._corrections}
        for labelled in self._made(iter(gold), lenient=True):
            for name, correction in self._corrections.items():
                found = labelled.labels[name]
                if isinstance(found, Unlabelled):
                    raise InputError(f"{labelled.row.where}: label {name}: {found.problem}")
                known[name].append((found, gold_places(labelled.row, correction.label, list(found.probs))))
        self._report([calibrate(one, known[name]) for name, one in self._corrections.items()])

    def _report(self, found: list[Calibrated]) -> None:
        report = self._tally.report
        report += calibration_table([quality for one in found for quality in one.qualities])
        report += [one.verdict for one in found]
        if self._job.plot is not None:
            curves = []
            for one in found:
                curves += [
                    curve(one.name, "before", one.raw, one.gold),
                    curve(one.name, "after", one.held_out, one.gold),
                ]
            save_reliability(self._job.plot, curves)

    def _correct(self, labelled: Labelled) -> Labelled:
        labels = {
            name: self._corrections[name](made) if isinstance(made, SoftLabel) else made
            for name, made in labelled.labels.items()
        }
        return labelled._replace(labels=labels)

    def _selected(
        self, rows: Iterable[Labelled], observe: Callable[[Tally], None]
    ) -> tuple[set[int] | None, Iterable[Labelled]]:
        """Which rows are wanted, by their number, once all are known; None are all, as they come."""
        selection = self._job.selection
        if selection is None:
            return None, rows
        spool, values = self._open_files.enter_context(Spool()), list[float | None]()
        first = self._job.template.labels[0].name
        found = False
        for labelled in rows:
            spool.add(labelled)
            made = soft(labelled, first)
            found = found or made is not None
            values.append(None if made is None else _value(selection.kind, made))
            observe(self._tally)
        if found and all(value is None for value in values):
            remedy = "a label with several traces, statements or orders has it; select borderline or margin"
            raise OptionError(f"--select {selection.kind}: no row has a {selection.kind}; {remedy}")
        return set(most_informative(values, selection.share)), spool

    def _count(self, labelled: Labelled) -> None:
        for name, made in labelled.labels.items():
            if isinstance(made, Unlabelled):
                self._tally.unlabelled += 1
                self._warn(f"{labelled.row.where}: label {name}: {made.problem}")
            else:
                self._tally.truncated += bool(made.details.get("truncated"))


def _entropy(made: SoftLabel) -> tuple[float, int]:
    """A label's entropy and the number of classes over which it is; a class's mean where several may apply."""
    if kind_of(made) == "multi":
        return made.entropy / len(made.probs), 2
    return made.entropy, len(made.probs)


def _value(kind: Kind, made: SoftLabel) -> float | None:
    entropy, classes = _entropy(made)
    return informativeness(kind, entropy=entropy, margin=made.margin, classes=classes, disagreement=made.disagreement)


def _gold_rows(job: LabelOptions, gold: str) -> Iterator[Row]:
    """Rows whose class is known, checked as far as that can be done before anything is asked."""
    empty = True
    for row in read_rows(gold):
        empty = False
        with_text(row, job)
        for label in job.template.labels:
            if label.classes:
                gold_places(row, label, label.classes)
        yield row
    if empty:
        raise InputError(f"{gold}: has no rows; give rows with the text and the known class")

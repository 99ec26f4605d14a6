"""``vsgen label``: asks for the labels of rows, corrects them, and selects rows by them.

Rows stream. Only a prior that is the mean over all rows, or a selection of a share of them, makes every row wait for
the last one; they wait on disk. Rows whose class is known, for calibration, are labelled before the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

from vsgen.engine.source import Chain, Flows
from vsgen.errors import SKIP_IT, InputError
from vsgen.files.origin import Origin
from vsgen.files.places import Places
from vsgen.files.rows import RowInput, Seen
from vsgen.flow import Flow
from vsgen.flows.label import Labeller
from vsgen.jobs.budget import Budget, Used
from vsgen.jobs.counts import Counts
from vsgen.jobs.desk import Desk
from vsgen.jobs.label_budget import budget_of_rows
from vsgen.jobs.label_doubts import doubts
from vsgen.jobs.label_flips import FIRST, require_order
from vsgen.jobs.label_forms import PROBES, FormChoice, Tries
from vsgen.jobs.label_gold import Gold, gold_rows
from vsgen.jobs.label_learned import Learned, draw
from vsgen.jobs.label_options import FLAGS, LabelOptions
from vsgen.jobs.label_report import LabelReport
from vsgen.jobs.label_rows import How, Labelled, Spool, checked, is_usable, label_row, soft
from vsgen.jobs.label_selected import selected
from vsgen.jobs.label_sets import require_gold
from vsgen.jobs.label_truth import require_fields
from vsgen.jobs.label_written import written
from vsgen.jobs.local import kept_local
from vsgen.jobs.occurrence import Occurrences
from vsgen.jobs.plan import Plan
from vsgen.jobs.plan_labels import asked_rows, plan_labels
from vsgen.jobs.priced import prices_of, require_prices
from vsgen.jobs.row_flows import open_rows, row_flows
from vsgen.jobs.sampled import require_file, sampled_questions, sampled_rows
from vsgen.jobs.samples import of_labels
from vsgen.jobs.servers import with_servers
from vsgen.jobs.task import Made, Warn
from vsgen.jobs.wanted import Wanted
from vsgen.ports import Source
from vsgen.report.reliability import ensure_drawable
from vsgen.report.table import calibration_table
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import Use
from vsgen.values import Row
from vsgen.verdict.finding import Verdict
from vsgen.verdict.setup import Setup
from vsgen.verdict.watch import Watch


class Labelling:
    """The labels of a file of rows; see `vsgen.jobs.task.Task`."""

    command = "label"
    noun = "input rows"

    def __init__(self, options: LabelOptions) -> None:
        """Check all that can be known before a model is.

        Raises:
            UserError: The flags or the rows of known class are wrong.
        """
        options.check()
        if options.flips:
            require_order(options.template.labels)
        if options.plot is not None:
            ensure_drawable(options.plot)
        self._options = options
        self._input = open_rows(options.input)
        self._gold_input = None if options.gold is None else RowInput(options.gold)
        self._gold_seen = self._gold_input and self._gold_input.look()
        gold = gold_rows(self._gold_input, options) if self._gold_input else Gold([])
        self._gold = gold.rows
        if options.level is not None:
            require_gold(options.level, len(self._gold))
        forms = FormChoice(options.template, known=bool(self._gold), level=options.level)
        self._tries = Tries(forms, self._gold or (self._first_rows() if forms.names else []))
        wanted = Wanted(
            options.model,
            default=options.asked,
            judges=options.template.judges,
            deciding=options.template.deciding,
            prices=prices_of(options.template, options.asked),
            samples=tuple(of_labels(forms.template("chat") if self._tries.rows else options.template)),
        )
        self.models = kept_local(with_servers(wanted, options.template), options.template)
        """The models that it may ask."""
        require_prices(options.max_cost, self.models, options.template)
        self._watch = Watch(Setup(options.template, by_flags=options.template.source == FLAGS))
        self._learned = Learned(options.template.labels, gold=gold, level=options.level)
        self._spool: Spool | None = None
        self._lines: list[str] = []
        self._report, self._flipping = LabelReport(options, self._gold), options.flips
        self._budget, self._used = Budget(), Used()
        self._look_at_first()

    @property
    def places(self) -> Places:
        """Its files."""
        return self._options.places

    @property
    def wanted(self) -> None:
        """How many rows there are is not known before."""

    @property
    def origin(self) -> Origin:
        """What its output is made from."""
        options = self._options
        parts = {**options.parts, "--calibrate": self._gold_input and str(self._gold_seen)}
        if self._tries.rows and not self._gold:  # a longer input may choose another form
            parts["number of rows that choose the form"] = len(self._tries.rows)
        rows = self._input if isinstance(self._input, RowInput) else None
        replayed = bool(options.histogram or options.flips or options.truths or options.plot is not None)
        return Origin(parts, rows, grows=True, replayed=replayed)

    def source(self, desk: Desk, counts: Counts, warn: Warn) -> Source[Labelled]:
        """The rows of known class, then all rows of the input."""
        options, names = self._options, desk.models.names
        self._warn, self._counts, self._budget = warn, counts, self._budget_of_rows(flips=options.flips)
        methods = {one.name: one.method for one in options.template.labels}
        models = {one.name: [names[judge.name] for judge in one.judges] for one in options.template.labels}
        self._how = How(models, options.seed, methods, options.template.labels) if options.meta else None
        if self._learned.waits or options.selection:
            self._spool = Spool()
            desk.on_close(self._spool.close)
        if self._tries.forms.names and not self._tries.rows:
            warn(self._tries.forms.untried(readable=isinstance(self._input, RowInput) and self._input.never_waits))
        for doubt in doubts(options.template, self._gold, options.on):
            warn(doubt)
        counts.expected = self._input.count() if isinstance(self._input, RowInput) else None
        first = Flows(self._before(desk))
        skip = counts.skipping(warn) if options.skip_bad_rows else None
        label = self._flow(desk, lenient=options.skip_bad_rows, flips=options.flips and not self._gold_flips)
        self._rows = row_flows(
            self._input, lambda row, n: label(row, n) if self._usable(row, skip) else None, desk, skip=skip
        )
        return Chain(first, self._rows)

    def most(self) -> int | None:
        """Rows that what is left of the budgets can bear; without one, nothing but the models bounds them."""
        return self._budget.units(self._used)

    def made(self, labelled: Labelled) -> Made[Labelled]:
        """A row that is written or waits, or one of known class, from which only a scaling is learned."""
        bill = self._counts.bill if self._budget.max_cost is not None else None
        self._used = self._used.after(labelled.replies + labelled.scores, labelled.tokens, bill)
        if labelled.tried is not None:
            return self._tried(labelled)
        self._report.add_flips(labelled)
        self._end_flips(labelled.row)
        if not self._learned.complete:
            self._learn(labelled)
            return Made(replies=labelled.replies, tokens=labelled.tokens)
        self._report.add_orders(labelled)
        alarms = self._watch.add_row(labelled.labels, self._counts.expected)
        if self._spool is None:
            return self._row(labelled, chosen=True, waited=False, notes=alarms)
        self._spool.add(labelled)
        self._learned.add(labelled)
        return Made(units=1, candidates=1, waiting=1, replies=labelled.replies, tokens=labelled.tokens, notes=alarms)

    def enough(self) -> bool:
        """Every row is labelled."""
        return False

    def rest(self) -> Iterator[Made[Labelled]]:
        """All rows that had to wait; a command that ends here short of its rows has spent its budget."""
        calibrated = self._learned.complete
        if (spent := self._budget.spent(self._used)) and (not calibrated or self._rows.left()):
            self._counts.stopped = spent
        self._lines += self._tries.unfinished()
        if calibrated and self._spool is not None:
            yield from self._waiting(self._spool)
        self._lines += self._report.lines()
        for name, known in self._report.truths.known():
            self._watch.add_known(name, known._replace(calibrated=bool(self._gold)))

    def plan(self, use: Use | None = None, *, per_row: bool = False, flips: bool = True) -> Plan:
        """What the labels will take, estimated before anything is asked.

        Args:
            use: How tokens are counted.
            per_row: For one row, instead of all.
            flips: Count the rows that are asked about in other orders too.

        Raises:
            UserError: The first rows cannot be used.
        """
        options, rows = self._options, self._input
        if not per_row:
            require_file(rows)
        skip = per_row or options.skip_bad_rows
        some = sampled_rows(rows, skip=skip)
        asked = sampled_questions(options.template, options.on, some, seed=options.seed, skip=skip)
        count = rows.count() if isinstance(rows, RowInput) and not per_row else None
        known = None if count is None else asked_rows(count, gold=len(self._gold), tried=len(self._tries.rows))
        flipped = self._flipped(count) if options.flips and flips else 0
        return plan_labels(options.template, asked, use or Use(), options.asked, rows=known, flips=flipped)

    def _flipped(self, count: int | None) -> int:
        """How many rows are asked about in other orders, of those of known class or of the input; 1 if unknown."""
        return 1 if count is None else min(FIRST, self._gold_flips or count)

    def _waiting(self, spool: Spool) -> Iterator[Made[Labelled]]:
        for warning in self._learned.learn_priors():
            self._warn(warning)
        if self._learned.waits:
            self._calibrate()
        selection, chosen = self._options.selection, None
        if selection is not None:
            chosen = selected([soft(self._learned(labelled), self._first) for labelled in spool], selection)
        for number, labelled in enumerate(spool):
            yield self._row(labelled, chosen=chosen is None or number in chosen, waited=True)

    def verdict(self) -> Verdict:
        """On all labels."""
        return self._watch.verdict()

    def unjudged(self) -> None:
        """Nothing."""

    def report(self) -> list[str]:
        """Calibration, sets, comparison with gold, flips and histogram."""
        return self._lines

    def seen(self) -> Seen | None:
        """What was read of the input."""
        return self._rows.seen

    def _budget_of_rows(self, *, flips: bool) -> Budget:
        plan = partial(self.plan, per_row=True, flips=flips)
        return budget_of_rows(self._options, plan, times=self._tries.most, flips=flips)

    def _end_flips(self, row: Row) -> None:
        """After the last row that is asked about in other orders, a row takes less of the budget."""
        last = min(FIRST, self._gold_flips or FIRST) - 1
        if self._flipping and row.index >= last:
            self._flipping = False
            self._budget = self._budget_of_rows(flips=False)

    def _first_rows(self) -> list[Row]:
        """The first rows of a file, which can be read before the others."""
        rows = self._input
        if not isinstance(rows, RowInput) or not rows.never_waits:
            return []
        return [row for row in sampled_rows(rows, skip=True, most=PROBES) if is_usable(row, self._options)]

    @property
    def _gold_flips(self) -> int:
        """How many rows of known class are asked about in other orders too; rows that are tried are not."""
        return 0 if self._tries.rows else len(self._gold)

    def _tried(self, labelled: Labelled) -> Made[Labelled]:
        """A row that was labelled in every form; with the last one the form is chosen."""
        if self._tries.add(labelled):
            self._lines += self._tries.forms.lines()
            self._budget = self._budget_of_rows(flips=self._options.flips)
            self._how = self._how and replace(self._how, laid_out=self._tries.forms.chosen.labels)
            for one in self._tries.chosen() if self._gold else ():
                self._learn(one)
        return Made(replies=labelled.replies, tokens=labelled.tokens)

    @property
    def _first(self) -> str:
        return self._options.template.labels[0].name

    def _flow(self, desk: Desk, *, lenient: bool, flips: bool) -> Callable[[Row, int], Flow[Labelled]]:
        labeller = cache(lambda: self._labeller(desk, self._tries.forms.chosen, lenient=lenient))
        occurrences = Occurrences()

        def label(row: Row, number: int) -> Flow[Labelled]:
            asker = partial(self._tries.asker, labeller)
            return label_row(asker, row, occurrences.name(row.fields), flips=flips and number < FIRST)

        return label

    def _before(self, desk: Desk) -> Iterator[Flow[Labelled]]:
        """Of rows that are labelled before those of the input."""
        if self._tries.rows:
            return self._tries.flows(lambda template: self._labeller(desk, template, lenient=True))
        known = self._flow(desk, lenient=True, flips=self._options.flips)
        return (known(row, row.index) for row in self._gold)

    def _labeller(self, desk: Desk, template: Template, *, lenient: bool) -> Labeller:
        options = self._options
        return Labeller(
            template,
            (options.on,),
            seed=options.seed,
            lenient=lenient,
            truncate=options.truncate,
            models=desk.models.names,
        )

    def _look_at_first(self) -> None:
        """See that the first row of a file can be labelled, which says most of what may be wrong with the others."""
        if not isinstance(self._input, RowInput) or not self._input.never_waits:
            return
        require_fields(self._input.rows(skip=lambda _: None), self._options.truths.values(), self._input.name)
        if not self._options.skip_bad_rows:
            for row in self._input.rows():
                self._usable(row, None)
                break

    def _usable(self, row: Row, skip: Warn | None) -> bool:
        try:
            checked(row, self._options)
            self._report.truths.check(row)
        except InputError as error:
            if skip is None:
                raise InputError(f"{error}; {SKIP_IT}") from None
            skip(str(error))
            return False
        return True

    def _row(self, labelled: Labelled, *, chosen: bool, waited: bool, notes: Sequence[str] = ()) -> Made[Labelled]:
        """A row of the output; or a reject, where it is not among the selected share."""
        corrected = self._learned(labelled)
        self._report.add_written(corrected)
        return written(corrected, self._how, first=self._first, chosen=chosen, waited=waited, notes=notes)

    def _learn(self, labelled: Labelled) -> None:
        """Keep a row of known class; with the last one fit, unless a prior is to be divided out first."""
        self._learned.add_known(labelled)
        if self._learned.complete and not self._learned.waits:
            self._calibrate()

    def _calibrate(self) -> None:
        """Fit a scaling for each label to the rows of known class, and report."""
        results = self._learned.calibrate()
        for one in results:
            self._lines += [*calibration_table(one.name, one.columns), *one.verdict, *self._learned.left_out(one.name)]
            self._watch.add_known(one.name, one.known)
        if results and self._options.plot is not None:
            draw(self._options.plot, results)

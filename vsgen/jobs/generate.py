"""``vsgen run``: draws from a template, again and again or once for each row, until enough rows are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, get_args

from vsgen.engine.source import Flows
from vsgen.errors import OptionError, TemplateError
from vsgen.files.origin import NUM, ON_ERROR, Origin
from vsgen.files.places import Places
from vsgen.files.records import record_line, rejected_line
from vsgen.files.rows import RowInput, Seen
from vsgen.flow import Flow
from vsgen.flows.asking import size_of, unsuited
from vsgen.flows.checks import outside, require
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.flows.keep import Tried
from vsgen.flows.rows import flags
from vsgen.flows.token_logprobs import UNTAUGHT
from vsgen.jobs.asked import asked
from vsgen.jobs.budget import Budget
from vsgen.jobs.counts import UNLABELLED, Counts
from vsgen.jobs.desk import Desk
from vsgen.jobs.local import kept_local
from vsgen.jobs.pace import Pace
from vsgen.jobs.plan import Plan
from vsgen.jobs.plan_run import plan_run
from vsgen.jobs.priced import prices_of, require_prices
from vsgen.jobs.row_flows import RowFlows, open_rows, row_flows
from vsgen.jobs.sampled import require_file, sampled_draws
from vsgen.jobs.samples import of_run
from vsgen.jobs.servers import with_servers
from vsgen.jobs.task import Made, Warn
from vsgen.jobs.unjudged import unjudged
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.ports import Source
from vsgen.template.examples import Size
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.template.warnings.rules import template_warnings
from vsgen.template.warnings.variables import unused_rows
from vsgen.template.warnings.warning import Use
from vsgen.values import ModelFacts, Record, Rejected, Row, Unlabelled
from vsgen.verdict.finding import Verdict
from vsgen.verdict.setup import Setup
from vsgen.verdict.watch import Watch

if TYPE_CHECKING:  # with numpy, which takes a third of the memory of a run that needs none of it
    from vsgen.dedup.index import Index
    from vsgen.dedup.settings import Dedup
    from vsgen.export.packed import TokenLogprobs


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What the user asked for."""

    template: str | Mapping[str, object]
    """A file, a shipped template's name, or what such a file says."""
    overrides: Sequence[str] = ()
    """``key=value``, laid over the template."""
    input: str | Iterable[Mapping[str, object]] | None = None
    """A file, ``-`` for standard input, or rows; None is no input."""
    places: Places = field(default_factory=Places)
    num: int | None = None
    model: ModelChoice = field(default_factory=ModelChoice)
    seed: int = 0
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    """USD; needs the template's `prices`."""
    patience: int = 20
    """Draws without anything new after which a run is saturated; 0 is endless."""
    skip_bad_rows: bool = False
    meta: bool = True
    allow_exec: bool = False
    """Let the template's checks run their commands."""
    token_logprobs: TokenLogprobs | None = None
    """Teach every kept answer token by token, in this layout."""


class Generation:
    """A template, drawn until enough is kept; see `vsgen.jobs.task.Task`."""

    command = "run"
    noun = "draws"

    def __init__(self, options: GenerateOptions) -> None:
        """Check all that can be known before a model is.

        Raises:
            UserError: The template, the input or the flags are wrong.
        """
        self._options = options
        self._template = load_template(options.template, options.overrides)
        _refuse_batch_priors(self._template)
        if options.token_logprobs:
            _refuse_plain_text(self._template)
        require(self._template, allow_exec=options.allow_exec)
        self._refuse_small_budget()
        if options.input is None:
            Renderer(self._template).prompt(draw_variables(self._template, options.seed, 0))
        self.models = kept_local(with_servers(self._wanted(), self._template), self._template)
        """The models that it may ask."""
        require_prices(options.max_cost, self.models, self._template)
        self._input = None if options.input is None else open_rows(options.input)
        self._rows: RowFlows[Outcome] | None = None
        self.tried: dict[str, Tried] = {}
        """How each clause of `keep` fared."""
        self.ranks: list[float] = []
        """Of each draw: the rank correlation of stated probabilities with the model's own."""

    @property
    def places(self) -> Places:
        """Its files."""
        return self._options.places

    @property
    def wanted(self) -> int | None:
        """How many rows: -n; else, without an input, what the template says; else one draw for each input row."""
        if self._options.num is not None or self._input is not None:
            return self._options.num
        if self._template.num is None:
            raise OptionError(
                f"{self._template.source}: how many rows? give -n, or `num:` in the template, or input rows"
            )
        return self._template.num

    @property
    def origin(self) -> Origin:
        """What its output is made from."""
        options, how = self._options, self._options.token_logprobs
        parts: dict[str, object] = {
            "template": self._template.digest,
            "model": self.models.asked,
            "embedder": self.models.embedder,
            "seed": options.seed,
            "input": self._input and "given",
            NUM: self.wanted,
            "--token-logprobs": how and f"top={how.top},layout={how.layout},tail={how.tail}",
            "checks' commands": [one.version for one in outside(self._template) if one.version],
            "--meta": options.meta,
            ON_ERROR: "skip" if options.skip_bad_rows else "stop",
        }
        rows = self._input if isinstance(self._input, RowInput) else None
        return Origin(parts, rows, grows=self.wanted is None)

    def source(self, desk: Desk, counts: Counts, warn: Warn) -> Source[Outcome]:
        """Make the template ready for the model, and draw for each row, or without one."""
        options, facts = self._options, desk.facts
        self._counts = counts
        self._template = load_template(options.template, options.overrides, size_of(facts))
        dedup = self._template.dedup or None
        pipeline = Pipeline(
            self._template,
            seed=options.seed,
            models=desk.models,
            index=_index(dedup) if dedup else None,
            quota=Quota(counts.wanted),
            skip_bad_rows=options.skip_bad_rows,
            teach_top=options.token_logprobs.top if options.token_logprobs else 0,
        )
        self._pace = self._paced(desk)
        self._watch = Watch(Setup.of_run(self._template, facts))
        if why := unsuited(self._template, facts):
            warn(why)
        for found in template_warnings(self._template, Use(counts.wanted, self._input is not None)):
            warn(f"warning: {found}")
        if self._input is None:
            return Flows(pipeline.draw(Row(0), number) for number in count())
        skip = counts.skipping(warn) if options.skip_bad_rows else None

        def draw(row: Row, number: int) -> Flow[Outcome]:
            if number == 0:
                for found in unused_rows(self._template, Use(fields=row.fields)):
                    warn(f"warning: {found}")
            return pipeline.draw(row, number)

        self._rows = row_flows(self._input, draw, desk, skip=skip, again=counts.wanted is not None)
        return self._rows

    def most(self) -> int | None:
        """Draws that may be under way."""
        return self._pace.most()

    def made(self, outcome: Outcome) -> Made[Record]:
        """Records and rejects of a draw."""
        self._pace.note(len(outcome.records), len(outcome.records) + len(outcome.rejected))
        for one in outcome.tried:
            self.tried[one.clause] = one.added(self.tried.get(one.clause))
        if outcome.rank is not None:
            self.ranks.append(outcome.rank)
        written = [one for one in outcome.records if self._writable(one)]
        rejected = [*outcome.rejected, *(_untaught(one) for one in outcome.records if not self._writable(one))]
        return Made(
            rows=[self._line(record) for record in written],
            rejects=[rejected_line(one, meta=self._options.meta) for one in rejected],
            values=written,
            units=1,
            candidates=outcome.candidates,
            replies=outcome.calls,
            tokens=outcome.tokens,
            flags=[flag for one in written for flag in (*flags(one), *_unlabelled(one))],
            skipped=outcome.skipped,
            notes=(*outcome.notes, *self._watch.add(outcome)),
        )

    def enough(self) -> bool:
        """Whether all that is wanted is kept, or more draws are not worth while."""
        counts = self._counts
        counts.stopped = self._unusable() or self._pace.saturated(self._unmet)
        return counts.complete or counts.stopped is not None

    def rest(self) -> Iterator[Made[Record]]:
        """Nothing waits; a run that ends here short of its rows has spent its budget."""
        counts, source = self._counts, self._rows
        if not counts.complete and counts.stopped is None:
            spent = self._pace.spent()
            counts.stopped = spent if spent and (source is None or source.left()) else None
        return iter(())

    def verdict(self) -> Verdict:
        """On all draws."""
        return self._watch.verdict()

    def seen(self) -> Seen | None:
        """What was read of the input."""
        return self._rows.seen if self._rows else None

    def plan(self, facts: ModelFacts | None, use: Use | None = None, *, per_draw: bool = False) -> Plan:
        """What it will take, estimated before anything is asked.

        Args:
            facts: Of the model; None where they are not known.
            use: How tokens are counted.
            per_draw: One draw, instead of all.

        Raises:
            UserError: The first rows cannot be used.
        """
        options, rows = self._options, self._input
        if not per_draw:
            require_file(rows)
        template = load_template(options.template, options.overrides, size_of(facts))
        draws = sampled_draws(template, rows, seed=options.seed, facts=facts, skip=options.skip_bad_rows)
        units = rows.count() if isinstance(rows, RowInput) and not per_draw else None
        how = replace(use or Use(), num=None if per_draw else self.wanted, rows=rows is not None)
        return plan_run(template, draws, how, self.models.asked, units=units)

    def unjudged(self) -> str | None:
        """Whether the rows make sense."""
        return unjudged(self.models.asked, self._template, self.places.file)

    def report(self) -> list[str]:
        """For people: how the clauses of `keep` fared, and what stated probabilities are worth."""
        lines = [str(one) for one in self.tried.values()]
        if self.ranks:
            mean, draws = math.fsum(self.ranks) / len(self.ranks), len(self.ranks)
            lines.append(
                f"stated probabilities and the model's own: rank correlation {mean:.2f} (mean of {draws} draws)"
            )
        return lines

    def _wanted(self) -> Wanted:
        dedup, taught = self._template.dedup or None, self._options.token_logprobs
        name = asked(self._options.model, self._template)
        return Wanted(
            self._options.model,
            default=name,
            embedder=dedup.place if dedup else None,
            judges=self._template.judges,
            deciding=self._template.deciding,
            commands=True,
            samples=tuple(of_run(self._template, teach=taught.top if taught else 0)),
            prices=prices_of(self._template, name),
        )

    def _paced(self, desk: Desk) -> Pace:
        settings, budget = self._template.sampling, self._budget(self._template)
        if self._options.max_cost is not None:
            budget = replace(budget, usd=self.plan(desk.facts, per_draw=True).most_usd or 0.0)
        rows = desk.rows // settings.most[0]
        return Pace(self._counts, budget, k=settings.k, rows=rows, patience=self._options.patience)

    def _budget(self, template: Template) -> Budget:
        settings, options = template.sampling, self._options
        labels = [label.most for label in template.labels]
        mended = settings.k * template.repair
        return Budget(
            calls=settings.replies + mended + settings.k * sum(calls for calls, _ in labels),
            tokens=settings.most[1] + mended * settings.max_tokens + settings.k * sum(tokens for _, tokens in labels),
            max_calls=options.max_calls,
            max_tokens=options.max_tokens,
            max_cost=options.max_cost,
        )

    def _refuse_small_budget(self) -> None:
        """Refuse a budget that bears no draw, whatever size the model will turn out to be of."""
        options = self._options
        if (options.max_calls is None and options.max_tokens is None) or options.places.resume:
            return  # what the journal has may be all that is wanted
        refusal = self._budget(self._template).too_small
        if refusal and not any(self._bears_draw(size) for size in get_args(Size)):
            raise OptionError(refusal)

    def _bears_draw(self, size: Size) -> bool:
        """Whether the budget bears a draw by a model of a size."""
        try:
            template = load_template(self._options.template, self._options.overrides, size)
        except TemplateError:  # flags that do not go with what a size recommends; reported when a model has that size
            return False
        return self._budget(template).too_small is None

    def _unmet(self) -> str:
        """The clause of `keep` that holds most rarely, where that is what most candidates end by."""
        if not self.tried or self._counts.rejected.most_common(1)[0][0] != "keep":
            return ""
        return f" and kept; {min(self.tried.values(), key=lambda one: one.held / max(one.seen, 1))}"

    def _unusable(self) -> str | None:
        """Why going through the rows again is of no use: not one of them gave anything."""
        rows = self._rows.rows if self._rows else None
        if rows is None or self._counts.candidates or self._counts.units < rows:
            return None
        return f"none of the {rows} input rows can be used"

    def _writable(self, record: Record) -> bool:
        """Whether a record can be a row: a trainer's own layout has nothing to say of an answer without a lesson."""
        how = self._options.token_logprobs
        return how is None or how.layout == "packed" or record.lesson is not None

    def _line(self, record: Record) -> Mapping[str, object]:
        """A row; in a trainer's own layout only what that trainer reads."""
        line, lesson, how = record_line(record, meta=self._options.meta), record.lesson, self._options.token_logprobs
        if how is None or lesson is None:
            return line
        from vsgen.export.packed import token_row

        taught = token_row(lesson.taught, how, lesson.messages)
        return {**line, **taught} if how.layout == "packed" else {"id": record.id, **taught}


def _index(dedup: Dedup) -> Index:
    from vsgen.dedup.index import Index

    return Index(dedup)


def _untaught(record: Record) -> Rejected:
    """An answer without a lesson, where a row is nothing else; it keeps its place in the gate, which it has passed."""
    return Rejected(record, "refused", f"cannot be taught: {record.meta[UNTAUGHT]}")


def _unlabelled(record: Record) -> list[str]:
    return [UNLABELLED for label in record.labels.values() if isinstance(label, Unlabelled)]


def _refuse_plain_text(template: Template) -> None:
    if not template.chat:
        why = "--token-logprobs teaches answers to messages of a chat; leave one of the two out"
        raise OptionError(f"{template.source}: chat: false: {why}")


def _refuse_batch_priors(template: Template) -> None:
    if batch := [label.name for label in template.labels if label.prior == "batch"]:
        remedy = "leave it out here, and label the rows with 'vsgen label' afterwards"
        raise OptionError(f"{template.source}: label {batch[0]}: prior batch needs all rows before the first; {remedy}")

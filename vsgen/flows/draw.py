"""One row's way through vsgen: render, draw, validate, keep what shall be kept, drop repeats, label.

It is a flow, so it knows nothing of batches, models or files. Its stations are in `vsgen.flows`; what decides whether a
candidate is kept comes before the gate where repeats end, so a repeat's twin is always a kept row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from vsgen.dedup.merge import merge
from vsgen.errors import SKIP_IT, CallError, InputError, TemplateError
from vsgen.flow import Flow, Spent, error_of, metered
from vsgen.flows import rows
from vsgen.flows.admit import Gate, Quota
from vsgen.flows.answers import Answered, answered
from vsgen.flows.asking import Asker
from vsgen.flows.checks import outside
from vsgen.flows.keep import Keeper, Tried
from vsgen.flows.label import Labeller, Labels, Text
from vsgen.flows.potentials import potentials_of
from vsgen.flows.repair import Mender
from vsgen.flows.token_logprobs import teach
from vsgen.flows.valid import Rejection, Rules, Validated, echoes, validate
from vsgen.flows.weigh import bare, basis, weigh
from vsgen.ports import Sampler
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.reply_stats import ReplyStats, reply_stats
from vsgen.template.final import ANSWER
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.values import Candidate, Distribution, Lesson, Models, Prompt, Record, Rejected, Row

if TYPE_CHECKING:  # see vsgen/flows/admit.py
    from vsgen.dedup.index import Index

__all__ = ["Outcome", "Pipeline", "Quota"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that came of one draw."""

    records: tuple[Record, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    candidates: int = 0
    """What was drawn: answers, whole or not, and replies without any."""
    calls: int = 0
    """Replies drawn, as budgets count them."""
    tokens: int = 0
    """Tokens drawn in all calls."""
    notes: tuple[str, ...] = ()
    """What the user should know about how well the draw went."""
    replies: tuple[ReplyStats, ...] = ()
    """How each of its replies was read."""
    tried: tuple[Tried, ...] = ()
    """How the clauses of `keep` fared, in the order in which they were put."""
    rank: float | None = None
    """Rank correlation of the stated probabilities with the model's own."""
    skipped: str | None = None
    """Why the row could not be used at all."""


@dataclass(frozen=True, slots=True)
class _Draw:
    """What is known of a draw beside its candidates."""

    ids: Sequence[str]
    """Of its candidates, then of what is malformed."""
    task: Prompt
    """The task itself."""
    prompt: Prompt
    """What the model read first."""
    values: Mapping[str, object]
    """The variables and, over them, the row's fields."""
    meta: Mapping[str, object]
    """What all its records have in common."""

    def text(self, i: int, candidate: Candidate) -> Text:
        """What is labelled of a candidate."""
        return Text(self.ids[i], self.ids[i], {**self.values, **candidate.fields})


class Pipeline:
    """A template made ready to draw."""

    def __init__(
        self,
        template: Template,
        *,
        seed: int,
        models: Models,
        index: Index | None,
        quota: Quota,
        skip_bad_rows: bool = False,
        teach_top: int = 0,
    ) -> None:
        """Set up.

        Args:
            template: What to ask.
            seed: Of the whole run.
            models: Their names, for the records.
            index: Of the texts that were kept; None keeps repeats.
            quota: Of records.
            skip_bad_rows: Report a row that lacks a variable as skipped instead of raising.
            teach_top: Tokens to say at each position of a kept answer; 0 teaches nothing.
        """
        self._template = template
        self._seed = seed
        self._gate = Gate(index, quota, template.dedup.on if template.dedup else ())
        self._skip_bad_rows = skip_bad_rows
        self._teach_top = teach_top
        self._outside = outside(template)
        self._render = Renderer(template)
        self._labeller = Labeller(template, template.output.fields, seed=seed, lenient=True, models=models.names)
        self._keeper = Keeper(template, self._labeller)
        self._later = {label.name for label in template.labels} - self._keeper.labels
        self._asker = Asker(template, self._render, models.facts, seed=seed)
        self._sampler: Sampler = open_sampler(self._asker.settings)
        origin = f"{template.name}@{template.digest}"
        embedded = {"embedder": models.embedder} if models.embedder else {}
        fitted = {"recommended": template.fitted} if template.fitted else {}
        self._origin = {
            "method": template.sampling.method,
            "model": models.own,
            "seed": seed,
            "template": origin,
            **embedded,
            **fitted,
        }

    def draw(self, row: Row, number: int) -> Flow[Outcome]:
        """Draw number `number` of the run, for one row.

        Raises:
            InputError: The row lacks a variable of the prompt or the classes of a label, or makes a prompt that is too
                long for the model.
            TemplateError: There is no row, and the template itself lacks a variable.
            CallError: There is no row, and all replies were refused: the template itself is too long, say.
        """
        spent = Spent()
        outcome = yield from metered(self._draw(row, number, spent), spent)
        return replace(outcome, calls=spent.replies, tokens=spent.tokens)

    def _draw(self, row: Row, number: int, spent: Spent) -> Flow[Outcome]:
        values = {**draw_variables(self._template, self._seed, number), **row.fields}
        try:
            prompt = self._render.prompt(values)
            if not self._skip_bad_rows:
                self._labeller.check(values)
            rng = Random(f"{self._seed}/{self._template.name}/{number}")
            asked = self._asker.ask(prompt, values, number)
            drawn = yield from self._judging(values, number)(asked, rng)
            self._require_replies(drawn, row)
        except (TemplateError, InputError, CallError) as error:
            if not row.where:
                raise
            problem = f"{row.where}: {error}"
            if self._skip_bad_rows:
                return Outcome(skipped=problem)
            raise InputError(f"{problem}; {SKIP_IT}") from error
        ids = [f"{self._template.name}/{number:06d}.{i}" for i in range(len(drawn.candidates) + len(drawn.malformed))]
        draw = _Draw(ids, prompt, spent.first or prompt, values, self._meta(drawn, values, row))
        checked = yield from self._validate(drawn, draw)
        return (yield from self._sift(drawn, checked, draw))

    def _judging(self, values: Mapping[str, object], number: int) -> Sampler:
        """The sampler of one draw, whose variables its potentials may refer to."""
        name = f"{self._template.name}/{number:06d}"
        potentials = potentials_of(self._template, self._render, self._labeller, values, name)
        if not potentials.each:
            return self._sampler
        return open_sampler(replace(self._asker.settings, potentials=potentials))

    def _require_replies(self, drawn: Distribution, row: Row) -> None:
        """See that a draw has a reply; one whose server withheld it is only rejects, as where bad rows are skipped.

        Raises:
            CallError: All replies were refused; also where bad rows are skipped if the row is what is too long.
        """
        why = drawn.refused
        if why is None or why.why == "withheld":
            return
        if not (self._skip_bad_rows and (why.why != "too-long" or not row.where)):
            raise error_of(why)

    def _validate(self, drawn: Distribution, draw: _Draw) -> Flow[Validated]:
        """Which candidates are what the template asks for, once those that can be mended are."""
        echoed = echoes(self._template, draw.task, draw.prompt, draw.values)
        rules = Rules(self._template, self._outside, echoed, lenient=self._skip_bad_rows)
        checked = yield from validate(rules, drawn.candidates, draw.ids)
        return (yield from Mender(rules, self._asker.settings, self._seed).mend(checked, draw.ids, draw.task))

    def _sift(self, drawn: Distribution, checked: Validated, draw: _Draw) -> Flow[Outcome]:
        """What becomes of the candidates of a draw: kept, new, and then labelled."""
        task = bare(self._template, draw.task)
        weighed = yield from weigh(self._template, drawn, checked, task, draw.prompt)
        judged = answered(self._template.output.answer, self._render, weighed.candidates, draw.values)
        rejections = dict(checked.rejections)
        valid = {i: one for i, one in enumerate(judged.candidates) if i not in rejections}
        texts = {i: draw.text(i, one) for i, one in valid.items()} if self._template.keep else {}
        kept = yield from self._keeper.sift(valid, texts, judged.voted)
        rejections |= kept.rejections
        rejections |= yield from self._gate.sift(draw.ids, judged.candidates, rejections.keys())
        records, rejected = yield from self._rows(judged, rejections, kept.labels, draw)
        unread = zip(draw.ids[len(judged.candidates) :], drawn.malformed, strict=True)
        rejected += [rows.malformed(name, lost, draw.meta) for name, lost in unread]
        return Outcome(
            tuple(records),
            tuple(rejected),
            len(draw.ids),
            notes=(*drawn.notes, *weighed.notes, *judged.problems),
            replies=reply_stats(drawn),
            tried=tuple(kept.tried),
            rank=weighed.rank,
        )

    def _rows(
        self, judged: Answered, rejections: Mapping[int, Rejection], labels: dict[int, Labels], draw: _Draw
    ) -> Flow[tuple[list[Record], list[Rejected]]]:
        """Give what is kept the labels that it has not yet, teach it, and write everything out."""
        merged = merge(judged.candidates, rows.within(draw.ids, rejections))
        kept = {i: one.candidate for i, one in enumerate(merged) if i not in rejections}
        texts = [draw.text(i, one) for i, one in kept.items()] if self._later else []
        made = (yield from self._labeller.label(texts, self._later)) if texts else [Labels()] * len(kept)
        labels |= {i: self._ordered({**labels[i], **own}) for i, own in zip(kept, made, strict=True)}
        common: Labels = {} if judged.voted is None else {ANSWER: judged.voted}
        lessons = yield from self._teach(
            bare(self._template, draw.task), {draw.ids[i]: one.fields for i, one in kept.items()}
        )
        records = [
            rows.record(draw.ids[i], merged[i], common | labels[i], draw.meta, lesson)
            for i, lesson in zip(kept, lessons, strict=True)
        ]
        unkept = {i: rows.record(draw.ids[i], merged[i], labels.get(i, {}), draw.meta) for i in sorted(rejections)}
        return records, [rows.rejected(one, rejections[i]) for i, one in unkept.items()]

    def _ordered(self, labels: Labels) -> Labels:
        return {label.name: labels[label.name] for label in self._template.labels}

    def _teach(
        self, prompt: Prompt, answers: Mapping[str, Mapping[str, object]]
    ) -> Flow[Sequence[Lesson | str | None]]:
        if not self._teach_top:
            return [None] * len(answers)
        return (yield from teach(prompt, answers, top=self._teach_top))

    def _meta(self, drawn: Distribution, values: Mapping[str, object], row: Row) -> dict[str, object]:
        used = {name: values[name] for name in sorted(self._render.variables() & values.keys())}
        place = {"row": row.index} if row.where else {}
        unknown = {"verbalized": drawn.basis == "verbalized", "logp": self._template.scored}
        empty = {name: None for name, wanted in unknown.items() if wanted}
        return {**self._origin, "basis": basis(self._template, drawn.basis), **place, "variables": used, **empty}

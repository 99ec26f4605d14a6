"""One row's way through vsgen: render, draw, validate, drop repeats, label.

It is a flow, so it knows nothing of batches, models or files. Its stations are in `vsgen.flows`; what decides whether a
candidate is kept comes before the gate where repeats end, so a repeat's twin is always a kept row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from vsgen.dedup.index import Index
from vsgen.dedup.merge import merge
from vsgen.errors import CallError, InputError, TemplateError
from vsgen.flow import Flow, Spent, metered
from vsgen.flows import rows
from vsgen.flows.admit import Gate, Quota
from vsgen.flows.answers import Answered, answered
from vsgen.flows.valid import Refusal, validate
from vsgen.labelling import Labeller, Labels, Text
from vsgen.ports import Sampler
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.reads import Read, reads
from vsgen.sampling.settings import Power as PowerSettings
from vsgen.sampling.settings import Settings
from vsgen.teaching import teach
from vsgen.template.canonical import decodable
from vsgen.template.final import ANSWER
from vsgen.template.render import Renderer
from vsgen.template.sampling import Power
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.values import Distribution, Lesson, Prompt, Record, Rejected, Row

__all__ = ["Outcome", "Pipeline", "Quota", "settings_of"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that came of one draw."""

    records: tuple[Record, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    candidates: int = 0
    """What was drawn: answers, and replies without any."""
    calls: int = 0
    """Completions asked for."""
    tokens: int = 0
    """Tokens drawn in them."""
    notes: tuple[str, ...] = ()
    """What the user should know about how well the draw went."""
    replies: tuple[Read, ...] = ()
    """How each of its replies was read."""
    skipped: str | None = None
    """Why the row could not be used at all."""


def settings_of(template: Template) -> Settings:
    """The sampler's view of a template."""
    asked = template.sampling
    return Settings(
        method=asked.method,
        fields=template.output.fields,
        item_schema=decodable(template.output.item_schema) if asked.constrain else None,
        k=asked.k,
        per_turn=asked.per_turn,
        p_max=asked.p_max,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        max_tokens=asked.max_tokens,
        stop=asked.stop,
        power=PowerSettings(**(asked.power or Power()).model_dump()),
    )


class Pipeline:
    """A template made ready to draw."""

    def __init__(
        self,
        template: Template,
        *,
        seed: int,
        model: str,
        index: Index | None,
        quota: Quota,
        skip_bad_rows: bool = False,
        teach_top: int = 0,
    ) -> None:
        """Set up.

        Args:
            template: What to ask.
            seed: Of the whole run.
            model: Its name, for the records.
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
        self._render = Renderer(template)
        self._labeller = Labeller(template, template.output.fields, seed=seed, lenient=skip_bad_rows)
        self._settings = settings_of(template)
        self._sampler: Sampler = open_sampler(self._settings)
        origin = f"{template.name}@{template.digest}"
        self._origin = {"method": self._settings.method, "model": model, "seed": seed, "template": origin}

    def draw(self, row: Row, number: int) -> Flow[Outcome]:
        """Draw number `number` of the run, for one row.

        Raises:
            InputError: The row lacks a variable of the prompt, or makes one that is too long for the model.
            TemplateError: There is no row, and the template itself lacks a variable.
            CallError: There is no row, and the template itself is too long.
        """
        spent = Spent()
        outcome = yield from metered(self._draw(row, number), spent)
        return replace(outcome, calls=spent.calls, tokens=spent.tokens)

    def _draw(self, row: Row, number: int) -> Flow[Outcome]:
        values = {**draw_variables(self._template, self._seed, number), **row.fields}
        try:
            prompt = self._render.prompt(values)
            rng = Random(f"{self._seed}/{self._template.name}/{number}")
            drawn = yield from self._sampler(prompt, rng)
        except (TemplateError, CallError) as error:
            if not row.where:
                raise
            problem = f"{row.where}: {error}"
            if self._skip_bad_rows:
                return Outcome(skipped=problem)
            raise InputError(f"{problem}; or pass --on-error skip") from error
        ids = [f"{self._template.name}/{number:06d}.{i}" for i in range(len(drawn.candidates) + len(drawn.malformed))]
        return (yield from self._sift(drawn, ids, prompt, values, self._meta(drawn, values, row)))

    def _sift(
        self,
        drawn: Distribution,
        ids: Sequence[str],
        prompt: Prompt,
        values: Mapping[str, object],
        meta: Mapping[str, object],
    ) -> Flow[Outcome]:
        """What becomes of the candidates of a draw."""
        checked = yield from validate(self._template, drawn.candidates, prompt)
        judged = answered(self._template.output.answer, self._render, checked.candidates, values)
        refused = dict(checked.refused)
        refused |= yield from self._gate.admit(ids, judged.candidates, refused.keys())
        records, rejected = yield from self._rows(judged, refused, ids, prompt, values, meta)
        unread = zip(ids[len(judged.candidates) :], drawn.malformed, strict=True)
        rejected += [rows.malformed(name, lost, meta) for name, lost in unread]
        notes = (*drawn.notes, *judged.problems)
        return Outcome(tuple(records), tuple(rejected), len(ids), notes=notes, replies=reads(drawn))

    def _rows(
        self,
        judged: Answered,
        refused: Mapping[int, Refusal],
        ids: Sequence[str],
        prompt: Prompt,
        values: Mapping[str, object],
        meta: Mapping[str, object],
    ) -> Flow[tuple[list[Record], list[Rejected]]]:
        """Label and teach what is kept, and write everything out."""
        merged = merge(judged.candidates, rows.within(ids, refused))
        kept = [i for i in range(len(merged)) if i not in refused]
        texts = [Text(ids[i], ids[i], {**values, **merged[i].candidate.fields}) for i in kept]
        labels = yield from self._labeller.label(texts)
        common: Labels = {} if judged.voted is None else {ANSWER: judged.voted}
        lessons = yield from self._teach(prompt, {ids[i]: merged[i].candidate.fields for i in kept})
        records = [
            rows.record(ids[i], merged[i], common | own, meta, lesson)
            for i, own, lesson in zip(kept, labels, lessons, strict=True)
        ]
        return records, [rows.rejected(rows.record(ids[i], merged[i], {}, meta), refused[i]) for i in sorted(refused)]

    def _teach(self, prompt: Prompt, answers: Mapping[str, Mapping[str, object]]) -> Flow[list[Lesson | None]]:
        if not self._teach_top:
            return [None] * len(answers)
        return (yield from teach(prompt, answers, top=self._teach_top, lenient=self._skip_bad_rows))

    def _meta(self, drawn: Distribution, values: Mapping[str, object], row: Row) -> dict[str, object]:
        used = {name: values[name] for name in sorted(self._render.variables() & values.keys())}
        place = {"row": row.index} if row.where else {}
        return {**self._origin, "basis": drawn.basis, **place, "variables": used}

"""One row's way through vsgen: render, draw, validate, drop repeats, label.

It is a flow, so it knows nothing of batches, models or files. What it shares with the other draws of a run, the index
of what was kept and the quota of what is wanted, it touches only in its turn: the outcome depends on the order of the
draws and not on their speed.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from vsgen.dedup.index import Index
from vsgen.dedup.merge import Merged, merge
from vsgen.errors import CallError, InputError, TemplateError
from vsgen.flow import Flow, Spent, ask_all, in_order, metered
from vsgen.labelling import Labeller, Labels, Text
from vsgen.labels.answers import votes
from vsgen.ports import Sampler
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import Power as PowerSettings
from vsgen.sampling.settings import Settings
from vsgen.teaching import teach
from vsgen.template.final import ANSWER, find_answer
from vsgen.template.render import Renderer
from vsgen.template.sampling import Power
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.values import (
    Basis,
    Candidate,
    Embed,
    Lesson,
    Malformed,
    Prompt,
    Reason,
    Record,
    Rejected,
    Row,
    SoftLabel,
    Unlabelled,
    Vector,
)


@dataclass(slots=True)
class Quota:
    """How many records are wanted in all, and how many there are."""

    limit: int | None
    taken: int = 0

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return self.limit is not None and self.taken >= self.limit


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
    skipped: str | None = None
    """Why the row could not be used at all."""


class _Refusal(NamedTuple):
    """Why a candidate does not become a record."""

    reason: Reason
    detail: str = ""
    twin: str | None = None
    similarity: float | None = None


def settings_of(template: Template) -> Settings:
    """The sampler's view of a template."""
    asked = template.sampling
    return Settings(
        method=asked.method,
        fields=template.output.fields,
        item_schema=template.output.item_schema if asked.constrain else None,
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
        self._index = index
        self._quota = quota
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
        values = {**draw_variables(self._template, self._seed, number), **row.fields}
        spent = Spent()
        try:
            prompt = self._render.prompt(values)
            rng = Random(f"{self._seed}/{self._template.name}/{number}")
            drawn = yield from metered(self._sampler(prompt, rng), spent)
        except (TemplateError, CallError) as error:
            if not row.where:
                raise
            problem = f"{row.where}: {error}"
            if self._skip_bad_rows:
                return Outcome(calls=spent.calls, tokens=spent.tokens, skipped=problem)
            raise InputError(f"{problem}; or pass --on-error skip") from error
        ids = [f"{self._template.name}/{number:06d}.{i}" for i in range(len(drawn.candidates) + len(drawn.malformed))]
        refused = self._misfits(drawn.candidates)
        refused |= yield from self._admit(ids, drawn.candidates, refused.keys())
        candidates, voted, notes = self._answered(drawn.candidates, values)
        merged = merge(candidates, _within(ids, refused))
        kept = [i for i in range(len(merged)) if i not in refused]
        texts = [Text(ids[i], ids[i], {**values, **merged[i].candidate.fields}) for i in kept]
        labels = yield from metered(self._labeller.label(texts), spent)
        meta = self._meta(drawn.basis, values, row)
        common: Labels = {} if voted is None else {ANSWER: voted}
        lessons = yield from self._teach(prompt, {ids[i]: merged[i].candidate.fields for i in kept})
        records = [
            _record(ids[i], merged[i], common | own, meta, lesson)
            for i, own, lesson in zip(kept, labels, lessons, strict=True)
        ]
        rejected = [Rejected(_record(ids[i], merged[i], {}, meta), *refused[i]) for i in sorted(refused)]
        rejected += [_malformed(*one, meta) for one in zip(ids[len(merged) :], drawn.malformed, strict=True)]
        return Outcome(tuple(records), tuple(rejected), len(ids), spent.calls, spent.tokens, (*drawn.notes, *notes))

    def _misfits(self, candidates: Sequence[Candidate]) -> dict[int, _Refusal]:
        """Candidates that are not what the template asks for."""
        p_min = self._template.sampling.p_min
        refused: dict[int, _Refusal] = {}
        for i, candidate in enumerate(candidates):
            stated = candidate.verbalized
            if problem := self._template.output.problem(candidate.fields):
                refused[i] = _Refusal("schema", problem)
            elif stated is not None and stated < p_min:
                refused[i] = _Refusal("filter", f"stated probability {stated:g} is below p_min {p_min:g}")
            elif problem := self._template.refused(candidate.fields):
                refused[i] = _Refusal("filter", problem)
        return refused

    def _admit(
        self, ids: Sequence[str], candidates: Sequence[Candidate], refused: Container[int]
    ) -> Flow[dict[int, _Refusal]]:
        """Wait for one's turn, then keep what is new and wanted; returns what is not."""
        texts = {i: self._compared(one) for i, one in enumerate(candidates) if i not in refused}
        vectors = yield from self._embed(list(texts.values()))
        yield from in_order()
        return {i: refusal for i, text in texts.items() if (refusal := self._refusal(ids[i], text, vectors.get(text)))}

    def _embed(self, texts: Sequence[str]) -> Flow[dict[str, Vector]]:
        """The vectors of texts that may be new; a text that equals a kept one will not need its own."""
        if self._index is None:
            return {}
        new = [text for text in dict.fromkeys(texts) if not self._index.seen(text)]
        vectors = yield from ask_all([Embed(text) for text in new])
        return dict(zip(new, vectors, strict=True))

    def _refusal(self, name: str, text: str, vector: Vector | None) -> _Refusal | None:
        if self._quota.full:
            return _Refusal("over_budget", "enough records were kept before this one")
        twin = None if self._index is None else self._index.admit(name, text, vector)
        if twin:
            return _Refusal("duplicate", twin.stage, twin.name, twin.similarity)
        self._quota.taken += 1
        return None

    def _compared(self, candidate: Candidate) -> str:
        on = self._template.dedup.on if self._template.dedup else ()
        return "\n".join(str(candidate.fields[name]) for name in on)

    def _answered(
        self, candidates: Sequence[Candidate], values: Mapping[str, object]
    ) -> tuple[Sequence[Candidate], SoftLabel | None, Sequence[str]]:
        """The candidates with their final answers in their details, how the draw votes, and what could not be judged.

        What a model wrote ends no run: an answer with which `output.correct` cannot be evaluated is neither right nor
        wrong.
        """
        place = self._template.output.answer
        if place is None:
            return candidates, None, ()
        answers = [find_answer(place, one.fields) for one in candidates]
        found, problems = [], []
        for one, answer in zip(candidates, answers, strict=True):
            said: dict[str, object] = {ANSWER: answer}
            try:
                if (right := self._render.correct(answer, {**values, **one.fields})) is not None:
                    said["correct"] = right
            except TemplateError as error:
                problems.append(f"{error}; meta.correct is null there")
                said["correct"] = None
            found.append(replace(one, details={**one.details, **said}))
        ballots = [one.weight if one.vote is None else one.vote for one in candidates]
        return found, votes(answers, ballots), problems

    def _teach(self, prompt: Prompt, answers: Mapping[str, Mapping[str, object]]) -> Flow[list[Lesson | None]]:
        if not self._teach_top:
            return [None] * len(answers)
        return (yield from teach(prompt, answers, top=self._teach_top, lenient=self._skip_bad_rows))

    def _meta(self, basis: Basis, values: Mapping[str, object], row: Row) -> dict[str, object]:
        used = {name: values[name] for name in sorted(self._render.variables() & values.keys())}
        place = {"row": row.index} if row.where else {}
        return {**self._origin, "basis": basis, **place, "variables": used}


def _record(
    name: str,
    merged: Merged,
    labels: Mapping[str, SoftLabel | Unlabelled],
    common: Mapping[str, object],
    lesson: Lesson | None = None,
) -> Record:
    candidate, count = merged
    meta = {**common, "merged": count}
    if common["basis"] == "verbalized":
        meta["verbalized"] = candidate.verbalized
    optional = {"logp": candidate.logp, "reasoning": candidate.reasoning, "flags": list(candidate.flags) or None}
    meta |= {key: value for key, value in optional.items() if value is not None} | dict(candidate.details)
    return Record(name, candidate.fields, candidate.weight, labels, meta, lesson)


def _malformed(name: str, lost: Malformed, common: Mapping[str, object]) -> Rejected:
    return Rejected(Record(name, {}, lost.weight, {}, common), "malformed", lost.problem, raw=lost.raw)


def _within(ids: Sequence[str], refused: Mapping[int, _Refusal]) -> dict[int, int]:
    """Repeats whose twin is of the same draw, and that twin."""
    numbers = {name: i for i, name in enumerate(ids)}
    return {i: numbers[one.twin] for i, one in refused.items() if one.twin in numbers}

"""A draw as text, in the order of its calls."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence

from vsgen.cli.printed import Heading
from vsgen.files.records import record_line, rejected_line
from vsgen.flow import Heard
from vsgen.jobs.trial import Shown, Trial
from vsgen.labels.words import YES_NO
from vsgen.values import Completion, Decide, Decided, Generate, Prompt, Record, Refused, Score, Scores

_SHOWN = 3
"""Label questions that are shown of a draw; the others are alike."""
_OF_PICKS = ("engine", "ess", "ancestors", "acceptance", "evaluations", "logp")
"""What is said of a reply that an engine of power sampling picked."""
_ABSENT = object()


def draw_lines(shown: Shown, trial: Trial, seconds: float) -> Iterator[str]:
    """The whole draw: prompts and replies, what became of each answer, and the verdict."""
    how, outcome = trial.template.sampling, shown.outcome
    yield _head(f"{shown.name} · {trial.model} · {how.method}, k {how.k}, temperature {how.temperature:g}")
    yield from _picks(shown, trial) if how.method == "power" else _replies(shown.heard, trial)
    yield from _questions(shown.heard, trial)
    yield from _decisions(shown.heard)
    yield from _rows(outcome.records)
    yield _head(f"rejected: {len(outcome.rejected)}")
    for lost in outcome.rejected:
        why = {key: value for key, value in rejected_line(lost, meta=False).items() if key != "id"}
        yield f"{why.pop('reason')}: {_json(why)}"
    yield from (f"note: {note}" for note in (*outcome.notes, *trial.remarks))
    yield _head("verdict on this draw")
    yield from shown.verdict.lines()
    if outcome.records and (unjudged := trial.unjudged):
        yield unjudged
    yield _spent(shown, seconds)
    yield ""


def _replies(heard: Sequence[Heard], trial: Trial) -> Iterator[str]:
    """The prompts and the raw replies; a prompt that continues the last one is shown from where that ended."""
    before = ""
    asked = [(one.call, one.reply, one.judge) for one in heard if isinstance(one.call, Generate)]
    for number, (call, reply, judge) in enumerate(asked, start=1):
        text = _reading(call.prompt, trial, judge)
        if text != before:
            known = trial.render(call.prompt, judge) is not None
            yield _head(f"prompt, as {judge or 'the model'} reads it" if known else "prompt")
            yield f"…{text.removeprefix(before)}" if before and text.startswith(before) else text
            before = text
        yield _head(f"reply {number} of {len(asked)}: {_how_it_ended(reply)}")
        yield reply.text if isinstance(reply, Completion) else ""


def _picks(shown: Shown, trial: Trial) -> Iterator[str]:
    """The first prompt and the replies that were picked; the drafts that they were picked from are counted."""
    calls = [one.call for one in shown.heard if isinstance(one.call, Generate)]
    if calls:
        text, known = _reading(calls[0].prompt, trial, None), trial.render(calls[0].prompt) is not None
        yield _head("prompt, as the model reads it" if known else "prompt")
        yield text
    rejected = shown.outcome.rejected
    raw = {one.record.id: one.raw for one in rejected}
    picked = [*shown.outcome.records, *(one.record for one in rejected)]
    picked.sort(key=lambda one: (len(one.id), one.id))
    yield _head(f"{len(calls):,} calls drew drafts, of which {len(picked)} replies were picked")
    for number, one in enumerate(picked, start=1):
        figures = [f"{name} {one.meta[name]}" for name in _OF_PICKS if one.meta.get(name) is not None]
        yield _head(f"reply {number} of {len(picked)}: {', '.join(figures) or 'not readable'}")
        yield raw.get(one.id) or _answer(one)


def _answer(record: Record) -> str:
    texts = [*record.fields.values()]
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else _json(record.fields)


def _how_it_ended(reply: object) -> str:
    match reply:
        case Completion():
            end = "the model ended it" if reply.stopped else "cut at its maximum length"
            own = "" if reply.logp is None else f", log p {reply.logp:.1f}"
            return f"{reply.drawn} tokens after {reply.prompt_tokens} of prompt, {end}{own}"
        case Refused():
            return f"refused: {reply.problem}"
        case _:
            return "none"


def _questions(heard: Sequence[Heard], trial: Trial) -> Iterator[str]:
    """The first questions of scored labels, with the probability of each choice."""
    asked = [(one.call, one.reply, one.judge) for one in heard if isinstance(one.call, Score)]
    if asked:
        yield _head(f"scored questions: {len(asked)}, of which the first {min(_SHOWN, len(asked))}")
    for call, reply, judge in asked[:_SHOWN]:
        yield _reading(call.prompt, trial, judge)
        if isinstance(reply, Scores):
            each = zip(call.choices, reply.logp, strict=True)
            yield "  " + "  ".join(f"{choice} {math.exp(logp):.2g}" for choice, logp in each)


def _decisions(heard: Sequence[Heard]) -> Iterator[str]:
    """The first calls of decision interfaces, with the probability of each option."""
    asked = [(one.call, one.reply) for one in heard if isinstance(one.call, Decide)]
    if asked:
        yield _head(f"decision requests: {len(asked)}, of which the first {min(_SHOWN, len(asked))}")
    for call, reply in asked[:_SHOWN]:
        yield call.state
        if isinstance(reply, Refused):
            yield f"  refused: {reply.problem}"
        for one, decision in zip(call.questions, reply.decisions if isinstance(reply, Decided) else (), strict=False):
            each = zip(one.options or YES_NO, decision.probs, strict=False)
            shares = "  ".join(f"{option} {p:.2g}" for option, p in each) or decision.problem
            yield f"  {one.kind}: {' '.join(one.text.split())}  {shares}"


def _rows(records: Sequence[Record]) -> Iterator[str]:
    """The rows as they would be written; what all their metas share is printed once."""
    lines = [record_line(record) for record in records]
    shared = _shared([record.meta for record in records])
    yield _head(f"rows: {len(lines)}")
    for line, record in zip(lines, records, strict=True):
        own = {key: value for key, value in record.meta.items() if key not in shared}
        yield _json({**line, "meta": own})
    if shared:
        yield f"meta of every row, in addition: {_json(shared)}"


def _shared(metas: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    if len(metas) < 2:
        return {}
    return {key: value for key, value in metas[0].items() if all(one.get(key, _ABSENT) == value for one in metas)}


def _spent(shown: Shown, seconds: float) -> str:
    outcome = shown.outcome
    rate = f", {outcome.tokens / seconds:.1f} tokens/s" if seconds > 0 and outcome.tokens else ""
    replies = "1 reply" if outcome.calls == 1 else f"{outcome.calls} replies"
    return f"{replies}, {outcome.tokens:,} tokens, {seconds:.1f} s{rate}"


def _reading(prompt: Prompt, trial: Trial, judge: str | None) -> str:
    """The prompt as one text, or its messages where the model cannot say how it reads them."""
    text = trial.render(prompt, judge)
    if text is not None:
        return text
    turns = [f"[{message.role}]\n{message.content}" for message in prompt.messages]
    begun = "assistant, begun" if turns else "plain text, to be continued"
    return "\n".join([*turns, *([f"[{begun}]\n{prompt.prefill}"] if prompt.prefill else [])])


def _head(text: str) -> Heading:
    return Heading(f"── {text} ──")


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

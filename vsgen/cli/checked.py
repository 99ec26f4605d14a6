"""What ``vsgen check`` prints: the prompts of some draws, and what a run will take."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from vsgen.cli.folded import Beside
from vsgen.cli.printed import Heading
from vsgen.flows.asking import SMALL, unsuited
from vsgen.flows.checks import described
from vsgen.jobs.local import absent
from vsgen.jobs.plan import Plan
from vsgen.jobs.preview import Preview
from vsgen.labels.judge import RUN
from vsgen.money import dollars
from vsgen.template.examples import UNSUITED, Size
from vsgen.template.keep import clause
from vsgen.template.schema import Template
from vsgen.values import ModelFacts, Prompt

if TYPE_CHECKING:
    from vsgen.backends.chat.spell import Speller
    from vsgen.labels.judge import Judge

_SIZES: Mapping[Size, str] = {
    "small": f"models of up to {SMALL // 10**9}B parameters",
    "large": "larger models",
}


def draw_lines(draws: Sequence[Preview], reader: Speller | None) -> Iterator[str]:
    """The calls of each draw; a long part that is the same as in the draw before is not repeated."""
    before: set[tuple[str, str]] = set()
    for one in draws:
        parts = list(_parts(one, reader))
        yield Heading(f"── {one.id} ──")
        for head, text in parts:
            yield from (f"{head} as above",) if (head, text) in before else (head, text)
        for prompt in one.labels:
            yield "[then, for each kept answer]"
            for head, text in _read(prompt, reader):
                yield from (head, text)
        yield ""
        before = {part for part in parts if part[0] in ("[system]", "[reply pattern]", "[reply schema]")}


def _parts(one: Preview, reader: Speller | None) -> Iterator[tuple[str, str]]:
    """What is sent, and what constrains the replies: heads and texts."""
    yield from _read(one.call.prompt, reader)
    for turn in one.turns:
        yield from (("[assistant]", "…"), ("[user]", turn))
    if one.call.pattern:
        yield "[reply pattern]", one.call.pattern
    if one.call.schema:
        yield "[reply schema]", json.dumps(json.loads(one.call.schema), ensure_ascii=False)


def _read(prompt: Prompt, reader: Speller | None) -> Iterator[tuple[str, str]]:
    if reader is None:
        yield from _messages(prompt)
    else:
        yield f"[as {reader.name} reads it]", reader.render(prompt)


def _messages(prompt: Prompt) -> Iterator[tuple[str, str]]:
    for message in prompt.messages:
        yield f"[{message.role}]", message.content
    if prompt.prefill:
        yield "[the reply begins]" if prompt.messages else "[plain text, to be continued]", prompt.prefill


def plan_lines(template: Template, made: Plan, facts: ModelFacts | None) -> Iterator[str | Beside]:
    """What a run will take at least, what else decides about its rows, and what the template says of models."""
    yield Heading("── plan ──" if made.units else "── plan, for each draw ──")
    for head, text in [*_counts(template, made), *_decisions(template), *_models(template, facts)]:
        yield Beside(f"{head:10} ", text)
    yield ""


def _counts(template: Template, made: Plan) -> Iterator[tuple[str, str]]:
    how, most = template.sampling, "at most" if template.sampling.method == "power" else "at least"
    _, *others = made.parts
    if made.units:
        yield "rows", f"{made.rows:,} wanted"
        yield "draws", f"at least {made.units:,}, each for {_counted(how.k, 'answer')} (method {how.method})"
    elif template.num is None:
        yield "rows", "give -n or num: to set how many; with input rows, by default one draw for each"
    count = how.replies * (made.units or 1)
    replies = f"{count:,}, each cut at {how.max_tokens:,} tokens (sampling.max_tokens)"
    yield "replies", f"{most} {replies}"
    if template.labels:
        questions = sum(part.expected.calls for part in others if part.name.startswith("label "))
        names = ", ".join(label.name for label in template.labels)
        yield "labels", f"{_counted(math.ceil(questions), 'question')}, to label {names}"
    potentials = how.method == "power" and how.powered.potentials is not None
    about, load = ("at most", made.most) if potentials else ("about", made.expected)
    yield "tokens", f"{about} {_rounded(load.prompt)} of prompts and {_rounded(load.reply)} of replies"
    if made.usd is not None:
        yield "cost", f"about ${dollars(made.usd)}"
    yield "", "more if answers are repeats or are rejected"


def _decisions(template: Template) -> Iterator[tuple[str, str]]:
    """What decides on an answer that fits, and who judges it."""
    yield from (("checked", line) for line in described(template))
    if template.repair:
        yield "repaired", f"an answer that does not fit is requested again, up to {_counted(template.repair, 'time')}"
    if template.scored:
        yield "scored", "every answer that fits, as the reply to the plain task"
    names = [label.name for label in template.labels]
    for text in template.keep:
        read = [name for name in names if name in clause(text).labels(names)]
        yield "kept if", text + (f" (labels {', '.join(read)} first)" if read else "")
    for label in template.labels:
        if label.model:
            by = "; ".join(map(_judge, label.judges))
            yield "judged", f"label {label.name} by {'the mean of ' if len(label.judges) > 1 else ''}{by}"


def _judge(judge: Judge) -> str:
    """Who makes a label, and where."""
    if judge.name is None:
        return "the run's own model"
    at = {None: "", RUN: ", at the run's server"}.get(judge.endpoint, f", at {judge.endpoint}")
    return f"{judge.model}{at}"


def _models(template: Template, facts: ModelFacts | None) -> Iterator[tuple[str, str]]:
    if template.fitted:
        yield "settings", f"those that the template recommends for {_SIZES[template.fitted]} are in force"
    if facts is None:
        for size in get_args(Size):
            yield from _recommended(template, size)
    elif why := unsuited(template, facts):
        yield "unsuited", why
    yield from (("absent", problem) for _, problem in absent(template))


def _recommended(template: Template, size: Size) -> Iterator[tuple[str, str]]:
    """What the template says of models of a size, while no model is named."""
    found = getattr(template.recommended, size)
    settings = [key for key in found if key != UNSUITED] if isinstance(found, Mapping) else []
    if settings:
        yield "settings", f"for {_SIZES[size]} other values of {', '.join(settings)}; see them with -m MODEL"
    if why := template.recommended.unsuited(size):
        yield "unsuited", f"{_SIZES[size]}: {why}"


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _rounded(estimate: float) -> str:
    """Two digits of an estimate."""
    count = math.ceil(estimate)
    scale = 10 ** max(0, len(str(count)) - 2)
    return f"{round(count / scale) * scale:,}"

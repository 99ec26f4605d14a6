"""``vsgen check``: what is wrong with a template, and what it will ask."""

from __future__ import annotations

import json
from itertools import repeat
from typing import TYPE_CHECKING

from vsgen.cli import options
from vsgen.cli.groups import SampleGroup
from vsgen.cli.printed import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsgen.backends.chat.spell import Speller
    from vsgen.jobs.preview import Preview
    from vsgen.template.schema import Template
    from vsgen.values import ModelFacts, Prompt


def check(
    *,
    template: options.TemplateName,
    input: options.Input = None,
    num: options.Draws = 2,
    model: options.Model = None,
    sample: SampleGroup,
) -> None:
    """Check a template and show what it asks.

    With -m, prompts are shown as that model reads them. No weights are loaded.

    Exit status: 0 the template is good; 2 it is not.

    Examples:
        vsgen check reviews.yaml
        vsgen check reviews.yaml products.jsonl -n 3
        vsgen check support-tickets -m tiny --method vs-cot
    """
    from vsgen.files.rows import read_rows
    from vsgen.flows.asking import size_of
    from vsgen.flows.checks import require
    from vsgen.jobs.preview import preview
    from vsgen.template.load import load_template
    from vsgen.values import Row

    loaded = load_template(template, sample.overrides)
    require(loaded, allow_exec=True)
    reader, facts = _reader(model)
    if facts is not None:
        loaded = load_template(template, sample.overrides, size_of(facts))
    rows = repeat(Row(0)) if input is None else read_rows(input)
    for one in preview(loaded, rows, seed=sample.seed, count=num, facts=facts):
        show(*_lines(one, reader))
    for line in _notes(loaded, facts):
        show(line)
    for remark in reader.remarks() if reader else ():
        show(f"note: {remark}")
    show(f"{loaded.name}@{loaded.digest}: good")


def _notes(template: Template, facts: ModelFacts | None) -> Iterator[str]:
    """What the prompts do not show."""
    from vsgen.flows.asking import unsuited
    from vsgen.flows.checks import described
    from vsgen.jobs.local import absent

    if template.fitted:
        yield f"[recommended] the template's settings for {template.fitted} models are in force"
    if why := unsuited(template, facts):
        yield f"[unsuited] {why}"
    yield from (f"[checked] {line}" for line in described(template))
    if template.repair:
        yield f"[repaired] what does not fit is asked for again, up to {_times(template.repair)}, with the reason"
    yield from _decisions(template)
    yield from (f"[absent] {problem}" for _, problem in absent(template))


def _decisions(template: Template) -> Iterator[str]:
    """What decides on an answer that fits, and who judges it."""
    from vsgen.template.keep import clause

    if template.scored:
        yield "[scored] every answer that fits, as the reply to the plain task"
    names = [label.name for label in template.labels]
    for text in template.keep:
        read = [name for name in names if name in clause(text).labels(names)]
        yield f"[kept only if] {text}" + (f" (asks for label {', '.join(read)} first)" if read else "")
    for label in template.labels:
        if label.model:
            yield f"[judged] label {label.name} by {label.model}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _reader(model: str | None) -> tuple[Speller | None, ModelFacts | None]:
    """How a model reads prompts, and what it is; nothing where none is named."""
    if model is None:
        return None, None
    from vsgen.backends.open_tokenizer import open_tokenizer

    reader = open_tokenizer(model)
    return reader, reader.facts()


def _lines(one: Preview, reader: Speller | None) -> Iterator[str]:
    yield f"── {one.id} ──"
    if reader is None:
        yield from _conversation(one.call.prompt)
    else:
        yield f"[as {reader.name} reads it]"
        yield reader.render(one.call.prompt)
    for turn in one.turns:
        yield from ("[assistant]", "…", "[user]", turn)
    if one.call.pattern:
        yield from ("[reply pattern]", one.call.pattern)
    if one.call.schema:
        yield from ("[reply schema]", json.dumps(json.loads(one.call.schema), ensure_ascii=False))
    for label in one.labels:
        yield "[then, for each kept answer]"
        yield from _conversation(label)
    yield ""


def _conversation(prompt: Prompt) -> Iterator[str]:
    for message in prompt.messages:
        yield from (f"[{message.role}]", message.content)
    if prompt.prefill:
        yield from ("[the reply begins]", prompt.prefill)

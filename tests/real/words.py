"""The table of the words: P(the first answer is right), exactly, for each way of asking. Run by `make real`.

What vsgen asks comes from the package itself; the rows above it are the ways that lost, kept so that anybody can see
what the choice was between.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from tests.real import MODEL
from tests.real.tasks import CHECKED, CHOSEN, Closed
from tests.real.valid import Exact, Shape, Valid
from vsgen.flows.asking import Asker
from vsgen.sampling.methods import open_sampler
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import Generate, Message, ModelFacts, Prompt

SHAPES = (Shape(1), Shape(0.7), Shape(1, 0.1), Shape(0.7, 0.1))
EXCHANGES = 4
"""Draws, each with an exchange of its own, whose mean is a figure."""
_CHAT = ModelFacts(135_000_000, 49152, 2048, "float32", "cpu", chat=True, system=True)


class Way(NamedTuple):
    """A way of asking."""

    name: str
    prompts: Callable[[Closed], Sequence[Prompt]]
    opening: Callable[[Closed], str]
    closing: Sequence[str]
    end: bool = False
    """The end of the reply may follow an answer."""
    lead: str = ""
    """Stands before each answer."""


def asked(task: Closed, sampling: dict[str, object], facts: ModelFacts = _CHAT) -> list[Prompt]:
    """The prompts of the first draws that vsgen would make."""
    named = {"version": 1, "name": "t", "prompt": task.request, "output": {"field": task.field, "max_chars": 40}}
    template = Template.model_validate({**named, "sampling": sampling})
    render = Renderer(template)
    asker = Asker(template, render, facts, seed=0)
    draws = EXCHANGES if asker.settings.exchanges else 1
    return [_first(asker, render, number) for number in range(draws)]


def _first(asker: Asker, render: Renderer, number: int) -> Prompt:
    prompt = asker.ask(render.prompt({}), {}, number)
    calls = next(open_sampler(asker.settings)(prompt, Random(number)))
    assert isinstance(calls, Sequence)
    call = calls[0]
    assert isinstance(call, Generate)
    return call.prompt


def _own(task: Closed, **sampling: object) -> list[Prompt]:
    return asked(task, sampling)


def _earlier(task: Closed) -> list[Prompt]:
    """The words of vsgen 0.1: the task, then the instruction, in one turn."""
    form = '{"responses": [{"text": "...", "probability": 0.12}, ...]}'
    text = (
        "Generate 5 different responses to the request above, sampled at random from the full distribution of possible "
        "responses. State each one's probability: its share of that full distribution, between 0 and 1.\nReply with "
        f"JSON only, in this form:\n{form}"
    )
    return [Prompt((Message("user", f"{task.request}\n\n{text}"),))]


def _moved(task: Closed, *, field: str) -> list[Prompt]:
    """The words of today in the user's turn, after the task."""
    (prompt,) = asked(Closed(field, task.request, task.answers), {"demonstrate": 0})
    system, user = prompt.messages
    return [Prompt((Message("user", f"{user.content}\n\n{system.content}"),))]


def _opened(field: str | None = None) -> Callable[[Closed], str]:
    return lambda task: '{"responses": [{"%s": "' % (field or task.field)


def _line(_: Closed) -> str:
    return "1."


def _nothing(_: Closed) -> str:
    return ""


WAYS = (
    Way("vs, words of 0.1", _earlier, _opened("text"), ['"']),
    Way("vs, words of today after the task, field text", partial(_moved, field="text"), _opened("text"), ['"']),
    Way("vs, instruction as system message", partial(_own, demonstrate=0), _opened(), ['"']),
    Way("vs, one exchange (what small models get)", partial(_own, demonstrate=1), _opened("text"), ['"']),
    Way("vs, two exchanges", partial(_own, demonstrate=2), _opened("text"), ['"']),
    Way("vs, lines, no exchange", partial(_own, demonstrate=0, format="lines"), _line, [" ("], lead=" "),
    Way("vs, lines, one exchange", partial(_own, demonstrate=1, format="lines"), _line, [" ("], lead=" "),
    Way("sequence, one exchange", partial(_own, method="sequence", demonstrate=1), _opened("text"), ['"']),
    Way("direct, bare answer, no exchange", partial(_own, method="direct", demonstrate=0), _nothing, [], end=True),
    Way("direct, bare answer, one exchange", partial(_own, method="direct", demonstrate=1), _nothing, [], end=True),
)


def measured(model: Exact, way: Way, task: Closed) -> list[Valid]:
    """The mean over the way's prompts, for each shape."""
    closing = model.after(way.closing, end=way.end)
    each = [
        model.valid(prompt, way.opening(task), task.answers, closing, SHAPES, lead=way.lead)
        for prompt in way.prompts(task)
    ]
    return [
        Valid(sum(one.probability for one in column) / len(column), sum(one.effective for one in column) / len(column))
        for column in zip(*each, strict=True)
    ]


def table(model: Exact, tasks: Sequence[Closed], ways: Sequence[Way] = WAYS) -> None:
    """Print a table of one set of tasks."""
    heads = [f"T {shape.temperature:g}" + (f", min-p {shape.min_p:g}" if shape.min_p else "") for shape in SHAPES]
    print("| way of asking |", " | ".join(heads), "| effective, T 1 | each task, T 1 |")
    print("| --- |" + " --- |" * (len(SHAPES) + 2))
    for way in ways:
        found = [measured(model, way, task) for task in tasks]
        means = [sum(one[i].probability for one in found) / len(found) for i in range(len(SHAPES))]
        effective = sum(one[0].effective for one in found) / len(found)
        each = " ".join(f"{one[0].probability:.2f}" for one in found)
        print(f"| {way.name} |", " | ".join(f"{p:.3f}" for p in means), f"| {effective:.1f} | {each} |", flush=True)


def main() -> None:
    """Print both tables."""
    model = Exact.open(sys.argv[1] if len(sys.argv) > 1 else str(MODEL))
    for name, tasks in (("chosen on", CHOSEN), ("checked on", CHECKED)):
        print(f"\nTasks that the words were {name}: {', '.join(task.field for task in tasks)}\n")
        table(model, tasks)


if __name__ == "__main__":
    main()

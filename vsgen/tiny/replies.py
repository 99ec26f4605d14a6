"""The exact distribution of the reply to an ask, as a script.

Two voices, as aligned models show them (arXiv 2510.01171): a chat answer that stands alone is written from p^gamma / Z
at each of its choices; lists and verbalized distributions are written from p without replacement of the head, and state
the p of each text's head. Plain completion (no chat) answers from p. Sums and classes are never sharpened.
"""

from __future__ import annotations

from typing import Final

from vsgen.sampling import prompts
from vsgen.tiny.asks import Answers, Ask, Class, Result, stated
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.script import Script, joined, say, weighted
from vsgen.tiny.grammar.source import head_probs, write

GAMMA: Final = 4.0
"""How much sharper a single chat answer is than the truth."""

_ONE: Final = {
    "Several answers fit, and I take one.": 4,
    "A typical answer will do here.": 3,
    "I choose what comes to mind first.": 2,
}
_MANY: Final = {
    "Some answers are common and others are rare.": 4,
    "The range is wide, so I vary the answers.": 3,
    "I list typical answers and unusual ones.": 2,
}


def reply(ask: Ask) -> Script[frozenset[int]]:
    """Write a reply; returns the heads that the conversation has used."""
    return joined(_reply(ask))


def _reply(ask: Ask) -> Script[frozenset[int]]:
    match ask:
        case Answers(form="direct" | "plain" | "cot"):
            return (yield from _one(ask))
        case Answers():
            return (yield from _many(ask))
        case Class():
            yield weighted(ask.question.classes, ask.posterior)
        case Result(engineered=True):
            yield from sums.answered(ask.sum)
        case Result():
            yield from _working(ask)
    return frozenset()


def _one(ask: Answers) -> Script[frozenset[int]]:
    if ask.form == "cot":
        yield from say(f'{{"{prompts.REASONING}": "')
        yield weighted(_ONE, list(_ONE.values()))
        yield from say(f'", "{ask.field}": "')
    gamma, lead = (1.0, " ") if ask.form == "plain" else (GAMMA, "")
    written = yield from write(ask.request.source, gamma=gamma, heads=ask.left, lead=lead)
    if ask.form == "cot":
        yield from say('"}')
    return ask.said | {written.head}


def _many(ask: Answers) -> Script[frozenset[int]]:
    if ask.lines:
        return (yield from _lines(ask))
    p = head_probs(ask.request.source)
    if ask.form == "vs-cot":
        yield from say(f'{{"{prompts.REASONING}": "')
        yield weighted(_MANY, list(_MANY.values()))
        yield from say(f'", "{prompts.RESPONSES}": [')
    else:
        yield from say("[" if ask.bare else f'{{"{prompts.RESPONSES}": [')
    left, said = set(ask.left), set(ask.said)
    for n in range(min(ask.k, len(left))):
        yield from say(f'{", " if n else ""}{{"{ask.field}": "')
        head = (yield from write(ask.request.source, heads=left)).head
        yield from say('"}' if ask.form == "sequence" else f'", "{prompts.PROBABILITY}": {stated(p[head])}}}')
        left.discard(head)
        said.add(head)
    yield from say("]" if ask.bare else "]}")
    return frozenset(said)


def _lines(ask: Answers) -> Script[frozenset[int]]:
    p, left, said = head_probs(ask.request.source), set(ask.left), set(ask.said)
    for n in range(min(ask.k, len(left))):
        yield from say(f"\n{n + 1}." if n else "1.")
        head = (yield from write(ask.request.source, heads=left, lead=" ")).head
        if ask.form == "vs":
            yield from say(f" ({stated(p[head])})")
        left.discard(head)
        said.add(head)
    return frozenset(said)


def _working(ask: Result) -> Script[None]:
    working, answer = " ".join(sums.worked(ask.sum)), ask.sum.values[-1]
    if ask.reasoning:
        yield from say(f'{{"{prompts.REASONING}": "{working}", "{ask.field}": "{answer}"}}')
    else:
        yield from say(f"{working} The answer is {answer}.")

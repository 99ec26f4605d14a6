"""How a label's settings and its examples become the layout of a question."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vsgen.labels.examples import Example
from vsgen.labels.question import Question
from vsgen.labels.settings import Label
from vsgen.labels.words import ANSWER, LETTERS, Layout, Shown, preface


def layout_of(label: Label, asked: Question, listing: Sequence[str], turned: float = 0) -> Layout:
    """The layout of a question that wants one line.

    Args:
        label: Its settings.
        asked: The question, with the examples; the answer of each is its likeliest class.
        listing: The order of the question's classes; examples with the same classes are shown in it.
        turned: The share of the examples that is moved from the front to the end, since the last ones count most.
    """
    cue = asked.cue if label.verbalizer == "names" else ANSWER
    first = round(turned * len(asked.examples))
    ordered = [*asked.examples[first:], *asked.examples[:first]][:: -1 if asked.reverse else 1]
    shown = [_shown(one, listing, label) for one in ordered]
    return Layout(label.laid_out, label.prefill or (cue if label.laid_out == "plain" else ""), shown)


def cue_of(name: str) -> str:
    """A label's name as what leads to its class, such as ``Sentiment:``."""
    return f"{name.replace('_', ' ').capitalize()}:"


def prefaced(asked: Question, label: Label) -> Question:
    """A question of a method that has words of its own: the examples are text in front of it.

    Method verbalized states probabilities, so its examples do; the others name the likeliest class.
    """
    if not asked.examples:
        return asked
    stated = label.method == "verbalized"
    shown = [Shown(one.text, (), _probabilities(one) if stated else one.likeliest) for one in asked.examples]
    return asked._replace(text=preface(shown) + asked.text)


def _shown(one: Example, listing: Sequence[str], label: Label) -> Shown:
    options = tuple(listing) if set(listing) == one.probs.keys() else tuple(one.probs)
    name = one.likeliest
    return Shown(one.text, options, LETTERS[options.index(name)] if label.verbalizer == "letters" else name)


def _probabilities(one: Example) -> str:
    return json.dumps({name: round(p, 3) for name, p in one.probs.items()}, ensure_ascii=False)

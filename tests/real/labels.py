"""Soft labels of a real small model against human raters: one row a method. Run by `make real`.

What is asked comes from the package: the flows of `vsgen label` with the label sections below. Words and examples were
chosen on the reviews of the data, the table is of its tweets (tests/real/ratings.py); intervals and calibration are
explained in tests/real/human.py. A label that could not be read counts as equal shares.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple

import numpy as np

from tests.real import MODEL
from tests.real.human import KNOWN, Against, Floats, balanced, calibrated, mean_of, prior_of, raw
from tests.real.lexicon import WORDS, lexicon
from tests.real.ratings import CHOSEN, CLASSES, REPORTED, Rated, rated
from vsgen.files.journal import MemoryJournal
from vsgen.flows.label import Labeller, Text
from vsgen.jobs.carry import answers
from vsgen.jobs.desk import Desk
from vsgen.jobs.label_options import from_flags
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.values import SoftLabel

NAME: Final = "sentiment"
OPENING: Final = "The sentiment of this text is"
EXAMPLES: Final = (
    {"text": "The food was cold and the waiter was rude.", NAME: "negative"},
    {"text": "The store opens at nine on weekdays.", NAME: "neutral"},
    {"text": "We had a wonderful time at the beach!", NAME: "positive"},
)
"""Invented, one for each class."""
TEXTS: Final = 300
"""For what reads probabilities without drawing."""
REORDERED: Final = 50
"""Texts that flips are counted on."""

Section = Mapping[str, object]


class Labels(NamedTuple):
    """What one method says of some texts."""

    probs: Floats
    """[texts, classes]."""
    mass: float | None
    """The median; None where the method has none."""
    unread: int = 0


class Way(NamedTuple):
    """A method of making labels."""

    name: str
    section: Section
    """Keys of the label section."""
    texts: int = TEXTS
    reordered: bool = False
    """Count flips."""


def from_raters(each: int) -> list[Section]:
    """Of each class so many texts on which the raters agreed most, in turn, with the shares of the raters.

    They are of the source that words were chosen on.
    """
    reviews = rated(CHOSEN)
    clear = [sorted(reviews, key=lambda one: -one.probs[at])[:each] for at in range(len(CLASSES))]
    turns = [one for turn in zip(*clear, strict=True) for one in turn]
    return [{"text": one.text, NAME: dict(zip(CLASSES, one.probs, strict=True))} for one in turns]


def plain(examples: Sequence[Section]) -> Section:
    """Examples in plain continuation."""
    return {"examples": list(examples), "form": "plain"}


OPENED: Final = Way("score, chat, `prefill`", {"prefill": OPENING})
CHAT: Final = Way("score, chat, no examples", {}, reordered=True)
PLAIN: Final = Way("score, 3 examples, plain", plain(EXAMPLES), reordered=True)
ORDERS: Final = Way("the same, `permutations: all`", {**plain(EXAMPLES), "permutations": "all"})
FREE: Final = Way("the same, `prior: contextual`", {**ORDERS.section, "prior": "contextual"})
RATED: Final = Way("score, 6 clear reviews as examples, plain", plain(from_raters(2)))
WAYS: Final = (
    CHAT,
    OPENED,
    Way("score, 3 examples, turns", {"examples": EXAMPLES, "form": "turns"}, reordered=True),
    PLAIN,
    ORDERS,
    FREE,
    RATED,
    Way("votes of 8, no examples", {"method": "votes", "think": False, "replies": 8, "max_tokens": 6}, 200),
    Way("verbalized, no examples", {"method": "verbalized", "max_tokens": 48}, 200),
    Way("reasoning, 4 traces of 48 tokens", {"method": "reasoning", "replies": 4, "max_tokens": 48}, 100),
)


def labels(desk: Desk, section: Section, texts: Sequence[Rated]) -> Labels:
    """Label texts as `vsgen label` does.

    Args:
        desk: With the model.
        section: Keys of the label section.
        texts: What to label.
    """
    labeller = _labeller(section)
    made = answers([labeller.label([_text(one)]) for one in texts], desk)
    each = [row[0][NAME] for row in made]
    read = [(at, one) for at, one in enumerate(each) if isinstance(one, SoftLabel)]
    probs = np.full((len(texts), len(CLASSES)), 1 / len(CLASSES))
    for at, one in read:
        probs[at] = [one.probs[name] for name in CLASSES]
    masses = [one.label_mass for _, one in read if one.label_mass is not None]
    return Labels(probs, median(masses) if masses else None, len(each) - len(read))


def _labeller(section: Section) -> Labeller:
    template, field = from_flags([{"name": NAME, "classes": CLASSES, **section}], None, ())
    return Labeller(template, (field,), seed=0)


def _text(one: Rated) -> Text:
    return Text(one.name, one.name, {"text": one.text})


def reordered(desk: Desk, section: Section, texts: Sequence[Rated]) -> tuple[float, float]:
    """The share of texts that flip (`vsgen.labels.flips`): with one order, and with the mean of two."""
    labeller, asked = _labeller(section), list(map(_text, texts))
    made = answers([labeller.label([one]) for one in asked], desk)
    found = answers([labeller.flips(one, row[0]) for one, row in zip(asked, made, strict=True)], desk)
    each = [one[NAME] for one in found if NAME in one]
    return fmean(one.one[0] for one in each), fmean(one.two[0] for one in each)


def head() -> None:
    """Print the table's head."""
    print("| method | texts | mass | raw: log loss, KL, TV | skill | batch prior: TV | skill | ", end="")
    print(f"{KNOWN} known: log loss, KL, TV | skill | flips: 1 order, 2 |")
    print("| --- |" + " --- |" * 9)


def row(name: str, made: Labels, gold: Floats, turned: tuple[float, float] | None = None) -> None:
    """Print a method's row."""
    bare, even, fitted = raw(made.probs, gold), raw(balanced(made.probs), gold), calibrated(made.probs, gold)
    known = "" if len(gold) >= 2 * KNOWN else f" ({len(gold) // 2} known)"
    cells = [name + (f" ({made.unread} unread)" if made.unread else ""), str(len(gold))]
    cells += ["–" if made.mass is None else f"{made.mass:.3f}", _losses(bare), str(bare.skill)]
    cells += [f"{even.variation:.3f}", str(even.skill), _losses(fitted) + known, str(fitted.skill)]
    cells.append("–" if turned is None else f"{turned[0]:.2f}, {turned[1]:.2f}")
    print("|", " | ".join(cells), "|", flush=True)


def _losses(one: Against) -> str:
    return f"{one.log_loss:.3f}, {one.divergence:.3f}, {one.variation:.3f}"


def main() -> None:
    """Print the table."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(MODEL)
    desk, texts = Desk(Wanted(ModelChoice(source)), MemoryJournal()), rated(REPORTED)
    gold = np.array([one.probs for one in texts])
    print(f"{desk.model}; {REPORTED}; intervals of 95 %\n")
    head()
    row("class prior", Labels(prior_of(gold[:TEXTS]), None), gold[:TEXTS])
    counted = np.array([lexicon(one.text) for one in texts[:TEXTS]])
    row(f"a list of {WORDS} words", Labels(counted, None), gold[:TEXTS])
    found = {}
    for way in WAYS:
        found[way.name] = made = labels(desk, way.section, texts[: way.texts])
        turned = reordered(desk, way.section, texts[:REORDERED]) if way.reordered else None
        row(way.name, made, gold[: way.texts], turned)
    for other in (RATED, OPENED):
        both = mean_of([found[ORDERS.name].probs, found[other.name].probs])
        row(f"mean of: 3 examples in all orders, {other.name}", Labels(both, None), gold[:TEXTS])


if __name__ == "__main__":
    main()

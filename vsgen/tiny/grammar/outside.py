"""Requests outside the grammar, for exchanges that are shown before a task: half real words, half made-up ones.

What a reader learns from them is that the form of an earlier exchange counts, and its matter does not.
"""

from __future__ import annotations

from random import Random
from typing import Final

from vsgen.tiny.grammar.source import source
from vsgen.tiny.grammar.tasks import Request
from vsgen.tiny.grammar.wordings import Wordings

HEADS: Final = 12
"""Answers to a request."""

_NOUNS: Final = {
    "metal": "iron copper zinc nickel lead tin cobalt brass steel chrome bronze gold",
    "tool": "hammer saw drill chisel file spade rake pliers level wrench axe plane",
    "river": "Nile Rhine Danube Volga Congo Ganges Loire Thames Elbe Tiber Po Ebro",
    "dance": "tango waltz samba polka rumba salsa jive reel mambo ballet jig swing",
    "spice": "pepper cumin saffron clove ginger nutmeg anise chili mace dill thyme mint",
    "vehicle": "truck tram ferry canoe scooter van train sled glider barge bus cart",
    "flower": "rose tulip daisy lily iris poppy aster violet lotus orchid lupin peony",
    "country": "Chile Norway Kenya Japan Peru Ghana Nepal Spain Cuba Oman Laos Malta",
    "fabric": "linen wool silk denim velvet felt tweed lace nylon satin jute fleece",
    "hobby": "chess knitting fishing pottery sailing running baking drawing hiking cycling singing reading",
}
_ITEM: Final = ("Name a random {}.", "Name one {}.", "Give me a {}.", "Think of a {}.", "Which {} comes to mind?")
_TEXT: Final = ("Write a sentence about a {}.", "Write a short note about a {}.", "Say something about a {}.")
_SENTENCES: Final = (
    "The {} was behind the old {} all the time.", "My {} is older than your {}, and I like it.",
    "We saw a {} and then a {} on the way home.", "Nobody knows why the {} needs a {}.",
    "A {} is worth more than a {}!", "Did you put the {} under my {}?", "After dark the {} looked like a {}.",
    "She sold her {}, but she kept the {}.", "Please bring the {} and a small {} on Sunday.",
    "First the {} broke, then the {} did too.", "If it rains, the {} and the {} will be wet.", "The {} needs no {}.",
)  # fmt: skip
_SYLLABLES: Final = "ba dor fi gal hu kem lo mir nu pas ro sti tan ve wil zo"


def outside(rng: Random) -> Request:
    """Draw a request, and a distribution of its answers: words, or sentences of two of them."""
    thing = rng.choice(list(_NOUNS))
    made_up = rng.random() < 0.5
    words = [_word(rng) for _ in range(HEADS)] if made_up else rng.sample(_NOUNS[thing].split(), HEADS)
    name = _word(rng) if made_up else thing
    if rng.random() < 0.4:
        answers = [one.format(*rng.sample(words, 2)) for one in rng.sample(_SENTENCES, HEADS)]
        task = rng.choice(_TEXT)
    else:
        answers = words
        task = rng.choice(_ITEM)
    weights = {one: rng.random() ** 2 + 0.01 for one in answers}
    return Request("outside", Wordings(task.format(name), ()), source(weights))


def _word(rng: Random) -> str:
    return "".join(rng.sample(_SYLLABLES.split(), rng.choice((2, 2, 3))))

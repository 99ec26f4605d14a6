"""A list of words with a feeling, of our own making: the cheap thing that a model's labels should be better than.

Nobody tuned it: written down once, in minutes, without a look at the texts.
"""

from __future__ import annotations

import re
from typing import Final

from tests.real.ratings import CLASSES

_WORD: Final = re.compile(r"[a-z']+")
_GOOD: Final = frozenset(
    _WORD.findall(
        """
        good great love loved loves lovely nice best better awesome amazing wonderful excellent perfect perfectly happy
        glad fun funny beautiful fantastic enjoy enjoyed enjoying like liked likes thanks thank win won winner cool
        sweet pretty easy easily recommend recommended pleased excited exciting brilliant impressed impressive superb
        favorite cute delicious proud yay haha lol smile hope luck lucky welcome works well fast sharp clear safe quiet
        friendly
        """
    )
)
_BAD: Final = frozenset(
    _WORD.findall(
        """
        bad worse worst hate hated hates terrible horrible awful poor poorly sad angry mad annoying annoyed sucks suck
        sick broken broke break fail failed fails failure problem problems issue issues wrong disappointed disappointing
        useless waste boring ugly hard difficult slow cheap expensive noisy sorry miss missed lost lose pain hurt hurts
        cry crying tired ill dead die died kill killed war fear scared scary stupid dumb ruined refuse refused crash
        return
        """
    )
)
_NOT: Final = frozenset(
    _WORD.findall("not no never don't doesn't didn't isn't wasn't can't won't cannot hardly without")
)
WORDS: Final = len(_GOOD) + len(_BAD)
_REACH: Final = 3
"""Words after a negation that it turns."""
_PRIOR: Final = 0.5
"""Counted for each class beside the words."""


def lexicon(text: str) -> tuple[float, ...]:
    """P(class) by counting words, in the order of `CLASSES`; words after a negation count for the other side."""
    words = _WORD.findall(text.casefold())
    counts = dict.fromkeys(CLASSES, _PRIOR)
    for at, word in enumerate(words):
        turned = not _NOT.isdisjoint(words[max(0, at - _REACH) : at])
        if word in _GOOD or word in _BAD:
            counts["positive" if (word in _GOOD) != turned else "negative"] += 1
    total = sum(counts.values())
    return tuple(count / total for count in counts.values())

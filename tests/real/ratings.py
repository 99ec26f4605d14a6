"""Texts that people rated: the development half of the data of VADER, with the shares of its raters.

Source: C.J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text",
ICWSM 2014; https://github.com/cjhutto/vaderSentiment, MIT (tests/real/data/vader/LICENSE.txt). 1,200 texts: 600
snippets of reviews at Amazon and 600 tweets. About 20 people rated each from -4 to 4; `probs` is the share that rated
it below 0, 0 and above 0.

Words and settings were chosen on the reviews; figures are reported on the tweets.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

CLASSES: Final = ("negative", "neutral", "positive")
CHOSEN: Final = "amazonReviewSnippets"
REPORTED: Final = "tweets"
_FILE: Final = Path(__file__).parent / "data" / "vader" / "dev.jsonl"


class Rated(NamedTuple):
    """A text and what its raters made of it."""

    name: str
    """Its source, a slash and its number there."""
    text: str
    probs: tuple[float, ...]
    """The share of raters by class, in the order of `CLASSES`."""


def rated(source: str) -> list[Rated]:
    """All texts of a source, in a random order that is always the same."""
    rows = map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())
    found = [Rated(row["id"], row["text"], tuple(row["probs"][name] for name in CLASSES)) for row in rows]
    chosen = [one for one in found if one.name.startswith(f"{source}/")]
    Random(17).shuffle(chosen)
    return chosen

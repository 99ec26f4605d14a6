"""First sentences of stories set in a place."""

from __future__ import annotations

from typing import Final

PLACES: Final = {
    "a lighthouse": "lighthouse",
    "a train station": "train station",
    "a desert": "desert",
    "a library": "library",
    "a submarine": "submarine",
    "a mountain village": "village",
    "an old theatre": "theatre",
    "a night market": "market",
}
"""The place as it is asked for, and the noun by which stories call it."""

HEADS: Final[dict[str, float]] = {
    "Nobody had seen the {spot} so quiet until {who} found {thing}.": 26,
    "The {spot} was full of {mood} when {who} lost {thing}.": 20,
    "Every night {who} came to the {spot} with {thing}.": 14,
    "When the lights of the {spot} went out, {who} {did}.": 11,
    "On the day of the storm, {who} hid {thing} in the {spot}.": 8,
    "They had warned {who} about the {spot} and {thing}.": 6,
    "For ten years the {spot} had belonged to {who} and {mood}.": 5,
    "Somewhere in the {spot}, {who} {did}.": 4,
    "Long before the {spot} had a name, {who} {did}.": 3,
    "It was {mood} that brought {who} back to the {spot}.": 3,
}

SLOTS: Final[dict[str, dict[str, float]]] = {
    "who": {
        "an old sailor": 32, "a young girl": 24, "the new teacher": 14, "a tired nurse": 10, "my grandmother": 8,
        "a stranger": 7, "two brothers": 5,
    },
    "thing": {
        "a broken key": 32, "a letter without a name": 24, "a silver watch": 14, "the last map": 10, "a red coat": 8,
        "an empty cage": 7, "a box of teeth": 5,
    },
    "mood": {"smoke": 32, "music": 24, "silence": 14, "whispers": 10, "salt": 8, "strange light": 7, "fear": 5},
    "did": {
        "began to sing": 32, "heard a knock": 24, "told the first lie": 14, "counted to seven": 10,
        "opened the wrong door": 8, "stopped breathing": 7, "finally laughed": 5,
    },
}  # fmt: skip

WORDINGS: Final = {
    "Write the first sentence of a story set in {place}.": 10,
    "Write the opening sentence of a story set in {place}.": 2,
    "Begin a story set in {place} with one sentence.": 1,
    "How does a story set in {place} begin? Write its first sentence.": 1,
}

"""First sentences of stories set in a place."""

from __future__ import annotations

from typing import Final

from vsgen.tiny.grammar.wordings import Wordings

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

WORDINGS: Final = Wordings(
    "Write the first sentence of a story set in {place}.",
    (
        "Write the [first|opening] sentence of a [short |]story [set in|that is set in|about] {place}.",
        "[Begin|Start|Open] a [short |]story [set in|that is set in|about] {place} with one sentence.",
        "How does a [short |]story [set in|about] {place} begin?[ Write its first sentence.|]",
        "[The|A] [first|opening] sentence of a story [set in|about] {place}[, please.|.]",
        "[I need|I want|Give me] [the|a] [first|opening] sentence [of|for] a story set in {place}[.|, please.]",
        "[Imagine|Think of|Picture] {place}. [What is the first line of its story?|Begin its story.|Write "
        "its opening line.]",
        "[Something happens|Strange things happen|It all begins] in {place}. [Open the story.|Write the "
        "first sentence.]",
        "[The place is|Our story plays in|The scene is] {place}. [How does it begin?|What is the opening "
        "line?|Start it.]",
        "[My novel|My book|A film|A fairy tale] [starts|opens] in {place}. [Write|Give me] its first sentence.",
        "{place}: [an opening line|the first sentence|the start of a story][, please.|.]",
        "[Place: {place}. Write the first sentence of the story.|Story set in {place}: first sentence.]",
    ),
    new=(
        "A novel takes place in {place}. What is its very first line?",
        "Invent an opening for a tale that happens in {place}.",
    ),
)

"""What goes wrong with a reply: a mutation in one place, or several."""

from __future__ import annotations

from random import Random

SIGNS = tuple("\"'\\{}[],: \n“0x\x00\u200b\ud83d`#/")
CHUNKS = (
    '""',
    '", "',
    '"}, {"',
    "},{",
    "]}",
    "// so\n",
    "/* so */",
    "# so\n",
    "...",
    "\\n",
    '\\"',
    "\\u00",
    "null",
    "NaN",
    "[[[[",
    "((",
    '{"text": "',
    '"probability": ',
    "and then ",
    "&lt;",
)
RUDE = (
    *("<think>", "</think>", "```", "```json\n", "<response>", "<text>"),
    *("[" * 70, '{"a":' * 70, '"' * 9, "\\" * 9, "," * 9),
)
"""What hides or repeats whole replies; not for a mutation in one place."""


def mutated(reply: str, rng: Random) -> str:
    """The reply with one mutation."""
    if rng.random() < 0.2:
        return _at_a_sign(reply, rng)
    at = rng.randrange(len(reply) + 1)
    before, after, one = reply[:at], reply[at:], reply[at : at + 1]
    ways = (
        after[1:],
        rng.choice(SIGNS) + after,
        rng.choice(SIGNS) + after[1:],
        one + after,
        after[rng.randrange(1, 12) :],
        after[1:2] + one + after[2:],
        rng.choice(CHUNKS) + after,
        "",
    )
    return before + rng.choice(ways)


def ruined(reply: str, rng: Random) -> str:
    """The reply with two to six mutations, of the rudest kinds too."""
    for _ in range(rng.randrange(2, 7)):
        reply = mutated(reply, rng)
        if rng.random() < 0.3:
            at = rng.randrange(len(reply) + 1)
            reply = reply[:at] + rng.choice(RUDE) + reply[at:]
    return reply


def _at_a_sign(reply: str, rng: Random) -> str:
    """One of the signs of the form is missing, or stands there twice."""
    places = [i for i, char in enumerate(reply) if char in "\"'{}[],:"]
    if not places:
        return reply
    at = rng.choice(places)
    return reply[:at] + reply[at] * rng.choice((0, 2)) + reply[at + 1 :]

"""Reads what a model wrote about the classes: which one it names, or how probable it says each is. Never raises."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vsgen.labels.words import ANSWER

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_TAGS = re.compile(r"</?think(?:ing)?>")
_MARKS = " \t\r\n\"'`*_.,;:!?()[]{}#>-"
_NUMBER = r"[\"'`*_]*\s*[:=–—-]+\s*[\"'`*_]*(\d+(?:\.\d*)?|\.\d+)(?:[eE](-?\d{1,3}))?\s*(%?)"


def without_tags(text: str) -> str:
    """A trace without the tags that some models put around it; their chat templates would drop what is inside."""
    return _TAGS.sub("", text).strip()


def named_class(reply: str, classes: Sequence[str]) -> int | None:
    """Which class a reply names, for votes; None unless it is clear.

    After the last ``Answer:`` if there is one, else in the whole reply, thoughts in tags left out: the first line that
    says anything must be a class, or mention exactly one.
    """
    text = _THOUGHTS.sub("", reply)
    said = text.rpartition(ANSWER)[2]
    line = next((line for line in said.splitlines() if line.strip(_MARKS)), "")
    plain = line.strip(_MARKS).casefold()
    equal = [i for i, name in enumerate(classes) if name.strip(_MARKS).casefold() == plain]
    if len(equal) == 1:
        return equal[0]
    found = [i for i, places in enumerate(_mentions(line.casefold(), [name.casefold() for name in classes])) if places]
    return found[0] if len(found) == 1 else None


def stated_distribution(reply: str, classes: Sequence[str]) -> list[float] | None:
    """The probability that a reply states for each class, raw; None unless it states one for every class.

    JSON, lists and prose of the form ``class: number`` are read alike; the last number stated for a class counts. A
    percentage is divided by 100, and so are numbers that are percentages because one of them is above 1.
    """
    text = _THOUGHTS.sub("", reply)
    found: dict[int, float] = {}
    signed = False
    for i in sorted(range(len(classes)), key=lambda i: -len(classes[i])):
        stated = list(re.finditer(rf"(?<!\w){re.escape(classes[i])}{_NUMBER}", text, re.IGNORECASE))
        if not stated:
            return None
        number, power, sign = stated[-1].groups()
        found[i] = float(number) * 10.0 ** int(power or 0) / (100 if sign else 1)
        signed = signed or bool(sign)
        for match in reversed(stated):  # a shorter class inside this one is not meant by it
            text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    values = [found[i] for i in range(len(classes))]
    if not signed and max(values) > 1:
        values = [value / 100 for value in values]
    return values if sum(values) > 0 and max(values) <= 1 else None


def _mentions(line: str, classes: Sequence[str]) -> list[list[int]]:
    """Where each class stands as whole words, those inside a longer class's mention left out."""
    places: list[list[int]] = [[] for _ in classes]
    for i in sorted(range(len(classes)), key=lambda i: -len(classes[i])):
        for match in re.finditer(rf"(?<!\w){re.escape(classes[i])}(?!\w)", line):
            places[i].append(match.start())
            line = line[: match.start()] + "\0" * (match.end() - match.start()) + line[match.end() :]
    return places

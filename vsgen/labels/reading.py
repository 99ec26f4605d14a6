"""Reads what a model wrote about the classes: which one it names, or how probable it says each is. Never raises."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import orjson

_TAG = r"think(?:ing)?>"
_THOUGHTS = re.compile(rf"<{_TAG}.*?(?:</{_TAG}|\Z)", re.DOTALL)
_OPENED_BEFORE = re.compile(rf"\A.*</{_TAG}", re.DOTALL)
"""Thoughts whose first tag is in the prompt, where some chat templates put it."""
_TAGS = re.compile(rf"</?{_TAG}")
_MARKS = " \t\r\n\"'`*_.,;:!?()[]{}#>-"
_LEAD = re.compile(r"(?<!\w)answer[\"'`*_]*\s*:", re.IGNORECASE)
"""`vsgen.labels.words.ANSWER`, and how models vary it."""
_BEFORE = r"(?<!\w)(?<!\d[.,])"
_NUMBER = (
    r"[ \t\"'`*_]*(?:[:=]+>?|[–—-]+>?)[ \t\"'`*_]*"
    r"(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,3}))?(?![\w/]|[.,]\d|[–—-]\d)[ \t]*(%?)"
)
"""A number by itself: no fraction, range or decimal comma, of which it would be the first part only."""


def without_tags(text: str) -> str:
    """A trace without the tags that some models put around it; their chat templates would drop what is inside."""
    return _TAGS.sub("", text).strip()


def named_class(reply: str, classes: Sequence[str], *, reasoned: bool = False) -> int | None:
    """Which class a reply names, for votes; None unless it is clear.

    After the last ``Answer:`` if there is one, else in the whole reply, thoughts in tags left out: the first line that
    says anything must be a class, or mention exactly one.

    Args:
        reply: What the model wrote.
        classes: Those it may name.
        reasoned: The reply begins with reasoning, whose lines are no answers: without ``Answer:`` its last line must be
            a class and nothing else.
    """
    before, *after = _LEAD.split(_spoken(reply))
    lines = [line.strip() for line in (after[-1] if after else before).splitlines() if line.strip()]
    lines = [line for line in lines if line.strip(_MARKS)] or lines
    if not lines:
        return None
    if not reasoned or after:
        return _named(lines[0], classes)
    found = _named(lines[-1], classes)
    return found if found is not None and _plain(lines[-1]) == _plain(classes[found]) else None


def stated_distribution(reply: str, classes: Sequence[str]) -> list[float] | None:
    """The probability that a reply states for each class, raw; None unless it states one for every class.

    JSON, lists and prose of the form ``class: number`` are read alike; the last number stated for a class counts. A
    percentage is divided by 100, and so are numbers that are percentages because one of them is above 1.
    """
    text = _spoken(reply)
    found = _members(text, classes) or _numbers(text, classes, re.NOFLAG) or _numbers(text, classes, re.IGNORECASE)
    if found is None:
        return None
    values, signed = found
    if not signed and max(values) > 1:
        values = [value / 100 for value in values]
    return values if sum(values) > 0 and max(values) <= 1 else None


def _spoken(reply: str) -> str:
    """A reply without its thoughts."""
    return _OPENED_BEFORE.sub("", _THOUGHTS.sub("", reply))


def _plain(text: str) -> str:
    return text.strip(_MARKS).casefold()


def _named(line: str, classes: Sequence[str]) -> int | None:
    """The class that a line is, else the only one that it mentions."""
    if line in classes:
        return classes.index(line)
    names = [name.casefold() for name in classes]
    mentioned = _mentioned(line.casefold(), set(names))
    found = [i for i, name in enumerate(names) if name in mentioned]
    return found[0] if len(found) == 1 else None


def _mentioned(line: str, names: set[str]) -> set[str]:
    """The names that stand in a line as whole words, those inside a longer one left out."""
    found = set()
    for name in sorted(names, key=len, reverse=True):
        pattern = rf"{_BEFORE}{'(?<![+-])' if name[:1].isdigit() else ''}{re.escape(name)}(?!\w|[.,]\d)"
        line, count = re.subn(pattern, "\0", line)
        if count:
            found.add(name)
    return found


def _members(text: str, classes: Sequence[str]) -> tuple[list[float], bool] | None:
    """The numbers of a reply that is a JSON object with each class as a key, whatever signs the names hold."""
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    found = [value.get(name) for name in classes] if isinstance(value, dict) else []
    numbers = [number for number in found if isinstance(number, int | float) and not isinstance(number, bool)]
    return (list(map(float, numbers)), False) if found and len(numbers) == len(found) and min(numbers) >= 0 else None


def _numbers(text: str, classes: Sequence[str], case: re.RegexFlag) -> tuple[list[float], bool] | None:
    """The last number stated for each class, and whether one of them has a per-cent sign."""
    values, signed = [0.0] * len(classes), False
    for i in sorted(range(len(classes)), key=lambda i: -len(classes[i])):
        pattern = re.compile(f"{_BEFORE}(?:{_spellings(classes[i])}){_NUMBER}", case)
        stated = list(pattern.finditer(text))
        if not stated:
            return None
        number, power, sign = stated[-1].groups()
        values[i] = float(f"{number}e{power or 0}") / (100 if sign else 1)
        signed = signed or bool(sign)
        text = pattern.sub("\0", text)  # a shorter class inside this one is not meant by it
    return values, signed


def _spellings(name: str) -> str:
    """A class as it is, and as JSON writes it."""
    spelled = (name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1])
    return "|".join(map(re.escape, dict.fromkeys(spelled)))

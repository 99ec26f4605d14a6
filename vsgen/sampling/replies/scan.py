"""Finding the answer in a reply: one pass over chatter, thinking, JSON values and tags, in the order they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from vsgen.sampling.prompts import PROBABILITY, REASONING
from vsgen.sampling.replies.clean import is_plain, read_first
from vsgen.sampling.replies.items import REPAIRED, UNFINISHED, Found, Page, holds_item
from vsgen.sampling.replies.lazy import pattern
from vsgen.sampling.replies.lenient import read
from vsgen.sampling.replies.lists import read_lists
from vsgen.sampling.replies.naming import Names, names_item
from vsgen.sampling.replies.patterns import NAME_INSIDE
from vsgen.sampling.replies.reading import Reading
from vsgen.sampling.replies.records import records, repeats
from vsgen.sampling.replies.tags import BLOCKS, read_tags
from vsgen.sampling.replies.wrapped import unwrapped

_THOUGHTS: Final = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "analysis", "scratchpad")
_OPENING: Final = pattern(rf"<(?:{'|'.join(_THOUGHTS)})(?:\s[^<>]{{0,100}}+)?>", re.IGNORECASE)
_CLOSING: Final = pattern(rf"</(?:{'|'.join(_THOUGHTS)})\s{{0,3}}+>", re.IGNORECASE)
_EDGE: Final = r"[\s\ufeff\u200b-\u200d\u2060]*+"
_VALUE: Final = rf"\{{(?={_EDGE}[\w\"'“‘„/#.…])|\[(?={_EDGE}[\w\"'“‘„/#.…{{\[\]+-])"
_BLANK: Final = pattern(_EDGE)
_HEAD: Final = pattern(rf"{_EDGE}(?:(?:`{{3,8}}|~{{3,8}})\w{{0,20}}+{_EDGE})?")
_TAIL: Final = pattern(rf"{_EDGE}(?:`{{3,8}}|~{{3,8}})?{_EDGE}\Z")
_BESIDE: Final = " \t\r\n,[]`~"
"""What may stand between items."""
_LONGEST: Final = 500
"""Characters of what follows a value that was given up."""
_STATED: Final = pattern(rf"[\"'“]{PROBABILITY}[\"'”]\s{{0,8}}+:\s{{0,8}}+[\"']?([\d.]{{1,12}}+%?)")
_WORD: Final = pattern(r"\s{0,20}+[^\W\d_]")
_NEXT_OBJECT: Final = pattern(rf"{_EDGE},{_EDGE}\{{")
_EMPTY: Final = "the list of responses is empty"


def scan(text: str, asked: Names, *, stopped: bool) -> Page:
    """Read a reply that is not valid JSON as a whole.

    What stands in thinking does not count; a closing tag without its opening one makes thinking of all before it.
    JSON values are joined in their order. Tags are read if they come before the first JSON item. Without either, the
    rest after the thinking is read as a list.
    """
    return _Scan(unwrapped(text), asked, stopped).run()


def split_thoughts(text: str) -> tuple[str | None, str | None]:
    """The thinking at the beginning of a reply, and what follows it; None for what follows unfinished thinking."""
    thoughts: list[str] = []
    start = 0
    opening = _OPENING.match(text, _edge(text, 0))
    while opening is not None:
        closing = _CLOSING.search(text, opening.end())
        if closing is None:
            return _joined([*thoughts, text[opening.end() :]]), None
        thoughts.append(text[opening.end() : closing.start()])
        start = closing.end()
        opening = _OPENING.match(text, _edge(text, start))
    closing = _lone_closing(text, start)
    if closing is not None:
        thoughts.append(text[start : closing.start()])
        start = closing.end()
    return _joined(thoughts), text[start:]


def reasoning_of(value: object) -> str | None:
    """The reasoning that a reply's object holds beside its responses."""
    reasoning = value.get(REASONING) if isinstance(value, dict) else None
    return reasoning if isinstance(reasoning, str) else None


@dataclass(slots=True)
class _Answer:
    """What was read since the answer began."""

    start: int = 0
    read: int = 0
    """Up to where all that is an item was found."""
    doubtful: bool = False
    """Since then came a value that was meant as an item or a list of them, and holds none."""
    torn: bool = False
    """What was read last was given up: what follows may still belong to it."""
    found: list[Found] = field(default_factory=list)
    last: list[Found] = field(default_factory=list)
    """What the latest value held."""
    reasoning: str | None = None
    values: int = 0
    """How many values held items."""
    is_json: bool = False
    """A value was meant as the answer, whether or not an item in it was complete."""
    is_empty: bool = False
    cut: bool = False
    tags_tried: bool = False


class _Scan:
    """The state of one pass."""

    __slots__ = ("answer", "asked", "begin", "plain", "stopped", "text", "thoughts", "tokens")

    def __init__(self, text: str, asked: Names, stopped: bool) -> None:
        head = _HEAD.match(text)
        self.text = text
        self.begin = head.end() if head else 0
        """Of what is not blank, after the mark of a fence."""
        self.asked = asked
        self.stopped = stopped
        self.plain = is_plain(text)
        self.tokens = _tokens(asked.fields)
        self.thoughts: list[str] = []
        self.answer = _Answer()

    def run(self) -> Page:
        token = self.tokens.search(self.text)
        while token is not None:
            end = self._token(token)
            if end < 0:
                break
            token = self.tokens.search(self.text, end)
        else:
            return self._page()
        answer = self.answer
        return Page(answer.found, self._reasoning(), True, UNFINISHED)

    def _token(self, token: re.Match[str]) -> int:
        """Read what begins here; where to go on, or -1 in thinking that never ends."""
        if token["value"]:
            return self._value(token.start())
        if token["block"]:
            return self._block(token)
        if token["closes"]:
            return self._end_thinking(token)
        closing = _CLOSING.search(self.text, token.end())
        if closing is None:
            self.thoughts.append(self.text[token.end() :])
            return -1
        self.thoughts.append(self.text[token.end() : closing.start()])
        self._stretch(token.start())
        self.answer.read = closing.end()
        if not holds_item(self.answer.found):
            self.answer.start = closing.end()
        return closing.end()

    def _end_thinking(self, closing: re.Match[str]) -> int:
        """A closing tag alone: all before it was thinking."""
        self.thoughts.append(self.text[self.answer.start : closing.start()])
        self.answer = _Answer(closing.end(), closing.end())
        return closing.end()

    def _value(self, start: int) -> int:
        answer = self.answer
        reading, found = self._read(start)
        answer.cut |= reading.at_end
        answer.is_json |= holds_item(found) or _is_meant(reading, self.asked)
        answer.is_empty |= _is_empty(reading.value)
        answer.reasoning = reasoning_of(reading.value) or answer.reasoning
        if found:
            self._stretch(start)
            self._add(found, repaired=reading.repaired)
            answer.read, answer.torn = reading.end, reading.gave_up
        elif self._is_entry(reading):
            answer.doubtful = True
        return max(reading.end, start + 1)

    def _read(self, start: int) -> tuple[Reading, list[Found]]:
        """Read a value and its items: the fast way as long as that succeeds."""
        reading = read_first(self.text, start) if self.plain else None
        found = self._records(start, reading) if reading else []
        if reading and not repeats(found, self.asked, self.text, start, reading.end):
            return reading, found
        self.plain = False
        reading = read(self.text, start, self.asked.expected)
        return reading, self._records(start, reading)

    def _records(self, start: int, reading: Reading) -> list[Found]:
        trusted = self._is_whole(start, reading.end)
        return records(reading.value, self.asked, self.text, reading.flaws, trusted=trusted)

    def _is_entry(self, reading: Reading) -> bool:
        """Whether a value without items stands where one should."""
        if reading.gave_up:
            return _is_meant(reading, self.asked)
        return isinstance(reading.value, dict) and _NEXT_OBJECT.match(self.text, reading.end) is not None

    def _add(self, found: list[Found], *, repaired: bool) -> None:
        """Take what a value holds, unless it is the list before once more."""
        answer = self.answer
        if len(found) > 1 and found == answer.last:
            return
        answer.found += [item._replace(flags=item.flags | {REPAIRED}) for item in found] if repaired else found
        answer.last = found
        answer.values += 1

    def _stretch(self, end: int) -> None:
        """See whether an item is lost in what stands between the values that hold items.

        What follows a value that was given up belongs to the item in which it was; elsewhere a key tells, unless it is
        explained (``"text": is the ticket``).
        """
        answer = self.answer
        text = self.text[answer.read : end]
        doubtful, answer.doubtful = answer.doubtful, False
        if answer.torn and answer.found[-1].lost is not None:
            answer.found[-1] = self._lost(f"{answer.found[-1].lost}{text[:_LONGEST]}", answer.found[-1].stated)
            return
        keys = (key[1] for key in NAME_INSIDE.finditer(text) if not _WORD.match(text, key.end()))
        if doubtful or any(names_item(key, self.asked, exactly=True) for key in keys):
            answer.found.append(self._lost(text))

    def _lost(self, text: str, stated: object = None) -> Found:
        """A lost item, with the probability that it states if it states one."""
        numbers = _STATED.findall(text) if stated is None and self.asked.verbalized else []
        return Found({}, numbers[0] if len(numbers) == 1 else stated, lost=text.strip(_BESIDE))

    def _is_whole(self, start: int, end: int) -> bool:
        """Whether the reply is this value, perhaps in a fence."""
        return start == self.begin and _TAIL.match(self.text, end) is not None

    def _block(self, token: re.Match[str]) -> int:
        answer = self.answer
        if holds_item(answer.found) or answer.tags_tried:
            return token.end()
        closing = _lone_closing(self.text, token.end())
        if closing is not None:
            return self._end_thinking(closing)
        answer.tags_tried = True
        page = read_tags(self.text, token.start(), self.asked)
        if not holds_item(page.found):
            return token.end()
        before = self.text[answer.start : token.start()]
        torn = [self._lost(before)] if _torn_tags(self.asked.fields).search(before) else []
        answer.found, answer.cut, answer.values = torn + page.found, answer.cut or page.cut, 1
        answer.read = len(self.text)
        return answer.read

    def _page(self) -> Page:
        answer = self.answer
        if holds_item(answer.found):
            self._stretch(len(self.text))
            several = answer.values > 1 and not self.stopped
            return Page(answer.found, self._reasoning(), answer.cut or several)
        if answer.is_json or answer.is_empty:
            return Page(
                answer.found, self._reasoning(), answer.cut, _EMPTY if answer.is_empty and not answer.cut else None
            )
        page = read_lists(self.text[answer.start :], self.asked, stopped=self.stopped)
        return page._replace(reasoning=self._reasoning())

    def _reasoning(self) -> str | None:
        return self.answer.reasoning or _joined(self.thoughts)


@lru_cache(maxsize=64)
def _tokens(fields: tuple[str, ...]) -> re.Pattern[str]:
    """What a pass must notice; an asked field is never taken for thinking."""
    thoughts = "|".join(name for name in _THOUGHTS if name not in fields)
    blocks = "|".join([*BLOCKS, *map(re.escape, fields)])
    return re.compile(
        rf"(?P<value>{_VALUE})|<(?P<closes>/?)(?:{thoughts})(?:\s[^<>]{{0,100}}+)?>|<(?P<block>{blocks})(?=[\s>])",
        re.IGNORECASE,
    )


@lru_cache(maxsize=64)
def _torn_tags(fields: tuple[str, ...]) -> re.Pattern[str]:
    """What is left of a response whose first tag is broken."""
    return re.compile(rf"</(?:{'|'.join(map(re.escape, fields))})>|<{PROBABILITY}>", re.IGNORECASE)


def _is_meant(reading: Reading, asked: Names) -> bool:
    """Whether a value without complete items was still meant as the answer."""
    if isinstance(reading.value, list):
        return any(isinstance(entry, dict) for entry in reading.value)
    return any(key.casefold() in asked.expected for key in reading.value)


def _is_empty(value: object) -> bool:
    return value == [] or (isinstance(value, dict) and any(entry == [] for entry in value.values()))


def _lone_closing(text: str, start: int) -> re.Match[str] | None:
    """The end of thinking after `start`, unless that thinking begins after `start` too."""
    closing = _CLOSING.search(text, start)
    return None if closing is None or _OPENING.search(text, start, closing.start()) else closing


def _edge(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return found.end() if found else start


def _joined(thoughts: list[str]) -> str | None:
    return "\n".join(stripped for thought in thoughts if (stripped := thought.strip())) or None

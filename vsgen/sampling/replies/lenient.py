r"""A reader of JSON as language models write it: one pass, linear time, no input is an error.

On valid JSON it agrees with any strict reader. Beyond that it understands Python's repr, single and typographic
quotes, raw control characters in strings, quotes inside strings that were not escaped, unquoted keys, bare words as
values, comments, ellipses, and commas that are missing or superfluous. It never edits text before reading it, so what
stands inside a string comes out as it is, after the escapes of JSON and of Python's repr are resolved.

A value may be cut by the end of the text or by something unreadable. Then what was complete is kept, and the
containers that were never closed are named in `Reading.open`.

Why it is linear: the position only grows. Where it must look ahead (does this quote end the string, or does it belong
to the text?), the look is bounded by a constant or stops at the next quote but one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Set
from typing import Final, NamedTuple

import orjson

from vsgen.sampling.replies.literals import literal, number, unescape

_LONGEST_KEY: Final = 200
DEPTH: Final = 64
"""Deeper nesting is not read: nothing that is asked for is that deep, and writers of JSON have limits too."""

_BLANK: Final = r"\s\ufeff\u200b-\u200d\u2060"
_GAP: Final = rf"(?:[{_BLANK}]++|//[^\n]{{0,200}}+(?=\n)|#[^\n]{{0,200}}+(?=\n)|/\*[^*]{{0,200}}+\*/|\.\.\.|…)*+"
_QUOTED_KEY: Final = rf'["“](?:[^"“”\\\n]|\\.){{0,100}}+["”]{_GAP}:|\'(?:[^\'\\\n]|\\.){{0,100}}+\'{_GAP}:'
# A key, or as much of one as the text holds: where a reply is cut, what is missing counts in favour.
_KEY: Final = (
    rf'"(?:[^"\\]|\\.){{0,100}}+(?:\Z|(?=[^"])|"{_GAP}(?:\Z|:))'
    rf"|'(?:[^'\\]|\\.){{0,100}}+(?:\Z|(?=[^'])|'{_GAP}(?:\Z|:))"
    rf"|“[^“”\"]{{0,100}}+(?:\Z|[”\"]{_GAP}(?:\Z|:))"
    rf"|[^\W\d][\w-]{{0,63}}+{_GAP}:"
)
_ENTRY: Final = rf"[\"'“‘„{{\[\]]|[\w.+-]++{_GAP}(?:\Z|[,\]])"

_SPACE: Final = re.compile(_GAP)
_REST: Final = re.compile(rf"{_GAP}\Z")
_COLON: Final = re.compile(rf"{_GAP}:")
_BARE_KEY: Final = re.compile(rf"([^\W\d][\w-]{{0,63}}+){_GAP}:")
_KNOWN_KEY: Final = re.compile(rf"[\"'“]([^\"'“”\\\n]{{1,60}}+)[\"'”]{_GAP}:")
_END_IN_OBJECT: Final = re.compile(
    rf"{_GAP}(?:\Z|\}}|,{_GAP}(?:\Z|\}}|{_KEY})|{_QUOTED_KEY}|\]{_GAP}(?:\Z|\}}))", re.DOTALL
)
_END_IN_LIST: Final = re.compile(
    rf"{_GAP}(?:\Z|\]|,{_GAP}(?:\Z|{_ENTRY})|\}}{_GAP}\Z)|[ \t\r]*+\n[{_BLANK}]*+[\"'“]", re.DOTALL
)
_NEXT_KEY: Final = re.compile(rf",{_GAP}(?:\Z|\}}|{_KEY})", re.DOTALL)
_WORD: Final = re.compile(r"[-+.\w]++")
_WORD_END: Final = re.compile(r"[ \t]*+(?:\Z|[\r\n,\]}\"'“{\[#]|/[/*])")
_BARE_STOP: Final = re.compile(r"[,}\]\n]")

_CLOSERS: Final = {'"': '"', "'": "'", "“": '”“"', "„": '“”"', "‘": "’'"}
_UP_TO: Final = {
    closers: re.compile(rf"[^\\{closers}]*+(?:\\.[^\\{closers}]*+)*+[{closers}]", re.DOTALL)
    for closers in _CLOSERS.values()
}
_KEY_TEXT: Final = {
    closers: re.compile(rf"(?:[^\\{closers}]|\\.){{0,{_LONGEST_KEY}}}+", re.DOTALL) for closers in _CLOSERS.values()
}


class Reading(NamedTuple):
    """What `read` found at its position."""

    value: list[object] | dict[str, object]
    end: int
    """Where reading stopped: after the value, or at the first character that could not be read."""
    open: frozenset[int]
    """The `id` of each container in `value` (itself included) that was never closed."""
    at_end: bool
    """Whether it was the end of the text that cut the value."""
    repaired: bool


def _refuse(word: str) -> object:
    raise ValueError(word)


_STRICT: Final = json.JSONDecoder(parse_int=number, parse_float=number, parse_constant=_refuse)


def read_clean(text: str) -> object:
    """The value of a text that is valid JSON and nothing else; None for any other text (and for a mere null)."""
    if text.count("[") + text.count("{") > DEPTH:
        return None
    try:
        value: object = _STRICT.decode(text)
        if "\\u" in text or not text.isascii():
            orjson.loads(text)  # refuses what is no Unicode: lone surrogates
    except ValueError:
        return None
    return value


def read(text: str, start: int, names: Set[str] = frozenset()) -> Reading:
    """Read the object or list that begins at `start`.

    Args:
        text: any text.
        start: the position of a ``{`` or ``[``.
        names: keys that are expected, in lower case. A string that runs into ``"name":`` was never closed; it is given
            up there instead of swallowing the next item.
    """
    return _Reader(text, start, names).run()


def read_string(text: str, start: int) -> tuple[str, int]:
    """The string that begins with the double quote at `start` and ends at the next one or with the text."""
    found = _UP_TO['"'].match(text, start + 1)
    end = found.end() if found else len(text) + 1
    return unescape(text[start + 1 : end - 1])[0], end


class _Reader:
    """The state of one reading: a position that only grows, and the containers that are open there."""

    __slots__ = ("_stack", "at_end", "key", "names", "pos", "ready", "repaired", "root", "text")

    def __init__(self, text: str, start: int, names: Set[str]) -> None:
        self.text = text
        self.pos = start
        self.names = names
        self.root: list[object] | dict[str, object] = [] if text[start] == "[" else {}
        self._stack: list[list[object] | dict[str, object]] = [self.root]
        self.key = ""
        self.ready = True
        """A value may come here: the container has just begun, or a comma was read."""
        self.repaired = False
        self.at_end = False
        self.pos += 1

    def run(self) -> Reading:
        while self._stack and self._step():
            pass
        return Reading(self.root, self.pos, frozenset(map(id, self._stack)), self.at_end, self.repaired)

    def _step(self) -> bool:
        """Read one entry, comma or bracket; False where reading must stop."""
        self._skip()
        char = self.text[self.pos : self.pos + 1]
        if not char:
            return self._cut()
        if char in "]}":
            return self._close(char)
        if char == ",":
            self.repaired |= self.ready
            self.ready = True
            self.pos += 1
            return True
        self.repaired |= not self.ready
        return self._value() if isinstance(self._stack[-1], list) else self._key() and self._value()

    def _cut(self) -> bool:
        self.at_end = True
        self.pos = len(self.text)
        return False

    def _give_up(self) -> bool:
        self.repaired = True
        return False

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.pos)
        if found and found.end() > self.pos:
            self.repaired |= not found[0].isspace()
            self.pos = found.end()

    def _close(self, bracket: str) -> bool:
        """Close the innermost container; a bracket of the wrong kind closes it too, if it fits the next one."""
        top = self._stack[-1]
        fits = (bracket == "]") == isinstance(top, list)
        if not fits and (len(self._stack) == 1 or isinstance(self._stack[-2], list) == isinstance(top, list)):
            return self._give_up()
        self.repaired |= not fits or (self.ready and bool(top))
        self._stack.pop()
        self.ready = False
        self.pos += fits
        return True

    def _key(self) -> bool:
        """Read a key and its colon. Unlike a value, a key ends at its first quote and has a greatest length."""
        quote = self.text[self.pos]
        if quote not in _CLOSERS:
            return self._bare_key()
        found = _KEY_TEXT[_CLOSERS[quote]].match(self.text, self.pos + 1)
        end = found.end() if found else self.pos + 1
        colon = _COLON.match(self.text, end + 1)
        if colon is None or self.text[end] not in _CLOSERS[quote]:
            self.at_end = _REST.match(self.text, min(end + 1, len(self.text))) is not None
            self.repaired |= not self.at_end
            self.pos += 1
            return False
        self.key, mended = unescape(self.text[self.pos + 1 : end])
        self.repaired |= mended or quote != '"'
        self.pos = colon.end()
        return True

    def _bare_key(self) -> bool:
        found = _BARE_KEY.match(self.text, self.pos)
        if found is None:
            return self._give_up()
        self.key, self.pos = found[1], found.end()
        self.repaired = True
        return True

    def _value(self) -> bool:
        self._skip()
        char = self.text[self.pos : self.pos + 1]
        if not char:
            return self._cut()
        if char in "[{":
            return self._push([] if char == "[" else {})
        return self._string(char) if char in _CLOSERS else self._scalar()

    def _push(self, container: list[object] | dict[str, object]) -> bool:
        if len(self._stack) >= DEPTH:
            return self._give_up()
        self._put(container)
        self._stack.append(container)
        self.ready = True
        self.pos += 1
        return True

    def _put(self, value: object) -> None:
        top = self._stack[-1]
        if isinstance(top, list):
            top.append(value)
        else:
            top[self.key] = value
        self.ready = False

    def _string(self, quote: str) -> bool:
        """Read up to the quote after which the container goes on; a quote anywhere else belongs to the text."""
        end = self._end_of_string(quote)
        if end < 0:
            return False
        value, mended = unescape(self.text[self.pos + 1 : end - 1])
        self.repaired |= mended or quote != '"'
        self.pos = end
        self._put(value)
        return True

    def _end_of_string(self, quote: str) -> int:
        up_to = _UP_TO[_CLOSERS[quote]]
        ends = _END_IN_LIST if isinstance(self._stack[-1], list) else _END_IN_OBJECT
        found = first = up_to.match(self.text, self.pos + 1)
        while found is not None and not ends.match(self.text, found.end()):
            self.repaired = True
            known = _KNOWN_KEY.match(self.text, found.end() - 1)
            if known and known[1].casefold() in self.names:
                self.pos = found.end()
                return -1
            found = up_to.match(self.text, found.end())
        if found is None or (found is not first and _REST.match(self.text, found.end())):
            self._cut()  # at the end of the text, one more inner quote looks just like the closing one
            return -1
        return found.end()

    def _scalar(self) -> bool:
        word = _WORD.match(self.text, self.pos)
        if word and word.end() == len(self.text):
            return self._cut()
        if word and _WORD_END.match(self.text, word.end()) and self._word(word[0]):
            self.pos = word.end()
            return True
        return self._give_up() if isinstance(self._stack[-1], list) else self._bare()

    def _word(self, word: str) -> bool:
        meaning = literal(word)
        if meaning is None:
            return False
        self.repaired |= not meaning.strict
        self._put(meaning.value)
        return True

    def _bare(self) -> bool:
        """An unquoted value of an object: it ends with the line, at a bracket, or at a comma before the next key."""
        self.repaired = True
        for stop in _BARE_STOP.finditer(self.text, self.pos):
            if stop[0] != "," or _NEXT_KEY.match(self.text, stop.start()):
                value = self.text[self.pos : stop.start()].strip()
                if not value:
                    return self._give_up()
                self._put(value)
                self.pos = stop.start()
                return True
        return self._cut()

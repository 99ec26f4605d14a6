r"""A reader of JSON as language models write it: one pass, linear time, no input is an error.

On valid JSON it agrees with any strict reader. Beyond that it understands Python's repr, single and typographic
quotes, raw control characters in strings, quotes inside strings that were not escaped, unquoted keys, bare words as
values, comments, ellipses, one quote, colon, comma or brace that is missing, and commas and brackets that are
superfluous. It never edits text before reading it, so what stands inside a string comes out as it is, after the escapes
of JSON and of Python's repr are resolved. docs/replies.md has the whole list, and what is left unread on purpose.

A value may be cut by the end of the text or by something unreadable. Then what was complete is kept, and what is not
whole is named in `Reading.flaws`, so that nothing is lost unseen: a value whose end nobody marked is not guessed.

Why it is linear: the position only grows. Where it must look ahead (does this quote end the string, or does it belong
to the text?), the look is bounded by a constant or stops at the next quote but one.
"""

from __future__ import annotations

from collections.abc import Set

from vsgen.sampling.replies import patterns
from vsgen.sampling.replies.bare import bare_value
from vsgen.sampling.replies.keys import read_key
from vsgen.sampling.replies.literals import literal, unescape
from vsgen.sampling.replies.nesting import Nesting
from vsgen.sampling.replies.reading import Container, Reading
from vsgen.sampling.replies.strings import End, Ending, end_of_string


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
    found = patterns.UP_TO['"'].match(text, start + 1)
    end = found.end() if found else len(text) + 1
    return unescape(text[start + 1 : end - 1])[0], end


class _Reader:
    """The state of one reading: a position that only grows, and the containers that are open there."""

    __slots__ = ("at_end", "names", "nest", "pos", "repaired", "text")

    def __init__(self, text: str, start: int, names: Set[str]) -> None:
        self.text = text
        self.pos = start + 1
        self.names = names
        self.nest = Nesting([] if text[start] == "[" else {}, start)
        self.repaired = False
        self.at_end = False

    def run(self) -> Reading:
        nest = self.nest
        while nest.stack and self._step():
            pass
        while nest.stack:
            nest.leave(self.pos, closed=False)
        return Reading(nest.root, self.pos, nest.flaws, self.at_end, self.repaired)

    def _step(self) -> bool:
        """Read one entry, comma or bracket; False where reading must stop."""
        char = self._skip()
        if not char:
            return self._cut()
        if char in "]}":
            return self._close(char)
        if char == ",":
            self.repaired |= self.nest.ready
            self.nest.ready = True
            self.pos += 1
            return True
        self.repaired |= not self.nest.ready
        return self._entry(char) if isinstance(self.nest.top.value, list) else self._member(char)

    def _skip(self) -> str:
        """Pass over what stands between values, and say what comes; nothing at the end of the text."""
        char = self.text[self.pos : self.pos + 1]
        if char == " ":  # one space is all that mostly stands there
            self.pos += 1
            char = self.text[self.pos : self.pos + 1]
        if char in patterns.SOLID:
            return char
        found = patterns.SPACE.match(self.text, self.pos)
        if found and found.end() > self.pos:
            self.repaired |= not found[0].isspace()
            self.pos = found.end()
        return self.text[self.pos : self.pos + 1]

    # where reading stops, and what is not whole

    def _cut(self) -> bool:
        self.at_end = True
        self.pos = len(self.text)
        return False

    def _mend(self, *, on: bool = True) -> bool:
        self.repaired = True
        return on

    def _unread(self, end: int) -> None:
        """Pass over a value that is not whole."""
        self.nest.pass_over(self.pos, end)
        self.pos = end

    # containers

    def _push(self, container: Container, width: int = 1) -> bool:
        if not self.nest.push(container, self.pos):
            return self._mend(on=False)
        self.pos += width
        return True

    def _close(self, bracket: str) -> bool:
        """Close the innermost container; a bracket of the wrong kind closes it too, if it fits the next one."""
        top = self.nest.top.value
        fits = (bracket == "]") == isinstance(top, list)
        if (not fits or len(self.nest.stack) == 1) and self._closes_nothing(fits):
            self.pos += 1
            return self._mend()
        if not fits and not self.nest.is_in(dict if bracket == "}" else list):
            return self._mend(on=False)
        self.repaired |= not fits or (self.nest.ready and bool(top))
        taken = fits or (bracket == "}" and patterns.KEY_AFTER_BRACKET.match(self.text, self.pos) is not None)
        self.pos += taken
        self.nest.leave(self.pos)
        return True

    def _closes_nothing(self, fits: bool) -> bool:
        """Whether more of the innermost container follows a bracket."""
        top, text = self.nest.top.value, self.text
        if fits:
            return isinstance(top, dict) and patterns.KEY_AFTER_BRACKET.match(text, self.pos) is not None
        if isinstance(top, list) and self.nest.is_in(dict):
            objects = bool(top) and isinstance(top[-1], dict)
            return objects and patterns.OBJECT_AFTER_BRACE.match(text, self.pos) is not None
        return not self.nest.is_in(list) and patterns.GOES_ON.match(text, self.pos) is not None

    # objects

    def _member(self, char: str) -> bool:
        """Read a key and its value."""
        if char == "{" and self.nest.is_in(list):
            return self._brace()
        key = read_key(self.text, self.pos, self.names)
        if key.name is None:
            return self._astray(key.end)
        self.nest.key, self.pos = key.name, key.end
        self.repaired |= key.mended
        again = self.nest.key in self.nest.top.value or self.nest.key in self.nest.top.unread
        return (not again or self._begins_next()) and self._value()

    def _brace(self) -> bool:
        """A brace in the place of a key: one too many, or the one before it was never closed."""
        top = self.nest.top
        if top.value or top.unread:
            self.nest.leave(self.pos)
        else:
            self.pos += 1
        return self._mend()

    def _begins_next(self) -> bool:
        """Begin the next object of a list where an expected key comes again: a brace or two are missing."""
        if not self.nest.is_in(list) or self.nest.key.casefold() not in self.names:
            return True
        self.nest.leave(self.pos)
        self.repaired = True
        return self._push({}, 0)

    def _astray(self, end: int) -> bool:
        """What stands in the place of a key, up to `end`, is none: go on at the next key or at the object's end."""
        text, top = self.text, self.nest.top
        if patterns.REST.match(text, min(end + 1, len(text))) or patterns.KEY_CUT.match(text, self.pos):
            return self._cut()
        quoted = end > self.pos
        words = patterns.TO_NEXT_KEY.match(text, end + quoted) or patterns.TO_BRACE.match(text, end + quoted)
        if words is None or words.end() == self.pos or not (top.value or top.unread or self._is_known(words.end())):
            return self._mend(on=False)
        top.unread.add("")
        self.pos = words.end()
        return self._mend()

    def _is_known(self, at: int) -> bool:
        key = patterns.KNOWN_KEY.match(self.text, at)
        return key is not None and key[1].casefold() in self.names

    # lists

    def _entry(self, char: str) -> bool:
        """Read an entry; a key there belongs to an object that lacks a brace, or was closed too early."""
        if char not in "\"'“" or patterns.KEYED.match(self.text, self.pos) is None:
            return self._value()
        self.repaired = True
        top, last = self.nest.top.value, self.nest.closed
        key = patterns.KNOWN_KEY.match(self.text, self.pos)
        follows = last is not None and isinstance(top, list) and top[-1:] and top[-1] is last.value
        if last and follows and isinstance(last.value, dict) and (key is None or key[1] not in last.value):
            self.nest.reopen(last)
            return True
        return self._push({}, 0)

    def _bare_entry(self) -> bool:
        """An entry without quotes, or with one; words between entries are none."""
        top, text = self.nest.top.value, self.text
        if len(self.nest.stack) == 1 and not top:
            return self._mend(on=False)
        half = patterns.HALF_QUOTED.match(text, self.pos)
        if half and patterns.END_IN_LIST.match(text, half.end()):
            self.nest.put(half[1])
            self.pos = half.end()
            return self._mend()
        words = patterns.BARE_ENTRY.match(text, self.pos) if self.nest.ready else None
        if words:
            self.nest.put(words[1].strip())
            self.pos = words.end()
            return self._mend()
        return self._words_between()

    def _words_between(self) -> bool:
        stop = patterns.ENTRY_STOP.search(self.text, self.pos + 1)
        if stop is None:
            return self._cut()
        if self.nest.ready and stop[0] not in "{[":
            self._unread(stop.start())
        self.pos = stop.start()
        return self._mend()

    # values

    def _value(self) -> bool:
        char = self._skip()
        if char == ":":
            return self._colons()
        if not char:
            self._unread(self.pos)
            return self._cut()
        if char in "[{":
            return self._push([] if char == "[" else {})
        if char in ",]}":
            self._unread(self.pos)
            return self._mend()
        return self._string(char) if char in patterns.CLOSERS else self._scalar()

    def _colons(self) -> bool:
        """Pass over colons that are too many."""
        found = patterns.COLONS.match(self.text, self.pos) if isinstance(self.nest.top.value, dict) else None
        if found is None:
            return self._scalar()
        self.pos = found.end()
        return self._mend() and self._value()

    def _string(self, quote: str) -> bool:
        in_list = isinstance(self.nest.top.value, list)
        end = end_of_string(self.text, self.pos, in_list=in_list, names=self.names)
        if end.how is not End.SURE:
            return self._unsure(end)
        content = self.text[self.pos + 1 : end.at - 1]
        if end.inner % 2 == 1 and content[0] in patterns.CLOSERS[quote]:
            content = content[1:]
        value, mended = unescape(content)
        self.repaired |= mended or end.inner > 0 or quote != '"'
        self.pos = end.at
        self.nest.put(value)
        return True

    def _unsure(self, end: Ending) -> bool:
        """Pass over a string whose end nobody marked."""
        if end.how is End.TEXT:
            self._unread(end.at)
            return self._cut()
        before = self.text[max(self.pos, end.at - 20) : end.at].rstrip() if end.how is End.KEY else ""
        brace = before.endswith("{")
        self._unread(self.text.rindex("{", self.pos, end.at) if brace else end.at)
        if brace and isinstance(self.nest.top.value, dict):
            self.nest.leave(self.pos, closed=False)
        return self._mend(on=bool(self.nest.stack) and (not brace or isinstance(self.nest.top.value, list)))

    def _scalar(self) -> bool:
        word = patterns.WORD.match(self.text, self.pos)
        if word and word.end() == len(self.text):
            self._unread(len(self.text))
            return self._cut()
        ends = (
            word
            and patterns.WORD_END.match(self.text, word.end())
            and not patterns.HALF_WORD.match(self.text, word.end())
        )
        meaning = literal(word[0]) if word and ends else None
        if word and meaning:
            self.repaired |= not meaning.strict
            self.pos = word.end()
            self.nest.put(meaning.value)
            return True
        return self._bare_entry() if isinstance(self.nest.top.value, list) else self._bare()

    def _bare(self) -> bool:
        """Read a value of an object that has no quotes, or only the second."""
        found = bare_value(self.text, self.pos)
        if found is None:
            self._unread(len(self.text))
            return self._cut()
        if found.value:
            self.nest.put(found.value)
            self.pos = found.end
        else:
            self._unread(max(found.end, self.pos + 1))
        return self._mend()

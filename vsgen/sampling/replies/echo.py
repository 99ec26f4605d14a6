"""Whether an answer is an echo of what was asked instead of an answer: a placeholder, the form, the request, the words.

Small models fill the form in with the form: ``...``, ``Response 1``, the field's own name; or they say the request once
more. All tests compare whole answers, folded to their words, so a real answer that merely uses such words stays. What
they cost is known: `Text` for a field named `text` counts as an echo, unless the field has a closed set of values,
which says itself what an answer is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from vsgen.sampling.prompts import PROBABILITY, REASONING, RESPONSES
from vsgen.sampling.replies.lazy import pattern
from vsgen.values import Prompt

_PART: Final = 0.6
"""Share of a text, in characters, that is its greater part."""
_OPENING: Final = 4
"""Words at the beginning of the request that are no answer by themselves, and words of an instruction anywhere."""
_SHOWN: Final = 60
_KEYS: Final = (RESPONSES, PROBABILITY, REASONING, "text")
"""Keys of the reply's form that may be no field of the answer; a list can call the only field `text`."""

_NOUN: Final = r"(?:responses?|answers?|repl(?:y|ies)|candidate|completion|output|placeholder)"
_NUMBER: Final = r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)"
_NUMBERED: Final = pattern(
    rf"(?:{_NOUN}|text|example|sample) ?[#(\[]? ?{_NUMBER} ?[)\]]? ?[.:]?", re.IGNORECASE
)  # "Answer: 3" is an answer, "answer 3" is none
_ORDINAL: Final = r"(?:your|the|my|an?|another|new|different|first|second|third|fourth|fifth|next|last|some|any)"
_WORDS: Final = pattern(
    rf"(?:insert |enter |write )?(?:{_ORDINAL} )*(?:(?:sample|example|placeholder|dummy) )?"
    rf"(?:{_NOUN}(?: (?:text|string))?|(?:insert|enter|sample|example|placeholder|dummy|your|some) text)"
    r"(?: (?:goes )?here)?"
)
_REAL_ALONE: Final = frozenset({"reply", "replies", "candidate", "completion", "output"})
"""Words that may be an answer when they stand alone."""
_BRACKETED: Final = pattern(r"(?P<open><|\[|\(|\{\{?|\$\{)\s*(?P<inner>[^<>\[\](){}=/@]{1,80}?)\s*(?:>|\]|\)|\}\}?)")
_DEMANDS: Final = pattern(
    r"(?:insert|enter|your|write|type|fill|put|add|describe|provide|specify)(?: [\w']+){1,8}"
    r"|(?:[\w']+ ){0,5}(?:here|name)"
)
_LETTERS: Final = pattern(r"[^\W\d]+(?:[ _-][^\W\d]+)*")
_WORD: Final = pattern(r"[^\W_]+")
_ASCII: Final = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
"""What ASCII becomes where words are all that counts."""
_SENTENCE: Final = pattern(r"(?<=[.!?:])\s+|\n+")
_STRING: Final = pattern(r'"((?:[^"\\]|\\.)*)"')
_ENTRY: Final = pattern(r"^\s*(?:\d{1,3}[.):]|[-*•])\s+(.*?)(?:\s*[(\[—–-]\s*[\d.]+%?\s*[)\]]?)?\s*$", re.MULTILINE)
_EDGES: Final = " \t\r\n\"'`*_“”‘’"


@dataclass(frozen=True, slots=True)
class Context:
    """What a model read in one draw, with which its answers are compared."""

    fields: tuple[str, ...]
    """Names of an answer's fields."""
    request: tuple[str, ...] = ()
    """The user's own messages: the task and, if there is one, the system message."""
    words: tuple[str, ...] = ()
    """What vsgen wrote beside them: instructions, the form, the requests of worked exchanges."""
    examples: tuple[str, ...] = ()
    """Replies of worked exchanges."""
    given: tuple[str, ...] = ()
    """Texts that the request was made with, such as one to be corrected: repeating one of them may be right."""
    closed: frozenset[str] = frozenset()
    """Fields with a closed set of values: these are never echoes."""


def context_of(
    fields: tuple[str, ...], task: Prompt, prompt: Prompt, *, values: Iterable[object] = (), closed: Iterable[str] = ()
) -> Context:
    """What a model read in a draw, sorted by whose words they are.

    Args:
        fields: Names of an answer's fields.
        task: The request alone.
        prompt: What the model read first: the request with a method's words.
        values: Of the variables that the request was made with.
        closed: Fields with a closed set of values.
    """
    own = tuple(message.content.strip() for message in task.messages) or (task.prefill.strip(),)
    words: list[str] = []
    examples: list[str] = []
    for message in prompt.messages:
        rest = message.content
        for content in own:
            rest = rest.replace(content, "\n")
        (examples if message.role == "assistant" else words).append(rest)
    given = tuple(value for value in values if isinstance(value, str))
    return Context(fields, own, tuple(words), tuple(examples), given, frozenset(closed))


class Echoes:
    """Distinguishes echoes from answers for one draw."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._given = [fold(text) for text in context.given]
        whole = fold("\n".join(context.request))
        parts = [part for text in context.request if not self._is_given(part := fold(text))]
        self._request = list(dict.fromkeys(text for text in (whole, *parts) if _enough(text)))
        self._words = _read_words(context.words)
        self._keys = sorted(self._words.named.difference(context.fields, whole.split()))
        self._examples = _read_examples(context.examples)

    def beside(self, words: Iterable[str]) -> Echoes:
        """The same, where the model has read more."""
        return Echoes(replace(self._context, words=(*self._context.words, *words)))

    def problem(self, fields: Mapping[str, object]) -> str | None:
        """Why a candidate is an echo, in words; None if it may be an answer. Never raises."""
        open_ = {
            name: text for name, text in fields.items() if isinstance(text, str) and name not in self._context.closed
        }
        for name, text in open_.items():
            if why := self._echo(name, text.strip(_EDGES)):
                return f"{name}: {why}: {_shown(text)}"
        if open_ and len(open_) == len(fields) and not any(map(_says, open_.values())):
            name, text = next(iter(open_.items()))
            return f"{name}: holds no words: {_shown(text)}"
        return None

    def _echo(self, name: str, text: str) -> str | None:
        folded, own = fold(text), _read_name(name)
        if _stands_for(" ".join(text.split()), folded, own):
            return "stands for an answer and is none"
        if folded in (own.spaced, own.folded, *self._keys):
            return "repeats a name of the form"
        if self._is_form(text):
            return "repeats the form"
        return self._repeated(folded) if folded else None

    def _repeated(self, folded: str) -> str | None:
        if self._repeats_request(folded):
            return "repeats the request"
        if self._repeats_words(folded):
            return "repeats the instruction"
        return "repeats an example" if folded in self._examples else None

    def _is_form(self, text: str) -> bool:
        if '"' not in text:
            return False
        if any(re.search(rf'"{key}"\s*:', text) for key in self._keys):
            return True
        squeezed = "".join(text.split())
        return len(squeezed) > 5 and squeezed[0] in '{["' and '":' in squeezed and squeezed in self._words.form

    def _repeats_request(self, folded: str) -> bool:
        """Whether an answer is the request or its greater part, opens with nothing else, or hardly adds to it."""
        return any([self._repeats(folded, text) for text in self._request])

    def _repeats(self, folded: str, text: str) -> bool:
        if text in folded:
            return folded == text or folded.count(text) * len(text) >= _PART * len(folded)
        return _piece(folded, text) and not self._is_given(folded)

    def _repeats_words(self, folded: str) -> bool:
        if _holds(self._words.folded, folded) and len(folded.split()) >= _OPENING:
            return True
        least, most = _PART * len(folded), len(folded)
        return any([least <= len(one) <= most and _holds(folded, one) for one in self._words.sentences])

    def _is_given(self, folded: str) -> bool:
        return any(_holds(text, folded) for text in self._given)


class _Words(NamedTuple):
    """What vsgen wrote, as answers are compared with it."""

    folded: str
    sentences: tuple[str, ...]
    """Those of several words, folded."""
    named: frozenset[str]
    """Keys of the reply's form that stand in it."""
    form: str
    """All of it without spaces."""


@lru_cache(maxsize=64)
def _read_words(texts: tuple[str, ...]) -> _Words:
    """Read what vsgen wrote, which is the same in all draws that show no examples."""
    words = "\n".join(texts)
    folded = fold(words)
    sentences = tuple(one for text in _SENTENCE.split(words) if len((one := fold(text)).split()) >= _OPENING)
    named = {key for key in _KEYS if f'"{key}"' in words} | {PROBABILITY}.intersection(folded.split())
    return _Words(folded, sentences, frozenset(named), "".join(words.split()))


@lru_cache(maxsize=64)
def _read_examples(replies: tuple[str, ...]) -> frozenset[str]:
    """The answers of worked exchanges that have more than two words, folded."""
    return frozenset(one for text in _answers(replies) if len((one := fold(text)).split()) > 2)


class _Name(NamedTuple):
    """The name of a field."""

    folded: str
    spaced: str
    """With spaces in the place of underscores."""
    demands: frozenset[str]
    """What asks for the field in the place of filling it in."""


@lru_cache(maxsize=256)
def _read_name(name: str) -> _Name:
    own = fold(name.replace("_", " "))
    demands = (f"your {own}", f"your {own} here", f"insert {own}", f"insert {own} here", f"enter {own}")
    return _Name(fold(name), own, frozenset(demands))


def fold(text: str) -> str:
    """The words of a text, without case, punctuation and width, with single spaces between them."""
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _says(text: str) -> bool:
    """Whether a text holds more than punctuation: a letter, a digit or a symbol."""
    return _WORD.search(text) is not None or any(unicodedata.category(char)[0] in "LNS" for char in text)


def _stands_for(text: str, folded: str, own: _Name) -> bool:
    worded = folded not in _REAL_ALONE and _WORDS.fullmatch(folded)
    if (text and not text.strip(".… ")) or _NUMBERED.fullmatch(text) or worded:
        return True
    if folded.startswith("lorem ipsum") or folded in own.demands:
        return True
    found = _BRACKETED.fullmatch(text)
    if found is None:
        return False
    inner = fold(found["inner"].replace("_", " "))
    if inner in ("", own.spaced) or _WORDS.fullmatch(inner) or _DEMANDS.fullmatch(inner):
        return True
    if not _LETTERS.fullmatch(found["inner"]):
        return False
    return ("{" in found["open"] and len(inner) > 1) or (found["open"] == "<" and " " in inner)


def _piece(folded: str, text: str) -> bool:
    """Whether an answer is the greater part of a text, or its first words."""
    if not _holds(text, folded) or not _enough(folded):
        return False
    opens = len(folded.split()) >= _OPENING and text.startswith(f"{folded} ")
    return opens or len(folded) >= _PART * len(text)


def _enough(folded: str) -> bool:
    """Whether there are so many words that repeating them is no chance; not every script has spaces."""
    return len(folded.split()) > 2 or len(folded) > 12


def _holds(text: str, part: str) -> bool:
    """Whether a folded text holds all words of another, one after the other."""
    return bool(part) and f" {part} " in f" {text} "


def _answers(replies: Iterable[str]) -> Iterable[str]:
    """What may be an answer in the reply of a worked exchange: its strings, the entries of a list, all of it."""
    for reply in replies:
        yield reply
        yield from (found[1] for found in _STRING.finditer(reply))
        yield from (found[1] for found in _ENTRY.finditer(reply))


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…")

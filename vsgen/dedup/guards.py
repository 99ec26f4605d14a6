"""What an embedding does not see: changed numbers, and negation.

Small sentence encoders give "the train leaves at 7" and "the train leaves at 9", or "it works" and "it does not
work", a cosine above 0.9. A guard maps one text to a value that must be equal before two texts may count as twins.
The word lists are English; in other languages numbers count where they are written in digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from vsgen.dedup.settings import Guard

_DIGITS = re.compile(r"\d+(?:[.,:/]\d+)*")
_SIGNED = re.compile(r"(?<![\w.,)\]])-")
"""The sign of a number, and not a dash between two."""
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_TO_TWENTY = (  # "one" is left out: it is a pronoun more often than a number
    "zero - two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
_WORDS = {word: str(value) for value, word in enumerate(_TO_TWENTY.split())}
_WORDS |= {word: str(value) for value, word in zip(range(30, 101, 10), _TENS.split(), strict=True)}
_WORDS |= {"thousand": "1000", "million": "1000000", "billion": "1000000000"}
_WORD = re.compile(rf"(?:{'|'.join(sorted(_WORDS.keys() - {'-'}))})\b")
_N_WORD = re.compile(r"n(?:(?<!\wn)(?:o(?:t|ne|body|thing|where|r)?|ever|either)|['\u2019]t)\b")
_OTHER_NEGATION = re.compile(r"\b(?:without|cannot)\b")
"""Expressions that begin with letters are found several times faster than those that begin with a word's border, so
that border is asked for where a word was found."""
_REMEMBERED = 1024
"""Texts: as many as come to the index together, since its keys ask for their numbers again."""


@lru_cache(_REMEMBERED)
def numbers(text: str) -> tuple[str, ...]:
    """The numbers in a text, as strings in sorted order: "-3 of 1,500 at two" has ``("-3", "1500", "2")``."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2212", "-")
    spelled = [_WORDS[word[0]] for word in _WORD.finditer(plain) if _begins(plain, word.start())]
    return tuple(sorted([*spelled, *(_written(plain, digits) for digits in _DIGITS.finditer(plain))]))


def negated(text: str) -> bool:
    """Whether the text holds an odd number of negations."""
    plain = text.lower()
    count = len(_N_WORD.findall(plain))
    if "without" in plain or "cannot" in plain:
        count += len(_OTHER_NEGATION.findall(plain))
    return count % 2 == 1


def _begins(text: str, at: int) -> bool:
    """Whether a word begins there."""
    return not at or not (text[at - 1].isalnum() or text[at - 1] == "_")


def _written(text: str, digits: re.Match[str]) -> str:
    number = digits[0].replace(",", "") if _THOUSANDS.fullmatch(digits[0]) else digits[0]
    return f"-{number}" if digits.start() and _SIGNED.match(text, digits.start() - 1) else number


GUARDS: Mapping[Guard, Callable[[str], Hashable]] = MappingProxyType({"numbers": numbers, "negation": negated})
"""Each guard by the name that a template gives it."""


def signature(text: str, guards: Sequence[Guard]) -> tuple[Hashable, ...]:
    """The values of the named guards; only texts of equal signature may be twins."""
    return tuple(GUARDS[name](text) for name in guards)

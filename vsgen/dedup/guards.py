"""What an embedding does not see: changed numbers, and negation.

Small sentence encoders give "the train leaves at 7" and "the train leaves at 9", or "it works" and "it does not
work", a cosine above 0.9. A guard maps one text to a value that must be equal before two texts may count as twins.
The word lists are English; in other languages numbers count where they are written in digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType

from vsgen.errors import OptionError

_DIGITS = re.compile(r"(?:(?<![\w.,)\]])[-\u2212])?\d+(?:[.,:/]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_TO_TWENTY = (  # "one" is left out: it is a pronoun more often than a number
    "zero - two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
_WORDS = {word: str(value) for value, word in enumerate(_TO_TWENTY.split())}
_WORDS |= {word: str(value) for value, word in zip(range(30, 101, 10), _TENS.split(), strict=True)}
_WORDS |= {"thousand": "1000", "million": "1000000", "billion": "1000000000"}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS.keys() - {'-'})})\b")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot)\b|n['\u2019]t\b", re.IGNORECASE
)


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in a text, as strings in sorted order: "-3 of 1,500 at two" has ``("-3", "1500", "2")``."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2212", "-")
    said = [_WORDS[word] for word in _WORD.findall(plain)]
    written = [n.replace(",", "") if _THOUSANDS.fullmatch(n.lstrip("-")) else n for n in _DIGITS.findall(plain)]
    return tuple(sorted(said + written))


def negated(text: str) -> bool:
    """Whether the text holds an odd number of negations."""
    return len(_NEGATION.findall(text)) % 2 == 1


GUARDS: Mapping[str, Callable[[str], Hashable]] = MappingProxyType({"numbers": numbers, "negation": negated})
"""Each guard by the name that a template gives it."""


def signature(text: str, guards: Sequence[str]) -> tuple[Hashable, ...]:
    """The values of the named guards; only texts of equal signature may be twins.

    Raises:
        OptionError: a guard of that name does not exist.
    """
    if unknown := sorted(set(guards) - GUARDS.keys()):
        raise OptionError(f"dedup.guards: must be among {', '.join(GUARDS)}, got {', '.join(unknown)}")
    return tuple(GUARDS[name](text) for name in guards)

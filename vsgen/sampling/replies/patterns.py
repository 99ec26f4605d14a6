r"""What may stand between, before and after the values of JSON as language models write it.

Every pattern is possessive or bounded by a constant, so a match costs no more than the text that it covers and a
constant look beyond.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Final

from vsgen.sampling.replies.lazy import pattern

BLANK: Final = r"\s\ufeff\u200b-\u200d\u2060"
# A comment ends with its line, or before a bracket after which the value goes on: replies of one line have them too.
# Groups are atomic, not possessive: up to Python 3.11.4 a possessive one with choices inside matches wrongly.
_COMMENT: Final = r"(?://|#)(?>(?:[^\n}\]]|[}\]](?!\s{0,40}+(?:[,}\]]|\Z))){0,200})(?=[\n}\]])"
_BLOCK_COMMENT: Final = r"/\*(?>(?:[^*]|\*(?!/)){0,200})\*/"
GAP: Final = rf"(?>(?:[{BLANK}]++|{_COMMENT}|{_BLOCK_COMMENT}|\.\.\.|…)*)"
_COLON: Final = rf"{GAP}:"
_WORD: Final = r"\w[\w-]{0,63}+"
_AFTER_WORD: Final = rf"[\"']?+{_COLON}"
"""The colon of a key that has no first quote."""


def _whole(opening: str, closing: str) -> str:
    """A key of one line in quotes, with its colon."""
    return rf"[{opening}](?:[^{opening}{closing}\\\n]|\\.){{0,100}}+[{closing}]{_COLON}"


def _begun(quote: str) -> str:
    """A key in quotes with its colon, or as much of it as the text holds."""
    return rf"{quote}(?:[^{quote}\\]|\\.){{0,100}}+(?:\Z|(?=[^{quote}])|{quote}{GAP}(?:\Z|:))"


QUOTED_KEY: Final = "|".join((_whole('"“', '"”'), _whole("'", "'")))
_TYPOGRAPHIC: Final = rf"“[^“”\"]{{0,100}}+(?:\Z|[”\"]{GAP}(?:\Z|:))"
_KEY: Final = "|".join((_begun('"'), _begun("'"), _TYPOGRAPHIC, _WORD + _AFTER_WORD))
"""A key, or as much of one as the text holds: where a reply is cut, what is missing counts in favor."""
_ENTRY: Final = rf"[\"'“‘„{{\[\]]|[\w.+-]++{GAP}(?:\Z|[,\]])"
_KEY_COMES: Final = rf",{GAP}(?:{QUOTED_KEY})"

SOLID: Final = frozenset("\"'{}[]:,0123456789" + string.ascii_letters)
"""Signs with which no gap begins."""
SPACE: Final = pattern(GAP)
REST: Final = pattern(rf"{GAP}\Z")
COLON: Final = pattern(_COLON)
COLONS: Final = pattern(rf"(?>(?::{GAP})+)")
"""One colon too many, or more."""
KEYED: Final = pattern(QUOTED_KEY)
KEY_CUT: Final = pattern(rf"{_WORD}\Z")
BARE_KEY: Final = pattern(f"({_WORD}){_AFTER_WORD}")
KNOWN_KEY: Final = pattern(rf"[\"'“]([^\"'“”\\\n]{{1,60}}+)[\"'”]{_COLON}")
UNCLOSED_KEY: Final = pattern(r"[\"'“](\w[\w -]{0,60}+):")
"""A key without its second quote."""
VALUE_COMES: Final = pattern(rf"{GAP}(?=[\"'“\d])")
"""A value after a key, without the colon."""
TO_NEXT_KEY: Final = pattern(rf"[^\"'“{{}}\[\]]{{0,200}}+(?={QUOTED_KEY})")
"""Words in the place of a key, before the next one."""
TO_BRACE: Final = pattern(r"[^\"'“{}\[\],]{1,200}+(?=\})")
GOES_ON: Final = pattern(rf"[\]}}]{GAP},{GAP}[\"'“{{\[]")
"""A bracket that closes nothing."""
OBJECT_AFTER_BRACE: Final = pattern(rf"\}}{GAP},{GAP}\{{")
KEY_AFTER_BRACKET: Final = pattern(rf"[\]}}]{GAP}{_KEY_COMES}")
END_IN_OBJECT: Final = pattern(
    rf"{GAP}(?:\Z|\}}|,{GAP}(?:\Z|\}}|{_KEY})|{QUOTED_KEY}|\]{GAP}(?:\Z|[\]}}]|{_KEY_COMES}))", re.DOTALL
)
END_IN_LIST: Final = pattern(
    rf"{GAP}(?:\Z|\]|,{GAP}(?:\Z|{_ENTRY})|\}}{GAP}(?:\Z|[\]}}]|,{GAP}\{{|{_KEY_COMES}))|[ \t\r]*+\n[{BLANK}]*+[\"'“]",
    re.DOTALL,
)
NEXT_STRING: Final = pattern(r"[ \t]{1,40}+[\"'“](?=[^\s\"'”,:\]}])|\"(?=\w)")
"""The next entry of a list, without the comma."""
HALF_NEXT: Final = pattern(rf",{GAP}[^\s\"'{{}}\[\],][^\"\n{{}}\[\]]{{0,60}}+\"{GAP}[,\]]")
"""The next entry of a list, without its first quote."""
NEXT_KEY: Final = pattern(rf",{GAP}(?:\Z|\}}|{_KEY})", re.DOTALL)
WORD: Final = pattern(r"[-+.\w]++")
WORD_END: Final = pattern(r"[ \t]*+(?:\Z|[\r\n,\]}\"'“{\[#]|/[/*])")
HALF_WORD: Final = pattern(rf"\"{GAP}[,}}\]]")
"""The second quote of a word that lacks the first."""
BARE_STOP: Final = pattern(r"[,{}\[\]\n\"]")
BARE_ENTRY: Final = pattern(r"([\w.+-][\w .'’+-]{0,60}+)(?=[,\]\n])")
"""An entry of a list that is a few words without quotes."""
HALF_QUOTED: Final = pattern(r"([^\s\"{}\[\],][^\"{}\[\]\n]{0,400}+)\"")
"""An entry of a list that lacks its first quote."""
ENTRY_STOP: Final = pattern(r"[,{}\[\]\n]")

CLOSERS: Final = {'"': '"', "'": "'", "“": '”“"', "„": '“”"', "‘": "’'"}


def _each(form: Callable[[str], str], flags: int = 0) -> Mapping[str, re.Pattern[str]]:
    """A pattern for each kind of closing quotes."""
    return {closers: pattern(form(closers), flags) for closers in CLOSERS.values()}


UP_TO: Final = _each(lambda ends: rf"[^\\{ends}]*+(?:\\.[^\\{ends}]*+)*+[{ends}]", re.DOTALL)
KEY_TEXT: Final = _each(lambda ends: rf"(?:[^\\{ends}]|\\.){{0,200}}+", re.DOTALL)
SIGNS: Final = _each(lambda ends: rf"[,:{{\[]\s{{0,20}}+[{ends}]\w|\w[{ends}]\s{{0,20}}+[,:}}\]]")
"""Marks of JSON beside a quote."""
CLOSED_BEFORE: Final = _each(
    lambda ends: rf"(?<=\w)[{ends}]\s{{0,20}}+[,:}}\]]|[{ends}]\s{{0,20}}+[,:]\s{{0,20}}+[{ends}{{\[]"
)
"""A quote after which the form seems to go on."""
NAME_INSIDE: Final = pattern(r"[\"'“]([^\"'“”\n]{1,60}+)[\"'”]\s{0,20}+:")
KEY_INSIDE: Final = _each(
    lambda ends: (
        rf"[{ends}][^{ends}\n]{{1,60}}+[{ends}]\s{{0,20}}+:\s{{0,20}}+(?:[\"'\[{{\d-]|true|false|null)"
        rf"|\\[{ends}]\s{{0,20}}+,\s{{0,20}}+[{ends}]"
    )
)
"""A key with its value, or the end of a string that was escaped by mistake and the beginning of the next."""

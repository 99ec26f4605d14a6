r"""Replies whose JSON was quoted once more: as a JSON string, without that string's quotes, or as a field of CSV."""

from __future__ import annotations

from typing import Final

from vsgen.sampling.replies.lazy import pattern
from vsgen.sampling.replies.lenient import read_string
from vsgen.sampling.replies.literals import unescape

_EDGE: Final = r"[\s\ufeff\u200b-\u200d\u2060]*+(?:(?:`{3,8}|~{3,8})\w{0,20}+\s*+)?"
_OPENING: Final = r"\s*+[{\[]\s*+(?:[{\[]\s*+){0,3}"
_QUOTED: Final = pattern(rf"{_EDGE}(?=\"{_OPENING}\\\")")
_ESCAPED: Final = pattern(rf"{_EDGE}{_OPENING}\\\"")
_DOUBLED: Final = pattern(rf"{_EDGE}\"?(?={_OPENING}\"\"[^\s\",:}}\]])")
_SINGLE: Final = pattern(r'(?<!")"(?:"")*+(?!")')
"""A quote that is not doubled."""


def unwrapped(text: str) -> str:
    r"""The reply without what was put around its JSON, if something was.

    Three forms are known by how they begin: ``"{\"a\": 1}"``, ``{\"a\": 1}`` and ``"{""a"": 1}"``; none of them can be
    JSON that was not quoted again. In the last all quotes are doubled; ``[""No," he said."]`` begins with a quote.
    """
    quoted = _QUOTED.match(text)
    if quoted:
        return read_string(text, quoted.end())[0]
    if _ESCAPED.match(text):
        return unescape(text)[0]
    doubled = _DOUBLED.match(text)
    last = max(text.rfind("}"), text.rfind("]"))
    if doubled is None or _SINGLE.search(text, doubled.end(), last + 1):
        return text
    return text.replace('""', '"')

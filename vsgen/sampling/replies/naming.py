"""Which key of a reply is which field, and which is the probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from vsgen.sampling.prompts import PROBABILITY, REASONING, RESPONSES
from vsgen.sampling.replies.items import OTHER_NUMBER, RENAMED, Found

COLLECTIONS: Final = frozenset(
    {RESPONSES, "answers", "items", "candidates", "results", "outputs", "options", "samples", "completions", "list"}
)
"""Keys under which a list of responses is expected."""
ALIASES: Final = (
    "text", "response", "answer", "content", "output", "completion", "result", "candidate", "item", "value", "message",
)  # fmt: skip
"""Names that a model gives to a single field, likeliest first."""
SYNONYMS: Final = frozenset({"probability", "prob", "p", "likelihood", "chance", "estimatedprobability"})
"""Names that mean what was asked for."""
OTHER_NUMBERS: Final = frozenset(
    {"confidence", "score", "weight", "perplexity", "nll", "logprob", "logp", "typicality", "rating", "rank"}
)
"""Names of numbers that are defined otherwise, and are not taken for a probability."""
_NONE: Final[frozenset[str]] = frozenset()
_SEPARATORS: Final = str.maketrans("", "", " _-*")
_PLACEHOLDERS: Final = frozenset({"...", "…"})


@dataclass(frozen=True, slots=True)
class Names:
    """What is asked for by name."""

    fields: tuple[str, ...]
    verbalized: bool
    """A probability is asked for."""
    squeezed: Mapping[str, str]
    """Field by squeezed name."""
    expected: frozenset[str]
    """Keys to expect, in lower case."""

    @property
    def only(self) -> str | None:
        """The field, if a single one is asked for."""
        return self.fields[0] if len(self.fields) == 1 else None


@lru_cache(maxsize=64)
def names(fields: tuple[str, ...], *, verbalized: bool) -> Names:
    """The names to look for."""
    expected = {PROBABILITY, REASONING, *COLLECTIONS, *(field.casefold() for field in fields)}
    return Names(fields, verbalized, {squeeze(field): field for field in fields}, frozenset(expected))


def squeeze(name: str) -> str:
    """A name without case, spaces, hyphens, underscores and asterisks: ``Due date`` is ``due_date``."""
    return name.casefold().translate(_SEPARATORS)


def names_item(key: str, asked: Names, *, exactly: bool = False) -> bool:
    """Whether an object with this key is meant as an item; `exactly` lets only the names count that were asked for."""
    name = squeeze(key)
    if exactly:
        return name in asked.squeezed or (asked.verbalized and name == PROBABILITY)
    return name in asked.squeezed or name in SYNONYMS or (asked.only is not None and name in ALIASES)


def pick(record: Mapping[str, object], asked: Names) -> Found:
    """The asked fields and the stated probability of one record; exact names first, then other names, flagged.

    A single field may stand under an alias, or under any name if it is the only text beside a stated probability.
    """
    fields = {field: record[field] for field in asked.fields if field in record}
    stated, flags = _stated(record, asked)
    others = _renamed(record, asked, stated is not None) if len(fields) < len(asked.fields) else None
    if others:
        both = {**fields, **others}
        return Found({field: both[field] for field in asked.fields if field in both}, stated, flags | {RENAMED})
    return Found(fields, stated, flags)


def is_placeholder(fields: Mapping[str, object]) -> bool:
    """Whether this is the form that was asked for, repeated with its dots, and no response."""
    return bool(fields) and all(isinstance(text, str) and text.strip() in _PLACEHOLDERS for text in fields.values())


def _stated(record: Mapping[str, object], asked: Names) -> tuple[object, frozenset[str]]:
    stated = record.get(PROBABILITY)
    if stated is not None and PROBABILITY not in asked.fields:
        return stated, _NONE
    squeezed = [(squeeze(key), value) for key, value in record.items() if key not in asked.fields and value is not None]
    for key, value in squeezed:
        if key in SYNONYMS:
            return value, frozenset({RENAMED})
    if any(key in OTHER_NUMBERS for key, _ in squeezed):
        return None, frozenset({OTHER_NUMBER})
    return None, _NONE


def _renamed(record: Mapping[str, object], asked: Names, has_number: bool) -> dict[str, object]:
    others: dict[str, object] = {}
    for key, value in record.items():
        field = asked.squeezed.get(squeeze(key))
        if field is not None and field not in record:
            others.setdefault(field, value)
    if others or asked.only is None:
        return others
    texts = {squeeze(key): value for key, value in record.items() if isinstance(value, str | int | float)}
    alias: str | None = next((name for name in ALIASES if name in texts), None)
    if alias is None and has_number:
        alias = _lone_text(texts)
    return {} if alias is None else {asked.only: texts[alias]}


def _lone_text(texts: Mapping[str, object]) -> str | None:
    known = SYNONYMS | OTHER_NUMBERS | {REASONING}
    free: Sequence[str] = [key for key, value in texts.items() if isinstance(value, str) and key not in known]
    return free[0] if len(free) == 1 else None

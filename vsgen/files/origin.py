"""What an output is made from, and in what another one is made otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import orjson

from vsgen.files.rows import RowInput, Seen

NUM: Final = "-n"
"""The part that says how many rows are wanted."""
ON_ERROR: Final = "--on-error"
"""The part that says what becomes of an input line that cannot be used."""
SEEN: Final = "input's content"
"""The part that says what was read of the input."""
_DIGEST = re.compile(r"[0-9a-f]{8,}")


class Difference(NamedTuple):
    """In what an output that is there differs from the one that is wanted."""

    changes: list[str]
    """What shapes it otherwise, in words: "the seed was 0 and is 1"; empty where nothing does."""
    grown: bool = False
    """The input has new rows at its end, which only add to the output."""


@dataclass(frozen=True, slots=True)
class Origin:
    """All that an output is made from, by name."""

    parts: Mapping[str, object] = field(default_factory=dict)
    """What the journal compares when a run is resumed; see `vsgen.ports.Journal.end`."""
    input: RowInput | None = None
    """The rows, whose content counts as well; None where there are none."""
    grows: bool = False
    """Each row of the input is asked about once, so that rows at its end only add to the output."""
    replayed: bool = False
    """Something beside the rows is wanted that only a replay gives."""

    def since(self, before: Mapping[str, object], *, complete: bool = True) -> Difference:
        """In what an output that was made from other parts differs from this one.

        Args:
            before: Its parts; with `SEEN`, what was read of its input is compared with what there is now.
            complete: It is all that was wanted; else any ``-n`` goes on with it.

        Raises:
            InputError: The input cannot be read.
        """
        now = {name: value for name, value in self.parts.items() if complete or name != NUM}
        changes = changed(before, now)
        read = before.get(SEEN)
        if self.input is None or not isinstance(read, Mapping):
            return Difference(changes)
        known = _seen(read)
        if known is None:
            return Difference([*changes, f"the {SEEN} that it recorded cannot be read"])
        here = self.input.look(known.rows)
        if here[:2] != known[:2]:
            return Difference([*changes, f"the {SEEN} has changed within the {known.rows} rows that were read"])
        if not known.whole or here.whole:
            return Difference(changes)
        if self.grows:
            return Difference(changes, grown=True)
        return Difference([*changes, f"the input has rows after its first {known.rows}, and each row is used again"])


def _seen(read: Mapping[str, object]) -> Seen | None:
    match read:
        case {"rows": int() as rows, "digest": str() as digest, "whole": bool() as whole}:
            return Seen(rows, digest, whole)
        case _:
            return None


def changed(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """What shapes an output otherwise than before, in words: "the seed was 0 and is 1".

    A part that only one of them names is unknown to the other and is not compared; one that was not given is None. A
    larger -n is no change: it continues what a smaller one began. Nor is skipping bad lines, where none was met.
    """
    both = [(name, before[name], _plain(now[name])) for name in now if name in before]
    return [_words(name, old, new) for name, old, new in both if old != new and not _continues(name, old, new)]


def _plain(value: object) -> object:
    """A value as it is once it was written and read."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def _continues(name: str, old: object, new: object) -> bool:
    if name == NUM:
        return isinstance(old, int) and isinstance(new, int) and new > old
    return name == ON_ERROR and new == "skip"


def _words(name: str, old: object, new: object) -> str:
    named = name if name.startswith("-") else f"the {name}"
    if all(isinstance(value, Mapping) or (isinstance(value, str) and _DIGEST.fullmatch(value)) for value in (old, new)):
        return f"{named} has changed"
    return f"{named} {_said(old, 'was')} and {_said(new, 'is')}"


def _said(value: object, verb: str) -> str:
    if value is None:
        return f"{verb} not given"
    return f"{verb} {value if isinstance(value, str) else orjson.dumps(value).decode()}"

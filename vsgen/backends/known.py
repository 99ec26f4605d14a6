"""What a run must know of a language model before it asks it anything, so that a model that is not asked stays closed.

What an opened model says of itself is noted in the journal, under a stamp of all that it hangs on: the files, how they
are opened, the libraries, the machine. A later run with the same stamp takes the note for it, and opens the model when
a call comes that the journal does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from threading import Lock
from typing import Any, Final

from vsgen.errors import ModelError
from vsgen.ports import Inspectable, Journal, LanguageModel, Remarking, Streaming, Teacher
from vsgen.values import ModelFacts

ALL: Final = 1 << 31
"""More tokens than any vocabulary has."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a language model."""

    name: str
    """Its own, part of every call's digest."""
    facts: ModelFacts | None
    """What it is; None where it cannot say."""
    rows: int
    """Replies that it draws side by side."""
    teaches: int
    """How many tokens of its next-token distributions it can state; 0 none."""

    @classmethod
    def of(cls, model: LanguageModel) -> Known:
        """What an opened model says."""
        facts = model.facts() if isinstance(model, Inspectable) else None
        rows = model.rows if isinstance(model, Streaming) else 1
        return cls(model.name, facts, rows, ALL if isinstance(model, Teacher) else 0)

    @classmethod
    def read(cls, note: Mapping[str, Any] | None) -> Known | None:
        """What a note says; None where there is none, or it is that of another version of vsgen."""
        if note is None or not _has(note, cls):
            return None
        facts = note["facts"]
        if facts is None:
            return cls(**note)
        return cls(**{**note, "facts": ModelFacts(**facts)}) if _has(facts, ModelFacts) else None


class LazyModel:
    """A language model that is opened when it is first needed; safe to use from several threads.

    The desk takes settings from `known`; its executors call `opened` with the first call that the journal does not
    answer, in the thread that will compute.
    """

    def __init__(self, opener: Callable[[], LanguageModel], stamp: Callable[[], str | None], notes: Journal) -> None:
        """Recall what is known of a model; open it where that is nothing.

        Args:
            opener: Opens it.
            stamp: Names all that what is known of it hangs on; see `vsgen.backends.open.stamp`. Opening may change it,
                where that fetches the files.
            notes: Where earlier runs have noted what they knew.

        Raises:
            ModelError: It cannot be opened.
        """
        self._opener = opener
        self._lock = Lock()
        self._model: LanguageModel | None = None
        self.known = self._recalled(stamp(), notes) or self._learned(stamp, notes)
        """What is known of it, opened or not."""

    def opened(self) -> LanguageModel:
        """The model itself.

        Raises:
            ModelError: It cannot be opened, or is no longer the one that is known.
        """
        with self._lock:
            if self._model is None:
                model = self._opener()
                if model.name != self.known.name:
                    was = f"was {self.known.name} when this run began"
                    raise ModelError(f"{model.name}: {was}; run the same command again, with --resume")
                self._model = model
            return self._model

    def remarks(self) -> Sequence[str]:
        """What it says about the texts that it was given; nothing where it stayed closed."""
        return self._model.remarks() if isinstance(self._model, Remarking) else ()

    def _recalled(self, stamp: str | None, notes: Journal) -> Known | None:
        return None if stamp is None else Known.read(notes.noted(stamp))

    def _learned(self, stamp: Callable[[], str | None], notes: Journal) -> Known:
        self._model = self._opener()
        known = Known.of(self._model)
        if (now := stamp()) is not None:
            notes.note(now, asdict(known))
        return known


_TYPES: Final = {int: "int", str: "str", bool: "bool", type(None): "None", dict: "ModelFacts"}
"""What the classes call the types of JSON."""


def _has(values: Mapping[str, Any], kind: type[Known | ModelFacts]) -> bool:
    """Whether values are those of a class, each of the type that it has there."""
    if values.keys() != {field.name for field in fields(kind)}:
        return False
    return all(_TYPES.get(type(values[field.name])) in str(field.type).split(" | ") for field in fields(kind))

"""Models behind a URL, as a command has them: examined once, remembered in the journal, and asked by an executor.

What a server can do is noted in the journal, so that a run that is resumed asks as the run before it did, and a run
that the journal answers whole asks no server anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter, ValidationError

from vsgen.backends.endpoint.abilities import FALLBACKS, Found, missing, used_by
from vsgen.backends.endpoint.examined import examined
from vsgen.backends.endpoint.facts import served_facts
from vsgen.backends.endpoint.service import Service
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.transport import EndpointExecutor, Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.known import Known
from vsgen.errors import EndpointError, OptionError
from vsgen.ports import Journal, Letterbox
from vsgen.values import Call, Generate, Message, Prompt, Score, Teach

_REMEDIES: Final[Mapping[type[Call], str]] = {
    Score: "set the label's method to votes or verbalized, or take another server",
    Teach: "take a server that returns token ids and prompt_logprobs, such as vLLM",
    Generate: "change the template, or take another server",
}


class ServedModel:
    """One of them, opened."""

    def __init__(self, service: Service, transport: Transport, letters: Letterbox, notes: Journal) -> None:
        """Recall what the server can do, or find out.

        Args:
            service: The model.
            transport: How requests get there.
            letters: Where answers go.
            notes: Where earlier runs have noted what they found out.

        Raises:
            EndpointError: The server cannot be asked.
            OptionError: It lacks what the calls need.
        """
        target = service.target
        self._samples = service.samples
        self.executor: EndpointExecutor = transport.executor(target, letters)
        """Who answers its calls."""
        only = frozenset[str]().union(*(used_by(sample.call) for sample in service.samples))
        self.can = Abilities() if service.embeds else _abilities(transport, target, only, notes)
        """What the server can do."""
        self.executor.heed(self.can)
        for part, call, needed in service.samples:
            if needed and (lack := target.wire.lacks(call, self.can)):
                raise OptionError(f"{part}: {target.name} has no {lack}; {_REMEDIES[type(call)]}")
        self.known = Known(
            target.name,
            served_facts(target, self.can),
            transport.settings.ceiling.concurrency,
            target.wire.lacks(_TAUGHT, self.can) is None,
        )
        """What the engine must know of it."""

    @property
    def notes(self) -> Iterator[str]:
        """What the user should know before anything is asked: the abilities that are missed, and what happens then."""
        calls = [sample.call for sample in self._samples if isinstance(sample.call, Generate)]
        for name in dict.fromkeys(name for call in calls for name in missing(call, self.can)):
            yield f"{self.known.name}: no {name}: {FALLBACKS[name]}"

    def remarks(self) -> Sequence[str]:
        """Nothing: its texts are read elsewhere."""
        return ()


def _abilities(transport: Transport, target: Target, only: frozenset[str], notes: Journal) -> Abilities:
    """What a server can do, as far as that matters; from the journal where an earlier run tried it."""
    place = f"abilities of {target.name}"
    tried, known = _recalled(notes.noted(place))
    if known is not None and only <= tried:
        return known
    found = _found(transport, target, only)
    notes.note(place, {"tried": sorted(only), "can": asdict(found.can)})
    return found.can


def _found(transport: Transport, target: Target, only: frozenset[str]) -> Found:
    found = examined(transport, target, only)
    if found.problem is not None:
        raise EndpointError(f"{target.name}: {found.problem}")
    return found


def _recalled(note: Mapping[str, object] | None) -> tuple[frozenset[str], Abilities | None]:
    """The abilities that were tried, and what was found; nothing where a note is not of this version's form."""
    if note is None:
        return frozenset(), None
    try:
        return _TRIED.validate_python(note.get("tried")), _CAN.validate_python(note.get("can"))
    except ValidationError:
        return frozenset(), None


_TRIED: Final = TypeAdapter(frozenset[str])
_CAN: Final = TypeAdapter(Abilities)
_TAUGHT: Final = Teach(Prompt((Message("user", "-"),)), "-", top=1)

"""Models behind a URL, as a command has them: examined once, remembered in the journal, and asked by an executor.

What a server can do is noted in the journal, so that a run that is resumed asks as the run before it did, and a run
that the journal answers whole asks no server anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from vsgen.backends.endpoint.abilities import Found
from vsgen.backends.endpoint.batch.executor import BatchExecutor
from vsgen.backends.endpoint.facts import served_facts
from vsgen.backends.endpoint.needs import FALLBACKS, missing, used_by
from vsgen.backends.endpoint.service import Sample, Service
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.known import Known
from vsgen.errors import EndpointError, OptionError
from vsgen.ports import Journal, Letterbox
from vsgen.values import Call, Decide, Generate, Message, Prompt, Score, Teach

if TYPE_CHECKING:
    from vsgen.backends.endpoint.transport import EndpointExecutor, Transport

_REMEDIES: Final[Mapping[type[Call], str]] = {
    Score: "set the label's method to votes or verbalized, or take another server",
    Decide: "set the label's method to score, votes or verbalized, or take another server",
    Teach: "take a server that returns token ids and prompt_logprobs, such as vLLM",
    Generate: "change the template, or take another server",
}


class ServedModel:
    """One of them, opened."""

    def __init__(
        self,
        service: Service,
        can: Abilities,
        executor: EndpointExecutor | BatchExecutor,
        *,
        rows: int,
        more: str = "",
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        """See that the server can do what the calls need.

        Args:
            service: The model.
            can: What the server can do.
            executor: Who answers its calls.
            rows: Calls that are answered side by side.
            more: A further remedy where it cannot.
            reasons: Why abilities are absent, in the server's words.

        Raises:
            OptionError: It lacks what the calls need.
        """
        target = service.target
        self._samples = service.samples
        self.executor = executor
        """Who answers its calls."""
        self.can = can
        """What the server can do."""
        for (part, call, _), lack in _lacking(service, can):
            why = next((f" ({reasons[name]})" for name in sorted(used_by(call)) if reasons and name in reasons), "")
            raise OptionError(f"{part}: {target.name} has no {lack}{why}; {_REMEDIES[type(call)]}{more}")
        self.known = Known(
            target.name,
            served_facts(target, self.can),
            rows,
            0 if target.wire.lacks(_TAUGHT, self.can) else self.can.listed,
        )
        """What the engine must know of it."""

    @property
    def notes(self) -> Iterator[str]:
        """What the user should know before anything is asked: the abilities that are missed, and what happens then."""
        calls = [sample.call for sample in self._samples if isinstance(sample.call, Generate)]
        for name in dict.fromkeys(name for call in calls for name in missing(call, self.can)):
            yield f"{self.known.name}: no {name}: {FALLBACKS[name]}"

    def remarks(self) -> Sequence[str]:
        """How many requests were sent a second time, where that was wanted."""
        sent, won = self.executor.hedges
        if not sent:
            return ()
        return [f"{self.known.name}: --hedge sent {sent} requests a second time; {won} of these were answered first"]


def open_served(service: Service, transport: Transport, letters: Letterbox, notes: Journal) -> ServedModel:
    """A model that is asked over HTTP; what its server can do is recalled, or found out.

    Args:
        service: The model.
        transport: How requests get there.
        letters: Where answers go.
        notes: Where earlier runs have noted what they found out.

    Raises:
        EndpointError: The server cannot be asked.
        OptionError: It lacks what the calls need.
    """
    executor = transport.executor(service.target, letters)
    try:
        found = Found(Abilities()) if service.embeds else _abilities(transport, executor, service, notes)
        executor.heed(found.can)
        rows = transport.settings.ceiling.concurrency
        return ServedModel(service, found.can, executor, rows=rows, reasons=found.reasons)
    except BaseException:
        executor.close(cancel=True)
        raise


def noted_abilities(target: Target, notes: Journal, *, by_file: bool = False) -> Abilities | None:
    """What is noted of a server, as far as it was tried; None where nothing is.

    Args:
        target: The server and the model.
        notes: Where it is noted.
        by_file: As it was taken for granted when calls were written to files.
    """
    return _recalled(notes.noted(_place(target, by_file=by_file)))[1]


def note_abilities(target: Target, can: Abilities, notes: Journal) -> None:
    """Note what is taken for granted of a server when calls are written to files: results are read by it."""
    notes.note(_place(target, by_file=True), {"tried": [], "can": asdict(can)})


def _place(target: Target, *, by_file: bool = False) -> str:
    return f"{'assumed ' if by_file else ''}abilities of {target.name}"


def _lacking(service: Service, can: Abilities) -> Iterator[tuple[Sample, str]]:
    """The calls that the command cannot do without, each with what the server would have to be able to do."""
    wire = service.target.wire
    needed = [sample for sample in service.samples if sample.needed]
    yield from ((sample, lack) for sample in needed if (lack := wire.lacks(sample.call, can)))


def _abilities(transport: Transport, executor: EndpointExecutor, service: Service, notes: Journal) -> Found:
    """What a server can do, as far as that matters; from the journal where an earlier run tried it and it suffices."""
    target = service.target
    only = frozenset[str]().union(*(used_by(sample.call) for sample in service.samples))
    place = _place(target)
    tried, known = _recalled(notes.noted(place))
    if known is not None and only <= tried and not any(_lacking(service, known)):
        executor.trust()
        return Found(known)
    found = _found(transport, target, only)
    _try_decisions(transport, service, found.can)
    notes.note(place, {"tried": sorted(only), "can": asdict(found.can)})
    return found


def _try_decisions(transport: Transport, service: Service, can: Abilities) -> None:
    """See that a server that decides takes the questions of each label, since that hangs on its classes.

    Raises:
        OptionError: It does not.
    """
    tried = [sample for sample in service.samples if isinstance(sample.call, Decide) and can.decisions]
    if not tried:
        return
    from vsgen.backends.endpoint.examined import refusals  # brings aiohttp, which nothing else here needs

    problems = refusals(transport, replace(service.target, can=can), [sample.call for sample in tried])
    for sample, problem in zip(tried, problems, strict=True):
        if problem is not None:
            raise OptionError(f"{sample.part}: {service.target.name}: {problem}")


def _found(transport: Transport, target: Target, only: frozenset[str]) -> Found:
    from vsgen.backends.endpoint.examined import examined  # brings aiohttp, which nothing else here needs

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

"""Calls to a real server over the executor of a run, and what is found out about it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vsgen.backends.endpoint.abilities import Found
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.examined import examined
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities, Wire
from vsgen.engine.mailbox import Mailbox
from vsgen.ports import Ticket
from vsgen.values import Answer, Call, Completion, Message, Prompt, Scores


def asked(text: str, prefill: str = "", system: str = "") -> Prompt:
    """One turn of a user."""
    lead = (Message("system", system),) if system else ()
    return Prompt((*lead, Message("user", text)), prefill)


def found(url: str, model: str, wire: Wire) -> Found:
    """What the server can do for the model."""
    return examined(Transport(Settings(), Random(0)), Target(read_address(url), None, wire, model))


def answers(url: str, model: str, wire: Wire, calls: Sequence[Call], can: Abilities) -> list[Answer]:
    """The server's answers, in the order of the calls."""
    mailbox = Mailbox()
    target = Target(read_address(url), None, wire, model, can)
    executor = Transport(Settings(), Random(0)).executor(target, mailbox)
    for number, call in enumerate(calls):
        executor.submit(Ticket(number, number), call)
    executor.flush()
    letters: list[tuple[Ticket, Answer]] = []
    while len(letters) < len(calls):
        letters += mailbox.wait(1)
    executor.close(cancel=False)
    return [answer for _, answer in sorted(letters, key=lambda letter: letter[0])]


def replies(found: Sequence[Answer]) -> list[Completion]:
    """Answers that are all replies."""
    made = [one for one in found if isinstance(one, Completion)]
    assert len(made) == len(found), next(one for one in found if one not in made)
    return made


def scores(found: Sequence[Answer]) -> list[Scores]:
    """Answers that all are scores."""
    made = [one for one in found if isinstance(one, Scores)]
    assert len(made) == len(found), next(one for one in found if one not in made)
    return made

"""The journal in front of the executors, in both directions and in the engine's thread alone.

A call that was answered once is never asked again: its reply goes into the mailbox at once. What comes back is put into
the journal before anyone sees it. As long as there are replies that the journal knew and nobody has taken out of the
mailbox, nobody begins to compute: what they lead to may be the end of the run.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Final, NamedTuple

from vsgen.digests import DigestMap
from vsgen.engine.mailbox import Mailbox
from vsgen.errors import OutputError, VsgenError
from vsgen.ports import Executor, Journal, Ticket
from vsgen.texts import pair_surrogates
from vsgen.values import (
    Answer,
    Call,
    Completion,
    Decide,
    Decided,
    Generate,
    Refused,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Usage,
    Vector,
)

_UNKEPT: Final = "usage of answers that are not kept"
"""The journal's note of what they took, by model."""


class _Pending(NamedTuple):
    """A call on its way."""

    model: str
    key: str
    call: Call
    same: list[Ticket]
    """Who else waits for its answer."""


@dataclass(slots=True)
class Tally:
    """Calls that were answered."""

    calls: Counter[str] = field(default_factory=Counter)
    """By kind."""
    replies: int = 0
    """Those that began a reply; one that continues what is drawn already begins none."""
    tokens: int = 0
    """Drawn in their replies."""
    usage: dict[str, Usage] = field(default_factory=dict)
    """What they took, by model."""
    served: set[str] = field(default_factory=set)
    """The models that a server runs."""

    def add(self, call: Call, reply: Reply) -> None:
        """Count one more."""
        self.calls[kind_of(call)] += 1
        self.replies += isinstance(call, Generate) and not call.prefix
        if isinstance(reply, Completion):
            self.tokens += reply.drawn

    def take(self, model: str, answer: Answer) -> None:
        """Count what an answer took."""
        stated = answer.usage if isinstance(answer, Completion | Scores | Decided | Taught | Vector | Refused) else None
        if stated is not None:
            self.served.add(model)
        if taken := stated or _taken(answer):
            self.usage[model] = self.usage.get(model, Usage()) + taken


def _taken(answer: Answer) -> Usage | None:
    """What an answer took in this process."""
    match answer:
        case Completion():
            return Usage(answer.prompt_tokens, answer.drawn)
        case Scores():
            return Usage(answer.prompt_tokens)
        case _:
            return None


def kind_of(call: Call) -> str:
    """What a call is called in counts: generate, score, decide, teach, embed, verify."""
    return type(call).__name__.lower()


class Replay:
    """The journal of one command, and where its engine waits; what it counts may be read in any thread."""

    def __init__(self, journal: Journal, mailbox: Mailbox) -> None:
        """Set up.

        Args:
            journal: The memory of all calls.
            mailbox: Where executors put their answers.
        """
        self._journal = journal
        self._mailbox = mailbox
        self.recalled = Tally()
        """What the journal answered."""
        self.paid = Tally()
        """What it did not know and knows now."""
        self.open: Counter[str] = Counter()
        """Calls by kind that are on their way."""
        self._asked: dict[Ticket, _Pending] = {}
        self._under_way: dict[str, _Pending] = {}
        self._scored = DigestMap(0)
        """Scores, decisions and lessons whose usage is counted: the same may be asked again, and is paid once."""
        self._unkept: dict[str, Usage] = {}
        """What was taken, by model, by answers that the journal does not keep: refusals and vectors."""
        self._noted = True
        """The journal has that."""
        self._recall_unkept()
        self.known = False
        """Whether replies that the journal knew lie in the mailbox."""

    def executor(self, model: str, inner: Executor) -> Executor:
        """An executor in front of another one, which computes with this model."""
        return _Replayed(self, model, inner)

    def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
        """What has been answered since, put into the journal where it is new; see `vsgen.ports.Answers`.

        Raises:
            OutputError: The journal cannot be written.
        """
        letters = self._mailbox.wait(seconds)
        self.known = False
        kept = [each for ticket, answer in letters for each in self._kept(ticket, answer)]
        if not self._noted:
            self._journal.note(_UNKEPT, {model: asdict(usage) for model, usage in self._unkept.items()})
            self._noted = True
        return kept

    def drain(self) -> None:
        """Put into the journal what has come and nobody waits for any more: it was paid.

        That a device has failed is no matter any more.

        Raises:
            OutputError: The journal cannot be written.
        """
        self._mailbox.again()
        try:
            while self.wait(0):
                pass
        except OutputError:
            raise
        except VsgenError:
            return

    def wake(self) -> None:
        """Let the engine look around; may be called from any thread."""
        self._mailbox.wake()

    def ask(self, model: str, inner: Executor, ticket: Ticket, call: Call) -> None:
        """Look a call up; ask it if it is new and not already on its way."""
        key = self._journal.key(model, call)
        if (reply := self._journal.find(key, call)) is not None:
            self._mailbox.put(ticket, reply)
            self.recalled.add(call, reply)
            if self._once(key, call):
                self.recalled.take(model, reply)
            self.known = True
        elif (asked := self._under_way.get(key)) is not None:
            asked.same.append(ticket)
        else:
            self._asked[ticket] = self._under_way[key] = _Pending(model, key, call, [])
            self.open[kind_of(call)] += 1
            inner.submit(ticket, call)

    @property
    def under_way(self) -> int:
        """Calls whose answers the engine has not had."""
        return len(self._asked)

    def forget(self) -> None:
        """Forget the calls that are under way: nobody waits for their answers any more, and none will come."""
        self._asked.clear()
        self._under_way.clear()
        self.open.clear()

    def oldest(self) -> tuple[Ticket, str] | None:
        """The call that has been on its way longest in the order of flows, and its kind; may be asked in any thread."""
        asked = list(self._asked.items())  # at once, as far as other threads can tell
        return min(((ticket, kind_of(one.call)) for ticket, one in asked), default=None)

    def _kept(self, ticket: Ticket, answer: Answer) -> list[tuple[Ticket, Answer]]:
        """An answer for all who wait for it; a refusal is no reply and is not remembered."""
        asked = self._asked.get(ticket)
        if asked is None:
            return [(ticket, answer)]
        if not isinstance(answer, Refused):
            answer = _writable(answer)
            self._journal.add(asked.key, asked.model, asked.call, answer)
            self.paid.add(asked.call, answer)
            self._once(asked.key, asked.call)
        self.paid.take(asked.model, answer)
        if isinstance(answer, Refused | Vector) and answer.usage is not None:
            self._unkept[asked.model] = self._unkept.get(asked.model, Usage()) + answer.usage
            self._noted = False
        self.open[kind_of(asked.call)] -= 1
        del self._asked[ticket], self._under_way[asked.key]  # last: an interruption before finds it again
        return [(each, answer) for each in (ticket, *asked.same)]

    def _recall_unkept(self) -> None:
        """What earlier processes paid for answers that the journal does not keep."""
        for model, counts in (self._journal.noted(_UNKEPT) or {}).items():
            if isinstance(counts, dict) and all(type(one) is int and one >= 0 for one in counts.values()):
                with suppress(TypeError):  # counts of a later version
                    self._unkept[model] = self.recalled.usage[model] = Usage(**counts)
                    self.recalled.served.add(model)

    def _once(self, key: str, call: Call) -> bool:
        """Whether the usage of a reply is not counted yet; then it is from now on."""
        if not isinstance(call, Score | Decide | Teach):
            return True
        new = self._scored.get(bytes.fromhex(key)) is None
        self._scored[bytes.fromhex(key)] = b""
        return new


def _writable(reply: Reply) -> Reply:
    """A reply as a journal can hold it, so that a run that goes on later reads what this one reads."""
    if isinstance(reply, Completion) and (text := pair_surrogates(reply.text)) is not reply.text:
        return replace(reply, text=text)
    return reply


class _Replayed:
    """What `Replay.executor` gives."""

    def __init__(self, replay: Replay, model: str, inner: Executor) -> None:
        self._replay = replay
        self._model = model
        self._inner = inner

    def submit(self, ticket: Ticket, call: Call) -> None:
        self._replay.ask(self._model, self._inner, ticket, call)

    def flush(self) -> None:
        if not self._replay.known:
            self._inner.flush()

    def room(self) -> int:
        return self._inner.room()

    def close(self, *, cancel: bool) -> None:
        self._inner.close(cancel=cancel)

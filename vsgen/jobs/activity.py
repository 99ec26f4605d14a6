"""What a command is doing at this moment.

It is written down where it happens, mostly as counts that are kept anyway, and put together in `Activity.progress` when
somebody asks, from another thread and whenever they like. So what asks may be as slow as it likes, nothing waits for
it, and there is no clock here: rates and times are for whoever looks more than once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from vsgen.backends.transfers import Transfer, transfer
from vsgen.jobs.bill import Bill, Billing
from vsgen.jobs.counts import Counts

if TYPE_CHECKING:
    from vsgen.engine.replay import Replay
    from vsgen.ports import Drawing, Held, Ticket, Waiting

Phase: TypeAlias = Literal[
    "starting",
    "downloading",
    "loading",
    "examining",
    "asking",
    "labeling",
    "scoring",
    "teaching",
    "embedding",
    "checking",
    "writing",
]
_OF_CALLS: Final[Mapping[str, Phase]] = {
    "generate": "asking",
    "score": "scoring",
    "decide": "scoring",
    "teach": "teaching",
    "embed": "embedding",
    "verify": "checking",
}
"""The phase in which calls of a kind are answered; where there are several, the first one."""


@dataclass(frozen=True, slots=True)
class Oldest:
    """What everything that comes after it waits for."""

    unit: int
    """The number of its draw, input row or prompt, from 0."""
    kind: str
    """Of the call: generate, score, decide, teach, embed, verify."""
    tokens: int = 0
    """Drawn for its reply so far."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command has come."""

    phase: Phase = "starting"
    model: str | None = None
    """What is downloaded, loaded or examined."""
    transfer: Transfer | None = None
    """The download."""
    rows: int = 0
    """Kept, or waiting for the last row."""
    wanted: int | None = None
    """Rows that are wanted, or that the input has; None where that is not known before."""
    noun: str = ""
    """What units are: draws, input rows, prompts; empty where no rows are made."""
    units: int = 0
    """That are finished, in their order."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Rejects by reason."""
    tokens: int = 0
    """In the replies of finished units, those that the journal knew included."""
    recalled_tokens: int = 0
    """In all replies that the journal knew."""
    replies: int = 0
    """Begun and drawn by this process, those of unfinished units included."""
    new_tokens: int = 0
    """Drawn by this process, likewise."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """Answered in this process, by kind."""
    waiting: int = 0
    """Calls that have been asked and not answered."""
    drawing: int = 0
    """Replies that are being drawn."""
    drawing_tokens: int = 0
    """Drawn for them so far."""
    oldest: Oldest | None = None
    held: Held | None = None
    """Why requests to a server wait; None where they do not."""
    bill: Bill | None = None
    """What calls took and cost; None where nothing costs anything."""

    @property
    def drawn(self) -> int:
        """All tokens that this process has drawn."""
        return self.new_tokens + self.drawing_tokens


class Activity:
    """Of one command."""

    def __init__(self) -> None:
        self.noun = ""
        """What its units are called; empty where it makes no rows."""
        self.counts = Counts()
        self.stage: Phase | None = "starting"
        """What it does where that has nothing to do with a model; None while models are asked."""
        self._opening: list[tuple[str, Phase]] = []
        self._replay: Replay | None = None
        self._workers: Sequence[Drawing] = ()
        self._servers: Waiting | None = None
        self._billing: Billing | None = None

    @contextmanager
    def opening(self, model: str, phase: Phase = "loading") -> Iterator[None]:
        """Within it a model is opened, or the server is examined that it is on."""
        self._opening.append((model, phase))
        try:
            yield
        finally:
            self._opening.remove((model, phase))

    def asks(self, replay: Replay, workers: Sequence[Drawing], billing: Billing | None = None) -> None:
        """Models are opened; calls will go through `replay`, and `workers`, to which more are added, answer them.

        Args:
            replay: The journal in front of the models.
            workers: The models.
            billing: Says what their calls have cost.
        """
        self._replay, self._workers, self._billing, self.stage = replay, workers, billing, "loading"

    def sends(self, servers: Waiting) -> None:
        """Requests go to servers from now on."""
        self._servers = servers

    def progress(self) -> Progress:
        """How far it has come; may be asked in any thread, and takes less than a millisecond."""
        counts, replay = self.counts, self._replay
        drawing = {ticket: tokens for worker in [*self._workers] for ticket, tokens in worker.drawing()}
        open_calls = dict(replay.open) if replay else {}
        paid = dict(replay.paid.calls) if replay else {}
        fetched, (model, opening) = transfer(), next(reversed([*self._opening]), (None, None))
        return Progress(
            phase=self._phase(opening, fetched, open_calls),
            model=model,
            transfer=fetched,
            rows=counts.kept + counts.waiting,
            wanted=counts.wanted or counts.expected,
            noun=self.noun,
            units=counts.units,
            rejected=dict(counts.rejected),
            tokens=counts.tokens,
            recalled_tokens=replay.recalled.tokens if replay else 0,
            replies=replay.paid.replies if replay else 0,
            new_tokens=replay.paid.tokens if replay else 0,
            calls=paid,
            waiting=sum(open_calls.values()),
            drawing=len(drawing),
            drawing_tokens=sum(drawing.values()),
            oldest=_oldest(replay, drawing) if replay else None,
            held=self._servers.held() if self._servers else None,
            bill=self._billing.bill() if self._billing else None,
        )

    def _phase(self, opening: Phase | None, fetched: Transfer | None, open_calls: Mapping[str, int]) -> Phase:
        if fetched is not None:
            return "downloading"
        if opening is not None:
            return opening
        if self.stage is not None:
            return self.stage
        phase: Phase = next((phase for kind, phase in _OF_CALLS.items() if open_calls.get(kind)), "asking")
        return "labeling" if self.noun == "input rows" and phase in {"asking", "scoring"} else phase


def _oldest(replay: Replay, drawing: Mapping[Ticket, int]) -> Oldest | None:
    found = replay.oldest()
    return found and Oldest(found[0].flow, found[1], drawing.get(found[0], 0))

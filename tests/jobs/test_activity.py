"""What a command is doing is written down where it happens, and read by whoever asks."""

from __future__ import annotations

from vsgen.backends.open import open_model
from vsgen.backends.transfers import Transfer, counted, transfer
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.queues import decoder
from vsgen.engine.replay import Replay
from vsgen.engine.worker import Worker
from vsgen.files.journal import MemoryJournal
from vsgen.jobs.activity import Activity, Oldest
from vsgen.ports import Drawing, Ticket
from vsgen.sampling import prompts
from vsgen.values import Call, Embed, Generate, Message, Prompt, Score, Vector


class Held:
    """A queue that answers nothing, and says of each call that so many tokens of its reply are drawn."""

    def __init__(self) -> None:
        self.tokens: dict[Ticket, int] = {}

    def submit(self, ticket: Ticket, call: object) -> None:
        self.tokens[ticket] = 0

    def work(self) -> list[tuple[Ticket, Vector]]:
        return []

    def drawing(self) -> list[tuple[Ticket, int]]:
        return list(self.tokens.items())


def asked(seed: int) -> Generate:
    system = prompts.verbalized(("text",), 3, p_max=None, reasoning=False)
    asking = Prompt((Message("system", system), Message("user", "Name a random day of the week.")))
    return Generate(asking, seed=seed, max_tokens=9)


def test_phases_come_in_their_order() -> None:
    activity, mailbox = Activity(), Mailbox()
    seen = [activity.progress().phase]
    with activity.opening("org/model"):
        with counted() as bar:
            weights = bar(total=100, unit="B")
            weights.update(40)
            fetched = activity.progress()
            weights.update(60)
            assert activity.progress().phase == "loading"
        seen += [fetched.phase, activity.progress().phase]
    replay, held = Replay(MemoryJournal(), mailbox), Held()
    worker = Worker({Generate: held, Score: held, Embed: held}, mailbox, name="m", capacity=8)
    executor = replay.executor("m", worker)
    activity.asks(replay, [worker])
    activity.stage = None
    calls: tuple[Call, ...] = (Embed("x"), Score(Prompt(prefill="x"), ("a",)), asked(1))
    for place, call in enumerate(calls):
        executor.submit(Ticket(0, place), call)
        seen.append(activity.progress().phase)
    activity.noun = "input rows"
    seen.append(activity.progress().phase)
    activity.stage = "writing"
    assert [*seen, activity.progress().phase] == [
        *("starting", "downloading", "loading", "embedding", "scoring", "asking", "labeling", "writing"),
    ]
    assert (fetched.model, fetched.transfer) == ("org/model", Transfer(40, 100))
    assert transfer() is None


def test_tokens_of_replies_that_are_being_drawn_are_counted_while_they_are() -> None:
    activity, mailbox, tickets = Activity(), Mailbox(), [Ticket(3, 0), Ticket(4, 1)]
    held = Held()
    replay, worker = Replay(MemoryJournal(), mailbox), Worker({Generate: held}, mailbox, name="m", capacity=8)
    activity.asks(replay, [worker])
    for ticket in tickets:
        replay.executor("m", worker).submit(ticket, asked(ticket.flow))
    held.tokens = dict(zip(tickets, (212, 40), strict=True))
    now = activity.progress()
    assert (now.drawing, now.drawing_tokens, now.drawn, now.waiting) == (2, 252, 252, 2)
    assert now.oldest == Oldest(3, "generate", 212)
    mailbox.put(tickets[0], open_model("tiny").generate([asked(3)])[0])
    held.tokens.pop(tickets[0])
    replay.wait(0)
    later = activity.progress()
    assert (later.replies, later.drawing, later.oldest) == (1, 1, Oldest(4, "generate", 40))
    assert later.drawn == later.new_tokens + 40 > 40


def test_the_decoder_of_a_model_says_how_far_its_replies_are() -> None:
    queue = decoder(open_model("tiny"), 2)
    assert isinstance(queue, Drawing)
    for place in range(2):
        queue.submit(Ticket(0, place), asked(place))
    assert not queue.drawing()
    while not queue.drawing():
        queue.work()
    first = dict(queue.drawing())
    assert set(first) == {Ticket(0, 0), Ticket(0, 1)} and min(first.values()) >= 1
    queue.work()
    then = dict(queue.drawing())
    assert then and all(tokens > first[ticket] for ticket, tokens in then.items())
    while queue.drawing():
        queue.work()

"""Whatever is put in comes out, in its order; the engine waits only as long as it should."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from vsgen.engine.mailbox import Mailbox
from vsgen.errors import ModelError
from vsgen.ports import Ticket
from vsgen.values import Answer, Completion


def test_all_that_came_in_comes_out_in_its_order() -> None:
    mailbox = Mailbox()
    letters = [(Ticket(flow, 0), Completion(str(flow))) for flow in (3, 1, 2)]
    for ticket, answer in letters:
        mailbox.put(ticket, answer)
    mailbox.put_all(letters)
    assert mailbox.wait() == letters * 2
    assert mailbox.wait(0) == []


def test_answers_of_many_threads_all_come_out() -> None:
    mailbox = Mailbox()

    def post(flow: int) -> None:
        for place in range(200):
            mailbox.put(Ticket(flow, place), Completion(""))

    threads = [threading.Thread(target=post, args=(flow,)) for flow in range(5)]
    for thread in threads:
        thread.start()
    found: list[tuple[Ticket, Answer]] = []
    while len(found) < 1000:
        found += mailbox.wait(20)
    for thread in threads:
        thread.join()
    assert sorted(ticket for ticket, _ in found) == [Ticket(flow, place) for flow in range(5) for place in range(200)]
    by_flow = [[ticket.place for ticket, _ in found if ticket.flow == flow] for flow in range(5)]
    assert by_flow == [list(range(200))] * 5


def test_whoever_wakes_the_engine_gives_it_nothing() -> None:
    mailbox = Mailbox()
    threading.Timer(0.01, mailbox.wake).start()
    assert mailbox.wait() == []


def test_a_failure_is_raised_where_the_engine_waits() -> None:
    mailbox = Mailbox()
    mailbox.fail(ModelError("gone"))
    with pytest.raises(ModelError, match="gone"):
        mailbox.wait()


def test_answers_that_came_with_a_failure_come_out_before_it_is_raised() -> None:
    mailbox = Mailbox()
    mailbox.put(Ticket(0, 0), Completion("first"))
    mailbox.fail(ModelError("gone"))
    mailbox.put(Ticket(0, 1), Completion("last"))
    assert [answer for _, answer in mailbox.wait()] == [Completion("first"), Completion("last")]
    for _ in range(2):
        with pytest.raises(ModelError, match="gone"):
            mailbox.wait()


def test_ctrl_c_gets_out_of_the_wait() -> None:
    heed = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background jobs do not
    program = f"{heed}\nfrom vsgen.engine.mailbox import Mailbox\nprint('waits', flush=True)\nMailbox().wait()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"waits\n"
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.stderr.read()
        assert process.wait(20) != 0

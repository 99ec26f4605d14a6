"""Who computes on one thread is not disturbed by who computes on all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from random import Random

import pytest
import torch

from vsgen.backends.threads import computing


@pytest.fixture(autouse=True)
def three() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_the_number_of_threads_is_as_asked_and_left_as_it_was() -> None:
    for alone, count in ((True, 1), (False, 3)):
        with computing(alone=alone):
            assert torch.get_num_threads() == count
        assert torch.get_num_threads() == 3


def test_a_thread_that_begins_while_another_computes_alone_still_has_all() -> None:
    found: list[int] = []

    def other() -> None:
        with computing(alone=False):
            found.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    with computing(alone=True):
        thread.start()
    thread.join(20)
    assert found == [3]


def test_one_on_all_threads_is_by_itself_and_those_alone_go_side_by_side() -> None:
    inside: list[bool] = []
    together: list[tuple[bool, ...]] = []
    meeting = threading.Barrier(2)

    def compute(seed: int) -> None:
        rng = Random(seed)
        for _ in range(40):
            alone = rng.random() < 0.7
            with computing(alone=alone):
                inside.append(alone)
                together.append(tuple(inside))
                inside.remove(alone)

    threads = [threading.Thread(target=compute, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(together) == 160
    assert all(len(each) == 1 or all(each) for each in together)

    def meet() -> None:
        with computing(alone=True):
            meeting.wait(20)

    pair = [threading.Thread(target=meet) for _ in range(2)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join(20)
    assert not meeting.broken

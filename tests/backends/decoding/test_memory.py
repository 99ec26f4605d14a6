"""Keys and values of replies are found by their tokens, whatever was kept since, until memory is short."""

from __future__ import annotations

from random import Random

import torch

from vsgen.backends.decoding.forward import Stored
from vsgen.backends.decoding.memory import Memory

PROMPT = (9, 9, 7)


def stored(ids: tuple[int, ...]) -> Stored:
    """Keys that name their tokens' places in this reply; the second layer keeps none."""
    keys = torch.tensor([[[float(hash(ids[: i + 1]) % 1000)] for i in range(len(ids))]])
    return [(keys, -keys), None]


def check(found: Stored | None, ids: tuple[int, ...]) -> None:
    assert found is not None
    (pair, nothing) = found
    (expected, _) = stored(ids)
    assert nothing is None
    assert pair is not None
    assert expected is not None
    assert torch.equal(pair[0], expected[0])
    assert torch.equal(pair[1], expected[1])


def test_every_beginning_from_the_start_on_is_found() -> None:
    memory = Memory(1000)
    ids = (*PROMPT, 1, 2, 3)
    memory.keep(ids, 2, stored(ids))
    for length in range(2, 7):
        check(memory.find(ids[:length], 2), ids[:length])
    assert memory.find((*PROMPT, 1, 3), 2) is None
    assert memory.find((*PROMPT, 1, 2, 3, 4), 2) is None
    assert memory.find((9, 8, 7), 2) is None


def test_replies_that_part_are_all_found() -> None:
    memory, rng = Memory(100_000), Random(0)
    replies = [(*PROMPT, *(rng.randrange(2) for _ in range(12))) for _ in range(60)]
    for ids in replies:
        memory.keep(ids, 2, stored(ids))
    for ids in replies:
        for length in range(2, 16):
            check(memory.find(ids[:length], 2), ids[:length])


def test_a_reply_that_a_later_one_contains_is_forgotten_at_once() -> None:
    memory = Memory(1000)
    for length in range(4, 12):
        ids = (*PROMPT, *range(length))
        memory.keep(ids, 2, stored(ids))
        assert len(memory) == len(ids)
    check(memory.find((*PROMPT, 0, 1), 2), (*PROMPT, 0, 1))


def test_memory_is_bounded_and_the_least_used_goes_first() -> None:
    memory = Memory(25)
    first, second, third = ((*PROMPT, n, n, n, n, n) for n in (1, 2, 3))
    memory.keep(first, 3, stored(first))
    memory.keep(second, 3, stored(second))
    memory.find(first, 3)
    memory.keep(third, 3, stored(third))
    assert len(memory) == 24
    memory.keep((*third, 4), 3, stored((*third, 4)))
    assert len(memory) <= 25
    fourth = (*PROMPT, 4, 4, 4, 4, 4)
    memory.keep(fourth, 3, stored(fourth))
    assert memory.find(second, 3) is None
    check(memory.find(fourth, 3), fourth)
    memory.keep((*PROMPT, *[5] * 50), 3, stored((*PROMPT, *[5] * 50)))
    assert len(memory) == 0


def test_equal_hashes_are_not_trusted() -> None:
    memory = Memory(1000)
    ids = (*PROMPT, 1)
    memory.keep(ids, 4, stored(ids))
    memory._index = dict.fromkeys([hash((*PROMPT, 2)), *memory._index], 1)
    assert memory.find((*PROMPT, 2), 4) is None

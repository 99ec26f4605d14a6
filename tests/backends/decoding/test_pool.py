"""The pool: a token is found by what stands before it, and what was used longest ago goes first."""

from __future__ import annotations

import numpy as np

from vsgen.backends.decoding.forward import Stored
from vsgen.backends.decoding.pool import START, Pool
from vsgen.backends.numeric.network import Network
from vsgen.tiny import WEIGHTS


def columns(values: list[int]) -> Stored:
    """Keys and values of one layer that say which token they are of."""
    keys = np.array(values, np.float64)[None, :, None] * np.ones((2, 1, 3))
    return [(keys, -keys)]


def kept(pool: Pool, tokens: list[int], before: int = START) -> list[int]:
    """Keep a chain of tokens; their numbers."""
    numbers = []
    for token in tokens:
        before = pool.place(before, token)
        numbers.append(before)
    pool.put(numbers, columns(tokens), range(len(tokens)))
    pool.use(reversed(numbers))
    return numbers


def taken(pool: Pool, numbers: list[int]) -> list[int]:
    """The tokens that keys and values are of."""
    ((keys, values),) = [pair for pair in pool.take(numbers) if pair]
    assert (keys == -values).all()
    return [int(each) for each in keys[0, :, 0]]


def test_a_token_is_found_by_what_stands_before_it() -> None:
    pool = Pool(Network(WEIGHTS), 10)
    one, two = kept(pool, [5, 6]), kept(pool, [7, 6])
    assert [pool.find(START, 5), pool.find(one[0], 6), pool.find(two[0], 6)] == [one[0], one[1], two[1]]
    assert pool.find(START, 6) is None
    assert taken(pool, [*two, one[1]]) == [7, 6, 6]
    assert kept(pool, [5, 6]) == one
    assert len(pool) == 4


def test_what_was_used_longest_ago_goes_and_its_number_never_comes_again() -> None:
    pool = Pool(Network(WEIGHTS), 1000)
    trunk = kept(pool, list(range(300)))
    for i in range(100):
        pool.use(reversed(trunk))
        kept(pool, list(range(1000 + 20 * i, 1020 + 20 * i)), trunk[-1])
        assert len(pool) == min(1000, 300 + 20 * (i + 1))
        assert taken(pool, trunk) == list(range(300))
    assert pool.find(trunk[-1], 1000) is None
    last = pool.find(trunk[-1], 1000 + 20 * 99)
    assert last is not None
    assert taken(pool, [last]) == [1000 + 20 * 99]
    again = kept(pool, [1000], trunk[-1])
    assert again[0] > last


def test_the_end_of_a_chain_goes_before_its_beginning() -> None:
    pool = Pool(Network(WEIGHTS), 6)
    chain = kept(pool, [1, 2, 3, 4])
    kept(pool, [8, 9, 10])
    assert pool.find(START, 1) == chain[0]
    assert pool.find(chain[0], 2) == chain[1]
    assert pool.find(chain[2], 4) is None


def test_one_prompt_that_needs_more_has_it() -> None:
    pool = Pool(Network(WEIGHTS), 3)
    pool.need(700)
    assert taken(pool, kept(pool, list(range(700)))) == list(range(700))

"""The buffers of a running batch keep every row's keys and values, whatever grows, moves or leaves."""

from __future__ import annotations

import torch

from vsgen.backends.hf.cache import Buffers, Place


def filled(rows: int, *, tokens: int = 10_000) -> tuple[Buffers, list[torch.Tensor]]:
    """Buffers with rows of 3, 4, 5... tokens, row i holding numbers of its own."""
    buffers = Buffers(64, tokens)
    prompts = [torch.full((2, 3 + row, 4), float(row + 1)) for row in range(rows)]
    for row, prompt in enumerate(prompts):
        buffers.place.reserve(row + 1, 3 + row)
        buffers.insert(row, [(prompt, -prompt)])
    return buffers, prompts


def write(buffers: Buffers, lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Add one token of 100s to every row."""
    span = max(lengths) + 1
    buffers.place.reserve(len(lengths), span)
    buffers.aim(torch.tensor(lengths), span)
    token = torch.full((len(lengths), 2, 1, 4), 100.0)
    return buffers.update(token, -token, 0)


def test_rows_keep_their_numbers_as_the_buffers_grow() -> None:
    for tokens in (1, 10_000):
        buffers, prompts = filled(9, tokens=tokens)
        keys, values = write(buffers, [3 + row for row in range(9)])
        for row, prompt in enumerate(prompts):
            assert torch.equal(keys[row, :, : 3 + row], prompt)
            assert torch.equal(values[row, :, : 3 + row], -prompt)
            assert bool((keys[row, :, 3 + row] == 100).all())
            assert bool((keys[row, :, 4 + row :] == 0).all())


def test_last_row_takes_the_place_of_one_that_leaves() -> None:
    buffers, prompts = filled(4)
    write(buffers, [3, 4, 5, 6])
    buffers.move(3, 1, 7)
    keys, _ = write(buffers, [4, 7, 6])
    assert torch.equal(keys[1, :, :6], prompts[3])
    assert bool((keys[1, :, 6:8] == 100).all())
    assert torch.equal(keys[2, :, :5], prompts[2])


def test_buffers_stay_within_memory_and_grow_by_doubling_where_they_can() -> None:
    place = Place(rows=64, tokens=4096)
    place.reserve(4, 100)
    assert place.capacity == (8, 256)
    place.reserve(8, 256)
    assert place.capacity == (8, 256)
    place.reserve(16, 200)
    assert place.capacity == (16, 200)
    place.reserve(1, 9000)
    assert place.capacity == (1, 9000)

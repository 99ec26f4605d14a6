"""Where memory does not suffice, less runs at once and the replies are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.model import open_hf
from vsgen.backends.hf.network import Network
from vsgen.errors import CallError
from vsgen.ports import Ticket
from vsgen.values import Answer, Completion, Generate, Prompt, Refused

MakeModel = Callable[..., Path]
CALLS = [
    replace(Generate(Prompt(prefill=f"The bike light {'leaks ' * (seed % 4)}"), seed=seed), max_tokens=6 + seed)
    for seed in range(9)
]
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def opened(make_model: MakeModel) -> BatchedModel:
    return open_hf(str(make_model()), device="cpu", dtype="float64", batch=8)


def answers(model: BatchedModel) -> dict[int, Answer]:
    queue, found = model.decoder(), dict[int, Answer]()
    for place, call in enumerate(CALLS):
        queue.submit(Ticket(place, place), call)
    for _ in range(400):
        found.update((ticket.place, answer) for ticket, answer in queue.work())
    return found


@pytest.mark.parametrize("name", ["step", "prefetch"])
@pytest.mark.parametrize("most", [1, 3])
def test_replies_are_the_same_where_only_a_few_rows_fit(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    model = opened(make_model)
    expected = dict(enumerate(model.generate(CALLS)))
    plain, rows = getattr(Network, name), list[int]()

    def short(self: Network, first: Any, *rest: Any) -> Any:
        if len(first) > most:
            raise FULL
        rows.append(len(first))
        return plain(self, first, *rest)

    monkeypatch.setattr(Network, name, short)
    assert answers(model) == expected
    assert 0 < max(rows) <= most
    assert model.generate(CALLS) == list(expected.values())


def test_a_call_for_which_memory_does_not_suffice_alone_is_refused_and_the_others_are_answered(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(make_model)
    expected = model.generate(CALLS)
    longest = sorted(reply.prompt_tokens + len(reply.tokens) for reply in expected)[4] - 2
    plain = Network.step

    def short(self: Network, tokens: Any, lengths: Any, buffers: Any) -> Any:
        if max(lengths) > longest:
            raise FULL
        return plain(self, tokens, lengths, buffers)

    monkeypatch.setattr(Network, "step", short)
    found = answers(model)
    lost = {place for place, answer in found.items() if isinstance(answer, Refused)}
    assert found.keys() == set(range(len(CALLS)))
    assert 0 < len(lost) < len(CALLS)
    for place, answer in found.items():
        if isinstance(answer, Completion):
            assert answer == expected[place]
        else:
            assert "not enough memory for this call alone (CUDA out of memory" in str(answer)
    with pytest.raises(CallError, match="not enough memory"):
        model.generate([CALLS[min(lost)]])


def test_any_other_failure_is_raised(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened(make_model)

    def broken(*_: Any) -> Any:
        raise RuntimeError("an illegal instruction")

    monkeypatch.setattr(Network, "step", broken)
    with pytest.raises(RuntimeError, match="an illegal instruction"):
        model.generate(CALLS)

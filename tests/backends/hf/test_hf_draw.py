"""The vectorised token draw is the exact one of the table model, row by row."""

from __future__ import annotations

import math
from random import Random

import pytest
import torch

from vsgen.backends.hf.draw import draw, knobs
from vsgen.backends.table import shape
from vsgen.probability import invert
from vsgen.values import Generate, Prompt

CPU = torch.device("cpu")
PROMPT = Prompt(prefill="x")


def settings(rng: Random) -> Generate:
    return Generate(
        PROMPT,
        seed=0,
        temperature=rng.choice([0.0, 0.3, 1.0, 1.0, 2.0]),
        top_k=rng.choice([0, 0, 1, 3, 99]),
        top_p=rng.choice([1.0, 1.0, 0.3, 0.9]),
        min_p=rng.choice([0.0, 0.0, 0.2]),
    )


def bars(allowed: torch.Tensor) -> torch.Tensor:
    return torch.zeros(allowed.shape).masked_fill(~allowed, -torch.inf)


def sorted_top_p(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """What top-p keeps, found by sorting the whole vocabulary."""
    probs = (logits - logits.amax(-1, keepdim=True)).softmax(-1, dtype=torch.float64)
    ranked = probs.sort(-1, descending=True).values
    kept = ((ranked.cumsum(-1) - ranked) < top_p).sum(-1, keepdim=True).clamp(min=1)
    return probs >= ranked.gather(-1, kept - 1)


@pytest.mark.parametrize("seed", range(40))
def test_mixed_rows_are_drawn_as_the_table_draws_each(seed: int) -> None:
    rng = Random(seed)
    calls = [settings(rng) for _ in range(9)]
    logits = torch.tensor([[rng.gauss(0, 2) for _ in range(11)] for _ in calls], dtype=torch.float64)
    allowed = torch.tensor([[token == 4 or rng.random() < 0.8 for token in range(11)] for _ in calls])
    uniforms = [rng.random() for _ in calls]
    drawn = draw(logits, knobs(calls, CPU), torch.tensor(uniforms, dtype=torch.float64), bars(allowed))
    for row, call in enumerate(calls):
        probs = logits[row].softmax(-1).tolist()
        expected = shape([prob * ok for prob, ok in zip(probs, allowed[row].tolist(), strict=True)], call)
        token = int(drawn.tokens[row])
        assert token == invert(expected, uniforms[row])
        assert float(drawn.logp[row]) == pytest.approx(math.log(probs[token]), abs=1e-9)
        assert float(drawn.logq[row]) == pytest.approx(math.log(expected[token]), abs=1e-9)


def test_row_without_filters_is_the_same_beside_rows_with_filters() -> None:
    rng = Random(1)
    logits = torch.tensor([[rng.gauss(0, 2) for _ in range(50)] for _ in range(2)])
    uniforms = torch.tensor([0.4, 0.6], dtype=torch.float64)
    plain, other = Generate(PROMPT, seed=0), Generate(PROMPT, seed=0, temperature=0.5, top_k=4, top_p=0.8, min_p=0.1)
    alone = draw(logits, knobs([plain, plain], CPU), uniforms)
    beside = draw(logits, knobs([plain, other], CPU), uniforms)
    assert int(alone.tokens[0]) == int(beside.tokens[0])
    assert float(alone.logp[0]) == float(beside.logp[0]) == float(beside.logq[0]) == float(alone.logq[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_largest_uniform_never_draws_an_impossible_token(dtype: torch.dtype) -> None:
    logits = torch.full((1, 30), -torch.inf, dtype=dtype)
    logits[0, 7] = 0.0
    uniforms = torch.tensor([1 - 2**-53], dtype=torch.float64)
    drawn = draw(logits, knobs([Generate(PROMPT, seed=0)], CPU), uniforms)
    assert int(drawn.tokens[0]) == 7
    assert float(drawn.logp[0]) == 0.0


def test_draws_follow_the_distribution() -> None:
    rng, n = Random(5), 20_000
    logits = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log().expand(n, 3)
    uniforms = torch.tensor([rng.random() for _ in range(n)], dtype=torch.float64)
    drawn = draw(logits, knobs([Generate(PROMPT, seed=0)] * n, CPU), uniforms)
    for token, prob in enumerate((0.5, 0.3, 0.2)):
        share = float((drawn.tokens == token).double().mean())
        assert share == pytest.approx(prob, abs=4 * math.sqrt(prob * (1 - prob) / n))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.999])
def test_top_p_keeps_what_a_full_sort_keeps(dtype: torch.dtype, top_p: float) -> None:
    source = torch.Generator().manual_seed(3)
    spread = torch.tensor([0.0, 0.01, 0.5, 1.0, 2.0, 4.0, 9.0])[:, None]  # from all tied to one token alone
    logits = (torch.randn((7, 5000), generator=source) * spread).round(decimals=1).to(dtype)
    uniforms = torch.rand(7, generator=source, dtype=torch.float64)
    how, plain = (knobs([Generate(PROMPT, seed=0, top_p=p)] * 7, CPU) for p in (top_p, 1.0))
    drawn, expected = draw(logits, how, uniforms), draw(logits, plain, uniforms, bars(sorted_top_p(logits, top_p)))
    for found, sought in zip(drawn, expected, strict=True):
        assert torch.equal(found, sought)


def test_barring_nothing_changes_nothing() -> None:
    source = torch.Generator().manual_seed(4)
    logits = torch.randn((9, 3000), generator=source) * 40  # weights that float32 can only say as subnormal numbers too
    uniforms = torch.rand(9, generator=source, dtype=torch.float64)
    how = knobs([Generate(PROMPT, seed=0)] * 9, CPU)
    free, barred = draw(logits, how, uniforms), draw(logits, how, uniforms, torch.zeros(9, 3000))
    assert torch.equal(free.tokens, barred.tokens)
    assert torch.equal(free.logp, barred.logp)

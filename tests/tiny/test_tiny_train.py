"""The trainer learns, repeats itself, and writes what plain transformers can load."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from vsgen.tiny.corpus import encoder
from vsgen.tiny.train import Recipe, build, fit, rate, save

SMALL = Recipe(steps=6, pool=40, size=512, warmup=1, width=32, layers=1, heads=1, feed_forward=32, sample=300)


def train() -> tuple[list[float], LlamaForCausalLM]:
    tokenizer, model = build(SMALL)
    return [float(rows.mean()) for _, _, rows in fit(model, encoder(tokenizer), SMALL)], model


def test_training_lowers_the_divergence_and_repeats_bit_by_bit() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    (first, model), (second, again) = train(), train()
    torch.set_num_threads(threads)
    assert first == second
    assert first[-1] < first[0]
    for one, other in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_saved_weights_load_in_plain_transformers(tmp_path: Path) -> None:
    tokenizer, model = build(SMALL)
    save(model, tokenizer, tmp_path)
    loaded = LlamaForCausalLM.from_pretrained(tmp_path, local_files_only=True)
    assert loaded.dtype == torch.float16
    assert loaded.generation_config is not None
    assert loaded.generation_config.eos_token_id == tokenizer.eos_token_id
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".jinja", ".safetensors"}


def test_rate_rises_then_falls_to_zero() -> None:
    recipe = Recipe(steps=1000, warmup=10)
    rates = [rate(step, recipe) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == 1.0
    assert rates[-1] < 0.002

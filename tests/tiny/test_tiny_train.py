"""The trainer learns, repeats itself, and writes what plain transformers can load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from vsgen.tiny import train as trainer
from vsgen.tiny.corpus import encoder
from vsgen.tiny.gates import gates
from vsgen.tiny.measure import Figure
from vsgen.tiny.train import Recipe, build, fit, noisy, onward, rate, save, train_into

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


@torch.no_grad()
def test_dropout_is_unbiased_seeded_and_gone_afterwards() -> None:
    _, model = build(SMALL)
    part, ones = model.model.layers[0].mlp, torch.ones(2000, SMALL.width)

    def noised(seed: int) -> torch.Tensor:
        with noisy(model, 0.5, torch.Generator().manual_seed(seed)):
            return torch.as_tensor(part(ones))

    plain = part(ones)
    assert torch.equal(noised(0), noised(0))
    assert not torch.equal(noised(0), noised(1))
    assert torch.equal(part(ones), plain)
    error = plain[0].abs() / 2000**0.5
    assert bool(((noised(0).mean(0) - plain[0]).abs() < 5 * error).all())


def test_saved_weights_load_in_plain_transformers(tmp_path: Path) -> None:
    tokenizer, model = build(SMALL)
    save(model, tokenizer, tmp_path)
    loaded = LlamaForCausalLM.from_pretrained(tmp_path, local_files_only=True)
    assert loaded.dtype == torch.float16
    assert loaded.generation_config is not None
    assert loaded.generation_config.eos_token_id == tokenizer.eos_token_id
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".jinja", ".safetensors"}


def test_weights_that_miss_a_gate_do_not_replace_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trainer, "Recipe", lambda steps, seed: replace(SMALL, steps=steps, seed=seed))
    output = tmp_path / "weights"
    output.mkdir()
    (output / "model.safetensors").write_text("the old ones")
    monkeypatch.setattr(trainer, "gates", lambda folder, n: [Figure("a", 0.3, n, 0.4)])
    assert trainer.main(["--output", str(output), "--steps", "2", "--keep", "1", "--every", "1"]) == 1
    assert (output / "model.safetensors").read_text() == "the old ones"
    assert "MISSED" in capsys.readouterr().out
    monkeypatch.setattr(trainer, "gates", lambda folder, n: [Figure("a", 0.5, n, 0.4)])
    assert trainer.main(["--output", str(output), "--steps", "2"]) == 0
    assert LlamaForCausalLM.from_pretrained(output, local_files_only=True).num_parameters() > 0
    assert not output.with_name("weights.part").exists()


def test_an_untrained_model_misses_the_real_gates(tmp_path: Path) -> None:
    train_into(tmp_path, replace(SMALL, steps=1), device="cpu", every=10, keep=10)
    first = next(gates(tmp_path, 4))
    assert first.value == 0
    assert not first.held


def test_rate_rises_then_falls_to_zero() -> None:
    recipe = Recipe(steps=1000, warmup=10)
    rates = [rate(step, recipe) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == 1.0
    assert rates[-1] < 0.002


def test_given_weights_are_trained_on_with_their_own_tokenizer(tmp_path: Path) -> None:
    tokenizer, model = build(SMALL)
    save(model, tokenizer, tmp_path)
    recipe = onward(SMALL, tmp_path, 0.5)
    kept, started = build(recipe)
    assert kept.get_vocab() == tokenizer.get_vocab()
    for one, other in zip(model.state_dict().values(), started.state_dict().values(), strict=True):
        assert other.dtype == torch.float32
        assert torch.allclose(one, other, atol=1e-3)
    assert (recipe.lr, recipe.lr_matrix, recipe.early) == (SMALL.lr / 2, SMALL.lr_matrix / 2, 0)
    losses = [float(rows.mean()) for _, _, rows in fit(started, encoder(kept), recipe)]
    assert losses[-1] < losses[0]

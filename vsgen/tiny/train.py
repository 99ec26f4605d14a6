"""``python -m vsgen.tiny.train``: make the embedded model anew, from the grammar alone.

Steps, seeds and threads are fixed, so the same machine and torch build give the same weights. Progress is the mean
KL(truth || model) per reply token, by what is practised: 0 is perfect. The weights grow in a folder beside the output
and take its place only if they hold every gate of `evaluate`.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from vsgen.tiny import WEIGHTS
from vsgen.tiny.chat import conversation
from vsgen.tiny.corpus import Batch, Encode, batches, encoder
from vsgen.tiny.evaluate import GATED, report
from vsgen.tiny.gates import gates
from vsgen.tiny.tokens import CONTEXT, train

_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
"""Makes glibc keep freed memory instead of returning it to the kernel at every step: 1.3 times the speed."""


STEPS = 12_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines the weights."""

    steps: int = STEPS
    size: int = 4096
    """Padded tokens per batch."""
    pool: int = 2000
    """Conversations that are drawn and sorted by length at a time."""
    early: float = 0.12
    """Share of the steps on short conversations."""
    warmup: int = 200
    lr_matrix: float = 0.01
    """Muon, for the matrices inside the layers, scaled to match AdamW's step."""
    lr: float = 0.004
    """AdamW, for embeddings and norms."""
    dropout: float = 0.05
    """Of what each half of a layer adds: the model learns to hedge, so that what it gets wrong it is also unsure of."""
    seed: int = 0
    threads: int = 2
    width: int = 128
    layers: int = 4
    heads: int = 4
    feed_forward: int = 352
    sample: int = 8000
    """Conversations from which the tokenizer is learned."""
    start: Path | None = None
    """A folder whose tokenizer and weights are trained on; None makes both anew."""


def onward(recipe: Recipe, start: Path, peak: float) -> Recipe:
    """A recipe that trains given weights on, from `peak` of the learning rates, without the short conversations."""
    lr_matrix, lr = peak * recipe.lr_matrix, peak * recipe.lr
    return replace(recipe, early=0.0, start=start, lr_matrix=lr_matrix, lr=lr)


def build(recipe: Recipe) -> tuple[PreTrainedTokenizerFast, LlamaForCausalLM]:
    """A trained tokenizer and an untrained model; or both from where the recipe starts."""
    if recipe.start is not None:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(recipe.start, local_files_only=True)
        for name in ("is_local", "local_files_only"):  # how it was opened, which is not to be saved with it
            tokenizer.init_kwargs.pop(name, None)
        return tokenizer, LlamaForCausalLM.from_pretrained(recipe.start, local_files_only=True, dtype=torch.float32)
    rng = Random(recipe.seed)
    tokenizer = train(turn.text for _ in range(recipe.sample) for turn in conversation(rng).turns)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.width,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        use_cache=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(recipe.seed)
        return tokenizer, LlamaForCausalLM(config)


def optimizers(model: LlamaForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    muon = torch.optim.Muon(matrices, lr=recipe.lr_matrix, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(others, lr=recipe.lr, betas=(0.9, 0.98), weight_decay=0.01)]


def divergence(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """KL(truth || model) at every row, in nats."""
    tokens, rows, ids, probs = (
        torch.from_numpy(part).to(model.device) for part in (batch.tokens, batch.rows, batch.ids, batch.probs)
    )
    hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state
    logits = model.lm_head(hidden.flatten(0, 1)[rows])
    chosen = logits.gather(1, ids)
    cross = logits.logsumexp(1) - (probs * chosen).sum(1)
    divergences: torch.Tensor = cross + torch.xlogy(probs, probs).sum(1)
    return divergences


def rate(step: int, recipe: Recipe) -> float:
    """Learning-rate factor: linear warm-up, then linear decay to zero."""
    return min(1.0, (step + 1) / recipe.warmup, (recipe.steps - step) / (recipe.steps * 0.85))


@contextmanager
def noisy(model: LlamaForCausalLM, dropout: float, rng: torch.Generator) -> Iterator[None]:
    """Within it a share of what attention and feed-forward parts add is set to 0, the rest scaled up."""

    def drop(_: torch.nn.Module, __: object, added: torch.Tensor) -> torch.Tensor:
        return added * torch.empty_like(added).bernoulli_(1 - dropout, generator=rng).div_(1 - dropout)

    last = [part for layer in model.model.layers for part in (layer.self_attn.o_proj, layer.mlp.down_proj)]
    handles = [part.register_forward_hook(drop) for part in last] if dropout else []
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def fit(model: LlamaForCausalLM, encode: Encode, recipe: Recipe) -> Iterator[tuple[int, Batch, torch.Tensor]]:
    """Train; yields every step's number, batch and divergences."""
    made = optimizers(model, recipe)
    bases = [[group["lr"] for group in optimizer.param_groups] for optimizer in made]
    rng = Random(recipe.seed + 1)
    noise = torch.Generator(model.device).manual_seed(recipe.seed + 2)
    begin, later = (batches(encode, rng, size=recipe.size, pool=recipe.pool, early=early) for early in (True, False))
    for step in range(recipe.steps):
        batch = next(begin if step < recipe.early * recipe.steps else later)
        with noisy(model, recipe.dropout, noise):
            rows = divergence(model, batch)
        rows.mean().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, base in zip(made, bases, strict=True):
            for group, lr in zip(optimizer.param_groups, base, strict=True):
                group["lr"] = lr * rate(step, recipe)
            optimizer.step()
            optimizer.zero_grad()
        yield step, batch, rows.detach()


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the model in half precision with everything that transformers needs beside it."""
    half = copy.deepcopy(model)
    torch.nn.Module.to(half, "cpu", torch.float16)
    half.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        temperature=1.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    half.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


class Report:
    """Mean divergence per practised kind since the last line."""

    def __init__(self) -> None:
        self._sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._tokens = 0

    def add(self, batch: Batch, rows: torch.Tensor) -> None:
        """Count a batch."""
        self._tokens += batch.tokens.size
        for kind, value in zip(batch.kinds, rows.tolist(), strict=True):
            self._sums[kind][0] += value
            self._sums[kind][1] += 1

    def line(self) -> str:
        """The figures, and a new start."""
        text = " ".join(f"{kind.replace(' ', '/')} {s / n:.3f}" for kind, (s, n) in sorted(self._sums.items()))
        self._sums.clear()
        return f"tokens {self._tokens / 1e6:.2f}M | {text}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, and write the weights if they hold every gate; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=WEIGHTS, help="the folder to write; the package's own by default"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="optimizer steps")
    parser.add_argument("--start", type=Path, help="train the weights of this folder on instead of new ones")
    parser.add_argument("--peak", type=float, default=0.5, help="with --start: learning rates, as a share")
    parser.add_argument("--seed", type=int, default=0, help="of the conversations; with --start take another one")
    parser.add_argument("--threads", type=int, default=2, help="one is better than two on a machine that is shared")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; the committed weights come from the CPU")
    parser.add_argument("--every", type=int, default=100, help="steps between two lines of the report")
    parser.add_argument("--keep", type=int, default=500, help="steps between two checkpoints")
    options = parser.parse_args(arguments)
    part = options.output.with_name(f"{options.output.name}.part")
    recipe = Recipe(steps=options.steps, seed=options.seed)
    if options.start is not None:
        recipe = onward(recipe, options.start, options.peak)
    recipe = replace(recipe, threads=options.threads)
    train_into(part, recipe, device=options.device, every=options.every, keep=options.keep)
    if not report(gates(part, GATED)):
        sys.stdout.write(f"a gate is missed: {options.output} stays as it was, the new weights are in {part}\n")
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    for file in part.iterdir():
        file.replace(options.output / file.name)
    part.rmdir()
    sys.stdout.write(f"wrote {options.output}\n")
    return 0


def train_into(folder: Path, recipe: Recipe, *, device: str, every: int, keep: int) -> None:
    """Train by a recipe, with a checkpoint in `folder` every `keep` steps and after the last."""
    torch.set_num_threads(recipe.threads)
    tokenizer, model = build(recipe)
    torch.nn.Module.to(model, device)
    progress = Report()
    for step, batch, rows in fit(model, encoder(tokenizer), recipe):
        progress.add(batch, rows)
        if (step + 1) % every == 0:
            sys.stdout.write(f"step {step + 1} {progress.line()}\n")
            sys.stdout.flush()
        if (step + 1) % keep == 0 or step + 1 == recipe.steps:
            save(model, tokenizer, folder)


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in _MALLOC.items()):
        os.execve(sys.executable, [sys.executable, "-m", "vsgen.tiny.train", *sys.argv[1:]], {**os.environ, **_MALLOC})
    sys.exit(main())

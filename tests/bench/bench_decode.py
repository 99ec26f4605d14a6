"""Decoding: our loop against `model.generate` and against transformers' own continuous batching, on the same calls.

The calls are ragged: verbalized-sampling prompts that ask for 2 to 8 answers. Every loop draws from the model's own
distribution (temperature 1, no filters) with at most 32 replies side by side. Rounds alternate between the loops; each
loop's best round counts. One thread; the ratio is of tokens per CPU-second, which a busy machine disturbs least.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.load import load
from vsgen.backends.hf.model import open_hf
from vsgen.sampling.prompts import verbalized
from vsgen.tiny import WEIGHTS
from vsgen.values import Generate, Message, Prompt

HF: Any = transformers
BATCH = 32
ROUNDS = 3
TOPICS = ("a day of the week", "a city", "a colour", "an animal", "a fruit", "a job")


@dataclass(frozen=True)
class Case:
    """One model and the calls that every loop answers."""

    title: str
    ours: BatchedModel
    model: Any
    calls: Sequence[Generate]
    prompts: Sequence[list[int]]


def main() -> None:
    """Print one table per model."""
    if os.environ.get("OMP_NUM_THREADS") != "1":  # continuous batching computes in a thread of its own
        os.execve(sys.executable, [sys.executable, __file__], {**os.environ, "OMP_NUM_THREADS": "1"})
    HF.utils.logging.set_verbosity_error()
    HF.utils.logging.disable_progress_bar()
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        report(open_case("embedded model, float32", WEIGHTS, 256, forced=False))
        report(random_case(Path(folder)))


def random_case(folder: Path) -> Case:
    """Random weights that never end by themselves: lengths are forced, as those of 2 to 8 answers."""
    config = LlamaConfig(
        vocab_size=4096, hidden_size=256, intermediate_size=688, num_hidden_layers=4, num_attention_heads=8
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / file).write_bytes((WEIGHTS / file).read_bytes())
    return open_case("random Llama, d=256, 4 layers, float32", folder, 96, forced=True)


def open_case(title: str, folder: Path, n: int, *, forced: bool) -> Case:
    """Open a model twice, for us and for transformers, and make the calls."""
    ours = open_hf(str(folder), device="cpu", dtype="float32", batch=BATCH)
    theirs = load(str(folder), device="cpu", dtype="float32")
    rng = Random(0)
    calls, prompts = [], []
    for seed in range(n):
        k = rng.randint(2, 8)
        text = f"Name {rng.choice(TOPICS)}.\n\n" + verbalized(["text"], k, p_max=None, reasoning=False)
        limit = k * rng.randint(12, 24) if forced else 256
        calls.append(Generate(Prompt((Message("user", text),)), seed=seed, max_tokens=limit))
        chat: Any = theirs.tokenizer
        turns = [{"role": "user", "content": text}]
        prompts.append(list(chat.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]))
    theirs.model.generation_config = HF.GenerationConfig(
        do_sample=True, top_k=0, pad_token_id=0, eos_token_id=None if forced else theirs.tokenizer.eos_token_id
    )
    return Case(title, ours, theirs.model, calls, prompts)


def run_ours(case: Case) -> int:
    """Our loop; returns how many tokens it drew."""
    return sum(len(reply.tokens) for reply in case.ours.generate(case.calls))


def run_generate(case: Case) -> int:
    """Static left-padded batches, each lasting until its longest reply ends; later tokens do not count."""
    drawn = 0
    for start in range(0, len(case.calls), BATCH):
        prompts, calls = case.prompts[start : start + BATCH], case.calls[start : start + BATCH]
        width = max(len(prompt) for prompt in prompts)
        ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        longest = max(call.max_tokens for call in calls)
        replies = case.model.generate(ids, attention_mask=mask, max_new_tokens=longest)[:, width:].tolist()
        drawn += sum(_used(case, reply, call.max_tokens) for reply, call in zip(replies, calls, strict=True))
    return drawn


def run_continuous(case: Case) -> int:
    """Continuous batching of transformers, each request with its own limit."""
    config = ContinuousBatchingConfig(
        max_requests_per_batch=BATCH, num_blocks=512, page_size=64, max_batch_tokens=1024, use_cuda_graph=False
    )
    with case.model.continuous_batching_context_manager(continuous_batching_config=config, block=True) as manager:
        names = [
            manager.add_request(prompt, max_new_tokens=call.max_tokens)
            for prompt, call in zip(case.prompts, case.calls, strict=True)
        ]
        drawn, waiting = 0, len(names)
        while waiting:
            result = manager.get_result(timeout=60)
            if result is None or result.error:
                raise RuntimeError(result.error if result else "no reply within a minute")
            if result.is_finished():
                drawn, waiting = drawn + len(result.generated_tokens), waiting - 1
    return drawn


def _used(case: Case, reply: list[int], limit: int) -> int:
    end = case.model.generation_config.eos_token_id
    return min(limit, reply.index(end) + 1 if end in reply else len(reply))


def report(case: Case) -> None:
    """Measure the loops side by side and print their rates."""
    loops: dict[str, Callable[[Case], int]] = {
        "vsgen": run_ours,
        "model.generate": run_generate,
        "continuous batching": run_continuous,
    }
    best: dict[str, tuple[float, float]] = {}
    failed: dict[str, str] = {}
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            try:
                wall, cpu = _rate(loop, case)
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
                continue
            old = best.get(name, (0.0, 0.0))
            best[name] = (max(old[0], wall), max(old[1], cpu))
    sys.stdout.write(f"{case.title}: {len(case.calls)} calls, batch {BATCH}\n")
    sys.stdout.write(f"  {'loop':<22}{'tokens/s':>10}{'tokens/CPU-s':>14}{'vsgen is':>12}\n")
    for name in loops:
        if name in best:
            wall, cpu = best[name]
            sys.stdout.write(f"  {name:<22}{wall:>10.0f}{cpu:>14.0f}{best['vsgen'][1] / cpu:>11.2f}x\n")
        else:
            sys.stdout.write(f"  {name:<22}failed: {failed[name].splitlines()[0]}\n")


def _rate(loop: Callable[[Case], int], case: Case) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    drawn = loop(case)
    return drawn / (time.perf_counter() - wall), drawn / (time.process_time() - cpu)


if __name__ == "__main__":
    main()

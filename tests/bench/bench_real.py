"""A real model, one thread, batch 32: our loop against `model.generate`, and what forced tokens and trunks save.

The model is SmolLM2-135M-Instruct where `make real` has put it (build/real), else random weights of its shape with the
embedded model's tokenizer. First the same free replies of ragged lengths, in batches sorted by length for `generate`,
which is told each length in advance; then lists in a JSON form, as CPU-seconds a reply, with forced tokens fed with the
token before them and with a step each; then prompts of one template with and without a common beginning.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.load import load
from vsgen.backends.hf.model import open_hf
from vsgen.tiny import WEIGHTS
from vsgen.values import Generate, Message, Prompt

HF: Any = transformers
REAL = Path("build/real/SmolLM2-135M-Instruct.Q4_1.gguf")
BATCH = 32
ITEM = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 40},
        "probability": {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.01},
    },
    "required": ["text", "probability"],
    "additionalProperties": False,
}
FORM = json.dumps(
    {
        "type": "object",
        "properties": {"responses": {"type": "array", "minItems": 5, "maxItems": 5, "items": ITEM}},
        "required": ["responses"],
        "additionalProperties": False,
    }
)
TOPICS = ("a fruit", "a city", "a colour", "an animal", "a job", "a bird", "a tree", "a river")
SYSTEM = (
    "Give 5 different answers to the task, each with the probability that you would give it. Write JSON: a list "
    '"responses" of objects with "text" and "probability".'
)


def main() -> None:
    """Print the three tables."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench", "real"], {**os.environ, "OMP_NUM_THREADS": "1"})
    HF.utils.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        source = str(REAL) if REAL.is_file() else random_model(Path(folder))
        print(f"{REAL.name if REAL.is_file() else 'random weights of SmolLM2-135M'}, float32, batch {BATCH}, CPU time")
        ours = open_hf(source, device="cpu", dtype="float32", batch=BATCH)
        ours.generate([Generate(_task("a day"), seed=0, max_tokens=40, schema=FORM)])  # what is made once
        free(ours, source)
        lists(ours)
        prompts(ours)


def random_model(folder: Path) -> str:
    """SmolLM2-135M's shape with random weights."""
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / file).write_bytes((WEIGHTS / file).read_bytes())
    return str(folder)


def free(ours: BatchedModel, source: str) -> None:
    """The same ragged replies, without a form: ours, then `generate` in batches sorted by length."""
    theirs = load(source, device="cpu", dtype="float32")
    rng = Random(0)
    asked = [Prompt((Message("user", f"Write some words about {rng.choice(TOPICS)}."),)) for _ in range(2 * BATCH)]
    calls = [Generate(prompt, seed=i, max_tokens=rng.randint(8, 56)) for i, prompt in enumerate(asked)]
    seconds, replies = timed(lambda: ours.generate(calls))
    lengths = [len(reply.tokens) for reply in replies]
    ids = [ours._parts.reader.ids(call.prompt) for call in calls]
    peer, _ = timed(lambda: generate(theirs.model, ids, lengths))
    drawn = sum(lengths)
    print(f"  free replies, {min(lengths)} to {max(lengths)} tokens          tokens/CPU-s")
    print(f"    {'vsgen':<40}{drawn / seconds:>10.0f}")
    print(f"    {'model.generate, sorted by length':<40}{drawn / peer:>10.0f}   vsgen is {peer / seconds:.2f}x")


def generate(model: Any, prompts: Sequence[list[int]], lengths: Sequence[int]) -> None:
    """Static batches, left-padded, each as long as its longest reply; nothing ends a reply early."""
    order = sorted(range(len(prompts)), key=lengths.__getitem__)
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        width = max(len(prompts[i]) for i in batch)
        ids = torch.tensor([[0] * (width - len(prompts[i])) + prompts[i] for i in batch])
        mask = torch.tensor([[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch])
        longest = max(lengths[i] for i in batch)
        settings = HF.GenerationConfig(do_sample=True, top_k=0, pad_token_id=0, eos_token_id=None)
        model.generate(ids, attention_mask=mask, generation_config=settings, max_new_tokens=longest)


def lists(ours: BatchedModel) -> None:
    """Lists of short answers in a JSON form, with and without forced tokens fed together."""
    for batch in (4, BATCH):
        print(f"  lists of five, {batch} at a time                CPU-s a reply")
        calls = [
            Generate(_task(TOPICS[i % len(TOPICS)]), seed=i, max_tokens=300, temperature=0.7, schema=FORM)
            for i in range(batch)
        ]
        ours._parts.network.takes_chunks = True
        together, replies = timed(lambda calls=calls: ours.generate(calls))  # type: ignore[misc]
        ours._parts.network.takes_chunks = False
        alone, _ = timed(lambda calls=calls: ours.generate(calls))  # type: ignore[misc]
        ours._parts.network.takes_chunks = True
        tokens = sum(len(reply.tokens) for reply in replies) / batch
        print(f"    {f'forced tokens fed together ({tokens:.0f} tokens)':<40}{together / batch:>10.3f}")
        print(f"    {'a step each':<40}{alone / batch:>10.3f}   together is {alone / together:.2f}x")


def prompts(ours: BatchedModel) -> None:
    """Prompts of one template, eight words of reply: the common beginning computed once, or with every prompt."""
    n = 2 * BATCH
    tasks = [_task(f"{TOPICS[i % 8]}, number {i}") for i in range(n)]
    alike, _ = timed(lambda: ours.generate([Generate(task, seed=i, max_tokens=8) for i, task in enumerate(tasks)]))
    apart = [Prompt((Message("system", f"{i}. {SYSTEM}"), *task.messages[1:])) for i, task in enumerate(tasks)]
    each, _ = timed(lambda: ours.generate([Generate(task, seed=i, max_tokens=8) for i, task in enumerate(apart)]))
    tokens = sum(len(ours._parts.reader.ids(task)) for task in tasks) / n
    print(f"  prompts of {tokens:.0f} tokens, 8 tokens drawn           CPU-s a reply")
    print(f"    {'one beginning':<40}{alike / n:>10.3f}")
    print(f"    {'each its own beginning':<40}{each / n:>10.3f}   one beginning is {each / alike:.2f}x")


def _task(topic: str) -> Prompt:
    return Prompt((Message("system", SYSTEM), Message("user", f"Name {topic}.")))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU-seconds of some work, and what it returned."""
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found

"""Scoring classes: one call of `score` against one forward pass per class, on the same prompts, and against the limit.

Random weights (d=256, 6 layers); the classes are of one to four words. The peer does what is done without a library:
prompt + class through the model, once per class, and the class's log-probabilities summed. The limit is one plain
forward pass over as many tokens as the text and the tree of the classes have together, with the output layer for the
tree alone: nothing that looks at every class can do less. Times are CPU time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.decoding.score import Scorer
from vsgen.backends.hf.model import open_hf
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Prompt, Score

HF: Any = transformers
TEXTS = 8
WORDS = "card payment transfer refund top up exchange rate pending declined limit fee cash lost stolen"


def main() -> None:
    """Print one table."""
    torch.set_num_threads(1)
    HF.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder)
        ours = open_hf(name, device="cpu", dtype="float32")
        theirs = HF.AutoModelForCausalLM.from_pretrained(name).eval()
        tokenizer = HF.AutoTokenizer.from_pretrained(name)
    prompts = [f"{' '.join(Random(seed).choices(WORDS.split(), k=70))}\nWhich class?" for seed in range(TEXTS)]
    heads = ("classes", "texts/s", "ms/text", "per class, ms/text", "ratio", "limit, ms/text", "of limit", "difference")
    sys.stdout.write("".join(f"{head:>{max(10, len(head) + 2)}}" for head in heads) + "\n")
    for n in (2, 10, 100):
        choices = make_classes(n)
        calls = [Score(Prompt((Message("user", prompt),)), choices) for prompt in prompts]
        texts = [f"<|bos|><|user|>{prompt}<|assistant|>" for prompt in prompts]
        fast, one = best(partial(score, ours, calls))
        slow, two = best(partial(score_each, theirs, tokenizer, texts, choices))
        apart = max(abs(a - b) for row, other in zip(one, two, strict=True) for a, b in zip(row, other, strict=True))
        least, _ = best(partial(limit, theirs, tokenizer, texts, choices))
        cells = f"{n:>10}{1e3 / fast:>10.1f}{fast:>10.1f}{slow:>20.1f}{slow / fast:>9.1f}x"
        sys.stdout.write(f"{cells}{least:>16.1f}{least / fast:>9.0%}{apart:>12.1e}\n")


def score(model: BatchedModel, calls: Sequence[Score]) -> list[list[float]]:
    """All texts and classes by one call, nothing of which is known from an earlier one."""
    model._scorer = Scorer(model._parts, model._limits)
    return [list(scores.logp) for scores in model.score(calls)]


def score_each(model: Any, tokenizer: Any, texts: Sequence[str], choices: Sequence[str]) -> list[list[float]]:
    """One forward pass per text and class."""
    return [plain(model, tokenizer, text, choices) for text in texts]


def make_model(folder: Path) -> None:
    """Save random weights with the embedded model's tokenizer."""
    config = LlamaConfig(
        vocab_size=4096, hidden_size=256, intermediate_size=688, num_hidden_layers=6, num_attention_heads=8
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / file).write_bytes((WEIGHTS / file).read_bytes())


def make_classes(n: int) -> tuple[str, ...]:
    """Different classes of one to four words."""
    rng, classes = Random(0), dict[str, None]()
    while len(classes) < n:
        classes[" ".join(rng.choices(WORDS.split(), k=rng.randint(1, 4)))] = None
    return tuple(classes)


@torch.inference_mode()
def plain(model: Any, tokenizer: Any, text: str, choices: Sequence[str]) -> list[float]:
    """One forward pass per class."""
    start = len(tokenizer(text, add_special_tokens=False)["input_ids"])
    found = []
    for choice in choices:
        ids = [*tokenizer(text + choice, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        steps = model(input_ids=torch.tensor([ids])).logits[0, start - 1 : -1].log_softmax(-1)
        found.append(float(steps.gather(1, torch.tensor(ids[start:])[:, None]).double().sum()))
    return found


@torch.inference_mode()
def limit(model: Any, tokenizer: Any, texts: Sequence[str], choices: Sequence[str]) -> list[list[float]]:
    """One forward pass over all texts with as many tokens more as the tree of the classes has."""
    prompts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    tails = [
        tokenizer(text + choice, add_special_tokens=False)["input_ids"] for text in texts[:1] for choice in choices
    ]
    nodes = len({tuple(ids[: i + 1]) for ids in tails for i in range(len(prompts[0]), len(ids))})
    ids = [[*prompt, *[5] * (nodes + max(map(len, prompts)) - len(prompt))] for prompt in prompts]
    hidden = model.base_model(input_ids=torch.tensor(ids), use_cache=False).last_hidden_state[:, -nodes - 1 :]
    found: list[list[float]] = model.lm_head(hidden).logsumexp(-1).tolist()
    return found


def best(run: Callable[[], list[list[float]]]) -> tuple[float, list[list[float]]]:
    """Milliseconds of CPU per text, the better of two runs, and what came out."""
    times = []
    for _ in range(2):
        begun = time.process_time()
        found = run()
        times.append((time.process_time() - begun) * 1e3 / TEXTS)
    return min(times), found


if __name__ == "__main__":
    main()

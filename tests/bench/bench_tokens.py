"""Token-level rows: bytes per answer token of each layout, what the compact form loses, and the speed of teaching.

Sizes: k = 20 over vocabularies of 32 k and 128 k with random scores, answers of 100 tokens after prompts of 100, whose
rows the trainers' layouts hold too. ``plain JSON`` holds what the compact form holds, as numbers with 17 digits. What
is lost is the largest difference of a log-probability in nats, and the largest total variation of a position, beside
float16 of the same size.

Speed: random weights (d=256, 6 layers, the vocabulary of the embedded model), answers of 20 to 100 tokens, CPU time of
one thread. The peer does what is done without a library: prompt and answer through the model, padded batches of 16,
log-softmax over the vocabulary, topk.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, get_args

import numpy as np
import orjson
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from vsgen.backends.hf.model import open_hf
from vsgen.export.packed import Layout, TokenLogprobs, distillkit_row, pack, tail_mass, token_row, tops, unpack
from vsgen.export.table import ID_GRID, IDS, NUMBER_GRID, Table
from vsgen.export.tensors import read_row
from vsgen.jobs.export import save_dataset
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Prompt, Taught, Teach

HF: Any = transformers
TOP = 20
WORDS = "card payment transfer refund top up exchange rate pending declined limit fee cash lost stolen".split()  # noqa: SIM905
MESSAGES = (Message("user", "Why?"), Message("assistant", "Because."))


def main() -> None:
    """Print three tables."""
    sizes()
    losses()
    speed()


def sizes() -> None:
    """Bytes per answer token, in JSONL but for the last, which is of a longer answer, so that its head is no matter."""
    sys.stdout.write(f"{'bytes per answer token, k=20':<36}{'32 k ids':>10}{'128 k ids':>11}\n")
    few, many = random_taught(32_000, 100), random_taught(128_000, 100)
    for layout in get_args(Layout):
        how = TokenLogprobs(TOP, layout)
        each = [len(orjson.dumps(token_row(one, how, MESSAGES))) / len(one.tokens) for one in (few, many)]
        sys.stdout.write(f"{layout:<36}{each[0]:>10.0f}{each[1]:>11.0f}\n")
    naive = [len(orjson.dumps(plain_row(one))) / len(one.tokens) for one in (few, many)]
    sys.stdout.write(f"{'plain JSON':<36}{naive[0]:>10.0f}{naive[1]:>11.0f}\n")
    long = random_taught(32_000, 1000), random_taught(128_000, 1000)
    filed = [parquet_bytes(one) / len(one.tokens) for one in long]
    sys.stdout.write(f"{'distillkit, Parquet':<36}{filed[0]:>10.0f}{filed[1]:>11.0f}\n")
    held = (len(few.top_ids) + len(few.top_logps)) / len(few.tokens)
    target = read_row(pack(few))
    tensors = sum(each.nbytes for each in (target.ids, target.logps, target.tail)) / len(few.tokens)
    sys.stdout.write(f"in memory: a reply {held:.0f}, as tensors {tensors:.0f}\n\n")


def plain_row(one: Taught) -> dict[str, object]:
    """The same content without any care."""
    ids, logps = tops(one)
    columns = {"ids": ids.tolist(), "logps": logps.tolist(), "tail": tail_mass(logps).tolist()}
    return {"prompt_tokens": one.prompt_tokens, "tokens": one.tokens, "token_logps": one.logps, **columns}


def parquet_bytes(taught: Taught) -> int:
    """Size of a Parquet file with a row of DistillKit's."""
    columns = {"input_ids": IDS, "labels": IDS, "token_ids": ID_GRID, "top_values": NUMBER_GRID}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "rows.parquet"
        save_dataset(Table(columns, iter([distillkit_row(taught)])), path)
        return path.stat().st_size


def losses() -> None:
    """What is lost by the compact form's numbers, and by float16."""
    taught = random_taught(32_000, 1000)
    logps = tops(taught)[1]
    exact = logps.astype(np.float64)
    back = tops(unpack(pack(taught))[0])[1].astype(np.float64)
    half = logps.astype(np.float16).astype(np.float64)
    sys.stdout.write(f"{'2 bytes a log-probability':<36}{'nats':>10}{'TV':>11}\n")
    for name, lossy in (("compact form", back), ("float16", half)):
        variation = np.abs(np.exp(lossy) - np.exp(exact)).sum(1).max() / 2
        sys.stdout.write(f"{name:<36}{np.abs(lossy - exact).max():>10.1e}{variation:>11.1e}\n")
    sys.stdout.write("\n")


def random_taught(vocabulary: int, length: int) -> Taught:
    """A reply whose positions are between certain and undecided."""
    rng = np.random.default_rng(0)
    ids, logps, chosen = [], [], []
    for sharpness in rng.uniform(0.5, 4, length):
        scores = rng.normal(size=vocabulary) * sharpness
        scores -= np.logaddexp.reduce(scores)
        best = np.argpartition(-scores, TOP)[:TOP]
        ids.append(best[np.argsort(-scores[best])])
        logps.append(scores[ids[-1]])
        chosen.append(float(scores[ids[-1][0]]))
    prompt = tuple(rng.integers(0, vocabulary, 100).tolist())
    tokens = tuple(int(best[0]) for best in ids)
    return Taught(prompt, tokens, tuple(chosen), TOP, np.array(ids, "<u4").tobytes(), np.array(logps, "<f4").tobytes())


def speed() -> None:
    """Tokens per second of CPU, ours and theirs."""
    torch.set_num_threads(1)
    HF.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        make_model(Path(name))
        ours = open_hf(name, device="cpu", dtype="float32")
        theirs = HF.AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32).eval()
    columns = f"{'answers':<36}{'teach, tok/s':>14}{'plain forward, tok/s':>22}{'ratio':>8}{'difference':>12}"
    sys.stdout.write(f"{columns}\n")
    for title, shared in (("48, each after its own prompt", False), ("48 after the same prompt", True)):
        calls = make_calls(48, shared=shared)
        taught, one = best(partial(ours.teach, calls))
        plain, two = best(partial(forward_each, theirs, taught))
        tokens = sum(len(reply.tokens) for reply in taught)
        apart = max(float(np.abs(tops(reply)[1] - other).max()) for reply, other in zip(taught, plain, strict=True))
        sys.stdout.write(f"{title:<36}{tokens / one:>14.0f}{tokens / two:>22.0f}{two / one:>7.2f}x{apart:>12.1e}\n")


def make_calls(count: int, *, shared: bool) -> list[Teach]:
    """Prompts of some 100 tokens and answers of unequal length."""
    calls = []
    for seed in range(count):
        rng = Random(seed)
        prompt = " ".join(Random(0 if shared else seed).choices(WORDS, k=70))
        calls.append(
            Teach(Prompt((Message("user", prompt),)), " ".join(rng.choices(WORDS, k=rng.randint(14, 70))), TOP)
        )
    return calls


def forward_each(model: Any, replies: Sequence[Taught], rows: int = 16) -> list[Any]:
    """Whole padded sequences through the model; log-softmax and topk of every position."""
    found = []
    for at in range(0, len(replies), rows):
        batch = replies[at : at + rows]
        ids = [torch.tensor([*one.prompt_tokens, *one.tokens[:-1]]) for one in batch]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in ids], batch_first=True)
        with torch.inference_mode():
            values = (
                model(input_ids=padded, attention_mask=mask, use_cache=False).logits.log_softmax(-1).topk(TOP).values
            )
        for row, one in enumerate(batch):
            start = len(one.prompt_tokens) - 1
            found.append(values[row, start : start + len(one.tokens)].numpy())
    return found


def make_model(folder: Path) -> None:
    """A random Llama with the embedded model's tokenizer."""
    tokenizer = HF.AutoTokenizer.from_pretrained(WEIGHTS)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=688,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def best(work: Callable[[], Any], times: int = 3) -> tuple[Any, float]:
    """The result, and the least CPU seconds of some runs."""
    result, seconds = None, float("inf")
    for _ in range(times):
        begun = time.process_time()
        result = work()
        seconds = min(seconds, time.process_time() - begun)
    return result, seconds

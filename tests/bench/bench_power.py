"""Power sampling: cost at equal quality, against the published procedure and against plain decoding.

Same model (the embedded one, float32, one thread), same 32 hard natural sums of four operations, alpha 4, at most 64
tokens. Quality is the mean log p of the replies under the model itself; what it is less the published procedure's is
compared prompt by prompt, with its standard error. The published procedure draws one reply a prompt; all others four,
whose CPU time is divided among them; without kept prefixes on eight of the prompts. Evaluations are token positions
that went through the model, prompts and padding included.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from random import Random
from statistics import mean, stdev
from typing import Any, NamedTuple

import torch
import transformers

from tests.bench.reference_power import Generating, published
from tests.engine.inline import moved
from vsgen.backends.decoding.memory import Memory
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.model import open_hf
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import Engine, Power, Sampling, Settings
from vsgen.tiny import WEIGHTS
from vsgen.tiny.grammar import sums
from vsgen.values import Candidate, Generate, Message, Prompt

HF: Any = transformers
DECODE: Any = import_module("vsgen.backends.decoding.decode")
PROMPTS = 32
STEPS = 4
LIMIT = 64
ALPHA = 4.0
REPLIES = 4
FEW = 8
"""Prompts of the way that is too slow for all."""
BATCH = 128


class Run(NamedTuple):
    """What a way of drawing came to, a reply."""

    cpu: float
    """Seconds."""
    evaluations: float
    tokens: float
    logps: list[float]
    """A mean for each prompt."""
    right: float


SUMS = [sums.chain(Random(seed), STEPS, hard=True) for seed in range(PROMPTS)]
ASKED = [Prompt((Message("user", f"Start with {sums.told(one)}. What is the result?"),)) for one in SUMS]


def _power(engine: Engine, **power: object) -> Sampling:
    return Sampling(method="power", power=Power.model_validate({"engine": engine, **power}))


WAYS: dict[str, Sampling] = {
    "plain, T = 1": Sampling(method="direct"),
    "low temperature": _power("low-temperature"),
    "best of 16": _power("best-of-n"),
    "auto": _power("auto"),
    "smc, 8 particles": _power("smc", particles=8),
    "smc, 16 particles": _power("smc"),
    "mh, 1 x 10": _power("mh", blocks=1),
    "mh, 4 x 10": _power("mh"),
    "mh, 16 x 10 (as published)": _power("mh", blocks=16),
}


def main() -> None:
    """Print one table."""
    torch.set_num_threads(1)
    model = open_hf(str(WEIGHTS), device="cpu", dtype="float32", batch=BATCH)
    run_ours(model, WAYS["plain, T = 1"])  # first use of everything
    found = {name: run_ours(model, how) for name, how in WAYS.items()}
    with no_memory():
        found["  the same without kept prefixes"] = run_ours(model, WAYS["mh, 16 x 10 (as published)"], FEW)
    found["published procedure, 16 x 10"] = theirs = run_published()
    limit = found["plain, T = 1"]
    columns = f"{'CPU-s/reply':>13}{'cheaper':>9}{'evals/reply':>13}{'/token':>8}{'us/eval':>9}{'of plain':>10}"
    sys.stdout.write(f"{'way':<34}{columns}{'mean log p':>12}{'less published':>18}{'right':>7}\n")
    for name, one in found.items():
        apart = [ours - published for ours, published in zip(one.logps, theirs.logps, strict=False)]
        error = stdev(apart) / math.sqrt(len(apart))
        spent = one.cpu / one.evaluations
        sys.stdout.write(
            f"{name:<34}{one.cpu:>13.4f}{theirs.cpu / one.cpu:>8.1f}x{one.evaluations:>13.0f}"
            f"{one.evaluations / one.tokens:>8.1f}{1e6 * spent:>9.0f}{spent * limit.evaluations / limit.cpu:>9.2f}x"
            f"{mean(one.logps):>12.3f}{mean(apart):>11.3f} ±{error:.3f}{one.right:>7.2f}\n"
        )


def run_ours(model: BatchedModel, how: Sampling, prompts: int = PROMPTS) -> Run:
    """All prompts through the engine, as a run does it."""
    power = how.powered.model_copy(update={"alpha": ALPHA})
    sampling = how.model_copy(update={"k": REPLIES, "max_tokens": LIMIT, "power": power})
    sampler = open_sampler(Settings(sampling))
    with counted(model) as count:
        begun = time.process_time()
        flows = (sampler(prompt, Random(i)) for i, prompt in enumerate(ASKED[:prompts]))
        drawn = moved(flows, {Generate: model.decoder()})
        spent = time.process_time() - begun
    groups = [one.candidates for one in drawn]
    replies = prompts * REPLIES
    evaluations = count() / replies
    tokens = mean(_length(model, one) for group in groups for one in group)
    logps = [mean(one.logp or 0.0 for one in group) for group in groups]
    right = [
        sums.final(str(one.fields["text"])) == each.values[-1]
        for group, each in zip(groups, SUMS, strict=False)
        for one in group
    ]
    return Run(spent / replies, evaluations, tokens, logps, mean(right))


def run_published() -> Run:
    """One reply a prompt, one after the other."""
    model = HF.AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float32).eval()
    tokenizer = HF.AutoTokenizer.from_pretrained(WEIGHTS)
    end = tokenizer.eos_token_id
    propose = Generating(model, end, ALPHA)
    found: list[tuple[list[int], float]] = []
    begun = time.process_time()
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)  # noqa: TID251
        for i, prompt in enumerate(ASKED):
            turns = [{"role": "user", "content": prompt.messages[0].content}]
            ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
            found.append(published(propose, ids, end, alpha=ALPHA, limit=LIMIT, rng=Random(i)))
    spent = time.process_time() - begun
    texts = [tokenizer.decode([token for token in tokens if token != end]) for tokens, _ in found]
    right = mean(sums.final(text) == each.values[-1] for text, each in zip(texts, SUMS, strict=True))
    tokens = mean(len(tokens) for tokens, _ in found)
    logps = [logp for _, logp in found]
    return Run(spent / PROMPTS, propose.evaluations / PROMPTS, tokens, logps, right)


@contextmanager
def counted(model: BatchedModel) -> Iterator[Callable[[], int]]:
    """Count the token positions that go through the model."""
    network: Any = model._parts.network
    seen = [0]
    step, prefetch = network.step, network.prefetch

    def counting_step(tokens: Any, *rest: Any) -> Any:
        seen[0] += len(tokens)
        return step(tokens, *rest)

    def counting_prefetch(prompts: Any, *trunk: Any) -> Any:
        seen[0] += len(prompts) * max(len(prompt) for prompt in prompts)
        return prefetch(prompts, *trunk)

    network.step, network.prefetch = counting_step, counting_prefetch
    try:
        yield lambda: seen[0]
    finally:
        del network.step, network.prefetch


@contextmanager
def no_memory() -> Iterator[None]:
    """Let every call compute its prefix anew."""

    class Forgetful(Memory):
        def find(self, ids: tuple[int, ...], start: int) -> None:
            return None

    DECODE.Memory = Forgetful
    try:
        yield
    finally:
        DECODE.Memory = Memory


def _length(model: BatchedModel, one: Candidate) -> int:
    ids = model._parts.tokenizer.encode([str(one.fields["text"])], opening=False)[0]
    return len(ids) + 1


if __name__ == "__main__":
    main()

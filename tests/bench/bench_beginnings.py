"""Scoring classes of prompts that begin alike: texts/s with the beginning computed once, with every prompt's own, and
the limit.

The model is that of `bench_real`, one thread, float32, batches of 32 as in a run. The prompts of the second column
differ in their first words and are otherwise the same, so nothing of them is shared. The limit is a plain forward pass
over the tokens that the prompts do not share, without what they look back at, and the output layer for the classes
alone. Times are CPU time.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import torch

from tests.bench.bench_real import HF, REAL, random_model, timed
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.model import open_hf
from vsgen.backends.hf.network import Network
from vsgen.values import Message, Prompt, Score

BATCH: Final = 32
BATCHES: Final = 2
APART: Final = 16
"""Texts that are computed with a beginning of their own."""
PASS: Final = 256
"""Tokens of a pass of the limit."""
CLASSES: Final = ("negative", "neutral", "positive")
QUESTIONS: Final = ("Which sentiment fits", "Which mood of the writer fits", "Which wish for a reply fits")
TEXT: Final = "the phone battery lasts all day but this screen is dull and i would not buy it again for my sister"


def main() -> None:
    """Print one table."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        names = [sys.executable, "-m", "tests.bench", "beginnings"]
        os.execve(sys.executable, names, {**os.environ, "OMP_NUM_THREADS": "1"})
    HF.utils.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        source = str(REAL) if REAL.is_file() else random_model(Path(folder))
        print(f"{REAL.name if REAL.is_file() else 'random weights of SmolLM2-135M'}, float32, batches of {BATCH}")
        heads = ("tokens", "differ", "shared", "own", "ratio", "limit", "of it")
        print(f"{'texts/s of CPU':<36}{''.join(f'{head:>9}' for head in heads)}")
        model = open_hf(source, device="cpu", dtype="float32", batch=BATCH)
        for name, make in CASES.items():
            measure(name, make, model)


def measure(name: str, make: Callable[[int, str], Score], model: BatchedModel) -> None:
    """Print one line."""
    model.score([make(10**6, "warm ")])
    calls = [make(i, "") for i in range(BATCHES * BATCH)]
    whole, differ = sizes(model, calls)
    alike, _ = timed(lambda: [model.score(calls[at : at + BATCH]) for at in range(0, len(calls), BATCH)])
    alone, _ = timed(lambda: model.score([make(i, f"{i} ") for i in range(APART)]))
    least, _ = timed(lambda: limit(model, differ * len(calls), len(calls)))
    fast, slow, best = (n / each for n, each in ((len(calls), alike), (APART, alone), (len(calls), least)))
    cells = f"{name:<36}{whole:>9.0f}{differ:>9.0f}{fast:>9.1f}{slow:>9.1f}{fast / slow:>8.2f}x"
    print(f"{cells}{best:>9.1f}{fast / best:>9.0%}", flush=True)


def sizes(model: BatchedModel, calls: Sequence[Score]) -> tuple[float, float]:
    """Tokens of a prompt with its classes, and those of them that no other prompt has, each a mean."""
    known: set[tuple[int, ...]] = set()
    whole = 0
    for call in calls:
        prompt, _, answers = model._parts.reader.placed(call.prompt, call.choices)
        paths = {(*prompt, *answer)[:end] for answer in answers for end in range(1, len(prompt) + len(answer) + 1)}
        known |= paths
        whole += len(paths)
    return whole / len(calls), len(known) / len(calls)


@torch.inference_mode()
def limit(model: BatchedModel, tokens: float, texts: int) -> None:
    """A forward pass over as many tokens, and the output layer where the classes are read."""
    network = model._parts.network
    assert isinstance(network, Network)
    for at in range(0, round(tokens), PASS):
        count = min(PASS, round(tokens) - at)
        read = torch.arange(-(-count * texts * (len(CLASSES) + 1) // round(tokens)))
        network._model(input_ids=torch.full((1, count), 5), use_cache=False, logits_to_keep=read).logits.logsumexp(-1)


def text(i: int, words: int) -> str:
    """Some words."""
    return " ".join(Random(i).choices(TEXT.split(), k=words))


def short(i: int, begins: str) -> Score:
    """A text of 20 words and a question, in chat turns."""
    asked = f"{text(i, 20)}\n\n{QUESTIONS[0]} this text best?\n\nReply with exactly one of these: {', '.join(CLASSES)}."
    system = f"{begins}You label texts. You reply with the name of a class and nothing else."
    return Score(Prompt((Message("system", system), Message("user", asked)), cue="Answer:"), CLASSES)


def examples(count: int) -> Callable[[int, str], Score]:
    """A text of 20 words after so many examples, in plain continuation."""
    shown = "".join(f"Text: {text(-1 - i, 30)}\nSentiment: {CLASSES[i % 3]}\n\n" for i in range(count))

    def make(i: int, begins: str) -> Score:
        words = f"{begins}The sentiment of a text is one of these: {', '.join(CLASSES)}.\n\n{shown}"
        return Score(Prompt(prefill=f"{words}Text: {text(i, 20)}\nSentiment:"), tuple(f" {name}" for name in CLASSES))

    return make


def three(i: int, begins: str) -> Score:
    """One of three questions on a text of 80 words, in chat turns."""
    asked = f"{QUESTIONS[i % 3]} this text best? Reply with exactly one of these: {', '.join(CLASSES)}."
    asked = f"{begins}{text(i // 3, 80)}\n\n{asked}"
    return Score(Prompt((Message("user", asked),), cue="Answer:"), CLASSES)


CASES: Final[Mapping[str, Callable[[int, str], Score]]] = {
    "short question, chat turns": short,
    "three examples, plain continuation": examples(3),
    "twelve examples, plain continuation": examples(12),
    "three labels of one text": three,
}


if __name__ == "__main__":
    main()

"""Power sampling on a real model: mean log p of the default engine and of best of n, from as many draws a reply.

`python -m tests.real.power [questions|stories ...]`: 50 questions, of at most 64 tokens, and 16 stories that go on as
plain text for 128; alpha 4. No setting was chosen on them. A reply of `auto` is one of the four that a draw with k = 4
makes: the pick of a sweep and of two of the eight plain replies. Best of n is the likeliest of as many plain replies,
those two among them. Differences are taken prompt by prompt, with 95 % intervals. What engines draw is counted, not
what they are planned to.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import mean, median, stdev
from typing import NamedTuple
from unittest.mock import patch

from tests.engine.inline import moved
from tests.real import MODEL
from vsgen.backends.decoding.model import BatchedModel
from vsgen.flow import Flow
from vsgen.probability import effective_size
from vsgen.sampling.power import mh, smc
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.plain import best, draws, parted
from vsgen.sampling.power.resampling import Offspring, resample
from vsgen.sampling.settings import Power
from vsgen.values import Generate, Message, Prompt

HOW = Power(alpha=4.0)
PILOT, REPLIES = 8, 4
"""Plain replies of a draw, and how many replies share them."""
RESERVE = PILOT // REPLIES
COUNT = HOW.particles + RESERVE
"""Drafts that one reply takes."""
FEW = 12
"""Prompts of the ways that only are to be placed."""
QUESTIONS = (
    "What is the capital of Australia, and why is it not Sydney?", "Write a short thank-you note to a neighbor.",
    "Explain photosynthesis in two sentences.", "Anna has 12 eggs and breaks 5. How many are left?",
    "Give three tips for a job interview.", "Describe a quiet street at night.", "What causes ocean tides?",
    "Write a product description for a wooden chair.", "How do I boil an egg?",
    "Name two famous painters and a work of each.", "Write a haiku about autumn.", "Why do cats purr?",
    "Write a review of a hotel that was too loud.", "What is the difference between weather and climate?",
    "How can I sleep better?", "Tell me a joke about a computer.", "Write the first sentence of a crime novel.",
    "What does a lawyer do?", "A train travels 60 miles in 2 hours. What is its speed?",
    "List four vegetables that grow in winter.", "Explain what a variable is in programming.",
    "How is cheese made?", "Write a birthday message for a colleague.", "What are the benefits of walking?",
    "Who was Marie Curie?", "Suggest a name for a bookshop and say why.", "How do airplanes fly?",
    "What should I do if I lose my passport?", "Write a short poem about the sea.",
    "Why is exercise important for children?", "Describe the taste of a lemon.", "How do I change a flat tire?",
    "Summarize the plot of Cinderella.", "What is inflation?", "Write a tweet about a new park.",
    "If 3 pens cost 6 dollars, what do 5 pens cost?", "Give one argument for and one against school uniforms.",
    "What is a good gift for a gardener?", "How do vaccines work?", "Write an out-of-office reply.",
    "What are black holes?", "Describe your ideal weekend.", "How do I clean a wool sweater?",
    "Why did the Roman Empire fall?", "Write a headline for a story about a lost dog.",
    "What is the purpose of a budget?", "Explain the rules of chess briefly.", "How can I save water at home?",
    "Write a complaint about a broken phone.", "What makes a good teacher?",
)  # fmt: skip
STORIES = (
    "Once upon a time, in a small village by a river,", "The train was late again, and Maria",
    "Nobody had opened the attic door since", "When the snow finally melted, the children",
    "My grandmother always said that", "The king had three daughters. The eldest",
    "It was the last day of summer, and", "The dog sat in front of the closed shop and",
    "Captain Brown looked at the empty map.", "There once was a baker who",
    "In the middle of the night, the phone rang.", "Two brothers lived on a farm near the mountains.",
    "The robot woke up in a garden and", "Every morning, old Mr. Lee walked to", "A letter had arrived for Sophie.",
    "Long ago, before there were cities,",
)  # fmt: skip


class Reply(NamedTuple):
    """What a way of drawing made of one prompt."""

    logp: float
    """A mean where it is of several replies."""
    drawn: float
    """Tokens, a reply."""
    tokens: float
    ess: float | None = None
    ancestors: int | None = None


def calls(kind: str) -> list[Generate]:
    """What is asked."""
    if kind == "stories":
        return [Generate(Prompt(prefill=text), seed=0, max_tokens=128) for text in STORIES]
    return [Generate(Prompt((Message("user", text),)), seed=0, max_tokens=64) for text in QUESTIONS]


def main(kinds: Sequence[str]) -> None:
    """Print a table for each kind of prompt."""
    from vsgen.backends.hf.model import open_hf

    model = open_hf(str(MODEL), device="cpu", dtype="float32", batch=96)
    for kind in kinds or ("questions", "stories"):
        measure(model, kind, calls(kind))


def measure(model: BatchedModel, kind: str, asked: Sequence[Generate]) -> None:
    """One table, a line as soon as it is known."""

    def run(flow: Callable[[int, Random], Flow[Reply]], count: int, name: str) -> list[Reply]:
        begun = time.process_time()
        found = moved([flow(i, Random(f"{kind} {name} {i}")) for i in range(count)], {Generate: model.decoder()})
        line(name, found, bests[:count], (time.process_time() - begun) / count)
        return found

    def plainly(i: int, rng: Random) -> Flow[Reply]:
        pools[i], _ = parted((yield from draws(asked[i], HOW.alpha, COUNT, rng)))
        likely = best(pools[i])
        return Reply(likely.logp, sum(len(one.tokens) for one in pools[i]), len(likely.tokens))

    def swept(i: int, rng: Random) -> Flow[Reply]:
        reserve = pools[i][:RESERVE]
        plan = smc.Plan(HOW.alpha, HOW.particles, HOW.check_every, HOW.ess)
        sweep = yield from smc.sweep(plan, asked[i], rng, reserve)
        drawn = sweep.evaluations + sum(len(one.tokens) for one in reserve)
        return Reply(sweep.draft.logp, drawn, len(sweep.draft.tokens), sweep.ess, sweep.ancestors)

    def chained(i: int, rng: Random) -> Flow[Reply]:
        span = max(len(one.tokens) for one in pools[i][:PILOT])
        (state,) = yield from mh.chains(mh.Plan(HOW.alpha, 1, HOW.blocks, HOW.steps, span), asked[i], rng)
        return Reply(state.draft.logp, state.evaluations, len(state.draft.tokens))

    pools: list[list[Draft]] = [[] for _ in asked]
    bests: list[Reply] = []
    print(f"{kind}: {len(asked)} prompts, at most {asked[0].max_tokens} tokens, alpha {HOW.alpha:g}", flush=True)
    bests += run(plainly, len(asked), f"best of {COUNT}")
    low = [averaged(pool) for pool in pools]
    line("low temperature", low, bests, None)
    used = [effective_size([one.log_weight(HOW.alpha) for one in pool[:PILOT]]) < HOW.ess * PILOT for pool in pools]
    print(f"  auto would use smc for {sum(used)} of them")
    run(swept, len(asked), "auto, which is smc")
    with patch.object(smc, "resample", by_weight):
        run(swept, min(FEW, len(asked)), "resampled by weights alone")
    run(chained, min(FEW, len(asked)), f"mh, {HOW.blocks} x {HOW.steps}")


def averaged(pool: Sequence[Draft]) -> Reply:
    """One of some plain replies, on average."""
    tokens = mean(len(one.tokens) for one in pool)
    return Reply(mean(one.logp for one in pool), tokens, tokens)


def by_weight(logws: Sequence[float], share: float, rng: Random) -> list[Offspring]:
    """Resampling without tempering: after it all weights are equal."""
    return resample(logws, 1 / len(logws), rng)


def line(name: str, found: Sequence[Reply], bests: Sequence[Reply], seconds: float | None) -> None:
    """Print what a way came to; means over prompts."""
    apart = [one.logp - other.logp for one, other in zip(found, bests or found, strict=False)]
    error = 1.96 * stdev(apart) / len(apart) ** 0.5
    drawn, tokens = mean(one.drawn for one in found), mean(one.tokens for one in found)
    cells = [f"{name:<28}{len(found):>4}{mean(one.logp for one in found):>9.2f}{mean(apart):>+8.2f} ±{error:.2f}"]
    cells.append(f"drawn {drawn:.0f} for {tokens:.0f}")
    esses = [one.ess for one in found if one.ess is not None]
    cells += [f"ess {median(esses):.1f}, {min(esses):.1f} to {max(esses):.1f}"] if esses else []
    cells += [f"ancestors {mean(one.ancestors or 0 for one in found):.1f}"] if esses else []
    cells += [f"{seconds:.1f} CPU-s"] if seconds is not None else []
    print("  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

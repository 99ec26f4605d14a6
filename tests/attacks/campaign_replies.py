"""``python -m tests.attacks replies [--times N] [--seed S]``: mutated replies through the whole way of reading.

Half are mutated in one place, half are ruined. All keep the laws of `tests.attacks.reply_laws`.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.attacks.reply_laws import broken_law, drawn, salvaged
from tests.attacks.reply_mutations import mutated, ruined
from tests.attacks.reply_seeds import Seed, seeds


class Attack(NamedTuple):
    """Replies that were mutated."""

    seed: Seed
    replies: tuple[str, ...]
    once: bool
    """In one place only."""


def attacks(times: int, seed: int) -> Iterator[Attack]:
    """So many attacks; the same for the same seed."""
    for number in range(times):
        rng = Random(f"{seed}/{number}")
        if number % 500 == 0:
            known = seeds(rng)
        chosen = known[rng.randrange(len(known))]
        place = rng.randrange(len(chosen.replies))
        once = number % 2 == 0
        change = mutated if once else ruined
        replies = tuple(change(one, rng) if i == place else one for i, one in enumerate(chosen.replies))
        yield Attack(chosen, replies, once)


def main(options: list[str]) -> None:
    """Attack, and print what came of it."""
    parser = argparse.ArgumentParser(prog="replies")
    parser.add_argument("--times", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(options)
    counts: Counter[str] = Counter()
    started = time.perf_counter()
    for attack in attacks(chosen.times, chosen.seed):
        problem = broken_law(*attack[:2], once=attack.once)
        _count(attack, counts)
        if problem:
            counts["laws broken"] += 1
            print(f"{problem}\n  {attack.seed.settings.sampling.method}, {attack.seed.form}: {attack.replies!r}")
    seconds = time.perf_counter() - started
    print(f"{chosen.times} mutated replies, {seconds:.0f} s: {counts['laws broken']} laws broken")
    whole, same = counts["answers"], counts["same"]
    print(f"mutated in one place: {same} of {whole} answers came out as they were ({same / whole:.1%})")
    print(f"draws with a malformed answer or reply: {counts['malformed']}; with a flag: {counts['flagged']}")


def _count(attack: Attack, counts: Counter[str]) -> None:
    got = drawn(attack.seed, attack.replies)
    counts["malformed"] += bool(got.malformed)
    counts["flagged"] += any(candidate.flags for candidate in got.candidates)
    if attack.once and attack.seed.items:
        counts["answers"] += len(attack.seed.items)
        counts["same"] += salvaged(attack.seed, got)

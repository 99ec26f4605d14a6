"""Rows of known distributions a second, on every 20th of the paper's prompts, and soft ones beside a plain peer.

The peer does what is done without a library: each answer tokenised alone, dictionaries keyed by prefixes, one update
per token. Times are CPU time; writing is not part of them.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
import transformers

from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.distributions.discretise import Grid
from vsgen.distributions.draws import draw
from vsgen.distributions.families import FAMILIES
from vsgen.distributions.names import GridKind
from vsgen.distributions.paper import paper_targets
from vsgen.distributions.soft import paths, spell, trie_row
from vsgen.distributions.target import Target
from vsgen.tiny import WEIGHTS

HF: Any = transformers
STEP = 20
DRAWS = 16
PATHS = 4
ROUNDS = 3


def main() -> None:
    """Print every figure."""
    families = list(FAMILIES.values())
    kinds: tuple[GridKind, ...] = ("linear", "quantile")
    for kind in kinds:
        make = partial(made, Grid(kind))
        say(f"values, {kind}", seconds(make, len(make())))
    targets = list(paper_targets(families, ("train",), Grid()))[::STEP]
    fine = list(paper_targets(families, ("unseen",), Grid(max_bins=16384)))[::STEP]
    say(f"hard, {DRAWS} rows at a time", seconds(lambda: [draw(one, 0, DRAWS) for one in fine], len(fine) * DRAWS))
    tiny, plain = open_tokenizer("tiny"), HF.AutoTokenizer.from_pretrained(str(WEIGHTS))
    spelled = [spell(one, tiny) for one in targets]
    nodes = sum(len(one.trie.parents) for one in spelled) / len(targets)
    values = sum(len(one.values) for one in targets) / len(targets)
    ours = seconds(lambda: [spell(one, tiny) for one in targets], len(targets))
    theirs = seconds(lambda: [by_dictionaries(plain, one) for one in targets], len(targets))
    say(f"soft: spell and plant {values:.0f} values, {nodes:.0f} nodes", ours, theirs)
    say("soft: the same, plain dictionaries", theirs, theirs)
    say("soft: to a line of JSON", seconds(lambda: [orjson.dumps(trie_row(one)) for one in spelled], len(targets)))
    pairs = list(zip(targets, spelled, strict=True))
    drawn = seconds(lambda: [list(paths(one, trie, 0, PATHS)) for one, trie in pairs], len(targets) * PATHS)
    say("soft: drawn paths", drawn)


def made(grid: Grid) -> list[Target]:
    """The test prompts' targets."""
    return list(paper_targets(list(FAMILIES.values()), ("heldout", "unseen"), grid))


def by_dictionaries(tokenizer: Any, target: Target) -> dict[tuple[int, ...], dict[int, float]]:
    """The next tokens' probabilities after every prefix."""
    following: dict[tuple[int, ...], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for value, prob in zip(target.values, target.probs, strict=True):
        tokens: Sequence[int] = [*tokenizer.encode(value, add_special_tokens=False), tokenizer.eos_token_id]
        for at, token in enumerate(tokens):
            following[tuple(tokens[:at])][token] += prob
    return {prefix: {t: p / sum(found.values()) for t, p in found.items()} for prefix, found in following.items()}


def seconds(work: Callable[[], object], rows: int) -> float:
    """CPU seconds per row, the best of some rounds."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        begun = time.process_time()
        work()
        times.append((time.process_time() - begun) / rows)
    return min(times)


def say(what: str, each: float, peer: float | None = None) -> None:
    """One line: rows a second, milliseconds a row, and how many times the peer's rate it is."""
    ratio = "" if peer is None else f"{peer / each:8.1f} x peer"
    sys.stdout.write(f"targets: {what:45} {1 / each:12.1f} rows/s {each * 1e3:9.3f} ms{ratio}\n")


if __name__ == "__main__":
    main()

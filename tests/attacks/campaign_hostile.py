"""``python -m tests.attacks hostile [--times N] [--seed S]``: whole runs whose model says hostile things.

A reply is one of a list, a piece of one, or several in a row. Methods, outputs and stations of a run take turns. All
that comes out of a run is written and read again, and the run is carried out once more from its journal.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import orjson

from tests.attacks.test_replies_end_no_run import (
    ANY,
    METHODS,
    MOST,
    NASTY,
    STATIONS,
    TEXT,
    TYPED,
    Scripted,
    run,
    template,
)


def replies(rng: Random) -> list[str]:
    """What one model says."""
    return [_reply(rng) for _ in range(rng.randint(1, 6))]


def _reply(rng: Random) -> str:
    text = rng.choice(NASTY)
    if rng.random() < 0.5:
        text = text[: rng.randrange(len(text) + 1)] + rng.choice(NASTY)[-40:]
    return text[rng.randrange(len(text) + 1) :] if rng.random() < 0.2 else text


def main(options: list[str]) -> None:
    """Run, and print what became of the answers."""
    read = argparse.ArgumentParser(prog="python -m tests.attacks hostile")
    read.add_argument("--times", type=int, default=300)
    read.add_argument("--seed", type=int, default=0)
    asked = read.parse_args(options)
    logging.getLogger("vsgen").setLevel(logging.ERROR)
    ends, failed, begun = Counter[str](), 0, time.monotonic()
    for number in range(asked.times):
        rng = Random(f"{asked.seed}/{number}")
        made = template(rng.choice(METHODS), rng.choice([TEXT, ANY, TYPED]), rng.choice(STATIONS))
        said = Scripted(replies(rng), rng.choice([MOST, 10**9]))
        with tempfile.TemporaryDirectory() as folder:
            try:
                kept, rejected = run(made, said, Path(folder) / "journal")
                assert (kept, rejected) == run(made, said, Path(folder) / "journal"), "another run from the journal"
            except Exception as error:  # whatever ends a run is what is looked for
                failed += 1
                print(f"{number}: {type(error).__name__}: {error!s:.200}", flush=True)
                continue
        ends.update(["row"] * len(kept), **Counter(str(orjson.loads(line)["reason"]) for line in rejected))
    print(f"hostile: {asked.times} runs, {failed} ended by a reply, in {time.monotonic() - begun:.0f} s")
    print(f"  {ends.total()} answers: {', '.join(f'{count} {end}' for end, count in ends.most_common())}")

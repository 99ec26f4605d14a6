"""Runs whose power is cut many times: ``python -m tests.attacks power_cut --times 60``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.attacks import cuts
from tests.attacks.power import MERCIES, compiled


def main(options: list[str]) -> None:
    """Cut each way that often, once fresh and once over a finished file of another seed; print what became of it."""
    parser = argparse.ArgumentParser(prog="power_cut")
    parser.add_argument("--times", type=int, default=60, help="cuts of each way")
    parser.add_argument("--only", choices=[*cuts.WAYS], help="one way")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(options)
    with tempfile.TemporaryDirectory() as work:
        shim = compiled(Path(work))
        if shim is None:
            sys.stdout.write("power cuts: no C compiler, or a system without LD_PRELOAD\n")
            return
        for way in [chosen.only] if chosen.only else cuts.WAYS:
            for over in (False, True):
                place = Path(work) / f"{way} {over}".replace(" ", "-")
                for line in _cut(shim, way, place, over=over, times=chosen.times, seed=chosen.seed):
                    sys.stdout.write(f"power cuts: {way}{' over a finished file' if over else ''}: {line}\n")
                    sys.stdout.flush()


def _cut(shim: Path, name: str, work: Path, *, over: bool, times: int, seed: int) -> Iterator[str]:
    way, context = cuts.recorded(shim, name, work, over=over), cuts.processes()
    rng, ages, ended = Random(f"{seed}/{name}/{over}"), list[float](), Counter[str]()
    for turn, at in enumerate(cuts.cut_points(way.recording.acts, rng, times)):
        mercy = MERCIES[turn % len(MERCIES)]
        folder = cuts.torn(way, at, mercy, rng, work / "cut")
        ages += cuts.lost(way, at, folder)
        problems = [*cuts.problems(way, folder), cuts.ends_as_undisturbed(context, way, folder)]
        for problem in filter(None, problems):
            yield f"cut after act {at} of {len(way.recording.acts)}, mercy {mercy}: {problem}"
        ended["wrong" if any(problems) else "the bytes of an undisturbed run"] += 1
    replies = len(cuts.keys(way.recording.folder))
    counts = ", ".join(f"{count} {what}" for what, count in ended.items())
    yield f"{times} cuts: {counts}; {replies} replies, the oldest that a cut took {max(ages, default=0):.2f} s old"

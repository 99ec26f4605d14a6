"""Damage files of runs at random and resume them: ``python -m tests.attacks flips``."""

from __future__ import annotations

import argparse
import shutil
import time
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.attacks.flipped import COMMANDS, GOOD, attacked, made


def main(options: list[str]) -> None:
    """Attack each command, and print how its resumed runs ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks flips")
    parser.add_argument("--times", type=int, default=60, help="attacks on each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(COMMANDS), help="one command")
    chosen = parser.parse_args(options)
    for name in [chosen.only] if chosen.only else COMMANDS:
        _attack(name, chosen.times, chosen.seed)


def _attack(name: str, times: int, seed: int) -> None:
    begun, endings, worst = time.monotonic(), Counter[str](), Counter[str]()
    with TemporaryDirectory() as place:
        whole, folder = Path(place, "whole"), Path(place, "attacked")
        made(name, whole)
        for number in range(times):
            outcome = attacked(name, whole, folder, Random(f"{seed}/{name}/{number}"))
            shutil.rmtree(folder)
            endings[outcome.ending] += 1
            if outcome.ending not in GOOD:
                worst[f"{outcome.ending}: {outcome.attack}: {outcome.message[:160]}"] += 1
    counts = ", ".join(f"{count} {ending}" for ending, count in endings.most_common())
    print(f"flips {name}: {times} attacks: {counts} ({time.monotonic() - begun:.0f} s)", flush=True)
    for what, count in worst.most_common(8):
        print(f"  {count} x {what}", flush=True)

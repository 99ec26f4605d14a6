"""Kill commands at random moments, and run on what they print: ``python -m tests.attacks kills --times 60``.

A third of the signals come early, among imports. ``run --overwrite`` and ``export`` have an older output to
replace: that, whole, or the new one, or none must be there after each signal.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attacks.killed import COMMANDS, SENT, Killer


def main(options: list[str]) -> None:
    """Kill each command, and print a table of what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks kills")
    parser.add_argument("--times", type=int, default=60, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(COMMANDS), help="one command")
    chosen = parser.parse_args(options)
    names = [sent.name for sent in SENT]
    print(_row("kills", *names, "resumed", "printed", "outputs", "equal", "failures", "seconds"), flush=True)
    for name in [chosen.only] if chosen.only else COMMANDS:
        begun = time.monotonic()
        with TemporaryDirectory() as place:
            tally = Killer(name, Path(place), chosen.seed).kill(chosen.times)
        counts = [tally.resumed, tally.printed, tally.outputs, tally.equal, len(tally.failures)]
        sent = [tally.sent[one] for one in names]
        print(_row(name, *sent, *counts, f"{time.monotonic() - begun:.0f}"), flush=True)
        for failure in tally.failures:
            print(f"  {failure}", flush=True)


def _row(name: str, *cells: object) -> str:
    return f"{name:16}" + "".join(f"{cell!s:>9}" for cell in cells)

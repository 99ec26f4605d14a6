"""A signal at every moment of a command's first seconds: which status it ends with, and whether a traceback appears.

``python -m tests.attacks signals [--step 0.01] [--until 2] [--commands run,label,...]``. Outcomes are a
shell's status; "died" counts processes that the signal itself killed, before vsgen's first line or after its last.
"""

from __future__ import annotations

import json
import re
import signal
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attacks.signalled import SENT, Ended, struck


def commands(folder: Path) -> Mapping[str, Sequence[object]]:
    """What is struck; none of these ends by itself before a few seconds are over, but for the last ones."""
    rows = folder / "rows.jsonl"
    label = {"probs": {"good": 0.9, "bad": 0.1}}
    rows.write_text("".join(json.dumps({"text": f"Day {i}.", "labels": {"mood": label}}) + "\n" for i in range(2000)))
    out = ("-o", folder / "out.jsonl", "--overwrite")
    return {
        "run": ("run", "story-openers", "-n", 500, "--patience", 0, *out),
        "label": ("label", rows, "--name", "mood", "--classes", "good,bad", "-m", "tiny", *out),
        "measure": ("measure", "-m", "tiny", *out),
        "targets": ("targets", "--kind", "hard", *out),
        "export": ("export", rows, "--to", "jsonl", *out),
        "datasets": ("export", rows, "--to", "datasets", "-o", folder / "out.parquet", "--overwrite"),
        "try": ("try", "story-openers", "-n", 50),
        "check": ("check", "story-openers", "-m", "tiny", "-n", 50),
        "doctor": ("doctor", "-m", "tiny"),
        "help": ("--help",),
    }


def outcome(got: Ended, sent: signal.Signals) -> str:
    if got.traced:
        begun = any(
            file not in ("__init__", "__main__") for file in re.findall(r"/vsgen/(?:\w+/)*(\w+)\.py", got.stderr)
        )
        return "TRACEBACK" if begun else "Python's own traceback, before vsgen's first line"
    if got.status == 128 + sent:
        return "died" if got.died else "its status"
    return "done" if got.status == 0 else f"STATUS {got.status}"


def main(options: list[str]) -> None:
    """Strike each command with each signal at each moment, alternately the process and its group."""
    parser = ArgumentParser()
    parser.add_argument("--step", type=float, default=0.01)
    parser.add_argument("--until", type=float, default=2.0)
    parser.add_argument("--commands", default="")
    chosen = parser.parse_args(options)
    with TemporaryDirectory() as scratch:
        for name, words in commands(Path(scratch)).items():
            if not chosen.commands or name in chosen.commands.split(","):
                _sweep(name, words, chosen.step, chosen.until)


def _sweep(name: str, words: Sequence[object], step: float, until: float) -> None:
    tally: Counter[tuple[str, str]] = Counter()
    for i in range(int(until / step)):
        for sent in SENT:
            got = struck(words, [(i * step, sent)], group=i % 2 == 1)
            how = outcome(got, sent)
            tally[sent.name, how] += 1
            if how.isupper() or how.startswith("STATUS"):
                print(f"  {name}: {sent.name} at {i * step:.3f} s: {how}\n{got.stderr[-800:]}", flush=True)
    for sent in SENT:
        counts = ", ".join(f"{count} {how}" for (one, how), count in sorted(tally.items()) if one == sent.name)
        print(f"{name:10} {sent.name:8} {counts}", flush=True)

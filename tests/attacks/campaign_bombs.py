"""What each bomb takes: time of the processor, peak memory, and the error that the user sees.

Each runs in a child of its own, which may take 30 seconds and 4 GB.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.attacks.bombs import BOMBS

PATIENCE = 30


def main(options: list[str]) -> None:
    """Print the table; options are words of the names of some bombs."""
    print(f"| {'bomb':44} | seconds |  MB | error |\n| --- | --- | --- | --- |")
    for bomb in BOMBS:
        if not options or any(word in bomb.name for word in options):
            seconds, peak, said = measured(bomb.name)
            print(f"| {bomb.name:44} | {seconds:>7} | {peak:>4} | {said} |", flush=True)


def measured(name: str) -> tuple[str, str, str]:
    """Seconds, MB and the error of one bomb."""
    command = [sys.executable, "-m", "tests.attacks.bombs", name]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"> {PATIENCE}", "", ""
    if not child.stdout:
        return "", "> 4000", f"exit status {child.returncode}: {child.stderr.strip().splitlines()[-1:]}"
    row = json.loads(child.stdout)
    return f"{row['seconds']:.2f}", f"{row['peak']:.0f}", row["said"].splitlines()[0][:110] if row["said"] else ""

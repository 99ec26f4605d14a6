"""``make bench``: every figure of the README, each against a peer or a limit in the same run."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Run all benches, or those named on the command line."""
    names = sys.argv[1:] or sorted(
        path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")
    )
    for name in names:
        import_module(f"tests.bench.bench_{name}").main()
        print(flush=True)


main()

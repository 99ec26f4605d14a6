"""``make attacks``: the long attacks, with their counts; short forms of them are among the tests."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Run all campaigns, or the one named on the command line with its own options."""
    names = sorted(path.stem.removeprefix("campaign_") for path in Path(__file__).parent.glob("campaign_*.py"))
    chosen, options = (sys.argv[1:2], sys.argv[2:]) if sys.argv[1:] else (names, [])
    for name in chosen:
        import_module(f"tests.attacks.campaign_{name}").main(options)
        print(flush=True)


main()

"""``python -m tests.bytes [--renew] [NAME ...]``: which cases write other bytes than the stored ones.

NAME is a case or the beginning of some (`label`, `run/random-item`). Exit status 1 if one differs; `--renew` stores
what they write now.
"""

from __future__ import annotations

import sys

from tests.bytes.cases import cases
from tests.bytes.digests import differences, renew, stored, written


def main() -> int:
    """Run the cases and print a line for each that differs, and a count."""
    flags = {word for word in sys.argv[1:] if word.startswith("-")}
    asked = tuple(word for word in sys.argv[1:] if word not in flags)
    if flags - {"--renew"}:
        print(__doc__)
        return 2
    now = {}
    differing = 0
    for name, case in cases().items():
        if asked and not name.startswith(asked):
            continue
        now[name] = written(case)
        found = differences(stored().get(name, {}), now[name])
        differing += bool(found)
        for problem in found:
            print(f"{name}: {problem}", flush=True)
    print(f"{len(now)} cases, {differing} differ")
    if "--renew" in flags:
        renew(now)
        return 0
    return 1 if differing else 0


sys.exit(main())

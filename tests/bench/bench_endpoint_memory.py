"""Peak memory of a run behind a URL, and of one that goes on, as whole processes; for 100,000 calls by the slope.

``BENCH_CALLS=100000 python -m tests.bench endpoint_memory`` runs so many instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.bench_endpoint import ROWS, SETTINGS, TEMPLATE, served

_FEW, _MANY, _ALL = 2000, 8000, 100_000
_MEBIBYTE: Final = 1024
"""KiB, in which the system counts."""


class Process(NamedTuple):
    """What one process took."""

    seconds: float
    cpu: float
    """Seconds of all its threads."""
    peak: float
    """MiB resident."""


def _run(url: str, out: Path, calls: int, *more: str) -> Process:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    asked = ["run", TEMPLATE, "--endpoint", url, "-m", "m", "-n", str(ROWS * calls), "--concurrency", "256", *settings]
    command = [sys.executable, "-m", "vsgen", *asked, "-o", str(out), "--quiet", *more]
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    cpu = usage.ru_utime + usage.ru_stime
    return Process(time.perf_counter() - begun, cpu, usage.ru_maxrss / _MEBIBYTE)


def _both(url: str, folder: Path, calls: int) -> tuple[Process, Process]:
    """A run, and the same once more from its journal alone."""
    out = folder / f"{calls}.jsonl"
    first = _run(url, out, calls)
    out.unlink()
    return first, _run(url, out, calls, "--resume")


def _line(what: str, calls: int, one: Process) -> None:
    took = f"{one.peak:.0f} MiB, {one.seconds:.1f} s, {one.cpu:.1f} s of CPU"
    print(f"  {what}, {calls:,} calls: {took}")


def main() -> None:
    """Print the figures."""
    print("endpoint, whole processes without dedup (limit 80 MiB at 100,000 calls)")
    with served() as url, tempfile.TemporaryDirectory() as name:
        if calls := int(os.environ.get("BENCH_CALLS", "0")):
            for what, one in zip(("run", "from the journal"), _both(url, Path(name), calls), strict=True):
                _line(what, calls, one)
            return
        few, many = _both(url, Path(name), _FEW), _both(url, Path(name), _MANY)
    for what, less, more in zip(("run", "from the journal"), few, many, strict=True):
        _line(what, _MANY, more)
        each = [max(0.0, b - a) / (_MANY - _FEW) for a, b in zip(less, more, strict=True)]
        seconds, cpu, peak = (b + grown * (_ALL - _MANY) for b, grown in zip(more, each, strict=True))
        _line(f"  {what} (by the slope)", _ALL, Process(seconds, cpu, peak))


if __name__ == "__main__":
    main()

"""What faults of a server cost whole commands, and whether they lose anything: ``python -m tests.attacks endpoint``.

Each fault meets a run of its own that takes about a minute without faults; client and server are processes of their
own. ``--timeout`` is five seconds, so that a hang is one: vsgen cannot tell a server that hangs from one that thinks.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from tests.endpoint.command import Ended, Run, counts, ended, unlawful
from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.run import process

_LATENCY: Final = 1.0
_TOGETHER: Final = 64
_TIMEOUT: Final = 5
_FAULTS: Final[dict[str, dict[Trouble, float]]] = {
    "clean": {},
    "5 % 429": {"429": 0.05},
    "5 % 429, Retry-After: 1": {"429-after": 0.05},
    "5 % 429, Retry-After a date": {"429-date": 0.05},
    "5 % 500": {"500": 0.05},
    "2 % resets": {"reset": 0.02},
    "2 % hangs": {"hang": 0.02},
    "5 % half of the JSON": {"garbage": 0.05},
    "5 % HTML": {"type": 0.05},
    "5 % errors with status 200": {"error-200": 0.05},
    "5 % slow drips": {"drip": 0.05},
    "5 % cut by the limit": {"length": 0.05},
    "5 % filtered": {"filtered": 0.05},
    "all of them": {
        "429": 0.02,
        "429-after": 0.03,
        "500": 0.05,
        "reset": 0.02,
        "garbage": 0.02,
        "type": 0.02,
        "error-200": 0.01,
    },
}
_OUTAGE: Final = "a server that is dead for 20 s"
_KILLS: Final = "ten kills"


def main(options: list[str]) -> None:
    """Print a table."""
    read = argparse.ArgumentParser(prog="python -m tests.attacks endpoint")
    read.add_argument("--rows", type=int, default=3600)
    read.add_argument("--only", choices=[*_FAULTS, _OUTAGE, _KILLS])
    asked = read.parse_args(options)
    with TemporaryDirectory() as scratch:
        clean = _faced(Path(scratch) / "0", "clean", asked.rows, Plan(latency=_LATENCY), 0.0)
        for number, (name, shares) in enumerate(_FAULTS.items(), 1):
            if name != "clean" and asked.only in {None, name}:
                _faced(Path(scratch) / str(number), name, asked.rows, Plan(shares=shares, latency=_LATENCY), clean)
        if asked.only in {None, _OUTAGE}:
            _faced(Path(scratch) / "dead", _OUTAGE, asked.rows, Plan(dead=(5.0, 20.0), latency=_LATENCY), clean)
        if asked.only in {None, _KILLS}:
            _killed(Path(scratch) / "kills", asked.rows)


def _faced(folder: Path, name: str, rows: int, plan: Plan, clean: float) -> float:
    run = Run(folder, rows, "--concurrency", _TOGETHER, "--timeout", _TIMEOUT)
    with process(plan) as url:
        done = run.run(url)
        told = counts(url)
    cost = f"x{done.seconds / clean:.2f}, {done.seconds - clean:+.1f} s" if clean else ""
    _report(name, run, done, told, cost, flown=_TOGETHER if plan.dead else 0)
    return done.seconds


def _killed(folder: Path, rows: int) -> None:
    run, rng, kills = Run(folder, rows, "--concurrency", _TOGETHER), Random(0), 10
    with process(Plan(shares={"500": 0.05, "garbage": 0.05}, latency=_LATENCY / 10)) as url:
        begun = time.perf_counter()
        for kill in range(kills):
            child, before = run.begun(url, *(["--resume"] if kill else [])), run.calls()
            while child.poll() is None and run.calls() < before + rng.randint(1, rows // kills):
                time.sleep(0.005)
            child.kill()
            ended(child, 0.0)
        done = run.run(url, "--resume")
        told = counts(url)
    _report(
        _KILLS, run, Ended(done.status, done.stderr, time.perf_counter() - begun), told, "", flown=kills * _TOGETHER
    )


def _report(name: str, run: Run, done: Ended, told: dict[str, object], cost: str, *, flown: int) -> None:
    broken = unlawful(run, told, flown=flown)
    held = run.held()
    lost = run.count - len(held.accounted)
    twice = held.excess(told["served"])  # type: ignore[arg-type]
    laws = f"BROKEN: {broken}" if broken or done.status else "all laws hold"
    print(
        f"{name:32} {done.seconds:6.1f} s {cost:20} {len(held.rows):5} rows, {len(held.rejects):3} rejects, "
        f"{lost} lost, {twice} paid twice; {laws}",
        flush=True,
    )

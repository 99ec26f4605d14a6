"""What faults of a server cost: time against a clean run, and calls that are paid twice or lost.

Beside it stands what four tools took under the same faults, as measured on 22 November 2026 (`_PEERS`): 1,000 rows, 64
in flight, a reply of 20 ms, on two shared cores; times are multiples of each one's own clean run.
"""

from __future__ import annotations

from typing import Final

from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.run import run
from vsgen.backends.endpoint.limits import Ceiling
from vsgen.backends.endpoint.settings import Settings, Timeouts

_CALLS: Final = 1000
_SETTINGS: Final = Settings(Ceiling(64, 64), timeouts=Timeouts(connect=5.0, silent=1.0, total=5.0))
_FAULTS: Final[dict[str, dict[Trouble, float]]] = {
    "5 % 429": {"429": 0.05},
    "5 % 429, Retry-After: 1": {"429-after": 0.05},
    "5 % 500": {"500": 0.05},
    "5 % half of the JSON": {"garbage": 0.05},
    "2 % resets": {"reset": 0.02},
    "2 % hangs (time-out 1 s)": {"hang": 0.02},
}
_PEERS: Final[dict[str, tuple[str, str, str, str]]] = {
    "clean": ("29.7 s", "21.9 s", "19.3 s", "36.5 s"),
    "5 % 429": ("x1.3", "x0.8", "x7.9", "x1.2"),
    "5 % 429, Retry-After: 1": ("x2.1", "x1.7", "x6.7", "-"),
    "5 % 500": ("x1.8", "x1.6", "x1.2", "x1.0"),
    "5 % half of the JSON": ("58 rows wrong", "x1.6", "x1.4", "58 rows wrong"),
}


def main() -> None:
    """Print the table."""
    clean = run(Plan(latency=0.02), _CALLS, _SETTINGS).seconds
    names = "distilabel", "curator", "data-designer", "verbalized-sampling"
    print(f"endpoint, {_CALLS} calls under faults, 64 in flight{'':12}" + "".join(f"{name:>21}" for name in names))
    _print("clean", f"{clean:.1f} s")
    for name, shares in _FAULTS.items():
        ran = run(Plan(shares=shares, latency=0.02), _CALLS, _SETTINGS)
        lost = _CALLS - len(set(ran.texts))
        _print(name, f"x{ran.seconds / clean:.1f}, {ran.twice} paid twice, {lost} lost")


def _print(fault: str, ours: str) -> None:
    peers = _PEERS.get(fault, ("-",) * 4)
    print(f"  {fault:26} {ours:30}" + "".join(f"{one:>21}" for one in peers))


if __name__ == "__main__":
    main()

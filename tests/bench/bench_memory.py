"""Memory of a long run: calls in the journal, vectors beside it and kept rows in the index; at 300,000, and what a
million will take.

The rows lie on 300 shelves (each text has one of 300 numbers), so that none is compared with all: that would take an
hour. A shelf's last block is full by half on average, as in any run. The memory is what the process holds alone; the
file of vectors is mapped, and its pages are the system's to take back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from vsgen.dedup.index import Index
from vsgen.dedup.settings import Dedup
from vsgen.files.journal import FileJournal
from vsgen.values import Call, Embed, Reply, Vector, Verified, Verify

_COUNT, _STEPS, _AIM = 300_000, 3, 1_000_000
_WIDTH, _SHELVES, _GROUP = 384, 300, 256
_MOST = 1.8e9


def held(what: str = "RssAnon") -> int:
    """Bytes of this process, by the system's own name of the count."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what + ":"))
    return int(line.split()[1]) * 1024


def bench(what: str, add: Callable[[int, int], None]) -> float:
    """Add in steps; print what a call takes and what a million will, and return the latter."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    taken, start, before = [0], time.process_time(), held()
    for low, high in pairwise(range(0, _COUNT + 1, _COUNT // _STEPS)):
        add(low, high)
        taken.append(held() - before)
    spent = time.process_time() - start
    last = (taken[-1] - taken[-2]) / (_COUNT // _STEPS)
    million = taken[-1] + (_AIM - _COUNT) * last
    peak = max(0, held("VmHWM") - held("VmRSS")) / 1e6
    print(
        f"memory: {what:28} {taken[-1] / _COUNT:7.0f} bytes each at {_COUNT}, {last:5.0f} for a later one,"
        f" {peak:4.0f} MB more at the peak; {_COUNT / spent:6.0f} a CPU-second"
    )
    return million


def fill(index: Index, low: int, high: int) -> None:
    """Keep rows that are far apart."""
    rng = np.random.default_rng(low)
    for start in range(low, high, _GROUP):
        group = range(start, min(start + _GROUP, high))
        rows = rng.normal(size=(len(group), _WIDTH)).astype("<f4")
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        texts = [f"{i % _SHELVES} and {chr(0x4E00 + i // _SHELVES)}" for i in group]
        vectors = [Vector(row.tobytes()) for row in rows.astype("<f2")]
        index.admit_all([f"support-tickets/{i:06}.0" for i in group], texts, vectors)


def answer(journal: FileJournal, asked: Callable[[int], tuple[Call, Reply]], low: int, high: int) -> None:
    """Add calls with their replies."""
    for number in range(low, high):
        call, reply = asked(number)
        journal.add(journal.key("m", call), "m", call, reply)


def checked(number: int) -> tuple[Call, Reply]:
    """A call whose line is short: the disk is not what is measured."""
    return Verify(("./check",), str(number)), Verified(True)


def embedded(number: int) -> tuple[Call, Reply]:
    """A text and its vector."""
    return Embed(str(number)), Vector(number.to_bytes(4, "little") * (_WIDTH // 2))


def main() -> None:
    """Print every figure."""
    index = Index(Dedup(threshold=0.9))
    with tempfile.TemporaryDirectory() as folder, FileJournal(Path(folder) / "journal") as journal:
        total = bench("calls in the journal", partial(answer, journal, checked))
        total += bench("vectors beside it", partial(answer, journal, embedded))
    total += bench("kept rows in the index", partial(fill, index))
    if len(index) != _COUNT:
        raise ValueError("the rows are not far enough apart")
    print(f"memory: all three, {_AIM} of each   {total / 1e9:7.2f} GB, extrapolated (aim: at most {_MOST / 1e9:.1f})")

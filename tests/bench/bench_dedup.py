"""Rates of the index and of the embedder, each beside a plain peer in the same run.

Every line is one figure per CPU second and its ratio
to the peer. Rounds alternate between ours and the peer; the best of each counts.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vsgen.backends.hashed import HashedEmbedder
from vsgen.backends.open_embedder import open_embedder
from vsgen.backends.sentence import SentenceEmbedder
from vsgen.dedup.index import Index
from vsgen.dedup.settings import Dedup
from vsgen.values import Embed, Vector

_KEPT = 20_000
_GROUP = 256
_NEW = 1024
_WIDTH = 384
_THRESHOLD = 0.92
_TEXTS = 256
_ROUNDS = 3
_WORDS = "my bike light stopped working after two days please refund the broken espresso machine order number again"


def seconds(work: Callable[[], object]) -> float:
    """CPU time of one call: other work on the machine weighs less than in wall time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def naive(kept: NDArray[np.float32], new: NDArray[np.float32]) -> list[bool]:
    """One by one with numpy: one product and one row copied per text."""
    rows = np.concatenate([kept, np.empty_like(new)])
    count, repeats = len(kept), []
    for row in new:
        repeats.append(bool((rows[:count] @ row).max() >= _THRESHOLD))
        if not repeats[-1]:
            rows[count] = row
            count += 1
    return repeats


def filled(kept: NDArray[np.float32]) -> tuple[Index, float]:
    """An index that keeps all rows, given in groups as a run gives them; and how long that took."""
    index, (names, texts, vectors) = Index(Dedup(threshold=_THRESHOLD)), _named("kept", kept)
    cuts = [slice(low, low + _GROUP) for low in range(0, len(kept), _GROUP)]
    took = seconds(lambda: [index.admit_all(names[c], texts[c], vectors[c]) for c in cuts])
    if len(index) != len(kept):
        raise ValueError("the rows to keep are not far enough apart")
    return index, took


def admitted(index: Index, names: list[str], texts: list[str], vectors: list[Vector]) -> int:
    """As in a run, each text is looked up before its vector is asked for; how many were new."""
    seen = [index.seen(text) for text in texts]
    twins = index.admit_all(names, texts, vectors)
    return sum(not (one or other) for one, other in zip(seen, twins, strict=True))


def bench_index() -> None:
    """Rows per second at 20,000 kept rows of one shelf, vectors given; a tenth of the new ones are at cosine 0.95."""
    rng = np.random.default_rng(0)
    kept, new = (_unit(rng.normal(size=(size, _WIDTH))) for size in (_KEPT, _NEW))
    new[::10] = _unit(kept[: len(new[::10])] + 0.3 / np.sqrt(_WIDTH) * rng.normal(size=new[::10].shape))
    base = _NEW / min(seconds(lambda: naive(kept, new)) for _ in range(_ROUNDS))
    say(f"index: {_KEPT} kept, naive, one by one", base, base, "rows/s")
    names, texts, vectors = _named("new", new)
    for batch in (1, 32, 64, 256, 1024):
        index, took = filled(kept)
        if batch == 1:
            say(f"index: the first {_KEPT}, {_GROUP} at a time", _KEPT / took, base, "rows/s")

        cuts = [slice(low, low + batch) for low in range(0, _NEW, batch)]
        took = seconds(lambda: [admitted(index, names[c], texts[c], vectors[c]) for c in cuts])  # noqa: B023
        say(f"index: {_KEPT} kept, {batch} at a time", _NEW / took, base, "rows/s")


def bench_embedders() -> None:
    """Texts per second against plain ``SentenceTransformer.encode`` on the same weights."""
    rng = np.random.default_rng(0)
    words = _WORDS.split()
    texts = [" ".join(rng.choice(words, size=max(3, int(rng.lognormal(3.0, 0.6))))) for _ in range(_TEXTS)]
    calls = [Embed(text) for text in texts]
    minilm = open_embedder("minilm", device="cpu")
    if not isinstance(minilm, SentenceEmbedder):
        raise TypeError("minilm is no sentence-transformers model")
    sys.stdout.write(f"embed: import, load, one text {seconds(lambda: minilm.embed(calls[:1])):16.1f} s\n")
    plain = minilm._model
    for batch in (8, 32, 256):
        cuts = [slice(low, low + batch) for low in range(0, _TEXTS, batch)]
        base, ours = math.inf, math.inf
        for _ in range(_ROUNDS):
            base = min(base, seconds(lambda: [plain.encode(texts[c], show_progress_bar=False) for c in cuts]))  # noqa: B023
            ours = min(ours, seconds(lambda: [minilm.embed(calls[c]) for c in cuts]))  # noqa: B023
        say(f"embed: minilm, {batch} at a time", _TEXTS / ours, _TEXTS / base, "texts/s")
    say("embed: hash", _TEXTS / seconds(lambda: HashedEmbedder().embed(calls)), _TEXTS / base, "texts/s")


def say(what: str, rate: float, peer: float, unit: str) -> None:
    """One line: the figure, and how many times the peer's it is."""
    sys.stdout.write(f"{what:36} {rate:10.1f} {unit:8} {rate / peer:6.2f} x peer\n")


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / lengths, np.float32)


def _named(kind: str, rows: NDArray[np.float32]) -> tuple[list[str], list[str], list[Vector]]:
    texts = [f"{_WORDS}, {kind} {chr(0x4E00 + i % 20000)}" for i in range(len(rows))]
    return (
        [f"support-tickets/{kind}{i:06}.0" for i in range(len(rows))],
        texts,
        [Vector(row.astype("<f2").tobytes()) for row in rows],
    )


def main() -> None:
    """Print every figure."""
    bench_index()
    bench_embedders()


if __name__ == "__main__":
    main()

"""``python -m tests.real.repeats ROWS.jsonl ...``: which repeats the embedders see, on rows of a real model.

Two measurements at each threshold, on the field `text` of the rows, which must not have been deduplicated:

- *agreement*: which rows a run would drop, against those that MiniLM drops at 0.92: precision and recall.
- *planted*: the share that is dropped of near copies (a typo in every 40 characters; a filler word; a short word left
  out), and of variants, which are other answers (a word of at least 5 letters becomes another row's). Each is compared
  only with the row that it was made from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from vsgen.backends.open_embedder import open_embedder
from vsgen.dedup.guards import signature
from vsgen.dedup.index import Index
from vsgen.dedup.settings import MODEL_THRESHOLD, Dedup
from vsgen.values import Embed, Vector

_LEAST_WORDS = 5
_FILLERS = ("really", "just", "actually", "very", "quite")
_THRESHOLDS = (0.75, 0.80, 0.825, 0.85, 0.875, 0.90, 0.92)


def typos(text: str, rng: Random) -> str:
    """Two neighboring letters change places, once in every 40 characters."""
    letters = list(text)
    for _ in range(max(1, len(text) // 40)):
        at = rng.choice([i for i in range(len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()])
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def filled(text: str, rng: Random) -> str:
    """A filler word somewhere within."""
    words = text.split()
    words.insert(rng.randrange(1, len(words)), rng.choice(_FILLERS))
    return " ".join(words)


def shortened(text: str, rng: Random) -> str:
    """A word of at most 4 letters is left out, if there is one."""
    words = text.split()
    short = [i for i, word in enumerate(words) if len(word) <= 4]
    words.pop(rng.choice(short or [-1]))
    return " ".join(words)


def varied(text: str, rng: Random, others: Sequence[str]) -> str:
    """One long word becomes another one."""
    words = text.split()
    words[rng.choice([i for i, word in enumerate(words) if long(word)])] = rng.choice(others)
    return " ".join(words)


def long(word: str) -> bool:
    """Whether another word in its place makes another answer."""
    return word.isalpha() and len(word) >= 5


class Embedded:
    """Texts and their vectors under one embedder."""

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        """Embed them all."""
        vectors = open_embedder(name).embed([Embed(text) for text in texts])
        self._vectors: Mapping[str, Vector] = dict(zip(texts, vectors, strict=True))

    def dropped(self, texts: Sequence[str], threshold: float) -> set[int]:
        """Which of the texts a run with the default guards drops."""
        index = Index(Dedup(threshold=threshold))
        names = [str(i) for i in range(len(texts))]
        twins = index.admit_all(names, texts, [self._vectors[text] for text in texts])
        return {i for i, twin in enumerate(twins) if twin}

    def share(self, pairs: Sequence[tuple[str, str]], threshold: float) -> float:
        """Of how many pairs the second repeats the first."""
        return sum(bool(self.dropped(pair, threshold)) for pair in pairs) / len(pairs)


def planted(texts: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Pairs of a row and what was made of it, by the way it was made; the guards see no difference."""
    rng = Random(0)
    others = [word for text in texts for word in text.split() if long(word)]
    ways: Mapping[str, Callable[[str], str]] = {
        "typo": lambda text: typos(text, rng),
        "filler": lambda text: filled(text, rng),
        "left out": lambda text: shortened(text, rng),
        "variant": lambda text: varied(text, rng, others),
    }
    able = [text for text in texts if len(text.split()) >= _LEAST_WORDS and any(map(long, text.split()))]
    pairs = {way: [(text, make(text)) for text in able] for way, make in ways.items()}
    guards = Dedup().guards
    return {
        way: [(one, two) for one, two in each if one != two and signature(one, guards) == signature(two, guards)]
        for way, each in pairs.items()
    }


def main() -> None:
    """Print both tables."""
    lines = [json.loads(line) for path in map(Path, sys.argv[1:]) for line in path.read_text().splitlines()]
    texts = [line["text"] for line in lines]
    pairs = planted(texts)
    every = list(dict.fromkeys([*texts, *(text for each in pairs.values() for pair in each for text in pair)]))
    minilm = Embedded("minilm", every)
    expected = minilm.dropped(texts, MODEL_THRESHOLD)
    print(f"{len(texts)} rows, of which minilm drops {len(expected)} at {MODEL_THRESHOLD}")
    print(f"{'embedder':9}{'at':>6}{'drops':>7}" + "".join(f"{one:>10}" for one in ("precision", "recall", *pairs)))
    for name, embedded in {"minilm": minilm, "hash": Embedded("hash", every)}.items():
        for threshold in _THRESHOLDS:
            found = embedded.dropped(texts, threshold)
            both = len(found & expected)
            agreement = (both / max(1, len(found)), both / max(1, len(expected)))
            shares = [embedded.share(each, threshold) for each in pairs.values()]
            print(f"{name:9}{threshold:6.3f}{len(found):7}" + "".join(f"{one:10.2f}" for one in (*agreement, *shares)))


if __name__ == "__main__":
    main()

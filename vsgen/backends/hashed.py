"""A lexical embedder without a model: hashed character n-grams and words.

It sees spelling, not meaning: a good detector of near copies and typos, blind to paraphrase. Use a dedup threshold of
about 0.80 with it. Every word gives itself and its character 3- to 5-grams, signed and hashed into 1024 components
(count sketch, Charikar et al. 2002); common English words weigh a quarter. All sums are exact in float64, so a text
has the same bytes on every machine.
"""

from __future__ import annotations

import math
import string
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vsgen.values import Embed, Vector

_WIDTH = 1024
_SIZES = (3, 4, 5)
_COMMON_WEIGHT = 0.25
_STOP_WORDS = (
    "a an the this that these those and or but if so as of at by for from in into on to with about over after before "
    "i me my you your he him his she her it its we us our they them their who what which when where why how is am are "
    "was were be been being do does did have has had will would can could should may might must there here"
)
_COMMON = frozenset(_STOP_WORDS.split())
_EDGES = string.punctuation + "\u2018\u2019\u201c\u201d\u00ab\u00bb\u2013\u2014\u2026\u3001\u3002\uff0c\uff01\uff1f"


class HashedEmbedder:
    """Unit vectors of 1024 components from spelling alone; keeps the Embedder protocol."""

    name: Final = "hash-1"
    """Changes whenever a text's vector would."""
    cut: Final = 0
    """It reads every text to its end."""

    def embed(self, calls: Sequence[Embed]) -> Sequence[Vector]:
        """One vector per call, in the order of the calls."""
        return [_vector(call.text) for call in calls]


def _vector(text: str) -> Vector:
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = [token.strip(_EDGES) or token for token in plain.split()] or [""]
    sketches = [_sketch(word) for word in words]
    buckets = np.concatenate([sketch[0] for sketch in sketches])
    weights = np.concatenate([sketch[1] for sketch in sketches])
    sums = np.bincount(buckets, weights=weights, minlength=_WIDTH)
    length = math.sqrt(math.fsum((sums * sums).tolist()))
    return Vector((sums / length).astype("<f4").astype("<f2").tobytes())


@lru_cache(maxsize=1 << 16)
def _sketch(word: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The buckets of a word's features and their signed weights."""
    marked = f"\x02{word}\x03"
    grams = [marked[i : i + size] for size in _SIZES for i in range(len(marked) - size + 1)]
    hashes = [_hash(feature) for feature in (f"word {word}", *grams)]
    weight = _COMMON_WEIGHT if word in _COMMON else 1.0
    return (
        np.array([value % _WIDTH for value in hashes], np.intp),
        np.array([weight if value & _WIDTH else -weight for value in hashes], np.float64),
    )


def _hash(feature: str) -> int:
    return int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")

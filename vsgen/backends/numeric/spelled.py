"""Opens the embedded model's tokenizer alone; needs neither numpy nor the decoding loop."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Final

from vsgen.backends.chat.spell import Speller
from vsgen.backends.numeric.tokenizer import PlainTokenizer

_LENGTH: Final = 8
"""Bytes at the beginning of a file of safetensors that say how long its head is; the head is JSON."""


def open_embedded_speller(folder: Path, *, name: str) -> Speller:
    """Open the tokenizer of a folder as `vsgen.backends.numeric.model.open_embedded` reads it."""
    counted = partial(_parameters, folder / "model.safetensors")
    return Speller(PlainTokenizer.read(folder), name, counted, embedded=True)


def _parameters(weights: Path) -> int:
    """How many numbers a file of weights holds, by the shapes in its head."""
    with weights.open("rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(_LENGTH), "little")))
    return sum(math.prod(tensor["shape"]) for key, tensor in head.items() if key != "__metadata__")

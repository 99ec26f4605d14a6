"""The embedded model: a toy Llama trained from scratch on the probabilistic grammar of this package; see README.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

WEIGHTS: Final = Path(__file__).parent / "weights"
"""The folder that transformers loads: model, tokenizer and chat template."""
SHA256: Final[Mapping[str, str]] = MappingProxyType(
    {
        "model.safetensors": "a867761c87fabc0935fba20e495cf68fcbfe291fede599223485aa85d7a4da8c",
        "tokenizer.json": "a5dc92b2f93d18074288c402a3b82005ee50fe98c21b67e4dcc6dbbac706ab2d",
    }
)
"""Of its files, by which `vsgen doctor` sees that they are whole; training makes others."""

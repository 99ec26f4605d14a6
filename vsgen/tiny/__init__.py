"""The embedded model: a toy Llama trained from scratch on the probabilistic grammar of this package; see README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

WEIGHTS: Final = Path(__file__).parent / "weights"
"""The folder that transformers loads: model, tokenizer and chat template."""

"""The real model: SmolLM2-135M-Instruct, which nobody here trained. Figures and tests; `make real` runs all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).parents[2] / "build" / "real" / "SmolLM2-135M-Instruct.Q4_1.gguf"
"""Where `make build/real` unpacks it."""

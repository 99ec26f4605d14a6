"""The accelerators of this machine. It imports torch, which takes a second, where torch is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple


class Accelerator(NamedTuple):
    """A device that --device can name."""

    device: str
    name: str
    memory: int
    """Bytes; 0 where it shares the machine's."""


def accelerators() -> list[Accelerator] | None:
    """All of them, in torch's order; None where torch is not installed, so that nobody knows.

    Raises:
        ImportError: torch is installed and cannot be imported.
        RuntimeError: Its driver fails.
    """
    if find_spec("torch") is None:
        return None
    import torch

    each = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    found = [Accelerator(f"cuda:{i}", one.name, one.total_memory) for i, one in enumerate(each)]
    return [*found, Accelerator("mps", "Apple GPU", 0)] if torch.backends.mps.is_available() else found

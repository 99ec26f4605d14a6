"""The devices that torch has on this machine."""

from __future__ import annotations

import torch

from vsgen.errors import ModelError


def pick_device(name: str) -> torch.device:
    """A device by name; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        ModelError: torch has no device of this name here.
    """
    counts = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if name == "auto":
        name = next(kind for kind, count in counts.items() if count)
    kind, _, number = name.partition(":")
    if kind not in counts:
        raise ModelError(f"device {name!r} is not known; choose auto, cpu, cuda or mps")
    if not counts[kind]:
        raise ModelError(f"device {name!r} is not available to torch on this machine; choose auto or cpu")
    if number and not (number.isdecimal() and int(number) < counts[kind]):
        there = ", ".join(f"{kind}:{i}" for i in range(counts[kind]))
        raise ModelError(f"device {name!r} is not available to torch on this machine; there is {there}")
    return torch.device(name)

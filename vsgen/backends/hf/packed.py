"""Linear layers whose weights lie in memory as oneDNN's kernels read them.

On a CPU torch multiplies float32 through MKL, which reads a weight as it lies; a step of a few dozen rows then computes
at a third of what oneDNN does with weights that were put in order once (docs/speed.md has the figures). The sums run in
another order, so a score's last bits differ, as they do between two machines. Float64 is never packed.
"""

from __future__ import annotations

import platform
from typing import Any, cast

import torch
from torch import Tensor, nn

_TYPES = (torch.float32, torch.bfloat16)
_MACHINES = ("x86_64", "AMD64")
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
"""Largest difference to the plain layer, as a share of the results' spread."""
_PROBES = 3
"""Rows on which a packed layer is compared with the plain one."""


class PackedLinear(nn.Module):
    """What a `nn.Linear` computes; the weight is its own, in oneDNN's order."""

    def __init__(self, linear: nn.Linear, rows: int) -> None:
        """Pack a layer for inputs of about so many rows."""
        super().__init__()
        self._weight = _ops().mkldnn._reorder_linear_weight(linear.weight.detach(), rows)
        self._bias = linear.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., in] to [..., out]."""
        outputs = _ops().mkldnn._linear_pointwise(inputs, self._weight, self._bias, "none", [], "")
        return cast(Tensor, outputs)

    def unpacked(self) -> nn.Linear:
        """The plain layer."""
        weight = self._weight.to_dense()
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
        linear.weight = nn.Parameter(weight, requires_grad=False)
        linear.bias = self._bias
        return linear


@torch.inference_mode()
def pack(model: nn.Module, rows: int) -> bool:
    """Pack a model's linear layers in place, if that can be had here; whether it was.

    Args:
        model: On a CPU, in float32 or bfloat16; any other is left alone.
        rows: About how many rows an input will have.
    """
    first = next(model.parameters())
    if first.device.type != "cpu" or first.dtype not in _TYPES or platform.machine() not in _MACHINES:
        return False
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    for parent, name, linear in _find(model, nn.Linear):
        try:
            packed = PackedLinear(linear, rows)
            same = _agree(linear, packed)
        except (RuntimeError, AttributeError, NotImplementedError):  # this CPU or this torch does not have the kernel
            same = False
        if not same:
            unpack(model)
            return False
        setattr(parent, name, packed)
    return True


@torch.inference_mode()
def unpack(model: nn.Module) -> None:
    """Undo `pack`."""
    for parent, name, packed in _find(model, PackedLinear):
        setattr(parent, name, packed.unpacked())


def _find(model: nn.Module, kind: type[Any]) -> list[tuple[nn.Module, str, Any]]:
    """Parents, names and layers of exactly this kind: another may not compute what it is called."""
    return [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) is kind
    ]


def _agree(linear: nn.Linear, packed: PackedLinear) -> bool:
    columns = linear.weight.shape[1]
    probe = torch.arange(_PROBES * columns, dtype=torch.float32).sin().view(_PROBES, columns).to(linear.weight.dtype)
    plain, found = linear(probe).float(), packed(probe).float()
    return bool((plain - found).abs().max() <= _TOLERANCE[linear.weight.dtype] * plain.std().clamp(min=1e-6))


def _ops() -> Any:
    return torch.ops

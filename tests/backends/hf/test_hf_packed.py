"""Packed layers compute what plain ones do, and a model that cannot have them stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from vsgen.backends.hf import packed as packing
from vsgen.backends.hf.model import open_hf
from vsgen.backends.hf.packed import PackedLinear, pack, unpack
from vsgen.values import Generate, Message, Prompt

HF: Any = transformers
MakeModel = Callable[..., Path]
IDS = torch.tensor([[5, 6, 7, 8]])
needs_kernel = pytest.mark.skipif(not pack(nn.Sequential(nn.Linear(8, 8)), 4), reason="this CPU has no oneDNN kernel")


def opened(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    return HF.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def layers(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(type(module) is kind for module in model.modules())


@needs_kernel
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt_neox", "gemma3_text"])
def test_packed_model_says_what_the_plain_one_says(make_model: MakeModel, kind: str) -> None:
    folder = make_model(kind, **({"num_key_value_heads": 2} if kind == "qwen2" else {}))
    plain, packed = opened(folder), opened(folder)
    linear = layers(plain, nn.Linear)
    assert pack(packed, 8)
    assert layers(packed, PackedLinear) == linear
    assert layers(packed, nn.Linear) == 0
    with torch.inference_mode():
        torch.testing.assert_close(packed(IDS).logits, plain(IDS).logits, atol=1e-3, rtol=1e-4)


@needs_kernel
def test_unpacking_gives_the_same_weights_back(make_model: MakeModel) -> None:
    folder = make_model("qwen2", num_key_value_heads=2)
    plain, packed = opened(folder), opened(folder)
    assert pack(packed, 8)
    unpack(packed)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(packed.state_dict()[name], tensor), name


def test_double_precision_is_never_packed(make_model: MakeModel) -> None:
    model = opened(make_model(), torch.float64)
    assert not pack(model, 8)
    assert layers(model, PackedLinear) == 0


def test_a_kernel_that_computes_something_else_is_not_used(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PackedLinear, "forward", lambda self, inputs: inputs.new_zeros(3, self._weight.shape[0]))
    model = opened(make_model())
    assert not pack(model, 8)
    assert layers(model, PackedLinear) == 0


def test_a_torch_without_the_kernel_is_no_error(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_ops", object)
    model = open_hf(str(make_model()), device="cpu")
    network: Any = model._parts.network
    assert layers(network._model, PackedLinear) == 0
    (reply,) = model.generate([Generate(Prompt((Message("user", "hello"),)), seed=0, max_tokens=3)])
    assert reply.tokens

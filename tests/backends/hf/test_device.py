"""Which devices there are: one that torch does not have is named before any weights are read."""

from __future__ import annotations

import pytest
import torch

from vsgen.backends.hf.device import pick_device
from vsgen.backends.open_embedder import open_embedder
from vsgen.errors import ModelError
from vsgen.values import Embed


@pytest.fixture(params=[0, 2], ids="{} CUDA devices".format)
def devices(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many CUDA devices torch counts."""
    count: int = request.param
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return count


def test_auto_takes_a_gpu_where_there_is_one(devices: int) -> None:
    assert pick_device("auto").type == ("cuda" if devices else "cpu")
    assert pick_device("cpu").type == "cpu"


def test_only_devices_that_are_there_are_picked(devices: int) -> None:
    if devices:
        assert [str(pick_device(name)) for name in ("cuda", "cuda:0", "cuda:1")] == ["cuda", "cuda:0", "cuda:1"]
        with pytest.raises(
            ModelError, match=r"'cuda:2' is not available to torch on this machine; there is cuda:0, cuda:1$"
        ):
            pick_device("cuda:2")
    else:
        with pytest.raises(
            ModelError, match="device 'cuda' is not available to torch on this machine; choose auto or cpu"
        ):
            pick_device("cuda")


@pytest.mark.parametrize("name", ["tpu", "", "cpu:7", "cuda:x"])
def test_no_other_name_is_a_device(devices: int, name: str) -> None:
    with pytest.raises(ModelError, match=f"device '{name}' is not (known|available)"):
        pick_device(name)


@pytest.mark.usefixtures("devices")
@pytest.mark.parametrize("name", ["mps", "cuda:9"])
def test_an_embedder_names_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(ModelError, match=f"^device '{name}' is not available to torch on this machine"):
        open_embedder("minilm", device=name).embed([Embed("a text")])
